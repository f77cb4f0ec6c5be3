import type { Readable } from 'node:stream'
import type { Reach } from '../http/outward-call.js'
import type { Caller } from '../identity/caller.js'
import type { Cloud } from '../identity/clouds.js'
import type { Permission } from '../identity/permissions.js'
import type { Seals } from '../identity/seal.js'
import type { IdentityStore } from '../identity/store.js'
import type { MessageId } from '../mail/ids.js'
import type { Mail } from '../mail/mail.js'
import type { Acting } from '../mail/sender.js'
import type { Doorkeeper, MailboxFinder } from './authorize.js'
import type { ApiVersion } from './path.js'
import type { Preferences } from './preferences.js'

/** A call that was let through: who asks, for which mailbox, and what was sent. */
export interface GraphRequest extends Acting {
  readonly version: ApiVersion
  readonly caller: Caller
  /** What stands between the quotes of `users('...')` in answers: the key as the path has it, or the object id for `/me`. */
  readonly mailboxAsWritten: string
  /** Keys of the path by name: `message`, `attachment`. */
  readonly keys: Readonly<Record<string, string>>
  /** Every folder of the path, outermost first. */
  readonly folderPath: readonly string[]
  /** What a function at the end of the path is called with, as written: `TimeZoneStandard=...'Iana'`. */
  readonly functionArguments: string | undefined
  /** The path as sent, without the query; for links to the next page. */
  readonly path: string
  /** Without the question mark; empty when there is none. */
  readonly query: string
  /** Scheme, host and port that the client used: what links begin with. */
  readonly baseUrl: string
  /** The cloud whose Graph was called; undefined for a name of our own, under which everything is served. */
  readonly cloud: Cloud | undefined
  readonly preferences: Preferences
  readonly body: RequestBody
  /** Of what a client brings back unchanged. */
  readonly seals: Seals
  /** The `If-Match` header. */
  readonly ifMatch: string | undefined
  /** The `If-None-Match` header. */
  readonly ifNoneMatch: string | undefined
  /** The derived type that the path asks for: `fileAttachment`. Rows that do not say `takesCast` never see one. */
  readonly cast: string | undefined
  /** Whether the caller's permissions show what Mail.ReadBasic hides. */
  readonly readsBodies: boolean
}

/** A request's body, as its content type says it is meant. */
export type RequestBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'json'; readonly value: unknown }
  /** Base64 text of a MIME message. */
  | { readonly kind: 'mime'; readonly base64: Buffer }

/** What a handler answers; `graph/respond.ts` writes it. */
export interface GraphReply {
  readonly status: number
  /** Sent as JSON, members in this order; `contentType` unless given is that of the mail workload. */
  readonly json?: unknown
  /** Sent as it is, with `contentType`. */
  readonly bytes?: Uint8Array
  /** Sent as it comes, with `contentType` and `length`. */
  readonly stream?: Readable
  readonly length?: number
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  /** A preference that this answer honours beside what every answer does, for `Preference-Applied`. */
  readonly applied?: string
  /** The message the call made, for the call record. */
  readonly message?: MessageId
}

/** Reads the request, calls the domain, answers. */
export type Handler = (request: GraphRequest, mail: Mail) => Promise<GraphReply>

/** A call about the directory that was let through. */
export interface DirectoryRequest {
  readonly version: ApiVersion
  readonly caller: Caller
  /** Object id or user principal name, as written; undefined for `/me`, and where all users are meant. */
  readonly userKey: string | undefined
  /** The path as sent, without the query. */
  readonly path: string
  /** Without the question mark. */
  readonly query: string
  readonly baseUrl: string
}

export type DirectoryHandler = (request: DirectoryRequest, directory: IdentityStore) => Promise<GraphReply>

/** A call about subscriptions that was let through. */
export interface SubscriptionRequest {
  readonly method: string
  readonly version: ApiVersion
  readonly caller: Caller
  /** Keys of the path by name: `subscription`. */
  readonly keys: Readonly<Record<string, string>>
  readonly baseUrl: string
  readonly cloud: Cloud | undefined
  readonly preferences: Preferences
  readonly body: RequestBody
}

/** What calls about subscriptions stand on. */
export interface SubscriptionServices {
  readonly mail: Mail
  readonly findMailbox: MailboxFinder
  readonly admit: Doorkeeper
  /** Whether a caller has any permission that subscriptions are made with. */
  readonly mayHaveSubscriptions: (caller: Caller) => Promise<boolean>
  /** Object id of the caller's application. */
  readonly objectOf: (caller: Caller) => Promise<string>
  /** Where endpoints may be. */
  readonly reach: Reach
  /** Called when there is a new subscription. */
  readonly changed: () => void
}

export type SubscriptionHandler = (request: SubscriptionRequest, services: SubscriptionServices) => Promise<GraphReply>

/** One operation: a row of the route table. */
export type Route = OperationRoute | BatchRoute

/** One that a permission admits to. */
export type OperationRoute = MailRoute | DirectoryRoute | SubscriptionRoute

interface RouteCommon {
  readonly path: string
  /** Absent: in both versions. */
  readonly since?: 'beta'
  /** Clouds that do not have it. */
  readonly notIn?: readonly Cloud['name'][]
}

/** In a mailbox. */
export interface MailRoute extends RouteCommon {
  readonly kind: 'mail'
  /** The weakest permission that suffices. */
  readonly permission: Permission
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** What the body may be: nothing is read for `none`; an optional one may be left out. */
  readonly body: 'none' | 'json' | 'jsonOrMime' | 'optionalJsonOrMime'
  readonly handler: Handler
  /** Whether its handler looks at the derived type that a path may ask for. */
  readonly takesCast?: boolean
  /** Not in a mailbox that is shared with the caller. */
  readonly ownOnly?: boolean
}

/** About users. */
export interface DirectoryRoute extends RouteCommon {
  readonly kind: 'directory'
  /** The weakest permission that suffices. */
  readonly permission: Permission
  readonly method: 'GET'
  readonly body: 'none'
  readonly handler: DirectoryHandler
}

/** About the subscriptions of the calling application. */
export interface SubscriptionRoute extends RouteCommon {
  readonly kind: 'subscription'
  /** The weakest permission that suffices. */
  readonly permission: Permission
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly body: 'none' | 'json'
  readonly handler: SubscriptionHandler
}

/** Many calls in one, each of which is let through or refused by its own row. */
export interface BatchRoute extends RouteCommon {
  readonly kind: 'batch'
  readonly method: 'POST'
  readonly body: 'json'
}
