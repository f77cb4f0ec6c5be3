import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { measureArrivals } from '../../bench/arrivals.js'
import type { Bench } from '../../bench/bench.js'
import { findPostfix, startPostfix } from '../../bench/postfix.js'
import { submit } from '../../bench/smtp-source.js'

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'graphpost-postfix-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('where Postfix is not installed the bench says so and goes on', async (t) => {
  const path = process.env.PATH
  t.after(() => {
    process.env.PATH = path
  })
  process.env.PATH = await temporaryFolder(t)
  assert.equal(findPostfix(0), 'postfix is not installed here')
})

test('Postfix is not measured by anybody but root', () => {
  assert.match(String(findPostfix(1000)), /not installed here|only root/)
})

test('a Postfix of its own keeps what is handed in until it is released, and leaves nothing running', async (t) => {
  const found = findPostfix()
  if (typeof found === 'string') return t.skip(found)
  const root = await temporaryFolder(t)
  const folder = join(root, 'postfix')
  const mails = 24
  let waiting = 0
  const bench = { cores: undefined } as Bench
  const { bytesEach } = await measureArrivals(bench, mails, 'first arrival', async (relayPort) => {
    const { port, release, stop } = await startPostfix({ folder, core: undefined, relayPort, isHeld: true })
    t.after(stop)
    await submit({ port, core: undefined, mails, connections: 5, destinations: 3, bodyBytes: 1_000 })
    waiting = (await readdir(join(folder, 'queue/incoming'), { recursive: true })).length
    return { pid: undefined, begin: release, stop }
  })
  assert.ok(waiting >= mails, `${waiting} waited`)
  assert.ok(bytesEach > 1_000, `${bytesEach} bytes each`)
  const master = Number(await readFile(join(folder, 'queue/pid/master.pid'), 'utf8'))
  assert.throws(() => process.kill(-master, 0), /ESRCH/)
})
