import { createHash, timingSafeEqual } from 'node:crypto'
import { developmentPassword } from '../identity/development.js'
import { hashOfNothing, isSecret } from '../identity/secret.js'
import type { Tenant } from '../identity/tenant.js'
import type { User } from '../identity/user.js'
import { OAuthError } from './errors.js'
import { type OAuthServices, tenantsOf } from './services.js'

/** A user name's wrong passwords are counted for this long, ms; after so many it is locked until they are over. */
const lockWindowMs = 600_000
const maxFailures = 10
const maxCounted = 10_000
/** RFC 5321 §4.5.3.1; what is longer is counted together. */
const maxNameLength = 320

/** Counts wrong passwords by user. */
export class Lockout {
  readonly #failures = new Map<string, { count: number; until: number }>()
  readonly #turns = new Map<string, Promise<void>>()

  /** One check of a user's password after the other: of many guesses at once each must see what became of those before. */
  async inTurn<Result>(name: string, check: () => Promise<Result>): Promise<Result> {
    const before = this.#turns.get(name) ?? Promise.resolve()
    const result = before.then(check)
    const turn = result.then(
      () => {},
      () => {},
    )
    this.#turns.set(name, turn)
    try {
      return await result
    } finally {
      if (this.#turns.get(name) === turn) this.#turns.delete(name)
    }
  }

  isLocked(name: string, now: number): boolean {
    const known = this.#failures.get(name)
    return known !== undefined && now < known.until && known.count >= maxFailures
  }

  fail(name: string, now: number): void {
    const known = this.#failures.get(name)
    const count = known !== undefined && now < known.until ? known.count + 1 : 1
    if (this.#failures.size >= maxCounted) this.#failures.clear()
    this.#failures.set(name, { count, until: now + lockWindowMs })
  }

  succeed(name: string): void {
    this.#failures.delete(name)
  }
}

/** The user of that name or address, in the tenant or in any; undefined when there is none, or a shared mailbox. */
export async function findSigningUser(
  services: OAuthServices,
  tenant: Tenant | undefined,
  name: string,
): Promise<User | undefined> {
  for (const { id } of await tenantsOf(services, tenant)) {
    const user = await services.identity.findUser(id, name)
    if (user !== undefined) return user
  }
  return undefined
}

/**
 * The user who knows the password. Those without one of their own have the development password, where that is in use.
 *
 * @throws OAuthError wrongPassword (also for a user who is not there), lockedOut, noSignIn
 */
export async function signInWithPassword(
  services: OAuthServices,
  lockout: Lockout,
  tenant: Tenant | undefined,
  credentials: { readonly name: string; readonly password: string },
): Promise<User> {
  const name = credentials.name.trim().toLowerCase()
  const user = await findSigningUser(services, tenant, name)
  // By whichever of their names: each alias would be ten more guesses.
  const counted = user?.id ?? name.slice(0, maxNameLength)
  return lockout.inTurn(counted, async () => {
    if (lockout.isLocked(counted, services.now())) throw new OAuthError('lockedOut')
    if (!(await isPasswordOf(services, user, credentials.password))) {
      lockout.fail(counted, services.now())
      throw new OAuthError('wrongPassword')
    }
    lockout.succeed(counted)
    if (user?.kind !== 'user') throw new OAuthError('noSignIn')
    return user
  })
}

async function isPasswordOf(services: OAuthServices, user: User | undefined, password: string): Promise<boolean> {
  if (user?.passwordHash !== undefined) return isSecret(password, user.passwordHash)
  const hash = (text: string) => createHash('sha256').update(text).digest()
  const isKnown = timingSafeEqual(hash(password), hash(developmentPassword))
  if (user !== undefined && services.development) return isKnown
  // As long as for a user who is there: the time must not tell who is.
  await isSecret(password, hashOfNothing)
  return false
}
