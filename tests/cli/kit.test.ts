import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { rootCertificates } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { invocationOf } from '../../src/cli/command.js'
import { kit } from '../../src/cli/kit.js'
import { localCertificate } from '../../src/http/certificate.js'
import { developmentApplication, developmentSecret, developmentTenant } from '../../src/identity/development.js'
import { freshFolder } from '../support/start-server.js'

const program = fileURLToPath(new URL('../../../bin/graphpost.js', import.meta.url))
const pages = fileURLToPath(new URL('../../../docs/clients/', import.meta.url))

const clients = [
  'curl',
  'dotnet',
  'go',
  'java',
  'javascript',
  'msal-node',
  'postman',
  'powershell',
  'python',
  'typescript',
]

function run(...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'kit', ...argv], { encoding: 'utf8' })
  return { status, stdout, stderr }
}

test('kit lists every client with the file to keep its program in', () => {
  const { status, stdout } = run()
  assert.equal(status, 0)
  assert.deepEqual(
    stdout
      .split('\n\n')[0]
      ?.split('\n')
      .slice(1)
      .map((line) => line.split(' ')[0]),
    clients,
  )
  assert.match(stdout, /^javascript +send\.mjs +JavaScript: @azure\/identity, @microsoft\/microsoft-graph-client$/m)
})

test('kit CLIENT prints the program of its page, character by character, and nothing else', async () => {
  for (const client of clients) {
    const page = await readFile(join(pages, `${client}.md`), 'utf8')
    const { status, stdout, stderr } = run(client)
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, client)
    assert.ok(page.includes(`\n${stdout}\`\`\`\n`), client)
    assert.match(stdout, /alex@contoso\.com/, client)
  }
})

/** What `kit` prints and what it tells the person at the terminal. */
async function atTerminal(argv: readonly string[], env: Record<string, string> = {}) {
  const printed: string[] = []
  const hints: string[] = []
  const terminal = {
    print: (text: string) => printed.push(text),
    hint: (text: string) => hints.push(text),
    env,
    cwd: process.cwd(),
    isTty: true,
    colour: false,
  }
  await kit.run(invocationOf(kit, argv, terminal))
  return { printed: printed.length, hints }
}

test('a person is told which variables the program needs', async () => {
  const { printed, hints } = await atTerminal(['python'])
  assert.equal(printed, 1)
  assert.equal(hints.length, 1)
  assert.match(hints[0] ?? '', /^send\.py .*eval "\$\(graphpost kit env\)"$/)
})

test('a person is told when the settings make the printed secret worthless', async (t) => {
  const folder = await freshFolder(t)
  await localCertificate(folder)
  const open = await atTerminal(['env', '--data', folder])
  assert.deepEqual(open, { printed: 1, hints: [] })
  const relaying = await atTerminal(['env', '--data', folder], { GRAPHPOST_RELAY: 'smtp://relay.example.com' })
  assert.equal(relaying.printed, 1)
  assert.match(relaying.hints[0] ?? '', /refuses the development secret/)
})

test('what cannot be known from variables is that of the settings', () => {
  const { variable } = JSON.parse(run('postman', '--https-port', '4000', '--domain', 'example.org').stdout)
  const values = Object.fromEntries(variable.map(({ key, value }: { key: string; value: string }) => [key, value]))
  assert.deepEqual(values, {
    url: 'https://localhost:4000',
    tenant: developmentTenant,
    client_id: developmentApplication,
    client_secret: developmentSecret,
    sender: 'adele@example.org',
    recipient: 'alex@example.org',
    token: '',
  })
})

test('kit env prints lines that any POSIX shell takes, whatever the folder is called', async (t) => {
  const folder = join(await freshFolder(t), `it's "$HOME" \`here\``)
  await mkdir(folder)
  const { caPem } = await localCertificate(folder)
  const { status, stdout, stderr } = run('env', '--data', folder, '--https-port', '4000')
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
  const names = [...stdout.matchAll(/^export (\w+)=/gm)].map(([, name]) => name ?? '')
  const script = `set -eu\n${stdout}\nfor name in ${names.join(' ')}; do eval "printf '%s=%s\\n' $name \\"\\$$name\\""; done`
  const shell = spawnSync('sh', ['-c', script], { encoding: 'utf8', env: { PATH: process.env.PATH } })
  assert.equal(shell.stderr, '')
  const bundle = join(folder, 'tls', 'trusted.pem')
  assert.deepEqual(shell.stdout.trimEnd().split('\n'), [
    `AZURE_TENANT_ID=${developmentTenant}`,
    `AZURE_CLIENT_ID=${developmentApplication}`,
    `AZURE_CLIENT_SECRET=${developmentSecret}`,
    'AZURE_AUTHORITY_HOST=https://localhost:4000',
    'GRAPH_URL=https://localhost:4000',
    `NODE_EXTRA_CA_CERTS=${join(folder, 'tls', 'ca.pem')}`,
    `REQUESTS_CA_BUNDLE=${bundle}`,
    `SSL_CERT_FILE=${bundle}`,
  ])
  // What replaces the system's roots holds them, too.
  const trusted = (await readFile(bundle, 'utf8')).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
  assert.ok((trusted?.length ?? 0) > rootCertificates.length)
  const der = (pem: string) => new X509Certificate(pem).raw.toString('hex')
  assert.equal(der(trusted?.[0] ?? ''), der(caPem))
})

test('what kit cannot print is one sentence on standard error, and exit code 2', async (t) => {
  const folder = await freshFolder(t)
  for (const [argv, sentence] of [
    [['cobol'], /no kit for "cobol": there are curl, .*, typescript, and env\.$/],
    [['javascript', 'python'], /"python" is one word too many\.$/],
    [['env', '--data', folder], /no certificate in .*ca\.pem: start the server first, on the same --data folder\.$/],
    [['env', '--data', folder, '--https-port', 'off'], /give the --https-port of the server\.$/],
    [['env', '--data', folder, '--https-port', '0'], /give the --https-port of the server\.$/],
  ] as const) {
    const { status, stdout, stderr } = run(...argv)
    assert.deepEqual({ status, stdout }, { status: 2, stdout: '' }, argv.join(' '))
    assert.match(stderr, /^graphpost: [^\n]+\n$/)
    assert.match(stderr.trimEnd(), sentence)
  }
})
