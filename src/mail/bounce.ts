/** What a report that came in changes: the fate of recipients whose mail another server had taken, and then returned. */
import type { MailboxId } from './ids.js'
import type { Mail } from './mail.js'
import type { Message } from './message.js'
import type { ReadReport, ReportedFate } from './mime/read-report.js'
import { isFinal, type OutboxRecipient } from './outbox-entry.js'
import type { NewestMessages } from './query.js'
import type { MailWriter } from './store.js'

/** A report, tied to the message of the mailbox that it is about. */
export interface Bounce {
  readonly original: Pick<Message, 'id' | 'conversation'>
  /**
   * The message is being handed on at this moment: that it was is not recorded yet, so there is nothing to change. Other
   * servers can be that quick.
   */
  readonly isEarly: boolean
  /** Says what it changes, in the write that keeps the report. */
  put(tx: MailWriter): void
}

/** How many of the mailbox's newest messages are looked through when the report does not say when it was sent. */
const lookedThrough = 2_000
/** Around the second in which it was sent, ms; and how many messages can have been sent then. */
const around = { ms: 2_000, newest: 5_000 }

/**
 * Ties a report to the message it is about: only ever one of the mailbox that the report came to, so that nobody can
 * change anything of another's by writing reports. undefined when it is of none.
 */
export async function planBounce(
  mail: Pick<Mail, 'store' | 'clock'>,
  mailbox: MailboxId,
  report: ReadReport | undefined,
): Promise<Bounce | undefined> {
  if (report === undefined) return undefined
  const original = await findReported(mail, mailbox, report)
  if (original === undefined) return undefined
  const failed = report.fates.filter(({ action }) => action === 'failed')
  const known = failed.length === 0 ? [] : await mail.store.bounces.listEntries(mailbox, original.id)
  const now = mail.clock.now()
  const changes = known.flatMap((each) => {
    const recipients = each.entry.recipients.map((recipient) => bounced(recipient, failed, now))
    return recipients.some((recipient, index) => recipient !== each.entry.recipients[index])
      ? [{ each, recipients }]
      : []
  })
  const isEarly = known.some(
    ({ entry }) => entry.state === 'sending' && entry.recipients.some((each) => isOpen(each) && fateIn(failed, each)),
  )
  return {
    original,
    isEarly: isEarly || changes.some(({ each }) => each.entry.state === 'sending'),
    put: (tx) => {
      for (const { each, recipients } of changes) tx.bounceRecipients(each, recipients)
    },
  }
}

function isOpen({ state }: OutboxRecipient): boolean {
  return !isFinal(state)
}

function fateIn(failed: readonly ReportedFate[], { address }: OutboxRecipient): ReportedFate | undefined {
  return failed.find(({ addresses }) => addresses.includes(address.toLowerCase()))
}

/** What we called it when we handed it on comes before what others say it is. */
async function findReported({ store }: Pick<Mail, 'store'>, mailbox: MailboxId, report: ReadReport) {
  const { envelopeId, about, sentAt } = report
  const ids = [...(envelopeId === undefined ? [] : [`<${envelopeId}>`]), ...about]
  const look = (among: NewestMessages) => store.messages.findByInternetMessageId(mailbox, ids, among)
  const then =
    sentAt === undefined
      ? []
      : await look({ newest: around.newest, since: sentAt - around.ms, until: sentAt + around.ms })
  const found = then.length > 0 ? then : await look({ newest: lookedThrough })
  return ids
    .map((id) => found.find(({ internetMessageId }) => internetMessageId === id))
    .find((each) => each !== undefined)
}

/** The recipient as it stands after the report; itself when the report is not of it. */
function bounced(recipient: OutboxRecipient, failed: readonly ReportedFate[], at: number): OutboxRecipient {
  if (recipient.state !== 'relayed') return recipient
  const fate = fateIn(failed, recipient)
  if (fate === undefined) return recipient
  const { status, diagnostic } = fate
  const said = diagnostic === '' ? status : diagnostic.includes(status) ? diagnostic : `${status} ${diagnostic}`
  return {
    ...recipient,
    state: 'failed',
    at,
    reply: `Returned: ${said === '' ? 'no reason given' : said}`.slice(0, 500),
  }
}
