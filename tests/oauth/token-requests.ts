import assert from 'node:assert/strict'
import type { JWTPayload } from 'jose'
import { developmentApplication, developmentPassword, developmentSecret } from '../../src/identity/development.js'
import type { Answer } from '../support/start-server.js'
import { type Contoso, callback, daemon, daemonApi, daemonSecret } from './contoso.js'
import { askToken, authorizePath, challenge, type Fields, newBrowser, pickAccount, verifier } from './sign-in.js'

/** Requests for tokens that are right in all but what a test changes. */

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const onBehalfOfType = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

interface Asking {
  readonly tenant?: string
  readonly headers?: Record<string, string>
  readonly version?: 'v2.0/' | ''
}

export function ask({ url, tenant }: Contoso, fields: Fields, asking: Asking = {}): Promise<Answer> {
  const { headers = {}, version = 'v2.0/' } = asking
  return askToken(url, fields, { path: `/${asking.tenant ?? tenant}/oauth2/${version}token`, headers })
}

export const daemonFields = {
  grant_type: 'client_credentials',
  client_id: daemon,
  client_secret: daemonSecret,
  scope: 'https://graph.microsoft.com/.default',
}

/** As the development application, which is quicker: its secret is not hashed. */
export const developmentFields = {
  ...daemonFields,
  client_id: developmentApplication,
  client_secret: developmentSecret,
}

export const passwordFields = {
  grant_type: 'password',
  client_id: developmentApplication,
  username: 'alex@contoso.com',
  password: developmentPassword,
  scope: 'openid offline_access Mail.Send',
}

const codeRequest = {
  client_id: developmentApplication,
  response_type: 'code',
  redirect_uri: callback,
  scope: 'openid offline_access Mail.Send',
  code_challenge: challenge,
  code_challenge_method: 'S256',
}

export async function codeFor({ url }: Contoso, more: Record<string, string> = {}): Promise<Record<string, string>> {
  const browser = newBrowser(url)
  const accounts = await browser.get(authorizePath({ ...codeRequest, ...more }, 'contoso.com'))
  const { location } = await pickAccount(browser, accounts, 'adele@contoso.com')
  const code = location?.searchParams.get('code')
  assert.ok(code, String(location))
  return {
    grant_type: 'authorization_code',
    client_id: developmentApplication,
    redirect_uri: callback,
    code_verifier: verifier,
    code,
  }
}

export async function refreshFields(contoso: Contoso): Promise<Record<string, string>> {
  const { json } = await ask(contoso, passwordFields)
  return { grant_type: 'refresh_token', client_id: developmentApplication, refresh_token: json.refresh_token }
}

/** A device code, and what becomes of it in a browser. */
export async function deviceFields(contoso: Contoso, decision?: 'accept' | 'decline'): Promise<Record<string, string>> {
  const { url } = contoso
  const path = '/contoso.com/oauth2/v2.0/devicecode'
  const scope = 'offline_access Mail.Send'
  const { json } = await askToken(url, { client_id: developmentApplication, scope }, { path })
  if (decision !== undefined) {
    const browser = newBrowser(url)
    const accounts = await browser.get(`/devicelogin?otc=${json.user_code}`)
    const { flow, action } = await pickAccount(browser, accounts, 'adele@contoso.com')
    assert.equal((await browser.post(action, { flow, decision })).status, 200)
  }
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    client_id: developmentApplication,
    device_code: json.device_code,
  }
}

export async function onBehalfFields(contoso: Contoso, claims: JWTPayload): Promise<Record<string, string>> {
  return {
    grant_type: onBehalfOfType,
    client_id: daemon,
    client_secret: daemonSecret,
    requested_token_use: 'on_behalf_of',
    scope: 'Mail.Send',
    assertion: await contoso.signed({ aud: daemonApi, scp: 'access_as_user', oid: await adeleId(contoso), ...claims }),
  }
}

export async function adeleId({ server }: Contoso): Promise<string> {
  const users = await server.graphpost.directory.listAccounts()
  return users.find(({ userPrincipalName }) => userPrincipalName === 'adele@contoso.com')?.id ?? ''
}

export async function assertionFields(contoso: Contoso, ...signing: Parameters<Contoso['assertion']>) {
  const { client_secret: _, ...fields } = daemonFields
  return {
    ...fields,
    client_assertion_type: assertionType,
    client_assertion: await contoso.assertion(...signing),
  }
}
