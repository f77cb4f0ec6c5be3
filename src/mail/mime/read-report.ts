/**
 * Reads what a report says that came in: delivery status notifications (RFC 3464), receipts for reading (RFC 8098), and
 * what some servers write in place of the former. Nothing of it is believed beyond the message it is about.
 */
import type { NewAttachment } from '../attachment.js'
import type { Draft, InternetMessageHeader } from '../message.js'
import { readHeaderBlock, unfoldedValue, withoutControls } from './header-block.js'
import { messageIdsOf } from './header-field.js'
import { toCrlf } from './line-ends.js'
import { type ParsedDraft, parseMime } from './parse.js'

/** What became of a recipient, RFC 3464 §2.3.3; or `displayed`, RFC 8098 §3.2.6. */
export type ReportedAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded' | 'displayed' | 'deleted'

export interface ReportedFate {
  /** As the reporter knows it, and as it was first named, lower case. */
  readonly addresses: readonly string[]
  readonly action: ReportedAction
  /** RFC 3463; empty when not said. */
  readonly status: string
  /** What the server said that decided, without its type; empty when not said. */
  readonly diagnostic: string
}

/** A report, read. */
export interface ReadReport {
  readonly fates: readonly ReportedFate[]
  /** RFC 3461 §4.4: what we called the message when we handed it on; undefined when not said. */
  readonly envelopeId: string | undefined
  /** Ids of the message it is about, the likeliest first, with angle brackets. */
  readonly about: readonly string[]
  /** The returned message's `Date`, ms since 1970. */
  readonly sentAt: number | undefined
  /** Who sent it, as the returned message says: no more than where to look for it. */
  readonly senders: readonly string[]
}

/** What is looked at of a part that should be small. */
const maxPartBytes = 262_144
/** Recipients of one report. */
const maxFates = 1_000

/**
 * The report that a message is; undefined when it is none.
 *
 * @param headers of the message, unfolded
 * @param mailFrom return path: a report has none
 */
export function readReport(
  draft: Draft,
  headers: readonly InternetMessageHeader[],
  mailFrom: string,
): ReadReport | undefined {
  const status = draft.attachments.find((each) => each.contentType === 'message/delivery-status')
  const notice = draft.attachments.find((each) => each.contentType === 'message/disposition-notification')
  const returned = returnedMessage(draft.attachments)
  const ofHeader = [...messageIdsOf(draft.inReplyTo ?? ''), ...messageIdsOf(draft.references ?? '').reverse()]
  const about = (ids: readonly (string | undefined)[]) => [
    ...new Set([...ids, returned?.internetMessageId, ...ofHeader].filter((id) => id !== undefined)),
  ]
  const senders = [returned?.sender, returned?.from].flatMap((each) => (each === undefined ? [] : [each.address]))
  const common = { sentAt: returned?.sentAt, senders }
  if (status?.kind === 'file') {
    const { fates, envelopeId } = readDeliveryStatus(status.content)
    return fates.length === 0 ? undefined : { fates, envelopeId, about: about([]), ...common }
  }
  if (notice?.kind === 'file') {
    const { fate, messageId } = readDisposition(notice.content)
    return { fates: fate === undefined ? [] : [fate], envelopeId: undefined, about: about([messageId]), ...common }
  }
  if (mailFrom !== '') return undefined
  const free = readFreeForm(draft, headers, about)
  return free && { ...free, ...common }
}

/** A failure told in words alone: Exim's header, and the form that qmail began. */
function readFreeForm(
  { subject, body }: Draft,
  headers: readonly InternetMessageHeader[],
  about: (ids: readonly string[]) => string[],
): Omit<ReadReport, 'sentAt' | 'senders'> | undefined {
  const failed = headers.find(({ name }) => name.toLowerCase() === 'x-failed-recipients')?.value ?? ''
  const text = body.content.slice(0, maxPartBytes)
  const isFailure = failed !== '' || isFailureSubject.test(subject ?? '')
  if (!isFailure) return undefined
  const named = failed === '' ? [...text.matchAll(qmailRecipient)].map((match) => match[1] ?? '') : failed.split(',')
  const replied = /(?:^|[\s:])([45]\d\d[ -](?:([45]\.\d{1,3}\.\d{1,3})[ :])?[^\r\n<]{0,400})/.exec(text)
  const fates = [...new Set(named.map((each) => each.trim().toLowerCase()))]
    .filter((address) => address.includes('@'))
    .slice(0, maxFates)
    .map((address) => ({
      addresses: [address],
      action: 'failed' as const,
      status: replied?.[2] ?? '',
      diagnostic: withoutControls(replied?.[1] ?? ''),
    }))
  const quoted = [...text.matchAll(/^\s*message-id:\s*(<[^\s<>]{1,900}>)/gim)].map((match) => match[1] ?? '')
  return { fates, envelopeId: undefined, about: about(quoted) }
}

const isFailureSubject =
  /undeliver|delivery (?:status notification|failure|failed|has failed)|mail delivery failed|returned mail|failure notice|returned to sender/i
const qmailRecipient = /^\s*<([^\s<>@]{1,64}@[^\s<>@]{1,255})>:?\s*$/gm

/** The fields of message/delivery-status: those of the message, and below those of each recipient (RFC 3464 §2.1). */
function readDeliveryStatus(content: Uint8Array): { fates: ReportedFate[]; envelopeId: string | undefined } {
  const [ofMessage, ...ofRecipients] = groupsOf(content)
  const envelopeId = ofMessage?.get('original-envelope-id')
  // Some leave out the empty line between the two.
  const groups = ofMessage?.has('final-recipient') === true ? [ofMessage, ...ofRecipients] : ofRecipients
  const fates = groups.slice(0, maxFates).flatMap((group) => {
    const addresses = [group.get('final-recipient'), group.get('original-recipient')].flatMap((each) =>
      each === undefined ? [] : [typedValue(each).toLowerCase()],
    )
    const action = /^(?:failed|delayed|delivered|relayed|expanded)\b/i
      .exec(group.get('action') ?? '')?.[0]
      .toLowerCase()
    if (addresses.length === 0 || action === undefined) return []
    const status = /[245]\.\d{1,3}\.\d{1,3}/.exec(group.get('status') ?? '')?.[0] ?? ''
    const diagnostic = typedValue(group.get('diagnostic-code') ?? '').slice(0, 500)
    return [{ addresses: [...new Set(addresses)], action: action as ReportedAction, status, diagnostic }]
  })
  return { fates, envelopeId }
}

function readDisposition(content: Uint8Array): { fate: ReportedFate | undefined; messageId: string | undefined } {
  const [fields = new Map<string, string>()] = groupsOf(content)
  const [messageId] = messageIdsOf(fields.get('original-message-id') ?? '')
  const recipient = fields.get('final-recipient') ?? fields.get('original-recipient')
  const action = /;\s*(displayed|deleted)\b/i.exec(fields.get('disposition') ?? '')?.[1]?.toLowerCase()
  if (recipient === undefined || action === undefined) return { fate: undefined, messageId }
  const addresses = [typedValue(recipient).toLowerCase()]
  return { fate: { addresses, action: action as ReportedAction, status: '', diagnostic: '' }, messageId }
}

/** Groups of fields between empty lines, by their names in lower case; of a field that stands twice the first. */
function groupsOf(content: Uint8Array): Map<string, string>[] {
  let text = toCrlf(content.subarray(0, maxPartBytes))
  const groups: Map<string, string>[] = []
  while (text.length > 0 && groups.length <= maxFates) {
    const { fields, bodyStart, isTooLarge } = readHeaderBlock(text)
    const group = new Map<string, string>()
    for (const field of fields) if (!group.has(field.key)) group.set(field.key, withoutControls(unfoldedValue(field)))
    if (group.size > 0) groups.push(group)
    if (isTooLarge) break
    text = text.subarray(bodyStart)
  }
  return groups
}

/** `rfc822; a@b` → `a@b`, `smtp; 550 no` → `550 no`: comments and the type of what follows are left out. */
function typedValue(value: string): string {
  const typed = /^[\w-]+\s*;\s*(.*)$/.exec(value)
  return (typed?.[1] ?? value).replace(/^<(.*)>$/, '$1').trim()
}

function returnedMessage(attachments: readonly NewAttachment[]): ParsedDraft | undefined {
  for (const each of attachments) {
    if (each.kind === 'item' && each.item.type === 'message') return each.item.message
  }
  return undefined
}

/**
 * The attachments as a mailbox shows those of a report: the message it is about, and not what is for programs alone; a
 * header that was returned is a message without a body.
 */
export async function shownAttachments(attachments: readonly NewAttachment[]): Promise<NewAttachment[]> {
  const shown: NewAttachment[] = []
  for (const each of attachments) {
    const type = each.contentType ?? ''
    if (/^message\/(?:delivery-status|disposition-notification|global-)/.test(type)) continue
    shown.push(type === 'text/rfc822-headers' && each.kind === 'file' ? await headerAsMessage(each) : each)
  }
  return shown
}

async function headerAsMessage(header: NewAttachment & { readonly kind: 'file' }): Promise<NewAttachment> {
  try {
    const mime = Buffer.concat([toCrlf(header.content), Buffer.from('\r\n\r\n')])
    const { mime: _, ...message } = await parseMime(mime)
    return {
      kind: 'item',
      name: message.subject ?? '',
      contentType: 'message/rfc822',
      isInline: false,
      item: { type: 'message', message },
    }
  } catch {
    return header
  }
}
