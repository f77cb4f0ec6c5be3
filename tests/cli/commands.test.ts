import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { flagOf, settingKeys, variableOf } from '../../src/config.js'
import { freshFolder } from '../support/start-server.js'

const program = fileURLToPath(new URL('../../../bin/graphpost.js', import.meta.url))

function run(...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...argv], { encoding: 'utf8' })
  return { status, stdout, stderr }
}

test('--help names every command; start --help every setting with its variable', () => {
  const help = run('--help')
  assert.equal(help.status, 0)
  for (const command of ['start', 'run', 'cert', 'token', 'user', 'outbox', 'calls'])
    assert.match(help.stdout, new RegExp(`\\b${command}\\b`))
  const { stdout } = run('start', '--help')
  for (const key of settingKeys) {
    assert.ok(stdout.includes(flagOf(key)), key)
    assert.ok(stdout.includes(variableOf(key)), key)
  }
})

test('token prints a token alone, for a user or an application', async (t) => {
  const folder = await freshFolder(t)
  const user = run('token', '--data', folder, '--user', 'adele@contoso.com', '--scope', 'Mail.Send')
  assert.match(user.stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  const claims = JSON.parse(Buffer.from(user.stdout.split('.')[1] ?? '', 'base64url').toString())
  assert.equal(claims.scp, 'Mail.Send')
  const app = run('token', '--data', folder, '--app', 'my-daemon', '--scope', 'Mail.Send', '--scope', 'Mail.Read')
  const roles = JSON.parse(Buffer.from(app.stdout.split('.')[1] ?? '', 'base64url').toString()).roles
  assert.deepEqual(roles, ['Mail.Send', 'Mail.Read'])
  const unknown = run('token', '--data', folder, '--user', 'nobody@contoso.com')
  assert.equal(unknown.status, 1)
  assert.equal(unknown.stderr, 'graphpost: There is no user nobody@contoso.com.\n')
})

test('a user that is added is listed and has a mailbox', async (t) => {
  const folder = await freshFolder(t)
  assert.equal(run('user', 'add', 'grace@contoso.com', '--name', 'Grace', '--data', folder).status, 0)
  const listed = JSON.parse(run('user', 'list', '--json', '--data', folder).stdout)
  assert.ok(listed.some((user: { userPrincipalName: string }) => user.userPrincipalName === 'grace@contoso.com'))
})

test('what cannot be used is one sentence on standard error, and exit code 2', () => {
  for (const argv of [
    ['nonsense'],
    ['start', '--nonsense'],
    ['start', '--port', 'x'],
    ['token'],
    ['user', 'add', 'nobody'],
  ]) {
    const { status, stderr } = run(...argv)
    assert.equal(status, 2, argv.join(' '))
    assert.match(stderr, /^graphpost: [^\n]+\n$/)
  }
})

test('a port in use is said with the setting to change', async (t) => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  t.after(() => taken.close())
  const address = taken.address()
  const port = typeof address === 'object' && address !== null ? String(address.port) : ''
  const { status, stderr } = run('start', '--memory', '--port', port, '--https-port', 'off', '--smtp-port', 'off')
  assert.equal(status, 2)
  assert.match(stderr, new RegExp(`Port ${port} is in use by another program: choose another with --port`))
})
