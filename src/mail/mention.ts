import { changed, onCurrent } from './change-message.js'
import { MailError } from './errors.js'
import type { Mail } from './mail.js'
import type { Message } from './message.js'

/**
 * Takes a mention out of a message.
 *
 * @param indexIn which it is among those of the message as it is now; below 0: none of them
 * @throws MailError notInStore, conflict
 */
export async function deleteMention(
  mail: Mail,
  message: Message,
  indexIn: (current: Message) => number,
): Promise<void> {
  await onCurrent(mail, message, async (current) => {
    const index = indexIn(current)
    const { mentions = [], ...said } = current.content
    if (index < 0) throw new MailError('notInStore', 'The message has no such mention.')
    const left = mentions.filter((_, at) => at !== index)
    const content = left.length === 0 ? said : { ...said, mentions: left }
    await mail.store.write((tx) => tx.updateMessage(changed(mail, current, { content }), current.change))
  })
}
