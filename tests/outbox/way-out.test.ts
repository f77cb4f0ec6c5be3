import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startGraphpost } from '../../src/app.js'
import type { SettingKey } from '../../src/config.js'
import { goodSignatures } from '../support/dkim-check.js'
import { graphpostProgram } from '../support/program.js'
import { startSmtpSink } from '../support/scripted-smtp.js'
import { freshFolder, startServer, testSettings } from '../support/start-server.js'

test('mail leaves for allowed recipients alone; for all others it is captured', async (t) => {
  const { sink, states } = await sendTo(t, { allowRecipients: 'fabrikam.example, *.example.org' }, [
    'ada@fabrikam.example',
    'ben@sub.example.org',
    'cy@example.org',
    'dee@tailspin.example',
  ])
  assert.deepEqual(states, {
    'ada@fabrikam.example': 'relayed',
    'ben@sub.example.org': 'relayed',
    'cy@example.org': 'captured',
    'dee@tailspin.example': 'captured',
  })
  assert.deepEqual(sink.received.flatMap(({ rcptTo }) => rcptTo).toSorted(), [
    'ada@fabrikam.example',
    'ben@sub.example.org',
  ])
})

test('mail that is held stays here, and waits', async (t) => {
  const some = await sendTo(t, { hold: 'fabrikam.example' }, ['ada@fabrikam.example', 'ben@tailspin.example'])
  assert.deepEqual(some.states, { 'ada@fabrikam.example': 'held', 'ben@tailspin.example': 'relayed' })
  const all = await sendTo(t, { hold: 'all' }, ['ada@fabrikam.example', 'ben@tailspin.example'])
  assert.deepEqual(new Set(Object.values(all.states)), new Set(['held']))
  assert.equal(all.sink.received.length, 0)
})

test('what a rule holds leaves once it is released', async (t) => {
  const { server, sink, states } = await sendTo(t, { hold: 'all' }, ['ada@fabrikam.example'])
  assert.deepEqual(states, { 'ada@fabrikam.example': 'held' })
  const admin = await server.application(['Graphpost.Admin'])
  const { json } = await admin.post('/admin/queue/release', { destination: 'fabrikam.example' })
  assert.equal(json.changed, 1)
  await server.graphpost.drainOutbox(20_000)
  assert.deepEqual(
    sink.received.map(({ rcptTo }) => rcptTo),
    [['ada@fabrikam.example']],
  )
})

test('capture keeps everything, whatever relay is set', async (t) => {
  const { sink, states, server } = await sendTo(t, { deliver: 'capture' }, ['ada@fabrikam.example'])
  assert.deepEqual(states, { 'ada@fabrikam.example': 'captured' })
  assert.equal(sink.received.length, 0)
  assert.equal(server.graphpost.canLeave, false)
})

test('a routes file sends one domain through its relay, refuses another, and takes the return path that is set', async (t) => {
  const office = await startSmtpSink(t)
  const folder = await freshFolder(t)
  const routes = join(folder, 'routes.yaml')
  const lines = [
    'relays:',
    '  office:',
    `    url: ${office.url}`,
    'routes:',
    '  - recipients: [fabrikam.example]',
    '    via: office',
    '  - recipients: ["*.tailspin.example", tailspin.example]',
    '    via: refuse',
  ]
  await writeFile(routes, lines.join('\n'))
  const to = ['ada@fabrikam.example', 'ben@tailspin.example', 'cy@else.example']
  const { sink, states } = await sendTo(t, { routes, bounceAddress: 'bounces@contoso.com' }, to)
  assert.deepEqual(states, {
    'ada@fabrikam.example': 'relayed',
    'ben@tailspin.example': 'failed',
    'cy@else.example': 'relayed',
  })
  const reached = [...office.received, ...sink.received].map(({ mailFrom, rcptTo }) => [mailFrom, ...rcptTo])
  assert.deepEqual(reached, [
    ['bounces@contoso.com', 'ada@fabrikam.example'],
    ['bounces@contoso.com', 'cy@else.example'],
  ])
})

test('a routes file with a fault stops the start, and says where, and no password', async (t) => {
  const routes = join(await freshFolder(t), 'routes.yaml')
  const settings = await testSettings(t, { routes })
  for (const [text, pattern] of [
    ['routes: [{ via: office, recipient: [x.example] }]', /\/routes\/0 .*recipient/],
    ['routes: [{ via: "smtp://me:s3cret@x.example?tls=maybe" }]', /"tls" is one of/],
    ['routes: [{ via: nobody }]', /called "nobody"/],
    ['{ s3cret: "', /is no YAML \(line 1\)/],
    ['routes: [{ recipients: ["a b"], via: mx }]', /\/routes\/0\/recipients\/0/],
  ] as const) {
    await writeFile(routes, text)
    await assert.rejects(
      startGraphpost(settings),
      (error: Error) => pattern.test(error.message) && !error.message.includes('s3cret'),
      text,
    )
  }
})

test('a key that the program made signs what leaves, and its record verifies it', async (t) => {
  const folder = await freshFolder(t)
  const dkim = join(folder, 'keys')
  const run = (...argv: string[]) =>
    spawnSync(process.execPath, [graphpostProgram, 'dkim', ...argv, '--dkim', dkim, '--data', folder], {
      encoding: 'utf8',
    })
  const made = run('new', 'contoso.com')
  assert.equal(made.status, 0, made.stderr)
  assert.deepEqual(await readdir(dkim), ['graphpost._domainkey.contoso.com.pem'])
  assert.equal(run('new', 'contoso.com').status, 2)
  assert.equal(run('new', '../evil').status, 2)
  assert.equal(run('list').stdout, made.stdout)
  const [, name = ''] = /^(\S+)\. IN TXT/.exec(made.stdout) ?? []
  const value = [...made.stdout.matchAll(/"(.*)"/g)].map(([, part]) => part).join('')

  const { sink } = await sendTo(t, { dkim }, ['ada@fabrikam.example'])
  const [mail] = sink.received
  assert.ok(mail)
  assert.deepEqual(
    goodSignatures(mail.bytes, (asked) => (asked === name ? value : undefined)),
    ['contoso.com'],
  )
})

async function sendTo(t: TestContext, given: Partial<Record<SettingKey, string>>, addresses: readonly string[]) {
  const sink = await startSmtpSink(t)
  const server = await startServer(t, { relay: sink.url, domain: 'contoso.com', ...given })
  const me = await server.user('me@contoso.com')
  const toRecipients = addresses.map((address) => ({ emailAddress: { address } }))
  const message = { subject: 'Grüße', body: { content: 'Käse' }, toRecipients }
  const { status } = await me.post('/me/sendMail', { message })
  assert.equal(status, 202)
  await server.graphpost.drainOutbox(20_000)
  const entries = await server.graphpost.directory.listOutbox(100)
  const states = Object.fromEntries(
    entries.flatMap(({ recipients }) => recipients.map(({ address, state }) => [address, state] as const)),
  )
  return { sink, server, states }
}
