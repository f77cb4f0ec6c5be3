import type { Mailbox } from '../mail/mailbox.js'
import type { OutboxRecipient } from '../mail/outbox-entry.js'
import { type AddressPattern, matchesAny } from './address-pattern.js'
import type { Fate } from './fate.js'

/**
 * The ways a recipient can go. A further way is one more member here, one more line in {@link routeOf}, and its handling
 * in `attempt.ts`, unless it is a fate that is settled at once.
 */
export type Route =
  | { readonly kind: 'local'; readonly mailbox: Mailbox }
  | { readonly kind: 'relay' }
  | { readonly kind: 'capture' | 'hold' | 'refuse'; readonly reply: string }

/** One line of the operator's table: the first that matches decides. */
export interface RouteRule {
  /** Matches these recipients; all unless given. */
  readonly recipients?: readonly AddressPattern[]
  /** Matches all but these recipients. */
  readonly except?: readonly AddressPattern[]
  /** Matches these senders, by the return path; all unless given. */
  readonly senders?: readonly AddressPattern[]
  /** Where such mail goes: the names of ways out in the order in which they are tried, or what is done instead. */
  readonly via: readonly string[] | 'capture' | 'hold' | 'refuse'
  /** What a recipient is told that goes nowhere. */
  readonly reply?: string
}

/** What decides about a recipient's way. */
export interface Routing {
  /** Mailboxes of ours, by lower-case address. */
  readonly mailboxes: ReadonlyMap<string, Mailbox>
  /** There is a way out of this machine. */
  readonly hasRelay: boolean
  /** Return path of the message. */
  readonly mailFrom?: string
  readonly rules?: readonly RouteRule[]
}

/** Where mail for an address goes: a mailbox of ours first, then as the rules say, and nowhere without a way out. */
export function routeOf(
  { address, isReleased }: Pick<OutboxRecipient, 'address' | 'isReleased'>,
  { mailboxes, hasRelay, mailFrom = '', rules = [] }: Routing,
): Route {
  const mailbox = mailboxes.get(address.toLowerCase())
  if (mailbox !== undefined) return { kind: 'local', mailbox }
  const rule = ruleFor(rules, { address, mailFrom, isReleased: isReleased === true })
  if (rule !== undefined && typeof rule.via === 'string') {
    return { kind: rule.via, reply: rule.reply ?? replies[rule.via] }
  }
  return hasRelay ? { kind: 'relay' } : { kind: 'capture', reply: capturedReply }
}

/** The rule that decides about a recipient; one that holds mail is passed over by what somebody has released. */
export function ruleFor(
  rules: readonly RouteRule[],
  { address, mailFrom, isReleased = false }: { address: string; mailFrom: string; isReleased?: boolean },
): RouteRule | undefined {
  return rules.find(
    ({ recipients, except, senders, via }) =>
      (via !== 'hold' || !isReleased) &&
      (recipients === undefined || matchesAny(address, recipients)) &&
      (except === undefined || !matchesAny(address, except)) &&
      (senders === undefined || matchesAny(mailFrom, senders)),
  )
}

/** What a captured recipient is told, RFC 3464 §2.3.6 aside: nobody was asked. */
export const capturedReply = 'Kept here: no relay is set, so nothing leaves this machine.'

const replies = {
  capture: 'Kept here: a route says so.',
  hold: 'Held until somebody releases it.',
  refuse: '550 5.7.1 A route refuses mail for this address.',
} as const

const states = { capture: 'captured', hold: 'held', refuse: 'failed' } as const

/** The recipients of an entry by the way they go; those for one mailbox are together, whatever address each named. */
export interface RoutedRecipients {
  readonly local: readonly { readonly mailbox: Mailbox; readonly recipients: readonly OutboxRecipient[] }[]
  readonly relay: readonly OutboxRecipient[]
  /** Those who go nowhere, and what they are told, by address. */
  readonly settled: ReadonlyMap<string, Fate>
}

export function routeRecipients(recipients: readonly OutboxRecipient[], routing: Routing): RoutedRecipients {
  const local = new Map<number, { mailbox: Mailbox; recipients: OutboxRecipient[] }>()
  const relay: OutboxRecipient[] = []
  const settled = new Map<string, Fate>()
  for (const recipient of recipients) {
    const route = routeOf(recipient, routing)
    if (route.kind === 'relay') relay.push(recipient)
    else if (route.kind !== 'local') settled.set(recipient.address, { state: states[route.kind], reply: route.reply })
    else {
      const group = local.get(route.mailbox.id)
      if (group === undefined) local.set(route.mailbox.id, { mailbox: route.mailbox, recipients: [recipient] })
      else group.recipients.push(recipient)
    }
  }
  return { local: [...local.values()], relay, settled }
}
