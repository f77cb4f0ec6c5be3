import type { TestContext } from 'node:test'
import type { SettingKey } from '../../src/config.js'
import { generateSigningKey, type SigningKey } from '../../src/identity/signing-key.js'
import { openStore, type StoreLocation } from '../../src/store/open.js'
import { testLocation } from './open-test-store.js'
import { startServer, type TestServer } from './start-server.js'

export interface ServerWithKnownKey {
  readonly server: TestServer
  readonly key: SigningKey
  /** Its store, which can be opened beside it. */
  readonly location: StoreLocation
}

/**
 * Starts a server that signs with a key the test holds, private half included: a token can then be wrong in one thing and
 * right in all others.
 */
export async function startServerWithKnownKey(
  t: TestContext,
  given: Partial<Record<SettingKey, string>> = {},
): Promise<ServerWithKnownKey> {
  const location = await testLocation(t)
  const key = await generateSigningKey('known-key', Date.now())
  const store = await openStore(location, 1)
  await store.identity.addSigningKey(key)
  await store.close()
  if (location.kind === 'memory') throw new Error('what is kept in memory cannot be prepared')
  const server =
    location.kind === 'postgres'
      ? await startServer(t, { ...given, store: location.url })
      : await startServer(t, { ...given, memory: 'off', data: location.path })
  return { server, key, location }
}
