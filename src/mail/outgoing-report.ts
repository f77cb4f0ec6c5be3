import type { MessageId } from './ids.js'
import { readIncoming } from './incoming.js'
import type { Mail } from './mail.js'
import { noFolder } from './mail-folder.js'
import type { Mailbox } from './mailbox.js'
import type { Conversation, Message } from './message.js'
import type { Outgoing } from './outgoing.js'
import { outboxEntries } from './submit.js'

/**
 * A report that a mailbox sends to somebody elsewhere: in no folder of its own, and with an empty return path, so that
 * nothing comes back to it (RFC 3464 §2, RFC 8098 §3).
 */
export async function outgoingReport(
  mail: Mail,
  mailbox: Mailbox,
  mime: Buffer,
  { to, conversation }: { readonly to: string; readonly conversation: Conversation },
): Promise<Outgoing> {
  const { copyFor } = await readIncoming(mail, mime, '')
  const copy = copyFor(mailbox, conversation)
  const message: Message = {
    ...copy,
    id: mail.ids.next() as MessageId,
    folder: noFolder,
    isRead: true,
    content: { ...copy.content, internetMessageHeaders: [], autoSubmitted: 'auto-replied' },
  }
  const entries = outboxEntries(message, { mailFrom: '', recipients: [{ address: to }], at: message.sentAt })
  return { message, mime, entries, attachments: [], carries: false }
}
