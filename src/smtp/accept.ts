import type { SMTPServerDataStream, SMTPServerSession } from 'smtp-server'
import { isDeliverableAddress } from '../mail/email-address.js'
import { MailError } from '../mail/errors.js'
import type { Mail } from '../mail/mail.js'
import type { Mailbox } from '../mail/mailbox.js'
import { mailboxReportedTo, receiveMessage } from '../mail/receive.js'
import { senderOf } from '../mail/sender.js'
import { actingAs, submitMime } from '../mail/submit-mime.js'
import type { SmtpOptions } from './listen.js'
import { SmtpRefusal } from './refusal.js'
import { receivedTooOften, returnPath, traceFields } from './trace-fields.js'

/** Who signed in to the session; undefined: a stranger, as servers are to each other. */
function userOf({ user }: SMTPServerSession): Mailbox | undefined {
  return (user as Mailbox | undefined | false) || undefined
}

/** MAIL: whoever signed in sends as nobody whom they may not send as. */
export async function acceptSender(mail: Mail, address: string, session: SMTPServerSession): Promise<void> {
  const user = userOf(session)
  if (user === undefined || address === '') return
  await refusing(senderOf(mail, actingAs(user), { address }))
}

/** RCPT: our own mailboxes for strangers, everybody for those who signed in. */
export async function acceptRecipient(
  mail: Mail,
  { tenant, maxRecipients, bounceAddress, log }: SmtpOptions,
  address: string,
  session: SMTPServerSession,
): Promise<void> {
  if (session.envelope.rcptTo.length >= maxRecipients) throw new SmtpRefusal(452, '4.5.3 Too many recipients')
  if (userOf(session) !== undefined) {
    if (!isDeliverableAddress(address)) throw new SmtpRefusal(553, '5.1.3 This is no address that mail can be sent to')
    return
  }
  const found = await refusing(mail.store.mailboxes.findByAddress(tenant, [address]))
  if (found.size > 0 || isSame(address, bounceAddress)) return
  log.info({ session: session.id, remoteAddress: session.remoteAddress }, 'mail for nobody here was refused')
  throw new SmtpRefusal(550, '5.1.1 There is no such mailbox here, and nothing is relayed')
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

/** An answer for each recipient, in their order. */
type Answers = (string | SmtpRefusal)[]

/**
 * DATA: resolves once the message is on disk, with one answer for each recipient; outside LMTP, where one answer is for
 * all, with that one. Then a mailbox that has it already does not get it again when the peer tries once more.
 */
export async function acceptMessage(
  mail: Mail,
  options: SmtpOptions,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
): Promise<Answers> {
  const body = await readMessage(stream, options.maxBytes)
  if (receivedTooOften(body)) throw new SmtpRefusal(554, '5.4.6 The message has been through too many servers')
  const user = userOf(session)
  if (user !== undefined) return [await submit(mail, options, user, body, session)]
  return receive(mail, options, body, session)
}

async function receive(mail: Mail, options: SmtpOptions, body: Buffer, session: SMTPServerSession): Promise<Answers> {
  const { protocol, log } = options
  const addresses = session.envelope.rcptTo.map(({ address }) => address.toLowerCase())
  const found = await refusing(findMailboxes(mail, options, addresses, body))
  const mailboxes = [...new Map([...found.values()].map((mailbox) => [mailbox.id, mailbox])).values()]
  const wantReceipts = session.envelope.rcptTo.flatMap(({ address, dsn }) => {
    const mailbox = found.get(address.toLowerCase())
    return dsn?.notify?.includes('SUCCESS') === true && mailbox !== undefined ? [{ mailbox: mailbox.id, address }] : []
  })
  const failures = await refusing(
    receiveMessage(mail, {
      mime: Buffer.concat([traceFields(mail, session), body]),
      mailFrom: returnPath(session),
      mailboxes,
      wantReceipts,
      envelopeId: session.envelope.dsn?.envid ?? undefined,
    }),
  )
  const answers = addresses.map((address): string | SmtpRefusal => {
    const mailbox = found.get(address)
    if (mailbox === undefined) return new SmtpRefusal(550, '5.1.1 Nobody here is meant')
    const failure = failures[mailboxes.indexOf(mailbox)]
    return failure === undefined ? '2.0.0 Message kept' : refusalOf(failure)
  })
  const fields = { session: session.id, remoteAddress: session.remoteAddress, bytes: body.byteLength }
  for (const failure of failures) if (failure !== undefined) log.error({ ...fields, err: failure }, 'mail was not kept')
  log.info({ ...fields, mailboxes: mailboxes.length }, 'mail came in')
  if (protocol === 'lmtp') return answers
  // A peer that is refused sends again, to all: those who have it are not given it twice.
  return [answers.find((answer) => typeof answer !== 'string') ?? '2.0.0 Message kept']
}

/** By the addresses that they were named by. What is returned to the one address for that goes to who sent it. */
async function findMailboxes(
  mail: Mail,
  { tenant, bounceAddress }: SmtpOptions,
  addresses: readonly string[],
  body: Buffer,
): Promise<Map<string, Mailbox>> {
  const found = await mail.store.mailboxes.findByAddress(tenant, addresses)
  const returnedTo = addresses.find((address) => isSame(address, bounceAddress))
  if (returnedTo === undefined) return found
  const sender = await mailboxReportedTo(mail, tenant, body)
  return sender === undefined ? found : new Map([...found, [returnedTo, sender]])
}

async function submit(
  mail: Mail,
  { log }: SmtpOptions,
  user: Mailbox,
  body: Buffer,
  session: SMTPServerSession,
): Promise<string | SmtpRefusal> {
  const { mailFrom, rcptTo } = session.envelope
  const message = await refusing(
    submitMime(mail, user, {
      mime: Buffer.concat([traceFields(mail, session), body]),
      mailFrom: mailFrom === false ? '' : mailFrom.address,
      recipients: rcptTo.map(({ address }) => address),
      wantsReceipt: rcptTo.some(({ dsn }) => dsn?.notify?.includes('SUCCESS') === true),
    }),
  )
  log.info({ session: session.id, mailbox: user.id, message, bytes: body.byteLength }, 'mail was submitted')
  return '2.0.0 Message accepted for delivery'
}

/** Read to the end even when too large: the peer waits for its answer after the final dot. */
async function readMessage(stream: SMTPServerDataStream, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= maxBytes) chunks.push(chunk)
    else chunks.length = 0
  }
  if (bytes > maxBytes) throw new SmtpRefusal(552, `5.3.4 A message may have ${maxBytes} bytes`)
  return Buffer.concat(chunks)
}

async function refusing<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    throw refusalOf(error)
  }
}

/** Whatever is not the message's fault may go better later: it is never bounced for it. */
function refusalOf(error: unknown): SmtpRefusal {
  if (error instanceof SmtpRefusal) return error
  switch (error instanceof MailError ? error.code : undefined) {
    case 'mimeInvalid':
      return new SmtpRefusal(554, '5.6.0 The content is not a message')
    case 'sendAsDenied':
      return new SmtpRefusal(550, '5.7.1 You may not send as this sender')
    case 'tooManyRecipients':
      return new SmtpRefusal(552, '5.5.3 Too many recipients')
    case 'recipientInvalid':
    case 'noRecipients':
      return new SmtpRefusal(553, '5.1.3 A recipient has no address that mail can be sent to')
    default:
      return new SmtpRefusal(451, '4.3.0 The message could not be kept; try again later')
  }
}
