import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { localCertificate } from '../../src/http/certificate.js'
import { freshFolder } from '../support/start-server.js'

const program = fileURLToPath(new URL('../../../bin/graphpost.js', import.meta.url))
const daemon = '33333333-cccc-4ddd-8eee-444444444444'

let folder = ''

/** Runs a command on the folder of this file's tests; what it prints. */
function graphpost(argv: readonly string[], input = ''): string {
  const { status, stdout, stderr } = run(argv, input)
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, argv.join(' '))
  return stdout
}

function run(argv: readonly string[], input = '') {
  return spawnSync(process.execPath, [program, ...argv, '--data', folder], { encoding: 'utf8', input })
}

before(async (t) => {
  folder = await freshFolder(t as Parameters<typeof freshFolder>[0])
})

test('user: a shared mailbox, its rights, and a password that is read from standard input', () => {
  assert.match(
    graphpost(['user', 'add', 'sales@contoso.com', '--name', 'Sales', '--shared', '--alias', 'shop@contoso.com']),
    /^Added sales@contoso\.com \(object id [0-9a-f-]{36}\)\.\n$/,
  )
  const grant = ['sales@contoso.com', '--to', 'adele@contoso.com', '--right', 'fullAccess', '--right', 'SendAs']
  assert.equal(
    graphpost(['user', 'grant', ...grant]),
    'adele@contoso.com has fullAccess, sendAs in the mailbox of sales@contoso.com.\n',
  )
  assert.match(graphpost(['user', 'revoke', ...grant]), /no longer has fullAccess, sendAs/)
  graphpost(['user', 'password', 'adele@contoso.com'], 'a long one\n')
  const users = JSON.parse(graphpost(['user', 'list', '--json']))
  const shown = (upn: string) => users.find((user: { userPrincipalName: string }) => user.userPrincipalName === upn)
  assert.deepEqual([shown('sales@contoso.com').kind, shown('adele@contoso.com').password], ['shared', 'set'])
  assert.equal(shown('alex@contoso.com').password, 'none')
})

test('app: registered, changed, given a secret and a certificate, bounded and removed', async () => {
  const added = graphpost(['app', 'add', daemon, '--name', 'Daemon', '--role', 'Mail.Send', '--role', 'Mail.Read'])
  assert.match(added, new RegExp(`^Added Daemon \\(client id ${daemon}, tenant `))
  graphpost(['app', 'set', daemon, '--public', '--redirect-uri', 'http://localhost', '--scope', 'Mail.Send,User.Read'])
  const secret = graphpost(['app', 'secret', daemon, '--days', '30']).trim()
  assert.match(secret, /^[\w-]{40}$/)
  const { certPem } = await localCertificate(undefined)
  const file = join(folder, 'client.pem')
  await writeFile(file, certPem)
  assert.match(
    graphpost(['app', 'certificate', daemon, '--file', file]),
    /^Added the certificate [\w-]{27}, valid until \d/,
  )
  graphpost(['app', 'policy', daemon, '--restrict', 'adele@contoso.com', '--deny', 'alex@contoso.com'])
  const shown = JSON.parse(graphpost(['app', 'show', daemon]))
  assert.deepEqual(
    [shown.displayName, shown.publicClient, shown.redirectUris, shown.delegated, shown.application],
    ['Daemon', true, ['http://localhost'], ['Mail.Send', 'User.Read'], ['Mail.Send', 'Mail.Read']],
  )
  assert.deepEqual(shown.mailboxPolicies, [
    { access: 'restrict', members: ['adele@contoso.com'] },
    { access: 'deny', members: ['alex@contoso.com'] },
  ])
  assert.deepEqual([shown.secrets.length, shown.certificates.length], [1, 1])
  assert.ok(!JSON.stringify(shown).includes(secret))
  assert.match(graphpost(['app', 'list']), /Daemon/)
  graphpost(['app', 'remove', daemon])
  assert.doesNotMatch(graphpost(['app', 'list']), /Daemon/)
})

test('key: a new one follows, and the old one can be removed', () => {
  const [, old = ''] = /^(\S+) +\S+ +signs$/m.exec(graphpost(['key', 'list'])) ?? []
  assert.match(graphpost(['key', 'rotate']), /signs from now on/)
  const listed = graphpost(['key', 'list'])
  assert.match(listed, new RegExp(`^${old} .* verifies$`, 'm'))
  assert.match(graphpost(['key', 'remove', old]), /^Removed/)
  assert.doesNotMatch(graphpost(['key', 'list']), new RegExp(old))
})

test('what cannot be done is one sentence and changes nothing', () => {
  const [, signing = ''] = /^(\S+) +\S+ +signs$/m.exec(graphpost(['key', 'list'])) ?? []
  for (const [argv, sentence] of [
    [['user', 'grant', 'adele@contoso.com', '--to', 'alex@contoso.com'], /Say which with --right/],
    [['user', 'grant', 'adele@contoso.com', '--to', 'alex@contoso.com', '--right', 'all'], /"all" is no right/],
    [['user', 'grant', 'adele@contoso.com', '--to', 'no@contoso.com', '--right', 'sendAs'], /There is no user no@/],
    [['user', 'password', 'no@contoso.com'], /There is no user no@contoso\.com/],
    [['user', 'password', 'adele@contoso.com'], /must not be empty/],
    [['user', 'add', 'new@contoso.com', '--alias', 'alex@contoso.com'], /is an address of alex@contoso\.com already/],
    [['app', 'show', 'Daemon'], /named by its client id/],
    [['app', 'show', daemon], /There is no application/],
    [['app', 'destroy'], /There is no "app destroy"/],
    [['key', 'remove', signing], /That key signs/],
    [['key', 'remove', 'x'], /There is no key x/],
  ] as const) {
    const { status, stdout, stderr } = run(argv)
    assert.ok(status === 1 || status === 2, argv.join(' '))
    assert.equal(stdout, '')
    assert.match(stderr, /^graphpost: [^\n]+\n$/)
    assert.match(stderr, sentence)
  }
})
