import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import { startGraphpost } from '../../src/app.js'
import { figuresText, followThrough, type Restartable } from '../support/delta-follower.js'
import { atEnd, clientOf, freshFolder, testSettings, testStore } from '../support/start-server.js'

const changes = 150

/** A server that is closed and started again on one store. */
async function restartable(t: TestContext): Promise<Restartable> {
  const place = testStore === 'postgres' ? {} : { memory: 'off', data: await freshFolder(t) }
  const settings = await testSettings(t, { ...place, samples: 'on' })
  const start = async () => {
    const graphpost = await startGraphpost(settings)
    const [user = ''] = graphpost.mailboxes
    const token = await graphpost.directory.issueToken({ user, scopes: ['Mail.ReadWrite', 'Mail.Send'] })
    return { graphpost, client: clientOf(graphpost.httpUrl ?? '', token) }
  }
  let running = start()
  atEnd(t, async () => (await running).graphpost.close())
  return {
    address: 'adele@contoso.com',
    client: async () => (await running).client,
    restart: async () => {
      const { graphpost } = await running
      running = graphpost.close().then(start)
      await running
    },
  }
}

for (const immutable of [false, true]) {
  const ids = immutable ? 'immutable' : 'default'
  test(`a client that follows delta links through ${changes} changes has the mailbox, by ${ids} ids`, async (t) => {
    const figures = await followThrough(await restartable(t), { changes, restarts: 3, seed: 7, immutable })
    t.diagnostic(figuresText(figures))
    assert.ok(figures.changes >= changes)
  })
}
