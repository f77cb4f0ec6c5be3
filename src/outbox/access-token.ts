/** Access tokens for XOAUTH2, fetched where a relay's own service gives them out. */

/** How a token is had: by a refresh token, or by the application's own secret (RFC 6749 §6, §4.4). */
export interface TokenRequest {
  readonly tokenEndpoint: string
  readonly clientId: string
  readonly clientSecret?: string
  readonly refreshToken?: string
  readonly scope?: string
}

/** @param isRenewed the last one was refused @returns the token, good for a while */
export type AccessTokenSource = (isRenewed: boolean) => Promise<string>

/** Fetched anew so long before it ends, ms. */
const earlyMs = 60_000
const timeoutMs = 30_000
const maxAnswerBytes = 65_536

/** One token for all connections of a relay; those that ask at once wait for the same one. */
export function accessTokens(request: TokenRequest, now: () => number = Date.now): AccessTokenSource {
  let held: { readonly token: string; readonly until: number } | undefined
  let fetching: Promise<string> | undefined
  // Some services give a new refresh token with each access token, and take the old one no more.
  let refreshToken = request.refreshToken
  const fetchOne = async () => {
    const answer = await askFor(request, refreshToken)
    refreshToken = answer.refreshToken ?? refreshToken
    held = { token: answer.token, until: now() + answer.lifetimeMs - earlyMs }
    return answer.token
  }
  return (isRenewed) => {
    if (held !== undefined && !isRenewed && held.until > now()) return Promise.resolve(held.token)
    fetching ??= fetchOne().finally(() => {
      fetching = undefined
    })
    return fetching
  }
}

async function askFor(
  { tokenEndpoint, clientId, clientSecret, scope }: TokenRequest,
  refreshToken: string | undefined,
) {
  const form = new URLSearchParams({
    grant_type: refreshToken === undefined ? 'client_credentials' : 'refresh_token',
    client_id: clientId,
    ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    ...(scope === undefined ? {} : { scope }),
  })
  const signal = AbortSignal.timeout(timeoutMs)
  const response = await fetch(tokenEndpoint, { method: 'POST', body: form, redirect: 'error', signal })
  const answer = parsed(await textOf(response))
  const { access_token: token, expires_in: seconds, refresh_token: next, error } = answer
  if (!response.ok || typeof token !== 'string' || token === '') {
    // Its description may quote what we sent.
    throw new Error(
      `The token endpoint gave no token: ${response.status} ${typeof error === 'string' ? error : ''}`.trim(),
    )
  }
  const lifetimeMs = Number(seconds) > 0 ? Number(seconds) * 1000 : 3_600_000
  return { token, lifetimeMs, refreshToken: typeof next === 'string' ? next : undefined }
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxAnswerBytes) throw new Error(`The token endpoint's answer is longer than ${maxAnswerBytes} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parsed(text: string): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
