/** What the answers of a transaction mean for each recipient. */
import { oneLine, parseReply, type SmtpReply } from './outcome.js'
import type { RecipientReply } from './smtp.js'
import type { SmtpFailure, Transaction, TransactionEnd } from './smtp-transaction.js'

/** The answers of a transaction, by whom they are about. */
interface Heard {
  /** About everyone, whatever was said to RCPT. */
  readonly first: SmtpFailure | undefined
  readonly refused: ReadonlyMap<string | undefined, SmtpFailure>
  /** About those whom RCPT did not refuse. */
  readonly last: SmtpFailure | undefined
  readonly accepted: ReadonlySet<unknown>
  readonly final: SmtpReply | undefined
  /** By ourselves, before anyone was asked. */
  readonly unasked: ReadonlyMap<string, SmtpReply>
  readonly wasSent: boolean
  readonly isNotifiedByPeer: boolean
  /** There was a session, so that a transaction could begin. */
  readonly wasBegun: boolean
}

export function whatWasHeard(transaction: Transaction, { info, failure }: TransactionEnd): Heard {
  const { envelope } = transaction
  return {
    unasked: transaction.refused,
    wasSent: transaction.wasSent,
    isNotifiedByPeer: transaction.isNotifiedByPeer,
    wasBegun: envelope !== undefined,
    first: envelope?.mailError,
    refused: new Map((envelope?.rejectedErrors ?? []).map((error) => [error.recipient, error])),
    last: failure,
    accepted: new Set(info?.accepted),
    final: info === undefined ? undefined : parseReply(info.response),
  }
}

/**
 * Which answer decided about one recipient. A refused MAIL comes first: a server that was sent the whole envelope at
 * once (RFC 2920) answers every RCPT after it with 503, which says nothing about the recipients.
 */
export function replyTo(address: string, wire: string, heard: Heard): RecipientReply {
  const unasked = heard.unasked.get(wire)
  if (unasked !== undefined) return refused(address, unasked)
  const failure = heard.first ?? heard.refused.get(wire) ?? heard.last
  if (failure !== undefined) return { ...failedReply(address, failure), ...statusOf(failure, heard) }
  const taken = heard.accepted.has(wire) ? heard.final : undefined
  if (taken !== undefined) {
    return { address, reply: taken, remark: taken.text, ...(heard.isNotifiedByPeer ? { isNotifiedByPeer: true } : {}) }
  }
  return { address, reply: undefined, remark: 'The relay gave no answer that could be read.', mayBeTaken: true }
}

function statusOf(failure: SmtpFailure, { wasSent, wasBegun }: Heard) {
  if (!wasBegun) {
    const { code, originalCode = '', timeoutType } = failure
    const isTls =
      code === 'ETLS' || timeoutType === 'UPGRADE_TIMEOUT' || /^(?:ERR_SSL|ERR_TLS|EPROTO)/.test(originalCode)
    return { isUnusable: true as const, ...(isTls ? { isTlsTrouble: true as const } : {}) }
  }
  return wasSent && failure.responseCode === undefined ? { mayBeTaken: true as const } : {}
}

/** Verbs whose answer is about this mail, or about taking mail from us at all. */
const verbsThatDecide = new Set(['EHLO', 'HELO', 'MAIL FROM', 'RCPT TO', 'DATA'])

function failedReply(address: string, failure: SmtpFailure): RecipientReply {
  const { code, command = '', response, message } = failure
  // Told by the EHLO answer's SIZE (RFC 1870 §6.1), without asking.
  if (code === 'EMESSAGE' && command === 'MAIL FROM' && response === undefined) return refused(address, tooLarge)
  if (code === 'EABORT') return { address, reply: undefined, remark: 'The relay took too long.' }
  // Anything said in a greeting, STARTTLS or AUTH is about this session or our own settings, not about the mail.
  const said = response === undefined ? undefined : parseReply(response)
  const reply = verbsThatDecide.has(command) ? said : undefined
  const place = reply !== undefined || command === 'CONN' ? '' : `${command}: `
  return { address, reply, remark: said === undefined ? oneLine(message) : `${place}${said.text}` }
}

export const unusableSender: SmtpReply = { code: 553, text: '553 5.1.7 The sender has no address that SMTP can carry.' }
export const unusableRecipient: SmtpReply = { code: 553, text: '553 5.1.3 This is no address that SMTP can carry.' }
/** RFC 6531 §3.2, §4.2 */
export const needsUtf8: SmtpReply = {
  code: 553,
  text: '553 5.6.7 The relay does not take addresses that are not ASCII.',
}
/** RFC 6152 §3 */
export const needsEightBit: SmtpReply = {
  code: 554,
  text: '554 5.6.3 The relay takes 7 bits, and the message must not be converted.',
}
const tooLarge: SmtpReply = { code: 552, text: '552 5.3.4 The message is larger than the relay takes.' }

export function refused(address: string, reply: SmtpReply): RecipientReply {
  return { address, reply, remark: reply.text }
}
