import { createHash } from 'node:crypto'
import type { Application } from '../identity/application.js'
import type { Grant } from '../identity/grant.js'
import type { User } from '../identity/user.js'
import {
  type AuthorizationRequest,
  challengeMethodOf,
  inRequest,
  readRequest,
  requireRegistered,
  respond,
  withParameters,
} from './authorization-request.js'
import { type BrowserAnswer, sessionCookie, signInCookie } from './browser.js'
import { keepConsent, wantedPermissions } from './consent.js'
import { readUserCode } from './device-code.js'
import { OAuthError } from './errors.js'
import { accountPage, consentPage, deviceCodePage, type FormTarget, messagePage, passwordPage } from './pages.js'
import { isRegistered } from './redirect-uri.js'
import { readScope, scopeSurroundings } from './scopes.js'
import {
  applicationNamed,
  begunHere,
  grantId,
  newGrantToken,
  type OAuthCall,
  type OAuthServices,
  tenantsOf,
} from './services.js'
import { findSigningUser, type Lockout, signInWithPassword } from './sign-in.js'
import { clientInfo } from './token-response.js'

/**
 * People signing in: the authorization endpoint and the page for device codes lead through the same steps.
 *
 *     authorize ──▶ pick an account, or password ──▶ consent, where something is new ──▶ code to the application
 *     devicelogin ─▶ code ─▶ account or password ──▶ consent, always ───────────────────▶ the device's code is approved
 *
 * Between two steps the state is in the form, sealed, and tied to the browser by a cookie, so that nobody can send a step
 * from elsewhere.
 */

const flowLifetimeMs = 900_000
const sessionLifetimeMs = 86_400_000
const codeLifetimeMs = 600_000
/** Shown to pick from at most. */
const maxAccounts = 100

/** A sign-in on its way, as the form carries it. */
interface Flow {
  /** The cookie's value. */
  readonly browser: string
  /** The query of the authorization request; undefined for a device. */
  readonly request?: string
  /** Of a device code. */
  readonly grant?: string
  /** Who signed in, once they have. */
  readonly user?: { readonly tenant: string; readonly id: string }
  readonly signedInAt?: number
}

interface Session {
  readonly tenant: string
  readonly user: string
  readonly signedInAt: number
  readonly isDevelopment?: true
  /** Of the password they had: a new one ends it. */
  readonly password: string
}

/** `GET` or `POST /{tenant}/oauth2/v2.0/authorize`. @throws OAuthError for what must not be sent to an unknown address */
export async function authorize(services: OAuthServices, call: OAuthCall): Promise<BrowserAnswer> {
  const parameters = call.form.size > 0 ? call.form : call.query
  const request = await readRequest(services, call, parameters)
  return inRequest(services, call, request, async () => {
    if (request.responseType === '') throw new OAuthError('missingParameter', 'response_type')
    if (request.responseType !== 'code') throw new OAuthError('unsupportedResponse', request.responseType)
    if (request.scope === '') throw new OAuthError('missingParameter', 'scope')
    challengeMethodOf(request)
    const prompt = parameters.get('prompt') ?? ''
    const session =
      prompt === 'login' || prompt === 'select_account' ? undefined : await sessionOf(services, call, request)
    if (session !== undefined) {
      return afterSignIn(services, call, { request, user: session.user, signedInAt: session.signedInAt, prompt })
    }
    if (prompt === 'none') throw new OAuthError('loginRequired')
    return askWho(services, call, request.application, { request: parameters.toString() }, parameters.get('login_hint'))
  })
}

/** `POST /{tenant}/login`: an account was picked, or a password typed. */
export async function signIn(services: OAuthServices, call: OAuthCall, lockout: Lockout): Promise<BrowserAnswer> {
  const flow = flowOf(services, call)
  if (flow === undefined) return staleAnswer
  const subject = await subjectOf(services, call, flow)
  if (subject === undefined) return staleAnswer
  let user: User | undefined
  try {
    user = await whoSignsIn(services, call, lockout)
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    const problem = error.message.replace(/^AADSTS\d+: /, '')
    const target = formTarget(services, call, 'login', flow)
    return { page: passwordPage(target, subject.application, call.form.get('username') ?? '', problem) }
  }
  if (user === undefined) return staleAnswer
  const signedInAt = services.now()
  const session: Session = {
    tenant: user.tenant,
    user: user.id,
    signedInAt,
    ...begunHere(services),
    password: passwordMark(user),
  }
  const cookies = [
    {
      name: sessionCookie,
      value: services.seals.seal('session', session, sessionLifetimeMs),
      maxAgeSeconds: sessionLifetimeMs / 1000,
    },
  ]
  const answer =
    subject.request === undefined
      ? await askConsent(services, call, { ...flow, user: { tenant: user.tenant, id: user.id }, signedInAt })
      : await inRequest(services, call, subject.request, () =>
          afterSignIn(services, call, {
            request: subject.request as AuthorizationRequest,
            user: user as User,
            signedInAt,
            prompt: new URLSearchParams(flow.request).get('prompt') ?? '',
          }),
        )
  return { ...answer, cookies: [...cookies, ...(answer.cookies ?? [])] }
}

/** `POST /{tenant}/consent`: the user accepted or declined. */
export async function consent(services: OAuthServices, call: OAuthCall): Promise<BrowserAnswer> {
  const flow = flowOf(services, call)
  const subject = flow && (await subjectOf(services, call, flow))
  const user = flow?.user && (await services.identity.findUser(flow.user.tenant, flow.user.id))
  if (flow === undefined || subject === undefined || user === undefined) return staleAnswer
  const isAccepted = call.form.get('decision') === 'accept'
  const { application } = subject
  if (isAccepted) await keepConsent(services, application, user, await wantedPermissions(services, call, subject, user))
  const { request, grant } = subject
  if (request !== undefined) {
    return inRequest(services, call, request, async () => {
      if (!isAccepted) throw new OAuthError('accessDenied')
      return finish(services, call, request, user, flow.signedInAt ?? services.now())
    })
  }
  const decision = isAccepted ? { user: user.id, tenant: user.tenant } : 'declined'
  const isDecided = await services.identity.grants.decide(grant?.id ?? '', decision, services.now())
  if (!isDecided)
    return { page: messagePage('Too late', 'The code is over, or it was used before. Begin anew on your device.', 400) }
  return isAccepted
    ? {
        page: messagePage(
          'Done',
          `You have signed in to ${application.displayName} on your device. You may close this window.`,
        ),
      }
    : { page: messagePage('Declined', `${application.displayName} was not signed in. You may close this window.`) }
}

/** `GET /devicelogin`, and `POST` with the code. */
export async function deviceLogin(services: OAuthServices, call: OAuthCall): Promise<BrowserAnswer> {
  const typed = call.form.get('code') ?? call.query.get('otc')
  if (typed === null) return { page: deviceCodePage('/devicelogin') }
  const grant = await services.identity.grants.findByUserCode(readUserCode(typed))
  if (grant?.state !== 'open' || services.now() >= grant.expiresAt) {
    return { page: deviceCodePage('/devicelogin', 'That code is not known, or its time is over.') }
  }
  const application = await applicationNamed(services, undefined, grant.application)
  return askWho(services, call, application, { grant: grant.id }, null)
}

/** `GET /{tenant}/oauth2/v2.0/logout`: whoever is signed in here is not any more. */
export async function logout(services: OAuthServices, call: OAuthCall): Promise<BrowserAnswer> {
  const cookies = [{ name: sessionCookie, value: undefined, maxAgeSeconds: 0 }]
  const target = call.query.get('post_logout_redirect_uri')
  if (target !== null && (await isKnownTarget(services, call, target))) {
    const state = call.query.get('state')
    return { redirect: withParameters(target, '?', state === null ? [] : [['state', state]]), cookies }
  }
  return { page: messagePage('Signed out', 'You are signed out. You may close this window.'), cookies }
}

async function isKnownTarget(services: OAuthServices, call: OAuthCall, uri: string): Promise<boolean> {
  for (const { id } of await tenantsOf(services, call.tenant)) {
    const applications = await services.identity.listApplications(id)
    if (applications.some((application) => isRegistered(application, uri))) return true
  }
  return false
}

/** Tells passwords apart, and nothing else of them: it stands in a cookie. */
function passwordMark({ passwordHash = '' }: User): string {
  return createHash('sha256').update(passwordHash).digest('base64url').slice(0, 16)
}

/** Someone who signed in here before, where the request does not ask for somebody else. */
async function sessionOf(
  { seals, identity, development }: OAuthServices,
  call: OAuthCall,
  { loginHint }: AuthorizationRequest,
): Promise<{ user: User; signedInAt: number } | undefined> {
  const session = seals.open('session', call.cookies.get(sessionCookie) ?? '') as Session | undefined
  if (session === undefined || (call.tenant !== undefined && call.tenant.id !== session.tenant)) return undefined
  if (session.isDevelopment === true && !development) return undefined
  const user = await identity.findUser(session.tenant, session.user)
  if (user?.kind !== 'user' || passwordMark(user) !== session.password) return undefined
  const hint = loginHint?.toLowerCase()
  const isMeant =
    hint === undefined || hint === user.userPrincipalName.toLowerCase() || hint === user.mail.toLowerCase()
  return isMeant ? { user, signedInAt: session.signedInAt } : undefined
}

async function askWho(
  services: OAuthServices,
  call: OAuthCall,
  application: Application,
  begun: Pick<Flow, 'request' | 'grant'>,
  loginHint: string | null,
): Promise<BrowserAnswer> {
  const browser = call.cookies.get(signInCookie) ?? services.random.uuid()
  const target = formTarget(services, call, 'login', { ...begun, browser })
  const cookies = [{ name: signInCookie, value: browser, maxAgeSeconds: flowLifetimeMs / 1000 }]
  if (!services.development) return { page: passwordPage(target, application, loginHint ?? ''), cookies }
  const users: User[] = []
  for (const { id } of await tenantsOf(services, call.tenant)) {
    users.push(...(await services.identity.listUsers(id, maxAccounts)).filter(({ kind }) => kind === 'user'))
  }
  const hint = loginHint?.toLowerCase()
  const hinted = users.filter(({ userPrincipalName }) => userPrincipalName.toLowerCase() === hint)
  return { page: accountPage(target, application, hinted.length > 0 ? hinted : users), cookies }
}

async function whoSignsIn(services: OAuthServices, call: OAuthCall, lockout: Lockout): Promise<User | undefined> {
  const picked = call.form.get('user')
  if (picked !== null && services.development) {
    const user = await findSigningUser(services, call.tenant, picked)
    return user?.kind === 'user' ? user : undefined
  }
  const name = call.form.get('username')
  if (name === null) return undefined
  const password = call.form.get('password') ?? ''
  return signInWithPassword(services, lockout, call.tenant, { name, password })
}

interface SignedIn {
  readonly request: AuthorizationRequest
  readonly user: User
  readonly signedInAt: number
  readonly prompt: string
}

async function afterSignIn(services: OAuthServices, call: OAuthCall, signedIn: SignedIn): Promise<BrowserAnswer> {
  const { request, user, signedInAt, prompt } = signedIn
  const wanted = await wantedPermissions(
    services,
    call,
    { application: request.application, scope: request.scope },
    user,
  )
  if (wanted.length === 0 && prompt !== 'consent') return finish(services, call, request, user, signedInAt)
  if (prompt === 'none') throw new OAuthError('interactionRequired', request.application.id)
  await requireRegistered(services, request, user)
  const parameters = call.form.has('flow') ? (flowOf(services, call)?.request ?? '') : requestText(call)
  return askConsent(services, call, {
    browser: call.cookies.get(signInCookie) ?? services.random.uuid(),
    request: parameters,
    user: { tenant: user.tenant, id: user.id },
    signedInAt,
  })
}

function requestText(call: OAuthCall): string {
  return (call.form.size > 0 ? call.form : call.query).toString()
}

async function askConsent(services: OAuthServices, call: OAuthCall, flow: Flow): Promise<BrowserAnswer> {
  const subject = await subjectOf(services, call, flow)
  const user = flow.user && (await services.identity.findUser(flow.user.tenant, flow.user.id))
  if (subject === undefined || user === undefined) return staleAnswer
  const requested = await readScope(subject.scope, scopeSurroundings(services, call, user.tenant))
  const shown = requested.isDefault ? subject.application.delegatedPermissions : requested.permissions
  return {
    page: consentPage(formTarget(services, call, 'consent', flow), subject.application, user, [
      ...shown,
      ...requested.oidc,
    ]),
    cookies: [{ name: signInCookie, value: flow.browser, maxAgeSeconds: flowLifetimeMs / 1000 }],
  }
}

async function finish(
  services: OAuthServices,
  call: OAuthCall,
  request: AuthorizationRequest,
  user: User,
  signedInAt: number,
): Promise<BrowserAnswer> {
  await requireRegistered(services, request, user)
  const code = newGrantToken(services)
  const { application, redirectUri, scope, nonce, challenge } = request
  const grant: Grant = {
    id: grantId(code),
    kind: 'code',
    state: 'approved',
    tenant: user.tenant,
    application: application.id,
    user: user.id,
    userCode: undefined,
    family: services.random.uuid(),
    details: {
      scope,
      redirectUri,
      signedInAt,
      ...begunHere(services),
      ...(nonce === undefined ? {} : { nonce }),
      ...(challenge === undefined ? {} : { challenge, challengeMethod: challengeMethodOf(request) }),
    },
    expiresAt: services.now() + codeLifetimeMs,
    redeemedAt: undefined,
  }
  await services.identity.grants.insert(grant)
  return respond(request, [
    ['code', code],
    ...(request.wantsClientInfo ? [['client_info', clientInfo(user)] as const] : []),
    ['session_state', call.traceId],
  ])
}

const staleAnswer: BrowserAnswer = {
  page: messagePage(
    'Begin again',
    'This sign-in is over, or was begun in another browser. Go back to the application and begin again.',
    400,
  ),
}

function formTarget({ seals }: OAuthServices, call: OAuthCall, step: 'login' | 'consent', flow: Flow): FormTarget {
  return { action: `/${call.tenantAsWritten}/${step}`, flow: seals.seal('sign-in', flow, flowLifetimeMs) }
}

/** The state a form brought back, if it was made for this browser. */
function flowOf({ seals }: OAuthServices, call: OAuthCall): Flow | undefined {
  const flow = seals.open('sign-in', call.form.get('flow') ?? '') as Flow | undefined
  return flow !== undefined && flow.browser === call.cookies.get(signInCookie) ? flow : undefined
}

/** What a sign-in is for. */
interface Subject {
  readonly application: Application
  readonly scope: string
  readonly request?: AuthorizationRequest
  readonly grant?: Grant
}

async function subjectOf(services: OAuthServices, call: OAuthCall, flow: Flow): Promise<Subject | undefined> {
  if (flow.request !== undefined) {
    const request = await readRequest(services, call, new URLSearchParams(flow.request))
    return { application: request.application, scope: request.scope, request }
  }
  const grant = await services.identity.grants.find(flow.grant ?? '')
  if (grant === undefined) return undefined
  const application = await applicationNamed(services, undefined, grant.application)
  return { application, scope: grant.details.scope, grant }
}
