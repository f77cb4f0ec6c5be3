import { isToBeTried, type OutboxRecipient } from '../mail/outbox-entry.js'
import { oneLine, outcomeOf } from './outcome.js'
import type { RecipientReply } from './smtp.js'

/** What became of a recipient, and the words it is shown with. */
export type Fate = Required<Pick<OutboxRecipient, 'state' | 'reply'>> & Pick<OutboxRecipient, 'isNotifiedByPeer'>

/** The fate that a server's answer means; `retryAt` is undefined when there will be no further attempt. */
export function fateOf({ reply, remark, isNotifiedByPeer }: RecipientReply, retryAt: number | undefined): Fate {
  const outcome = outcomeOf(reply)
  return outcome === 'delayed' && retryAt === undefined
    ? { state: 'failed', reply: oneLine(`Given up. The last attempt: ${remark}`) }
    : { state: outcome, reply: remark, ...(isNotifiedByPeer === true ? { isNotifiedByPeer } : {}) }
}

/** The recipients, each that has a fate by its address marked with it; what was final or held before stays as it is. */
export function withFates(
  recipients: readonly OutboxRecipient[],
  fateOfAddress: (address: string) => Fate | undefined,
  at: number,
): readonly OutboxRecipient[] {
  return recipients.map((recipient) => {
    const fate = isToBeTried(recipient.state) ? fateOfAddress(recipient.address) : undefined
    return fate === undefined ? recipient : { ...recipient, ...fate, at }
  })
}

/** The same with one fate for some of them. */
export function withFate(
  recipients: readonly OutboxRecipient[],
  marked: readonly OutboxRecipient[],
  fate: Fate,
  at: number,
): readonly OutboxRecipient[] {
  if (marked.length === 0) return recipients
  const addresses = new Set(marked.map(({ address }) => address))
  return withFates(recipients, (address) => (addresses.has(address) ? fate : undefined), at)
}
