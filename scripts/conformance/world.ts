import type { Answer, Call } from './http-call.js'

/** A person or room with a mailbox on the server under test. */
export interface MailboxOwner {
  readonly objectId: string
  readonly userPrincipalName: string
}

/** Who a token is for, and what it may do. */
export interface Bearer {
  /** undefined: an application acts as itself. */
  readonly user: MailboxOwner | undefined
  readonly permissions: readonly string[]
  /** Negative: a token that ran out. */
  readonly lifetimeSeconds: number
}

/** A tenant of its own on the server under test, so that nothing of one exchange is seen by another. */
export interface World {
  /** Scheme, host and port. */
  readonly baseUrl: string
  readonly tenantId: string
  /** Makes the mailbox unless this world has it; names and addresses compare without case. */
  mailbox(userPrincipalName: string, displayName?: string): Promise<MailboxOwner>
  /** Lets one person send as another. */
  letSendAs(person: MailboxOwner, another: MailboxOwner): Promise<void>
  token(bearer: Bearer): Promise<string>
  call(call: Call): Promise<Answer>
}
