/**
 * A program as a user would write it with the credentials of `@azure/identity`: nothing is special but the authority's
 * host, where one is given, and that no public server is asked whether it may be trusted. Prints `{ "deviceCode": ... }` when somebody must
 * open a page, and at the end what it saw.
 */
import {
  ClientCertificateCredential,
  ClientSecretCredential,
  DeviceCodeCredential,
  OnBehalfOfCredential,
  type TokenCredential,
  UsernamePasswordCredential,
} from '@azure/identity'
import { type Known, outcomes, readKnown, say, type Tried, tryToken } from './sign-in.js'

interface Identities extends Known {
  readonly daemon: { readonly id: string; readonly secret: string; readonly certificatePath: string }
  readonly desktop: string
  readonly user: { readonly name: string; readonly password: string }
}

const { origin, tenant, daemon, desktop, user } = readKnown<Identities>()
const options = origin === undefined ? {} : { authorityHost: origin, disableInstanceDiscovery: true }
const everything = 'https://graph.microsoft.com/.default'
const mailScopes = ['User.Read', 'Mail.Send']
const nobody = '99999999-0000-4000-8000-000000000000'

async function tokenOf(credential: TokenCredential, scopes: string | string[]): Promise<string> {
  const token = await credential.getToken(scopes)
  if (token === null) throw new Error('no token')
  return token.token
}

async function asUser(credential: TokenCredential, scopes: string | string[]): Promise<Tried> {
  return tryToken(origin, await tokenOf(credential, scopes))
}

async function asApplication(credential: TokenCredential): Promise<Tried> {
  return tryToken(origin, await tokenOf(credential, everything), `/users/${user.name}`)
}

function secretOf(tenantId: string, clientId: string, secret: string): TokenCredential {
  return new ClientSecretCredential(tenantId, clientId, secret, options)
}

function passwordOf(password: string): TokenCredential {
  return new UsernamePasswordCredential(tenant, desktop, user.name, password, options)
}

const signedIn = passwordOf(user.password)

const deviceCode = new DeviceCodeCredential({
  ...options,
  tenantId: tenant,
  clientId: desktop,
  userPromptCallback: (prompt) => say({ deviceCode: prompt }),
})

/** What the daemon is called with, and trades for a token of its own. */
const userAssertionToken = tokenOf(signedIn, `api://${daemon.id}/access_as_user`)

const service = { ...options, tenantId: tenant, clientId: daemon.id }

async function onBehalfOf(): Promise<object> {
  const called = { ...service, userAssertionToken: await userAssertionToken }
  const { certificatePath, secret: clientSecret } = daemon
  return {
    secret: await asUser(new OnBehalfOfCredential({ ...called, clientSecret }), everything),
    certificate: await asUser(new OnBehalfOfCredential({ ...called, certificatePath }), 'Mail.Send'),
  }
}

async function withTokenOfAnother(): Promise<string> {
  const forGraph = await tokenOf(signedIn, mailScopes)
  const credential = { ...service, clientSecret: daemon.secret, userAssertionToken: forGraph }
  return tokenOf(new OnBehalfOfCredential(credential), everything)
}

const [granted, refused] = await Promise.all([
  outcomes({
    secret: () => asApplication(secretOf(tenant, daemon.id, daemon.secret)),
    certificate: () =>
      asApplication(new ClientCertificateCredential(tenant, daemon.id, daemon.certificatePath, options)),
    password: () => asUser(signedIn, mailScopes),
    deviceCode: () => asUser(deviceCode, mailScopes),
    onBehalfOf,
  }),
  outcomes({
    wrongSecret: () => tokenOf(secretOf(tenant, daemon.id, 'wrong'), everything),
    unknownApplication: () => tokenOf(secretOf(tenant, nobody, daemon.secret), everything),
    unknownTenant: () => tokenOf(secretOf(nobody, daemon.id, daemon.secret), everything),
    wrongPassword: () => tokenOf(passwordOf('wrong'), mailScopes),
    notConsented: () => tokenOf(passwordOf(user.password), 'Mail.ReadWrite'),
    wrongAudience: withTokenOfAnother,
  }),
])
say({ saw: { ...granted, refused } })
