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
  /** The key that checks signatures of this `kid`; looks into the store for one that is not known, but not more often than each second. */
  find(kid: string): Promise<CryptoKey | undefined>
  /** Reads the store again; tells the ids of keys that are gone. */
  reload(): Promise<readonly string[]>
}

/** How soon the store is read again for a key that is not known, ms: strangers may name as many as they like. */
const lookAgainAfterMs = 1_000

/** @param store must hold a key */
export async function openKeyRing(store: Pick<IdentityStore, 'listSigningKeys'>, now: () => number): Promise<KeyRing> {
  let keys: readonly SigningKey[] = []
  let signing: KeyRing['signing'] | undefined
  let verifying = new Map<string, CryptoKey>()
  let loadedAt = Number.NEGATIVE_INFINITY

  const reload = async () => {
    loadedAt = now()
    const kept = await store.listSigningKeys()
    const [newest] = kept
    if (newest === undefined) throw new Error('there is no key to sign tokens with')
    const known = verifying
    const next = new Map<string, CryptoKey>()
    for (const key of kept) next.set(key.id, known.get(key.id) ?? (await publicKeyOf(key)))
    if (signing?.id !== newest.id) signing = { id: newest.id, key: await privateKeyOf(newest) }
    keys = kept
    verifying = next
    return [...known.keys()].filter((id) => !next.has(id))
  }
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
      if (known !== undefined || Math.abs(now() - loadedAt) < lookAgainAfterMs) return known
      await reload()
      return verifying.get(kid)
    },
  }
}
