/** What the programs that sign in share: what they are told on the command line, and what they do with a token. */

/** The one argument: JSON. */
export interface Known {
  /** Where Graph and the authority are, scheme, host and port; undefined: where the cloud has them. */
  readonly origin?: string
  readonly tenant: string
}

export function readKnown<T extends Known>(): T {
  return JSON.parse(process.argv[2] ?? '{}')
}

/** Tells whoever started the program, one object on a line. */
export function say(line: object): void {
  console.log(JSON.stringify(line))
}

/** Graph's answer to a call with this token: status and, of a user, the name. */
async function callGraph(origin: string | undefined, token: string, path: string, body?: object): Promise<string> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  const answer = await fetch(`${origin ?? 'https://graph.microsoft.com'}/v1.0${path}`, {
    headers,
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  const { userPrincipalName = '' } = text === '' ? {} : JSON.parse(text)
  return `${answer.status} ${userPrincipalName}`.trim()
}

/** What Graph makes of a token: of who has it, and of a mail that they send. */
export async function tryToken(origin: string | undefined, token: string, mailbox = '/me'): Promise<Tried> {
  const message = { subject: 'Signed in', toRecipients: [{ emailAddress: { address: 'alex@contoso.com' } }] }
  return {
    who: await callGraph(origin, token, mailbox),
    sent: await callGraph(origin, token, `${mailbox}/sendMail`, { message }),
    claims: claimsOf(token),
  }
}

export interface Tried {
  readonly who: string
  readonly sent: string
  readonly claims: Record<string, unknown>
}

/** The claims of a token, unchecked. */
export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

/** What a call came to: its result, or what was thrown as a program would look at it. */
export async function outcome<T>(call: () => Promise<T>): Promise<T | Record<string, unknown>> {
  try {
    return await call()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { ...error, name: error.name, message: error.message }
  }
}

/** All at once, each by its name. */
export async function outcomes(calls: Readonly<Record<string, () => Promise<unknown>>>): Promise<object> {
  const came = Object.entries(calls).map(async ([name, call]) => [name, await outcome(call)] as const)
  return Object.fromEntries(await Promise.all(came))
}
