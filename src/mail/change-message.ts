import { MailError } from './errors.js'
import type { Mail } from './mail.js'
import type { Message } from './message.js'

/** Writers of one message that may come first, each time anew, before this one gives up. */
const maxTries = 64

/**
 * Runs a guarded change on the message as it stands, and once more on what it has become when another write came first.
 * For changes that mean the same on either; one that overwrites what it has not seen fails with `conflict` instead.
 *
 * @throws MailError notInStore when the message was moved away meanwhile
 */
export async function onCurrent<Result>(
  mail: Pick<Mail, 'store'>,
  message: Message,
  change: (current: Message) => Promise<Result>,
): Promise<Result> {
  let current = message
  for (let tries = 1; ; tries++) {
    try {
      return await change(current)
    } catch (error) {
      if (!(error instanceof MailError) || error.code !== 'conflict' || tries === maxTries) throw error
      current = await stillThere(mail, message)
    }
  }
}

async function stillThere(mail: Pick<Mail, 'store'>, message: Message): Promise<Message> {
  const current = await mail.store.messages.find(message.mailbox, message.id)
  if (current === undefined || current.folder !== message.folder || current.moves !== message.moves) {
    throw new MailError('notInStore', 'The message was sent, moved or deleted at the same moment.')
  }
  return current
}

/** The message with a new change number and time of change, and what else is given. */
export function changed(mail: Pick<Mail, 'clock' | 'ids'>, message: Message, to: Partial<Message>): Message {
  return { ...message, ...to, change: mail.ids.next(), modifiedAt: mail.clock.now() }
}

/**
 * Refuses while the message is on its way: what was accepted is delivered as it was accepted.
 *
 * @throws MailError conflict
 */
export async function requireSettled(mail: Pick<Mail, 'store'>, message: Message): Promise<void> {
  if (message.isDraft) return
  const entries = await mail.store.outbox.listByMessage(message.mailbox, message.id)
  if (entries.some(({ state }) => state !== 'closed')) {
    throw new MailError('conflict', 'The message is still being delivered: it can be changed after that.')
  }
}
