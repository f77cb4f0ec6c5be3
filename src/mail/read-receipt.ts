import { escapeHtml } from './body.js'
import { newMessageId } from './conversation.js'
import type { Mail } from './mail.js'
import type { Mailbox } from './mailbox.js'
import type { Message } from './message.js'
import { headerValues } from './message-rule.js'
import { parseAddresses } from './mime/addresses.js'
import { reportMime } from './mime/report.js'
import type { Outgoing } from './outgoing.js'
import { outgoingReport } from './outgoing-report.js'

/** Whether reading the message for the first time is to be told to whoever sent it. */
export function wantsReadReceipt({ isDraft, isRead, content }: Message): boolean {
  return content.isReadReceiptRequested === true && content.readReceipt === undefined && !isDraft && !isRead
}

/**
 * The receipt for a message that its owner reads (RFC 8098). Not for what one sent oneself, nor where the receipt would
 * go to another address than the message came from: for that the owner would have to be asked (§2.1).
 */
export async function readReceipt(mail: Mail, message: Message): Promise<Outgoing | undefined> {
  if (!wantsReadReceipt(message)) return undefined
  const to = receiptAddress(message)
  if (to === undefined) return undefined
  const mailbox = await mail.store.mailboxes.get(message.mailbox)
  const own = new Set([
    mailbox.address,
    mailbox.userPrincipalName,
    ...(await mail.store.mailboxes.aliasesOf(mailbox.id)),
  ])
  if ([...own].some((address) => address.toLowerCase() === to.toLowerCase())) return undefined
  const mime = receiptMime(mail, mailbox, message, to)
  return outgoingReport(mail, mailbox, mime, { to, conversation: message.conversation })
}

/** Of mail from outside the one of `Disposition-Notification-To`, if it is that of the return path; of ours the author's. */
function receiptAddress(message: Message): string | undefined {
  const [returnPath] = headerValues(message, 'return-path')
  const [field] = headerValues(message, 'disposition-notification-to')
  const [wanted, ...others] = parseAddresses(field ?? '')
  if (returnPath === undefined) return wanted?.address ?? message.content.from?.address
  if (wanted === undefined || others.length > 0) return undefined
  const path = returnPath.replace(/[<>\s]/g, '').toLowerCase()
  return path === wanted.address.toLowerCase() ? wanted.address : undefined
}

function receiptMime(mail: Mail, mailbox: Mailbox, message: Message, to: string): Buffer {
  const now = mail.clock.now()
  const { content, internetMessageId, subject } = message
  const name = content.from?.address.toLowerCase() === to.toLowerCase() ? content.from.name : undefined
  const lines = [
    'Your message was shown to:',
    `  ${mailbox.displayName} <${mailbox.address}>`,
    '',
    `Subject: ${subject ?? ''}`,
    `Sent: ${new Date(message.sentAt).toUTCString()}`,
    `Read: ${new Date(now).toUTCString()}`,
    'That it was read or understood is more than this tells.',
  ]
  return reportMime({
    from: { name: mailbox.displayName, address: mailbox.address },
    to: name === undefined ? { address: to } : { name, address: to },
    subject: `Read: ${subject ?? ''}`.trimEnd(),
    sentAt: now,
    messageId: newMessageId(mail),
    inReplyTo: internetMessageId,
    references: [...(content.references?.split(' ').slice(-10) ?? []), internetMessageId].join(' '),
    conversationIndex: message.conversation.index,
    text: lines.join('\n'),
    html: `<html><body><p>${lines.map(escapeHtml).join('<br>\n')}</p></body></html>`,
    type: 'disposition-notification',
    groups: [
      [
        `Reporting-UA: ${mail.hostname}; Graphpost`,
        `Final-Recipient: rfc822; ${mailbox.address}`,
        `Original-Message-ID: ${internetMessageId}`,
        // A program marked it for its owner, who asked for no receipt to be sent.
        'Disposition: automatic-action/MDN-sent-automatically; displayed',
      ],
    ],
    boundary: `=_${mail.random.bytes(16).toString('hex')}`,
  })
}
