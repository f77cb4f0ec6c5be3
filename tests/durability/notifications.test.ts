import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Receiver, startReceiver, take } from '../support/receiver.js'
import { freshFolder } from '../support/start-server.js'
import { endProcess, type ServerProcess, startProcess } from './server-process.js'

const kills = 8
const connections = 8

async function subscribe(server: ServerProcess, receiver: Receiver): Promise<void> {
  const response = await fetch(`${server.url}/v1.0/subscriptions`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      changeType: 'created',
      notificationUrl: receiver.url,
      resource: 'me/messages',
      expirationDateTime: new Date(Date.now() + 3_600_000).toISOString(),
    }),
  })
  assert.equal(response.status, 201, await response.text())
}

/** Makes drafts until the server is gone. @returns the ids of those that were answered */
async function makeDrafts(server: ServerProcess, stopped: () => boolean): Promise<string[]> {
  const ids: string[] = []
  const oneConnection = async () => {
    while (!stopped()) {
      try {
        const response = await fetch(`${server.url}/v1.0/me/messages`, {
          method: 'POST',
          headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' },
          body: JSON.stringify({ subject: 'Quinces' }),
        })
        const { id } = (await response.json()) as { id: string }
        assert.equal(response.status, 201)
        ids.push(id)
      } catch (error) {
        // The server was killed under this request: nobody was told anything.
        if (error instanceof assert.AssertionError) throw error
        return
      }
    }
  }
  await Promise.all(Array.from({ length: connections }, oneConnection))
  return ids
}

test(`killed ${kills} times while it tells of mail, it tells of every message it answered for`, async (t: TestContext) => {
  const folder = await freshFolder(t)
  const receiver = await startReceiver(t)
  // One call in four fails, so that there is something to try again as well.
  let calls = 0
  receiver.answer = (received, response) => {
    if (++calls % 4 === 0) response.writeHead(503).end()
    else take(received, response)
  }
  const made: string[] = []
  for (let round = 0; round < kills; round++) {
    const server = await startProcess(folder)
    if (round === 0) await subscribe(server, receiver)
    let stopped = false
    const drafts = makeDrafts(server, () => stopped)
    await sleep(100 + Math.random() * 400)
    await endProcess(server, 'SIGKILL')
    stopped = true
    made.push(...(await drafts))
  }
  assert.ok(made.length > kills, 'hardly anything was made')
  receiver.answer = take
  const server = await startProcess(folder)
  await receiver.until((all) => {
    const told = new Set(all.map((each) => each.resourceData.id))
    return made.every((id) => told.has(id))
  })
  t.diagnostic(
    `${kills} kills, ${made.length} messages, ${receiver.notifications().length} notifications, none missing`,
  )
  assert.equal(await endProcess(server, 'SIGTERM'), 0)
})
