import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { Answer } from '../support/start-server.js'

/** The sign-in side as programs and browsers call it: forms, cookies, and nothing followed by itself. */

/** What is sent as a form; repeated names are pairs. */
export type Fields = Record<string, string> | [string, string][]

function encoded(fields: Fields): string {
  return new URLSearchParams(fields).toString()
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
}

/** Asks the token endpoint; `path` below the origin names another endpoint or tenant. */
export async function askToken(
  url: string,
  fields: Fields,
  { path = '/organizations/oauth2/v2.0/token', headers = {} }: { path?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
  return answerOf(await fetch(url + path, { method: 'POST', headers: { ...form, ...headers }, body: encoded(fields) }))
}

/** A page, an error or a redirect that a browser got. */
export interface Visit extends Answer {
  /** Where it is sent on; undefined where it is not. */
  readonly location: URL | undefined
  /** Of the form's hidden field. */
  readonly flow: string
  /** Where the form is sent. */
  readonly action: string
}

/** One browser: cookies are kept and sent along, redirects are not followed. */
export interface Browser {
  readonly cookies: Map<string, string>
  /** `Set-Cookie` of the newest answer. */
  readonly cookieTexts: readonly string[]
  get(path: string): Promise<Visit>
  post(path: string, fields: Fields): Promise<Visit>
}

export function newBrowser(url: string): Browser {
  const cookies = new Map<string, string>()
  let cookieTexts: string[] = []
  const visit = async (path: string, init: RequestInit): Promise<Visit> => {
    const Cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url + path, { ...init, headers: { Cookie, ...init.headers }, redirect: 'manual' })
    cookieTexts = response.headers.getSetCookie()
    for (const text of cookieTexts) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(text) ?? []
      if (/max-age=0(;|$)/i.test(text)) cookies.delete(name)
      else cookies.set(name, value)
    }
    const answer = await answerOf(response)
    const location = response.headers.get('location')
    return {
      ...answer,
      location: location === null ? undefined : new URL(location),
      flow: /name="flow" value="([^"]*)"/.exec(answer.text)?.[1] ?? '',
      action: /<form method="post" action="([^"]*)"/.exec(answer.text)?.[1] ?? '',
    }
  }
  return {
    cookies,
    get cookieTexts() {
      return cookieTexts
    },
    get: (path) => visit(path, {}),
    post: (path, fields) =>
      visit(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: encoded(fields),
      }),
  }
}

/** The path of an authorization request. */
export function authorizePath(fields: Fields, tenant = 'organizations'): string {
  return `/${tenant}/oauth2/v2.0/authorize?${encoded(fields)}`
}

/** Picks the account on a page that lists them, where the development identity is on. */
export function pickAccount(browser: Browser, page: Visit, userPrincipalName: string): Promise<Visit> {
  const buttons = [...page.text.matchAll(/name="user" value="([^"]+)">[^<]*<span>([^<]+)<\/span>/g)]
  const user = buttons.find(([, , name]) => name === userPrincipalName)?.[1]
  assert.ok(user, `${userPrincipalName} can be picked: ${page.text}`)
  return browser.post(page.action, { flow: page.flow, user })
}

/** A verifier of RFC 7636 and the challenge made of it. */
export const verifier = 'a-verifier-of-at-least-forty-three-characters-in-all'
export const challenge = createHash('sha256').update(verifier).digest('base64url')
