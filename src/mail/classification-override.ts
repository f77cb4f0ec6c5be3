import { isDeliverableAddress } from './email-address.js'
import { MailError } from './errors.js'
import type { MailboxId } from './ids.js'
import type { Mail } from './mail.js'
import type { EmailAddress, InferenceClassification } from './message.js'
import { orGone } from './outlook-category.js'

/** Where mail of one sender goes, whatever else would be thought of it (Graph `inferenceClassificationOverride`). */
export interface ClassificationOverride {
  /** A GUID, lower case. */
  readonly id: string
  readonly classifyAs: InferenceClassification
  readonly senderEmailAddress: EmailAddress
}

/** Graph's bound for one mailbox. */
const maxOverrides = 1_000

/**
 * Keeps an override; the one that the address has already takes over class and name, and its id stays.
 *
 * @throws MailError recipientInvalid, tooManyOverrides; storeUnavailable
 */
export async function putOverride(
  mail: Pick<Mail, 'store' | 'ids' | 'random'>,
  mailbox: MailboxId,
  wanted: Omit<ClassificationOverride, 'id'>,
): Promise<ClassificationOverride> {
  const { address } = wanted.senderEmailAddress
  if (!isDeliverableAddress(address)) {
    throw new MailError('recipientInvalid', 'The sender has no address that mail can come from.', {
      property: 'senderEmailAddress/address',
      value: address.slice(0, 320),
    })
  }
  const { overrides } = mail.store
  const known = await overrides.findBySender(mailbox, address.toLowerCase())
  if (known === undefined && (await overrides.list(mailbox)).length >= maxOverrides) {
    throw new MailError('tooManyOverrides', `A mailbox has ${maxOverrides} overrides at most.`, {
      value: String(maxOverrides),
    })
  }
  const override = { ...wanted, id: known?.id ?? mail.random.uuid() }
  await mail.store.write((tx) => {
    tx.putOverride(mailbox, override, mail.ids.next())
    tx.mindArrivals(mailbox)
  })
  // Another call may have given the address its first override at the same moment.
  return (await overrides.findBySender(mailbox, address.toLowerCase())) ?? override
}

/**
 * The override with another class.
 *
 * @throws MailError notInStore when it is gone
 */
export async function reclassify(
  mail: Pick<Mail, 'store'>,
  mailbox: MailboxId,
  override: ClassificationOverride,
  classifyAs: InferenceClassification,
): Promise<ClassificationOverride> {
  await orGone(mail.store.write((tx) => tx.updateOverride(mailbox, override.id, classifyAs)))
  return { ...override, classifyAs }
}

/** @throws MailError notInStore when it is gone */
export async function deleteOverride(mail: Pick<Mail, 'store'>, mailbox: MailboxId, id: string): Promise<void> {
  await orGone(mail.store.write((tx) => tx.deleteOverride(mailbox, id)))
}
