import type { Mailbox } from '../mail/mailbox.js'
import type { OutboxRecipient } from '../mail/outbox-entry.js'

/**
 * The ways a recipient can go. Each further way (direct to MX, held for release, refused by an allow-list) is one more
 * member here, one more line in {@link routeOf}, and its handling in `attempt.ts`.
 */
export type Route = { readonly kind: 'local'; readonly mailbox: Mailbox } | { readonly kind: 'relay' | 'capture' }

/** What decides about a recipient's way. */
export interface Routing {
  /** Mailboxes of ours, by lower-case address. */
  readonly mailboxes: ReadonlyMap<string, Mailbox>
  /** A next server is set. */
  readonly hasRelay: boolean
}

/** Where mail for an address goes: a mailbox of ours first, then the next server, and nowhere without one. */
export function routeOf(address: string, { mailboxes, hasRelay }: Routing): Route {
  const mailbox = mailboxes.get(address.toLowerCase())
  if (mailbox !== undefined) return { kind: 'local', mailbox }
  return { kind: hasRelay ? 'relay' : 'capture' }
}

/** What a captured recipient is told, RFC 3464 §2.3.6 aside: nobody was asked. */
export const capturedReply = 'Kept here: no relay is set, so nothing leaves this machine.'

/** The recipients of an entry by the way they go; those for one mailbox are together, whatever address each named. */
export interface RoutedRecipients {
  readonly local: readonly { readonly mailbox: Mailbox; readonly recipients: readonly OutboxRecipient[] }[]
  readonly relay: readonly OutboxRecipient[]
  readonly capture: readonly OutboxRecipient[]
}

export function routeRecipients(recipients: readonly OutboxRecipient[], routing: Routing): RoutedRecipients {
  const local = new Map<number, { mailbox: Mailbox; recipients: OutboxRecipient[] }>()
  const elsewhere = { relay: [] as OutboxRecipient[], capture: [] as OutboxRecipient[] }
  for (const recipient of recipients) {
    const route = routeOf(recipient.address, routing)
    if (route.kind !== 'local') {
      elsewhere[route.kind].push(recipient)
      continue
    }
    const { mailbox } = route
    const group = local.get(mailbox.id)
    if (group === undefined) local.set(mailbox.id, { mailbox, recipients: [recipient] })
    else group.recipients.push(recipient)
  }
  return { local: [...local.values()], ...elsewhere }
}
