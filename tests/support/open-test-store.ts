import type { TestContext } from 'node:test'
import { openStore, type Store, type StoreLocation } from '../../src/store/open.js'
import { atEnd, freshDatabase, freshFolder, testStore } from './start-server.js'

/** Where a test's store is: a folder or a database of its own, by the database of this run. */
export async function testLocation(t: TestContext): Promise<StoreLocation> {
  return testStore === 'postgres'
    ? { kind: 'postgres', url: await freshDatabase(t), blobs: await freshFolder(t) }
    : { kind: 'folder', path: await freshFolder(t) }
}

/** A store of the test's own, closed after it. */
export async function openTestStore(t: TestContext, location?: StoreLocation): Promise<Store> {
  const store = await openStore(location ?? (await testLocation(t)), 1_000)
  atEnd(t, () => store.close())
  return store
}
