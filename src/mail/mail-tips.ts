import { isDeliverableAddress } from './email-address.js'
import type { Mail } from './mail.js'
import type { Mailbox } from './mailbox.js'
import { type AutomaticReplies, type MailboxSettings, repliesAreOn, settingsFrom } from './mailbox-settings.js'

/** What can be known of a recipient before anything is sent (Graph `mailTipsType`). */
export const mailTipsOptions = [
  'automaticReplies',
  'mailboxFullStatus',
  'customMailTip',
  'externalMemberCount',
  'totalMemberCount',
  'maxMessageSize',
  'deliveryRestriction',
  'moderationStatus',
  'recipientScope',
  'recipientSuggestions',
] as const
export type MailTipsOption = (typeof mailTipsOptions)[number]

/** What is known of one recipient. */
export interface MailTips {
  readonly address: string
  /** Why nothing is known of it. */
  readonly error?: { readonly code: string; readonly message: string }
  /** Whether it is of the same organisation. */
  readonly isInternal: boolean
  /** Bytes, of a mailbox of ours. */
  readonly maxMessageSize?: number
  /** While they are sent. */
  readonly replies?: AutomaticReplies
  /** What the replies are written in. */
  readonly language?: MailboxSettings['language']
}

/**
 * Tips about recipients, one for each address, in its order. Senders of the same organisation ask, so what they are shown
 * of automatic replies is the internal one.
 */
export async function mailTipsOf(
  mail: Mail,
  asking: Mailbox,
  addresses: readonly string[],
  options: ReadonlySet<MailTipsOption>,
): Promise<MailTips[]> {
  const sound = addresses.filter(isDeliverableAddress)
  const mailboxes = await mail.store.mailboxes.findByAddress(asking.tenant, sound)
  return Promise.all(
    addresses.map(async (address) => {
      const mailbox = mailboxes.get(address.toLowerCase())
      if (mailbox === undefined) return tipsOfStranger(asking, address)
      return {
        ...(await repliesOf(mail, mailbox, options)),
        address,
        isInternal: true,
        maxMessageSize: mail.limits.maxMessageBytes,
      }
    }),
  )
}

function tipsOfStranger(asking: Mailbox, address: string): MailTips {
  if (!isDeliverableAddress(address)) {
    return { address, isInternal: false, error: { code: 'InvalidSmtpAddress', message: 'The address is not valid.' } }
  }
  const isOurs = domainOf(address) === domainOf(asking.address)
  if (!isOurs) return { address, isInternal: false }
  const error = { code: 'RecipientNotFound', message: 'The recipient could not be found.' }
  return { address, isInternal: true, error }
}

async function repliesOf(
  mail: Mail,
  mailbox: Mailbox,
  options: ReadonlySet<MailTipsOption>,
): Promise<Pick<MailTips, 'replies' | 'language'>> {
  if (!options.has('automaticReplies') || mailbox.mindsArrivals !== true) return {}
  const now = mail.clock.now()
  const { automaticReplies, language } = settingsFrom(await mail.store.settings.find(mailbox.id), now)
  return repliesAreOn(automaticReplies, now) ? { replies: automaticReplies, language } : {}
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase()
}
