import { MailError } from './errors.js'
import type { Mail } from './mail.js'
import type { Mailbox } from './mailbox.js'
import type { EmailAddress } from './message.js'

/** Who sends: the mailbox that keeps the message, and the mailbox of the one who acts, mostly the same. */
export interface Acting {
  readonly mailbox: Mailbox
  /** Of the signed-in user; of an application without a user, the mailbox itself. */
  readonly actor: Mailbox
  /** Whether the caller was allowed to use the actor's rights in mailboxes of others (`Mail.Send.Shared`). */
  readonly forOthers: boolean
}

/** What stands in a message that is sent: its author, and who submitted it. */
export interface Sender {
  readonly from: EmailAddress
  readonly sender: EmailAddress
}

/** The sender where nothing has to be looked up for it: whose mailbox it is writes as nobody else, as in nearly all mail. */
export function ownSender({ mailbox, actor }: Acting, from: EmailAddress | undefined): Sender | undefined {
  return mailbox.id === actor.id && (from === undefined || isNameOf(mailbox, from)) ? bothOf(mailbox) : undefined
}

/**
 * The sender of a message. `from` unless given is the mailbox addressed; an address of the actor's own always may be, and
 * becomes the primary one; another's wants its right: with Send As the message is all theirs, with Send on Behalf it says
 * who sent it.
 *
 * @throws MailError sendAsDenied
 */
export async function senderOf(
  mail: Pick<Mail, 'store'>,
  { mailbox, actor, forOthers }: Acting,
  from: EmailAddress | undefined,
): Promise<Sender> {
  const author = from === undefined || isNameOf(mailbox, from) ? mailbox : await mailboxNamed(mail, mailbox, from)
  if (author.id === actor.id) return bothOf(author)
  if (!forOthers) throw denied(actor, author, 'the token lacks Mail.Send.Shared')
  const rights = await mail.store.mailboxes.rightsOf(author.id, actor.owner)
  if (rights.has('sendAs')) return bothOf(author)
  if (rights.has('sendOnBehalf')) return { from: addressOf(author), sender: addressOf(actor) }
  throw denied(actor, author, 'they have neither Send As nor Send on Behalf there')
}

function isNameOf(mailbox: Mailbox, { address }: EmailAddress): boolean {
  const lower = address.toLowerCase()
  return lower === mailbox.address.toLowerCase() || lower === mailbox.userPrincipalName.toLowerCase()
}

async function mailboxNamed(mail: Pick<Mail, 'store'>, beside: Mailbox, { address }: EmailAddress): Promise<Mailbox> {
  const { mailboxes } = mail.store
  const byAddress = await mailboxes.findByAddress(beside.tenant, [address])
  const found = byAddress.get(address.toLowerCase()) ?? (await mailboxes.find(beside.tenant, address))
  if (found !== undefined) return found
  throw new MailError('sendAsDenied', 'The address given in from is of no mailbox here, so nobody may send as it.', {
    property: 'from',
  })
}

function denied(actor: Mailbox, author: Mailbox, why: string): MailError {
  return new MailError('sendAsDenied', `${actor.address} may not send as ${author.address}: ${why}.`, {
    property: 'from',
  })
}

function bothOf(author: Mailbox): Sender {
  const address = addressOf(author)
  return { from: address, sender: address }
}

function addressOf({ displayName, address }: Mailbox): EmailAddress {
  return { name: displayName, address }
}
