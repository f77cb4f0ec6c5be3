/**
 * Programs as a user would write them with `@azure/msal-node`, a service and one on a desktop: nothing is special but the
 * authority, and that it is known. Prints `{ "deviceCode": ... }`, `{ "declinedCode": ... }` and `{ "open": URL }` when
 * somebody must open a page, and at the end what it saw.
 */
import {
  type AuthenticationResult,
  ConfidentialClientApplication,
  type NodeAuthOptions,
  PublicClientApplication,
} from '@azure/msal-node'
import { claimsOf, type Known, outcome, outcomes, readKnown, say, type Tried, tryToken } from './sign-in.js'

interface Clients extends Known {
  readonly origin: string
  readonly daemon: {
    readonly id: string
    readonly secret: string
    readonly certificate: { readonly keyPem: string; readonly certPem: string; readonly thumbprintSha256: string }
  }
  readonly desktop: string
  readonly user: { readonly name: string; readonly password: string }
}

const { origin, tenant, daemon, desktop, user } = readKnown<Clients>()
const knownAuthorities = [new URL(origin).host]
const everything = ['https://graph.microsoft.com/.default']
const mailScopes = ['User.Read', 'Mail.Send']
const daemonScopes = [`api://${daemon.id}/access_as_user`]

/** A service that shows what it is by a secret or a certificate. */
function service(credential: Partial<NodeAuthOptions>): ConfidentialClientApplication {
  return new ConfidentialClientApplication({
    auth: { clientId: daemon.id, authority: `${origin}/${tenant}`, knownAuthorities, ...credential },
  })
}

/** A program that can keep no secret. */
function program(authority = tenant, clientId = desktop): PublicClientApplication {
  return new PublicClientApplication({ auth: { clientId, authority: `${origin}/${authority}`, knownAuthorities } })
}

const bySecret = { clientSecret: daemon.secret }
const { keyPem: privateKey, certPem: x5c, thumbprintSha256 } = daemon.certificate
const byCertificate = { clientCertificate: { privateKey, thumbprintSha256 } }
const byChain = { clientCertificate: { privateKey, thumbprintSha256, x5c } }

function got(result: AuthenticationResult | null): AuthenticationResult {
  if (result === null) throw new Error('no token')
  return result
}

/** A token without a user: new, from the cache, and new again. */
async function asApplication(credential: Partial<NodeAuthOptions>): Promise<object> {
  const application = service(credential)
  const first = got(await application.acquireTokenByClientCredential({ scopes: everything }))
  const second = got(await application.acquireTokenByClientCredential({ scopes: everything }))
  const third = got(await application.acquireTokenByClientCredential({ scopes: everything, skipCache: true }))
  return {
    ...(await tryToken(origin, third.accessToken, `/users/${user.name}`)),
    fromCache: [first, second, third].map(({ fromCache }) => fromCache),
    tokens: new Set([first, second, third].map(({ accessToken }) => accessToken)).size,
  }
}

interface SignedIn extends Tried {
  readonly account: string | undefined
  readonly scopes: readonly string[]
  readonly idToken: object
}

async function signedIn(result: AuthenticationResult | null): Promise<SignedIn> {
  const { accessToken, account, scopes, idTokenClaims } = got(result)
  return {
    ...(await tryToken(origin, accessToken)),
    account: account?.username,
    scopes,
    idToken: idTokenClaims,
  }
}

function withPassword(application: PublicClientApplication, scopes: string[], password = user.password) {
  return application.acquireTokenByUsernamePassword({ scopes, username: user.name, password })
}

/** What is kept for the user: found again, renewed twice, and good for a scope that was not asked at first. */
async function silently(): Promise<object> {
  const application = program('organizations')
  const first = got(await withPassword(application, ['User.Read']))
  const { account } = first
  if (account === null) throw new Error('no account')
  const silent = (scopes: string[], forceRefresh: boolean) =>
    application.acquireTokenSilent({ account, scopes, forceRefresh })
  const results = [
    first,
    await silent(['User.Read'], false),
    await silent(['User.Read'], true),
    await silent(['User.Read'], true),
  ]
  return {
    fromCache: results.map(({ fromCache }) => fromCache),
    tokens: new Set(results.map(({ accessToken }) => accessToken)).size,
    wider: await signedIn(await silent(mailScopes, false)),
  }
}

/** Two resources of one refresh token, one after the other and at the same moment; and whether the user is kept after that. */
async function twoResources(): Promise<object> {
  const application = program()
  const { account } = got(await withPassword(application, ['User.Read']))
  if (account === null) throw new Error('no account')
  const silent = (scopes: string[]) => application.acquireTokenSilent({ account, scopes, forceRefresh: true })
  const forDaemon = await silent(daemonScopes)
  const atOnce = await Promise.all([outcome(() => silent(mailScopes)), outcome(() => silent(daemonScopes))])
  return {
    aud: claimsOf(forDaemon.accessToken).aud,
    refused: atOnce.filter((came) => !('accessToken' in came)),
    after: await signedIn(await silent(mailScopes)),
  }
}

async function onBehalfOf(credential: Partial<NodeAuthOptions>): Promise<object> {
  const { accessToken: oboAssertion } = got(await withPassword(program(), daemonScopes))
  return signedIn(await service(credential).acquireTokenOnBehalfOf({ oboAssertion, scopes: mailScopes }))
}

function byDeviceCode(name: string) {
  return program().acquireTokenByDeviceCode({
    scopes: mailScopes,
    deviceCodeCallback: (prompt) => say({ [name]: prompt }),
  })
}

function interactively(authority: string, loginHint?: string) {
  return program(authority).acquireTokenInteractive({
    scopes: mailScopes,
    openBrowser: async (url) => say({ open: url }),
    successTemplate: 'You may go back to the program.',
    errorTemplate: 'That came to nothing.',
    ...(loginHint === undefined ? {} : { loginHint }),
  })
}

const granted = outcomes({
  secret: () => asApplication(bySecret),
  certificate: () => asApplication(byCertificate),
  chain: () => asApplication(byChain),
  password: async () => signedIn(await withPassword(program(), mailScopes)),
  silently,
  twoResources,
  onBehalfOfBySecret: () => onBehalfOf(bySecret),
  onBehalfOfByCertificate: () => onBehalfOf(byCertificate),
  deviceCode: async () => signedIn(await byDeviceCode('deviceCode')),
})
const nobody = '99999999-0000-4000-8000-000000000000'
const refused = outcomes({
  declined: () => byDeviceCode('declinedCode'),
  wrongSecret: () => service({ clientSecret: 'wrong' }).acquireTokenByClientCredential({ scopes: everything }),
  notDefault: () =>
    service(bySecret).acquireTokenByClientCredential({ scopes: ['https://graph.microsoft.com/Mail.Send'] }),
  unknownCertificate: () =>
    service({
      clientCertificate: { privateKey, thumbprintSha256: '00'.repeat(32) },
    }).acquireTokenByClientCredential({ scopes: everything }),
  unknownApplication: () => withPassword(program(tenant, nobody), mailScopes),
  unknownTenant: () => withPassword(program(nobody), mailScopes),
  wrongPassword: () => withPassword(program(), mailScopes, 'wrong'),
  notConsented: () => withPassword(program(), ['Mail.ReadWrite']),
  unknownResource: () => withPassword(program(), [`api://${nobody}/access_as_user`]),
  wrongAssertion: () =>
    service(bySecret).acquireTokenOnBehalfOf({ oboAssertion: 'no.token.atAll', scopes: mailScopes }),
})
const interactive = await outcome(async () => signedIn(await interactively('common')))
const hinted = await outcome(async () => signedIn(await interactively(tenant, 'alex@contoso.com')))
say({ saw: { ...(await granted), interactive, hinted, refused: await refused } })
