import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { admits } from '../identity/permissions.js'
import type { Tokens } from '../identity/token.js'
import { TokenRefused } from '../identity/token-check.js'
import type { CallLog } from '../mail/call-record.js'
import type { Mail } from '../mail/mail.js'

/** What the admin API stands on. */
export interface AdminServices {
  readonly mail: Mail
  readonly tokens: Tokens
  readonly calls: CallLog
}

type AdminRoute = (services: AdminServices, query: URLSearchParams) => Promise<unknown>

/** JSON that Graph does not have: every row needs a token with the permission Graphpost.Admin. */
const routes: Readonly<Record<string, AdminRoute>> = {
  /** Newest calls, refused ones too, each with the reason and the message it made. */
  '/admin/calls': async ({ calls }, query) => ({ value: await calls.list(limitOf(query)) }),
  /** Newest envelopes with each recipient's fate. */
  '/admin/outbox': async ({ mail }, query) => ({ value: await mail.store.outbox.listNewest(limitOf(query)) }),
}

const defaultLimit = 100
const maxLimit = 1_000

function limitOf(query: URLSearchParams): number {
  const limit = Number(query.get('limit') ?? defaultLimit)
  return Number.isInteger(limit) && limit > 0 ? Math.min(limit, maxLimit) : defaultLimit
}

/** Serves `/admin/...` and hands everything else on. */
export function adminListener(services: AdminServices): (next: RequestListener) => RequestListener {
  return (next) => (request, response) => {
    if (!request.url?.startsWith('/admin/')) {
      next(request, response)
      return
    }
    answer(services, request).then(
      ({ status, body }) => send(response, status, body),
      () => send(response, 500, { error: 'internal error' }),
    )
  }
}

async function answer(services: AdminServices, request: IncomingMessage): Promise<{ status: number; body: unknown }> {
  const refusal = await refusalOf(services.tokens, request.headers.authorization)
  if (refusal !== undefined) return refusal
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  const route = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined
  if (route === undefined) return { status: 404, body: { error: `There is no ${pathname}.` } }
  if (request.method !== 'GET') return { status: 405, body: { error: `${pathname} takes GET.` } }
  return { status: 200, body: await route(services, searchParams) }
}

async function refusalOf(tokens: Tokens, authorization: string | undefined) {
  const token = /^bearer (\S+)$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) return { status: 401, body: { error: 'The call has no bearer token.' } }
  try {
    const { permissions } = tokens.verified(token) ?? (await tokens.verify(token))
    if (admits(permissions, 'Graphpost.Admin', 'application')) return undefined
    return { status: 403, body: { error: 'The token lacks the permission Graphpost.Admin.' } }
  } catch (error) {
    if (error instanceof TokenRefused) return { status: 401, body: { error: error.message } }
    throw error
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response
    .writeHead(status, {
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    })
    .end(JSON.stringify(body))
}
