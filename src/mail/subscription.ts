import type { FolderId, MailboxId, MessageId, TenantId } from './ids.js'

/** What can become of a message that a subscription asks for. */
export type ChangeType = 'created' | 'updated' | 'deleted'

export const changeTypes: readonly ChangeType[] = ['created', 'updated', 'deleted']

/** What an application wants to be told of: changes of messages in one folder of a mailbox, or in all that are not hidden. */
export interface Subscription {
  /** A GUID. */
  readonly id: string
  readonly tenant: TenantId
  /** Client id of the application that made it, which alone sees it. */
  readonly application: string
  /** Object id of the user it was made for; undefined when the application acted as itself. */
  readonly user: string | undefined
  /** Permissions of the token that made or renewed it, lower case: whether it may still be served is judged by them. */
  readonly permissions: readonly string[]
  readonly mailbox: MailboxId
  /** undefined: every folder that is not hidden. */
  readonly folder: FolderId | undefined
  /** As it was written. */
  readonly resource: string
  /** As it was written: `created, updated`. */
  readonly changeType: string
  readonly notificationUrl: string
  readonly lifecycleNotificationUrl: string | undefined
  readonly clientState: string | undefined
  /** Whether notifications hold the message, encrypted for {@link Subscription.certificate}. */
  readonly includeResourceData: boolean
  /** DER as base64. */
  readonly certificate: string | undefined
  readonly certificateId: string | undefined
  readonly latestSupportedTlsVersion: string
  /** Whether notifications name messages by their immutable ids. */
  readonly immutableIds: boolean
  /** ms since 1970 */
  readonly expiresAt: number
  /** When the token that made or renewed it ends, ms since 1970. */
  readonly authorizedUntil: number
  /** Whether its owner was asked to authorize it anew since it last was. */
  readonly reauthorizationAsked: boolean
}

/** What one committed write did to a message, as the store noted it while somebody listened to the mailbox. */
export interface MessageChange {
  /** Rising in the order of the commits, as far as there is one. */
  readonly id: number
  readonly mailbox: MailboxId
  readonly message: MessageId
  /** Where it was before, and how often it had been moved; folder 0: nowhere. */
  readonly from: MessagePlace
  /** Where it is now. */
  readonly to: MessagePlace
  /** Its change number now. */
  readonly change: number
}

/** A folder, and how often the message had been moved when it was there: together they make its default id. */
export interface MessagePlace {
  readonly folder: FolderId
  readonly moves: number
}

/** One change as one subscription sees it. */
export interface SeenChange {
  readonly changeType: ChangeType
  readonly message: MessageId
  readonly place: MessagePlace
  readonly change: number
}

/**
 * What a subscription is told of a change. A message that moves is gone from where it was and new where it is, also for
 * who listens to the whole mailbox: its default id is another one (documented for moving and for sending a draft).
 */
export function seenBy(
  subscription: Pick<Subscription, 'folder' | 'changeType'>,
  { message, from, to, change }: MessageChange,
  isHidden: (folder: FolderId) => boolean,
): SeenChange[] {
  const sees = ({ folder }: MessagePlace) =>
    subscription.folder === undefined ? folder !== 0 && !isHidden(folder) : folder === subscription.folder
  const hasMoved = from.folder !== to.folder || from.moves !== to.moves
  const seen: SeenChange[] = []
  if (hasMoved) {
    if (sees(from)) seen.push({ changeType: 'deleted', message, place: from, change })
    if (sees(to)) seen.push({ changeType: 'created', message, place: to, change })
  } else if (sees(to)) seen.push({ changeType: 'updated', message, place: to, change })
  const wanted = changeTypesIn(subscription.changeType)
  return seen.filter(({ changeType }) => wanted.includes(changeType))
}

/** The members of a list such as `created, Updated`; what is no member is left out. */
export function changeTypesIn(written: string): ChangeType[] {
  const names = written.split(',').map((name) => name.trim().toLowerCase())
  return changeTypes.filter((type) => names.includes(type))
}
