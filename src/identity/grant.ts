/**
 * What can be redeemed for tokens, once: authorization codes, refresh tokens, device codes. Kept under the SHA-256 of what
 * the client holds, so that nobody who reads the store can redeem one.
 *
 *     open ──approve──▶ approved ──redeem──▶ redeemed        open ──decline──▶ declined
 *
 * A device code begins open and waits for its user; the others begin approved.
 */
export interface Grant {
  /** SHA-256 of what the client presents, base64url. */
  readonly id: string
  readonly kind: GrantKind
  readonly state: GrantState
  readonly tenant: string
  /** Client id. */
  readonly application: string
  /** Object id; undefined until a device code's user is known. */
  readonly user: string | undefined
  /** The code a user types in, upper case, without the dash; undefined for all but device codes. */
  readonly userCode: string | undefined
  /** All that follow from one sign-in: revoked together. */
  readonly family: string
  readonly details: GrantDetails
  /** ms since 1970 */
  readonly expiresAt: number
  readonly redeemedAt: number | undefined
}

export type GrantKind = 'code' | 'refresh' | 'device'
export type GrantState = 'open' | 'approved' | 'declined' | 'redeemed'

export interface GrantDetails {
  /** The `scope` parameter as it was asked. */
  readonly scope: string
  /** Of codes: where the code was sent. */
  readonly redirectUri?: string
  /** Of codes: what the verifier must hash to (RFC 7636). */
  readonly challenge?: string
  readonly challengeMethod?: 'S256' | 'plain'
  readonly nonce?: string
  /** Begun while the development identity was on: good only as long as that is. */
  readonly isDevelopment?: true
  /** When the user proved who they are, ms since 1970. */
  readonly signedInAt?: number
}

export interface GrantStore {
  insert(grant: Grant): Promise<void>
  find(id: string): Promise<Grant | undefined>
  findByUserCode(userCode: string): Promise<Grant | undefined>
  /**
   * Makes an approved grant redeemed, and keeps what follows from it, in one write; false when it is not approved or its
   * time is over. Of many at once one succeeds.
   */
  redeem(id: string, now: number, successor?: Grant): Promise<boolean>
  /** The user's answer to an open device code; false when it is not open any more. */
  decide(id: string, decision: { user: string; tenant: string } | 'declined', now: number): Promise<boolean>
  /** Takes back what can still be redeemed of a sign-in, also what is being redeemed at this moment. */
  revokeFamily(family: string): Promise<void>
  deleteExpired(now: number): Promise<void>
}
