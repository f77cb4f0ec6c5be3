import type { Cloud } from './clouds.js'

/** An application, with or without a user, holding a token. */
export interface Caller {
  /** `tid`: GUID, lower case. */
  readonly tenant: string
  /** `appid` (v1 tokens) or `azp` (v2). */
  readonly application: string
  /** `oid` of the signed-in user; undefined when the application acts as itself. */
  readonly user: string | undefined
  /** Lower case: the `scp` of a user's token, the `roles` of an application's. */
  readonly permissions: ReadonlySet<string>
  /** The cloud whose Graph the token is for, where its audience names one. */
  readonly cloud: Cloud['name'] | undefined
  /** `exp`, ms since 1970. */
  readonly expiresAt: number
}
