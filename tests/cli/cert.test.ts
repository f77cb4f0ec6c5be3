import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { installInto } from '../../src/cli/system-trust.js'
import { trustAdvice } from '../../src/cli/trust-advice.js'
import { localAuthority } from '../../src/http/certificate.js'
import { certificatesIn } from '../../src/http/trust-store.js'
import { graphpostProgram, runNode } from '../support/program.js'
import { freshFolder } from '../support/start-server.js'

test('cert path names the certificate of the authority, which is made when there is none', async (t) => {
  const folder = await freshFolder(t)
  const { stdout } = await runNode(t, [graphpostProgram, 'cert', 'path', '--data', folder])
  assert.equal(stdout, `${join(folder, 'tls', 'ca.pem')}\n`)
  const certificate = new X509Certificate(await readFile(stdout.trim()))
  assert.equal(certificate.ca, true)
  // The server's own is made when a server starts.
  assert.deepEqual((await readdir(join(folder, 'tls'))).sort(), ['authority.pem', 'ca.pem'])
})

test('cert export writes the certificate in every form', async (t) => {
  const folder = await freshFolder(t)
  const { caPem } = await localAuthority(folder)
  const [ours = Buffer.alloc(0)] = certificatesIn(caPem)
  const exported = (...argv: string[]) => runNode(t, [graphpostProgram, 'cert', 'export', '--data', folder, ...argv])
  assert.equal((await exported()).stdout, caPem)
  const bundle = certificatesIn((await exported('--format', 'bundle')).stdout)
  assert.ok(bundle.length > 100)
  assert.ok(bundle[0]?.equals(ours))
  const out = join(folder, 'out')
  await exported('--format', 'der', '--out', out)
  assert.deepEqual(await readFile(out), ours)
  await exported('--format', 'jks', '--out', out)
  const javas = await readFile(out)
  assert.equal(javas.readUInt32BE(0), 0xfeedfeed)
  assert.ok(javas.includes(ours))
})

test('what cert cannot do is one sentence, and exit code 2', async (t) => {
  const folder = await freshFolder(t)
  for (const argv of [
    [],
    ['nonsense'],
    ['constructor'],
    ['path', 'more'],
    ['path', '--out', 'file'],
    ['export', '--format', 'p12'],
    ['export', '--format', 'der'],
    ['trust', '--format', 'pem'],
  ]) {
    const { code, stderr } = await runNode(t, [graphpostProgram, 'cert', ...argv, '--data', folder])
    assert.equal(code, 2, argv.join(' '))
    assert.match(stderr, /^graphpost: [^\n]+\n$/)
  }
})

test('cert trust says for each system what to type, with the path of the certificate', async (t) => {
  const authority = await localAuthority(join(await freshFolder(t), "Ada's mail"))
  const quoted = `'${authority.caPath.replace("'", "'\\''")}'`
  const advice = (platform: NodeJS.Platform) =>
    trustAdvice({ ...authority, platform, store: undefined, fileName: 'graphpost.crt' })
  const linux = advice('linux')
  assert.ok(linux.includes(`sudo cp ${quoted} /usr/local/share/ca-certificates/graphpost.crt`), linux)
  assert.match(linux, /sudo update-ca-certificates\n/)
  assert.match(linux, /sudo update-ca-trust\n/)
  assert.match(linux, /certutil -d sql:/)
  assert.ok(advice('darwin').includes(`sudo security add-trusted-cert`))
  assert.ok(advice('win32').includes(`certutil -user -addstore Root "${authority.caPath}"`))
  const { stdout } = await runNode(t, [graphpostProgram, 'cert', 'trust', '--data', await freshFolder(t)])
  assert.match(stdout, /NODE_EXTRA_CA_CERTS=/)
})

test('cert trust --install copies the certificate and has the system take it up', async (t) => {
  const folder = await freshFolder(t)
  const authority = await localAuthority(folder)
  const anchors = join(folder, 'anchors')
  await mkdir(anchors)
  const seen = join(folder, 'seen')
  const program = `require('fs').writeFileSync(${JSON.stringify(seen)}, require('fs').readdirSync(${JSON.stringify(anchors)})[0])`
  const store = { systems: 'Test', folder: anchors, command: [process.execPath, '-e', program] } as const
  assert.match(await installInto(store, authority), /^This system trusts .*\nUndone with:\nsudo rm /)
  const name = await readFile(seen, 'utf8')
  assert.match(name, /^graphpost-[0-9a-f]{8}\.crt$/)
  assert.equal(await readFile(join(anchors, name), 'utf8'), authority.caPem)
})

test('where it cannot be installed, the error says what to type as an administrator', async (t) => {
  const folder = await freshFolder(t)
  const authority = await localAuthority(folder)
  const file = join(folder, 'not-a-folder')
  await writeFile(file, '')
  for (const [place, command] of [
    [file, [process.execPath, '-e', '']],
    [folder, [process.execPath, '-e', 'process.exit(1)']],
    [folder, [join(folder, 'no-such-program')]],
  ] as const) {
    await assert.rejects(installInto({ systems: 'Test', folder: place, command }, authority), (error: Error) =>
      error.message.includes(`As an administrator: sudo cp '${authority.caPath}' `),
    )
  }
})
