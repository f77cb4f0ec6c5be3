import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { createServer, get } from 'node:https'
import { join } from 'node:path'
import { test } from 'node:test'
import { type LocalCertificate, localCertificate } from '../../src/http/certificate.js'
import { freshFolder } from '../support/start-server.js'

/** The answer of an https server with this certificate to a client that trusts only its authority. */
async function answer({ caPem, certPem, keyPem }: LocalCertificate): Promise<string> {
  const server = createServer({ cert: certPem, key: keyPem }, (_, response) => response.end('trusted'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  try {
    return await new Promise<string>((resolve, reject) => {
      get({ host: 'localhost', port, ca: caPem, agent: false }, (response) => {
        response.setEncoding('utf8').on('data', resolve)
      }).on('error', reject)
    })
  } finally {
    server.close()
  }
}

test('a client that trusts the authority alone trusts the server as localhost', async () => {
  assert.equal(await answer(await localCertificate(undefined)), 'trusted')
})

test('authority and certificate stay the same across restarts, their keys readable by the owner alone', async (t) => {
  const folder = await freshFolder(t)
  const first = await localCertificate(folder)
  assert.deepEqual(await localCertificate(folder), first)
  for (const name of ['authority.pem', 'server.pem']) {
    assert.equal((await stat(join(folder, 'tls', name))).mode & 0o777, 0o600)
  }
  assert.equal((await stat(join(folder, 'tls'))).mode & 0o777, 0o700)
  assert.equal(await answer(first), 'trusted')
})

test('a leaf near its end is made anew, the authority is kept', async (t) => {
  const folder = await freshFolder(t)
  const first = await localCertificate(folder)
  const later = await localCertificate(folder, { now: Date.now() + 380 * 86_400_000 })
  assert.equal(later.caPem, first.caPem)
  assert.notEqual(later.certPem, first.certPem)
})

test('a leaf is kept for the names it was made for, however an address is written, and made anew for others', async (t) => {
  const folder = await freshFolder(t)
  const names = ['graph.example', '10.0.0.7', '2001:DB8:0:0::a', 'fe80::1']
  const first = await localCertificate(folder, { names })
  assert.deepEqual(await localCertificate(folder, { names }), first)
  assert.deepEqual(await localCertificate(folder, { names: names.toReversed() }), first)
  const fewer = await localCertificate(folder, { names: names.slice(1) })
  assert.notEqual(fewer.certPem, first.certPem)
  assert.equal(fewer.caPem, first.caPem)
  const other = await localCertificate(folder, { names: ['graph.example', '10.0.0.7', '2001:db8::b', 'fe80::1'] })
  assert.notEqual(other.certPem, first.certPem)
})
