import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linesOf, slowDestination } from '../../scripts/reliability/slow-destination.js'
import type { StoreLocation } from '../../src/store/open.js'
import { freshDatabase, freshFolder, testStore } from '../support/start-server.js'

/** The full form: 100000. */
const queued = Number(process.env.GRAPHPOST_QUEUED ?? 1_500)

test('mail to a fast destination is not behind a backlog to a slow one', async (t) => {
  const options = { location: await location(t), queued, mails: 100, waitMs: 1_000, destinations: 1 }
  const result = await slowDestination(options)
  for (const line of linesOf(result)) t.diagnostic(line)
  // One after the other the backlog takes far longer than the fast ones did.
  assert.ok(result.slowTaken < queued, `${result.slowTaken} of ${queued} were taken`)
})

test('a destination that never answers is the only one that waits', async (t) => {
  const options = { location: await location(t), queued, mails: 100, waitMs: Number.POSITIVE_INFINITY, destinations: 9 }
  const result = await slowDestination(options)
  for (const line of linesOf(result)) t.diagnostic(line)
  assert.equal(result.slowTaken, 0)
})

async function location(t: Parameters<typeof freshFolder>[0]): Promise<StoreLocation> {
  return testStore === 'postgres'
    ? { kind: 'postgres', url: await freshDatabase(t), blobs: await freshFolder(t) }
    : { kind: 'folder', path: await freshFolder(t) }
}
