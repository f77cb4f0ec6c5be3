import type { CryptoKey } from 'jose'
import { privateKeyOf, publicKeyOf, type SigningKey } from './signing-key.js'
import type { IdentityStore } from './store.js'

/**
 * The keys of this server's tokens. The newest signs; all that are kept verify, so that a new one may come while tokens of
 * the old one are about. Other processes may add and remove keys of the same store: a key nobody here knows is looked for
 * there, and what was removed there is noticed at the next {@link KeyRing.reload}.
 */
export interface KeyRing {
  readonly signing: { readonly id: string; readonly key: CryptoKey }
  /** Newest first. */
  readonly keys: readonly SigningKey[]
  /** The key that checks signatures of this `kid`; looks into the store for one that is not known. */
  find(kid: string): Promise<CryptoKey | undefined>
  /** Reads the store again. */
  reload(): Promise<void>
}

/** @param store must hold a key */
export async function openKeyRing(store: Pick<IdentityStore, 'listSigningKeys'>): Promise<KeyRing> {
  let keys: readonly SigningKey[] = []
  let signing: KeyRing['signing'] | undefined
  let verifying = new Map<string, CryptoKey>()
  const read = async () => {
    const kept = await store.listSigningKeys()
    const [newest] = kept
    if (newest === undefined) throw new Error('there is no key to sign tokens with')
    const known = verifying
    const next = new Map<string, CryptoKey>()
    for (const key of kept) next.set(key.id, known.get(key.id) ?? (await publicKeyOf(key)))
    if (signing?.id !== newest.id) signing = { id: newest.id, key: await privateKeyOf(newest) }
    keys = kept
    verifying = next
  }
  const reload = oneAfterAnother(read)
  await reload()
  return {
    get signing() {
      return signing as KeyRing['signing']
    },
    get keys() {
      return keys
    },
    reload,
    find: async (kid) => {
      const known = verifying.get(kid)
      if (known !== undefined) return known
      await reload()
      return verifying.get(kid)
    },
  }
}

/**
 * Runs it once at a time, and once more for all who asked while it ran: what was read earlier never overwrites what was
 * read later, everybody gets what was so when they asked or after, and strangers who name keys that never were cost one
 * look into the store at a time.
 */
function oneAfterAnother(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  return () => {
    next ??= running.then(() => {
      next = undefined
      const result = run()
      running = result.catch(() => {})
      return result
    })
    return next
  }
}
