import type { ArrivingParts } from './arrival.js'
import { contentOf, hasVisibleAttachment } from './attachment.js'
import { bodyPreviewOf } from './body.js'
import type { MessageId } from './ids.js'
import type { Mail } from './mail.js'
import { folderId } from './mail-folder.js'
import type { Mailbox } from './mailbox.js'
import type { Conversation, Message, MessageContent } from './message.js'
import { toCrlf } from './mime/line-ends.js'
import { parseMime } from './mime/parse.js'
import { type ReadReport, readReport, shownAttachments } from './mime/read-report.js'
import { transportHeadersOf } from './mime/render.js'
import { putAttachments, putMessage } from './put-message.js'

/** A message that comes into mailboxes as bytes, read. */
export interface Incoming {
  /** For mailboxes: each gets a copy with an id of its own. */
  readonly copyFor: (mailbox: Mailbox, conversation: Conversation) => Message
  readonly parts: ArrivingParts
  readonly internetMessageId: string
  /** What it says it follows, the thread's first message first. */
  readonly references: readonly string[]
  /** Whether a message that a mailbox has says the same: one Message-ID alone may stand on two. */
  readonly isSame: (kept: Message) => boolean
  /** Present when it is a report. */
  readonly report: ReadReport | undefined
}

/**
 * Reads a message that came in. Its line ends become CRLF first: what is kept, shown and sent on is the one text that
 * every reader sees, however the sender ended its lines.
 *
 * @param bytes as received, the trace fields of this hop (RFC 5321 §4.4) already on top
 * @param mailFrom return path; empty when there is none
 * @throws MailError mimeInvalid
 */
export async function readIncoming(mail: Mail, bytes: Buffer, mailFrom: string): Promise<Incoming> {
  const mime = toCrlf(bytes)
  const parsed = await parseMime(mime)
  const headers = transportHeadersOf(mime)
  const shown = await shownAttachments(parsed.attachments)
  const report = readReport({ ...parsed, attachments: [...parsed.attachments, ...shown] }, headers, mailFrom)
  const draft = report === undefined ? parsed : { ...parsed, attachments: shown }
  const bodyPreview = bodyPreviewOf(draft.body)
  const contents = draft.attachments.map(contentOf)
  const now = mail.clock.now()
  const { attachments, subject, importance, isRead: _, mime: __, sentAt, ...said } = draft
  const { internetMessageId = `<${mail.random.uuid()}@${mail.hostname}>` } = draft
  // Who a blind copy went to is nobody's business; the transport's headers take the place of the author's own.
  const content: MessageContent = {
    ...said,
    bccRecipients: [],
    internetMessageHeaders: headers,
    ...(report === undefined ? {} : { singleValueExtendedProperties: [messageClass(report)] }),
  }
  return {
    internetMessageId,
    references: [...(said.references?.split(' ') ?? []), ...(said.inReplyTo === undefined ? [] : [said.inReplyTo])],
    report,
    isSame: (kept) =>
      kept.subject === subject &&
      Math.trunc(kept.sentAt / 1_000) === Math.trunc((sentAt ?? kept.sentAt) / 1_000) &&
      kept.content.body.content === draft.body.content,
    parts: {
      put: (tx, message) => putMessage(tx, mail, message, { draft, contents, carried: [] }),
      mime: async () => mime,
      draft: async () => draft,
      putAttachments: (tx, message) => putAttachments(tx, mail, message, { draft, contents }),
    },
    copyFor: (mailbox, conversation) => ({
      mailbox: mailbox.id,
      id: mail.ids.next() as MessageId,
      folder: folderId('inbox'),
      moves: 0,
      change: mail.ids.next(),
      createdAt: now,
      modifiedAt: now,
      receivedAt: now,
      sentAt: sentAt ?? now,
      isRead: false,
      isDraft: false,
      // The message that a report returns is none of its own (recorded).
      hasAttachments: report === undefined && hasVisibleAttachment(attachments),
      importance,
      subject,
      internetMessageId,
      conversation,
      bodyPreview,
      sizeBytes: mime.byteLength,
      content,
    }),
  }
}

/** PidTagMessageClass of reports, MS-OXOMSG §2.2.4. */
function messageClass({ fates }: ReadReport) {
  const actions = new Set(fates.map(({ action }) => action))
  const suffix = actions.has('failed')
    ? 'NDR'
    : actions.has('delayed')
      ? 'Delayed'
      : actions.has('displayed')
        ? 'IPNRN'
        : actions.has('deleted')
          ? 'IPNNRN'
          : actions.has('relayed')
            ? 'Relayed'
            : 'DR'
  return { id: 'String 0x1a', value: `REPORT.IPM.Note.${suffix}` }
}
