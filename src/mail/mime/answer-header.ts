import { MailError } from '../errors.js'
import type { EmailAddress } from '../message.js'
import { messageText, readHeaderBlock } from './header-block.js'
import { addressField, messageIdField, textField } from './header-field.js'
import { withLineEnd } from './line-ends.js'
import { senderFields } from './message-header.js'
import type { ParsedDraft } from './parse.js'

/** Fields that follow from the message that is answered, whatever the MIME of the answer says. */
const replaced = new Set(
  'from sender to cc bcc resent-to resent-cc resent-bcc in-reply-to references thread-index'.split(' '),
)

/**
 * The MIME of an answer under the header it goes out with: author, recipients and thread are the draft's. All below the
 * header stays byte for byte (line ends become CRLF), so what is signed or encrypted stays so.
 *
 * @param mime as it was given, of a message that `parseMime` took
 * @param draft what it was read into, with the recipients and references of the answer
 * @throws MailError mimeInvalid when that header is larger than can be sent
 */
export function readdressed(mime: Uint8Array, draft: ParsedDraft, conversationIndex: string): Buffer {
  const text = messageText(mime)
  const { fields, bodyStart } = readHeaderBlock(text)
  const kept = fields.filter(({ key }) => {
    if (key === 'message-id') return draft.internetMessageId !== undefined
    return !replaced.has(key)
  })
  const hasSubject = kept.some(({ key }) => key === 'subject')
  const added = [
    ...senderFields(draft),
    ...recipients('To', draft.toRecipients),
    ...recipients('Cc', draft.ccRecipients),
    ...recipients('Bcc', draft.bccRecipients),
    ...(hasSubject ? [] : [textField('Subject', draft.subject ?? '')]),
    `Thread-Index: ${conversationIndex}`,
    ...ids('In-Reply-To', draft.inReplyTo),
    ...ids('References', draft.references),
  ]
  const readdressed = Buffer.concat([
    Buffer.from(`${added.join('\r\n')}\r\n`),
    ...kept.map(({ raw }) => withLineEnd(raw)),
    Buffer.from('\r\n'),
    text.subarray(bodyStart),
  ])
  // Delivery reads it again, and it must not be there that it turns out to be too large.
  if (!readHeaderBlock(readdressed).isTooLarge) return readdressed
  throw new MailError('mimeInvalid', 'The header with the recipients of the answer is larger than can be sent.')
}

function recipients(name: string, addresses: readonly EmailAddress[]): string[] {
  return addresses.length === 0 ? [] : [addressField(name, addresses)]
}

function ids(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [messageIdField(name, value)]
}
