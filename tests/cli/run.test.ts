import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { localAuthority } from '../../src/http/certificate.js'
import { certificatesIn } from '../../src/http/trust-store.js'
import { graphpostProgram, runNode, startNode } from '../support/program.js'
import { freshFolder, startServer } from '../support/start-server.js'

/** A server on a data folder with a space in its name, and what `graphpost run` needs to find it. */
async function startForRun(t: TestContext) {
  const folder = join(await freshFolder(t), 'data folder')
  await mkdir(folder)
  const server = await startServer(t, { memory: 'off', data: folder, httpsPort: '0' })
  const { port } = new URL(server.graphpost.httpsUrl ?? '')
  return { server, folder, run: [graphpostProgram, 'run', '--data', folder, '--https-port', port, '--'] }
}

const node = process.execPath

test('a program that calls the cloud with fetch and https reaches the running server', async (t) => {
  const { server, folder, run } = await startForRun(t)
  const { token, post } = await server.user('adele@contoso.com')
  await post('/me/messages', { subject: 'Only here' })
  const program = join(folder, 'program.mjs')
  await writeFile(
    program,
    `import { request } from 'node:https'
     const headers = { Authorization: 'Bearer ' + process.env.TOKEN }
     const listed = await fetch('https://graph.microsoft.com/v1.0/me/messages?$select=subject', { headers })
     const { value } = await listed.json()
     console.log(value.map(({ subject }) => subject).join())
     const send = request('https://graph.microsoft.com/v1.0/me/sendMail', { method: 'POST', headers: { ...headers, 'Content-Type': 'application/json' } })
     send.on('response', (answer) => console.log(answer.resume().statusCode))
     send.end(JSON.stringify({ message: { subject: 'Sent', toRecipients: [{ emailAddress: { address: 'adele@contoso.com' } }] } }))`,
  )
  const { code, stdout, stderr } = await runNode(t, [...run, node, program], { ...process.env, TOKEN: token })
  assert.deepEqual({ code, stdout }, { code: 0, stdout: 'Only here\n202\n' }, stderr)
})

test('what the program is given trusts our authority and all that was trusted before', async (t) => {
  const { folder, run } = await startForRun(t)
  const own = join(folder, 'corporate.pem')
  const corporate = await otherAuthority(t)
  await writeFile(own, corporate)
  const print = [node, '-p', 'JSON.stringify(process.env)']
  const before = {
    PATH: process.env.PATH,
    SSL_CERT_FILE: own,
    NO_PROXY: '*,graph.microsoft.com,.microsoft.us,corp.example',
  }
  const given = JSON.parse((await runNode(t, [...run, ...print], before)).stdout)
  assert.equal(given.NO_PROXY, 'localhost,127.0.0.1,::1,corp.example')
  assert.match(given.HTTPS_PROXY, /^http:\/\/127\.0\.0\.1:\d+$/)
  const [ours] = certificatesIn(await readFile(given.NODE_EXTRA_CA_CERTS, 'utf8'))
  assert.ok(ours)
  for (const name of ['SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE']) {
    const trusted = certificatesIn(await readFile(given[name], 'utf8'))
    assert.ok(trusted.length > 100, name)
    for (const der of [ours, ...certificatesIn(corporate)]) assert.ok(trusted.some((one) => one.equals(der)))
  }
})

/** PEM of an authority that is not ours. */
async function otherAuthority(t: TestContext): Promise<string> {
  return (await localAuthority(await freshFolder(t))).caPem
}

test('the exit code is that of the program; 128 and the signal when one ended it; 127 when there is none', async (t) => {
  const { run } = await startForRun(t)
  for (const [command, code] of [
    [[node, '-e', 'process.exit(3)'], 3],
    [[node, '-e', 'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)'], 143],
    [['no-such-program-anywhere'], 127],
    [['/'], 126],
  ] as const) {
    const ended = await runNode(t, [...run, ...command])
    assert.equal(ended.code, code, ended.stderr)
  }
})

test('the arguments of the program are its own, --help too', async (t) => {
  const { run } = await startForRun(t)
  const { stdout } = await runNode(t, [...run, node, '-p', 'process.argv.slice(1).join()', '--', '--help', '--data'])
  assert.equal(stdout, '--help,--data\n')
})

test('a signal to stop is passed on', async (t) => {
  const { run } = await startForRun(t)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const program = `process.on('${signal}', () => process.exit(7)); setInterval(() => {}, 1000); console.log('ready')`
    const running = startNode(t, [...run, node, '-e', program])
    await running.printed('ready')
    running.process.kill(signal)
    assert.equal((await running.ended).code, 7, signal)
  }
})

test('without a server there, a sentence says what to start', async (t) => {
  const { folder, run } = await startForRun(t)
  const refusals: [string[], RegExp][] = [
    [
      ['run', '--data', join(folder, 'none'), '--', 'true'],
      /no certificate at .*: start a server on this folder first/,
    ],
    [['run', '--data', folder, '--https-port', '1', '--', 'true'], /^graphpost: No server answers at https port 1 /],
    [['run', '--data', folder, '--https-port', '0', '--', 'true'], /name it with --https-port/],
    [['run', '--data', folder], /stands after --, as in: graphpost run -- node app\.mjs/],
    [['run', '--data', folder, 'true'], /stands after --/],
    [['run', '--data', folder, 'true', '--', 'true'], /stands after --/],
  ]
  for (const [argv, sentence] of refusals) {
    const { code, stderr } = await runNode(t, [graphpostProgram, ...argv])
    assert.equal(code, 2, argv.join(' '))
    assert.match(stderr, sentence)
    assert.match(stderr, /^graphpost: [^\n]+\n$/)
  }
  // Another folder's authority did not certify what answers here.
  const other = await freshFolder(t)
  await localAuthority(other)
  const { code, stderr } = await runNode(t, run.map((part) => (part === folder ? other : part)).concat('true'))
  assert.equal(code, 2)
  assert.match(stderr, /does not have the certificate of .*name the folder of the running server with --data/)
})
