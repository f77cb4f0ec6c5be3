import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { resolveSettings, type SettingKey, UsageError } from '../../src/config.js'
import { localCertificate } from '../../src/http/certificate.js'
import { openLog } from '../../src/log.js'
import { graphpostProgram, startNode } from '../support/program.js'
import { freshFolder, startServer } from '../support/start-server.js'

/** A certificate in two files, as an operator has it. */
async function operatorFiles(t: TestContext) {
  const folder = await freshFolder(t)
  const tlsCert = join(folder, 'fullchain.pem')
  const tlsKey = join(folder, 'privkey.pem')
  const renew = async () => {
    const { certPem, keyPem, caPem } = await localCertificate(undefined, { names: ['mail.example.com'] })
    await writeFile(tlsKey, keyPem)
    await writeFile(tlsCert, `${certPem}${caPem}`)
    return { serial: new X509Certificate(certPem).serialNumber, caPem }
  }
  return { tlsCert, tlsKey, renew }
}

/** The certificate that a server shows for a name, to a client that trusts this authority. */
async function shown(url: string | undefined, servername: string, caPem: string) {
  const socket = connect({ port: Number(new URL(url ?? '').port), host: '127.0.0.1', servername, ca: caPem })
  await once(socket, 'secureConnect')
  const { serialNumber } = socket.getPeerCertificate()
  socket.destroy()
  return serialNumber
}

test("an operator's own certificate is shown, with its chain; for the cloud's hosts it is ours", async (t) => {
  const { tlsCert, tlsKey, renew } = await operatorFiles(t)
  const { serial, caPem } = await renew()
  const data = await freshFolder(t)
  const { graphpost } = await startServer(t, { memory: 'off', data, httpsPort: '0', tlsCert, tlsKey })
  assert.equal(await shown(graphpost.httpsUrl, 'mail.example.com', caPem), serial)
  assert.equal(graphpost.caPath, undefined)
  const ours = await localCertificate(data, { names: [] })
  assert.ok(await shown(graphpost.httpsUrl, 'graph.microsoft.com', ours.caPem))
  await assert.rejects(shown(graphpost.httpsUrl, 'localhost', ours.caPem))
})

test('a renewed certificate is shown without a restart, and one that cannot be used is not taken', async (t) => {
  const { tlsCert, tlsKey, renew } = await operatorFiles(t)
  await renew()
  const lines: string[] = []
  const log = openLog({ level: 'info', format: 'json', stream: { write: (text) => lines.push(text) } })
  const { graphpost } = await startServer(t, { httpsPort: '0', tlsCert, tlsKey }, { log })
  const second = await renew()
  await graphpost.reloadCertificate()
  assert.equal(await shown(graphpost.httpsUrl, 'mail.example.com', second.caPem), second.serial)
  await writeFile(tlsKey, 'half a file')
  await graphpost.reloadCertificate()
  assert.equal(await shown(graphpost.httpsUrl, 'mail.example.com', second.caPem), second.serial)
  const warning = lines.map((line) => JSON.parse(line)).find(({ level }) => level === 'warn')
  assert.ok(warning?.reason.includes(tlsKey), JSON.stringify(warning))
})

test('the files are followed: nobody has to say that they have changed', async (t) => {
  const { tlsCert, tlsKey, renew } = await operatorFiles(t)
  await renew()
  const { graphpost } = await startServer(t, { httpsPort: '0', tlsCert, tlsKey })
  const second = await renew()
  while ((await shown(graphpost.httpsUrl, 'mail.example.com', second.caPem).catch(() => '')) !== second.serial);
})

test('SIGHUP has the certificate read again, and the server goes on', {
  skip: process.platform === 'win32',
}, async (t) => {
  const { tlsCert, tlsKey, renew } = await operatorFiles(t)
  await renew()
  const ports = ['--port', 'off', '--https-port', '0', '--smtp-port', 'off']
  const files = ['--tls-cert', tlsCert, '--tls-key', tlsKey]
  const running = startNode(t, [graphpostProgram, 'start', '--memory', '--log-format', 'json', ...ports, ...files])
  const url = /https:\/\/localhost:\d+/.exec(await running.printed('Stop with'))?.[0]
  const second = await renew()
  running.process.kill('SIGHUP')
  while ((await shown(url, 'mail.example.com', second.caPem).catch(() => '')) !== second.serial);
  running.process.kill('SIGTERM')
  assert.equal((await running.ended).code, 0)
})

test('what cannot be used is said at the start, with the name of the file', async (t) => {
  const { tlsCert, tlsKey, renew } = await operatorFiles(t)
  await renew()
  const stranger = await operatorFiles(t)
  await stranger.renew()
  const words = join(await freshFolder(t), 'words.pem')
  await writeFile(words, 'no PEM')
  for (const [given, said] of [
    [{ tlsCert: '/none/cert.pem', tlsKey }, /\/none\/cert\.pem, given by tlsCert, cannot be read \(ENOENT\)/],
    [{ tlsCert, tlsKey: '/none/key.pem' }, /\/none\/key\.pem, given by tlsKey, cannot be read \(ENOENT\)/],
    [{ tlsCert: words, tlsKey }, /words\.pem, given by tlsCert, holds no PEM certificate/],
    [{ tlsCert, tlsKey: words }, /words\.pem, given by tlsKey, holds no PEM private key/],
    [{ tlsCert, tlsKey: stranger.tlsKey }, /privkey\.pem does not belong to the certificate in .*fullchain\.pem/],
  ] as const) {
    await assert.rejects(startServer(t, { httpsPort: '0', ...given }), (error: Error) => {
      assert.ok(error instanceof UsageError)
      assert.match(error.message, said)
      return true
    })
  }
  for (const key of ['tlsCert', 'tlsKey'] as const) {
    const flags = new Map<SettingKey, string>([[key, tlsCert]])
    assert.throws(() => resolveSettings({ flags, env: {}, cwd: process.cwd() }), /tlsCert and tlsKey belong together/)
  }
})
