import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { figuresText, followThrough, type Restartable } from '../support/delta-follower.js'
import { atEnd, clientOf, freshDatabase, freshFolder } from '../support/start-server.js'
import { endProcess, startProcess } from './server-process.js'

/** More of them find what is rarer: `GRAPHPOST_DELTA_CHANGES=10000`. */
const changes = Number(process.env.GRAPHPOST_DELTA_CHANGES ?? 120)
const kills = Math.max(3, Math.round(changes / 250))

/** The program as an operator runs it; a restart is `kill -9` in the midst of its work. */
async function killable(t: TestContext, more: readonly string[]): Promise<Restartable> {
  const folder = await freshFolder(t)
  const start = async () => {
    const server = await startProcess(folder, '', more)
    return { server, client: clientOf(server.url, server.token) }
  }
  let running = start()
  atEnd(t, async () => endProcess((await running).server, 'SIGKILL'))
  return {
    address: 'adele@contoso.com',
    client: async () => (await running).client,
    restart: async () => {
      const { server } = await running
      running = endProcess(server, 'SIGKILL').then(start)
      await running
    },
  }
}

const databases = {
  SQLite: { options: async () => [], skip: false },
  PostgreSQL: {
    options: async (t: TestContext) => ['--store', await freshDatabase(t)],
    skip:
      process.env.TEST_POSTGRES_URL === undefined
        ? 'TEST_POSTGRES_URL is not set: run the tests with `npm test`'
        : false,
  },
}

for (const [database, { options, skip }] of Object.entries(databases)) {
  for (const immutable of [false, true]) {
    const title = `${database}, ${immutable ? 'immutable' : 'default'} ids: who follows delta links has the mailbox`
    test(`${title} after ${changes} changes and ${kills} times kill -9`, { skip }, async (t) => {
      const server = await killable(t, await options(t))
      const figures = await followThrough(server, { changes, restarts: kills, seed: 11, immutable })
      t.diagnostic(`${database}: ${figuresText(figures)}`)
      assert.ok(figures.changes >= changes && figures.unanswered > 0)
    })
  }
}
