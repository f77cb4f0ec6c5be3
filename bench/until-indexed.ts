import { setTimeout as sleep } from 'node:timers/promises'
import { openStore } from '../src/store/open.js'
import type { Bench } from './bench.js'
import { whole } from './table.js'

const indexLimitMs = 3_600_000

/** Waits until the server has indexed all mail, which it does when it has time; says how long that took. */
export async function untilIndexed(bench: Bench, folder: string): Promise<string> {
  const store = await openStore({ kind: 'folder', path: folder }, 0)
  const startedAt = performance.now()
  const before = await store.mail.search.countAllUnindexed()
  for (let left = before; left > 0 && performance.now() < startedAt + indexLimitMs; ) {
    await sleep(500)
    left = await store.mail.search.countAllUnindexed()
    bench.progress(`waiting for the full-text index: ${whole(left)} of ${whole(before)} messages are left`)
  }
  await store.close()
  const seconds = (performance.now() - startedAt) / 1000
  return `Full-text index: ${whole(before)} messages in ${whole(seconds)} s, ${whole(before / seconds)} a second`
}
