import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startSmtpSink } from '../support/scripted-smtp.js'
import { freshFolder, startServer } from '../support/start-server.js'

const program = fileURLToPath(new URL('../../../bin/graphpost.js', import.meta.url))

/** Not in this process's way: a server of the test runs in it. */
async function run(...argv: string[]) {
  const child = spawn(process.execPath, [program, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const [status] = await once(child, 'close')
  return { status, stdout, stderr }
}

test('queue lists, holds, releases and cancels beside a running server', async (t) => {
  const sink = await startSmtpSink(t)
  const data = await freshFolder(t)
  const kept = { memory: 'off', store: '', data, relay: sink.url } as const
  const server = await startServer(t, { ...kept, deliveryConcurrency: '0' })
  const ada = await server.user('ada@contoso.com')
  for (const name of ['ben', 'cid', 'dan']) {
    const toRecipients = [{ emailAddress: { address: `${name}@${name}.example` } }]
    await ada.post('/me/sendMail', { message: { subject: 'Hello', toRecipients } })
  }
  const listed = await run('queue', 'list', '--data', data)
  assert.equal(listed.status, 0, listed.stderr)
  assert.match(listed.stdout, /ben@ben\.example +queued/)
  const entries = JSON.parse((await run('queue', '--json', '--data', data)).stdout)
  const numberOf = (destination: string) =>
    String(entries.find((entry: { destination: string }) => entry.destination === destination).message)

  assert.equal((await run('queue', 'hold', '--all', '--data', data)).stdout, '3 recipients held.\n')
  assert.equal(
    (await run('queue', 'cancel', numberOf('cid.example'), '--data', data)).stdout,
    '1 recipient cancelled.\n',
  )
  const released = await run(
    'queue',
    'release',
    numberOf('ben.example'),
    numberOf('cid.example'),
    '--json',
    '--data',
    data,
  )
  assert.deepEqual(JSON.parse(released.stdout), { changed: 1, wished: 0, underWay: 0 })
  const shown = await run('queue', 'show', numberOf('cid.example'), '--data', data)
  assert.match(shown.stdout, /cid@cid\.example +cancelled/)
  await server.graphpost.close()

  const next = await startServer(t, kept)
  await next.graphpost.drainOutbox(20_000)
  assert.deepEqual(
    sink.received.map(({ rcptTo }) => rcptTo[0]),
    ['ben@ben.example'],
  )
  // A running server takes notice by itself.
  assert.equal((await run('queue', 'release', '--destination', 'dan.example', '--data', data)).status, 0)
  await sink.waitFor(2)
})

test('what names nothing is one sentence, and exit code 2', async (t) => {
  const data = await freshFolder(t)
  for (const argv of [['explode'], ['cancel'], ['cancel', 'nonsense'], ['show'], ['list', '--limit', '0']]) {
    const { status, stdout, stderr } = await run('queue', ...argv, '--data', data)
    assert.deepEqual([status, stdout], [2, ''], argv.join(' '))
    assert.match(stderr, /^graphpost: [^\n]+\n$/)
  }
  assert.equal((await run('queue', 'show', '4711', '--data', data)).status, 1)
})
