import type { EmailAddress, InternetMessageHeader } from '../message.js'
import { messageText, readHeaderBlock } from './header-block.js'
import { addressField, messageIdField, textField } from './header-field.js'
import { withLineEnd } from './line-ends.js'

/** Who sends a message again, and to whom. */
export interface Resending {
  readonly from: EmailAddress
  readonly to: readonly EmailAddress[]
  /** ms since 1970 */
  readonly at: number
  /** With angle brackets. */
  readonly messageId: string
  /** Marks the mailbox it has passed. */
  readonly loop: InternetMessageHeader
}

/**
 * A message as it is sent again: a new block of `Resent-` fields on top (RFC 5322 §3.6.6), all else as it was but for the
 * return path, which is the next server's to write.
 */
export function resentMime(mime: Uint8Array, { from, to, at, messageId, loop }: Resending): Buffer {
  const text = messageText(mime)
  const { fields, bodyStart } = readHeaderBlock(text)
  const added = [
    addressField('Resent-From', [from]),
    addressField('Resent-To', to),
    `Resent-Date: ${new Date(at).toUTCString().replace('GMT', '+0000')}`,
    messageIdField('Resent-Message-ID', messageId),
    textField(loop.name, loop.value),
  ]
  return Buffer.concat([
    Buffer.from(`${added.join('\r\n')}\r\n`),
    ...fields.filter(({ key }) => key !== 'return-path').map(({ raw }) => withLineEnd(raw)),
    Buffer.from('\r\n'),
    text.subarray(bodyStart),
  ])
}
