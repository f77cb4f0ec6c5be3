import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { DkimFault, type DkimKey, dkimFileName, dkimRecord, dkimSigner, readDkimKeys } from '../../src/outbox/dkim.js'
import { parseRelayUrl } from '../../src/outbox/relay-url.js'
import { openPeer } from '../../src/outbox/smtp.js'
import { goodSignatures } from '../support/dkim-check.js'
import { startFaultyPeer } from '../support/faulty-peer.js'
import { freshFolder } from '../support/start-server.js'

const key = rsaKey('contoso.example', 's1')
const other = rsaKey('fabrikam.example', 's2')
const records = new Map([key, other].map((each) => [dkimRecord(each).name, dkimRecord(each).value]))
const header = 'Subject:  folded\r\n\tsubject \r\nTo: ben@fabrikam.example\r\nMIME-Version: 1.0\r\n'

const messages: Record<string, string> = {
  plain: `From: Me <me@contoso.example>\r\n${header}\r\nhow are you?\r\n`,
  'dots and empty lines': `From: me@contoso.example\r\n${header}\r\n.\r\n..two\r\n.\r\n\r\n\r\n`,
  'bare line ends': `From: me@contoso.example\nSubject: x\n\n.\n\r.\rend  \t of   it`,
  'no line end, no body': 'From: me@contoso.example\r\nSubject: x\r\n\r\n',
  '8 bits': `From: me@contoso.example\r\n${header}Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße 😀\r\n.Käse\r\n`,
  large: `From: me@contoso.example\r\n${header}\r\n${'.a line that is rather long\r\n'.repeat(20_000)}`,
}

for (const [name, message] of Object.entries(messages)) {
  for (const extensions of [['8BITMIME', 'PIPELINING'], []]) {
    test(`the signature of what arrives is good: ${name}, ${extensions.length > 0 ? '8 bits' : '7 bits'}`, async (t) => {
      const received = await sent(t, Buffer.from(message), extensions)
      assert.deepEqual(
        goodSignatures(received, (record) => records.get(record)),
        ['contoso.example'],
      )
      const changed = Buffer.from(
        received.toString('latin1').replace(/^From: .*$/m, 'From: you@contoso.example'),
        'latin1',
      )
      assert.deepEqual(
        goodSignatures(changed, (record) => records.get(record)),
        [],
      )
    })
  }
}

test('a domain below one that has a key is signed for by that; a stranger by nobody', async (t) => {
  const below = await sent(t, Buffer.from('From: x@mail.fabrikam.example\r\n\r\nx\r\n'), [])
  assert.deepEqual(
    goodSignatures(below, (record) => records.get(record)),
    ['fabrikam.example'],
  )
  const stranger = await sent(t, Buffer.from('From: x@evilfabrikam.example\r\n\r\nx\r\n'), [])
  assert.doesNotMatch(stranger.toString(), /dkim/i)
})

test('keys are read from a folder by their names; one that cannot sign is refused by its own', async (t) => {
  const folder = await freshFolder(t)
  await writeFile(join(folder, dkimFileName(key)), key.privateKey)
  await writeFile(join(folder, 'README'), 'not a key')
  assert.deepEqual(await readDkimKeys(folder), [key])
  const { privateKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  for (const pem of ['nonsense', privateKey]) {
    await writeFile(join(folder, 's9._domainkey.contoso.example.pem'), pem)
    await assert.rejects(
      readDkimKeys(folder),
      (error) => error instanceof DkimFault && /s9\._domainkey/.test(error.message),
    )
  }
})

async function sent(
  t: import('node:test').TestContext,
  message: Buffer,
  extensions: readonly string[],
): Promise<Buffer> {
  const peer = await startFaultyPeer({ extensions })
  const relay = openPeer(parseRelayUrl(peer.url), {
    hostname: 'mail.contoso.example',
    connections: 1,
    sign: dkimSigner([key, other]),
  })
  t.after(() => {
    relay.close({ force: true })
    return peer.close()
  })
  const [answer] = await relay.send({ mailFrom: 'me@contoso.example', recipients: ['ben@fabrikam.example'] }, message)
  assert.equal(answer?.reply?.code, 250)
  const wire = peer.taken[0]?.wire.toString('latin1') ?? ''
  return Buffer.from(wire.replace(/\.\r\n$/, '').replace(/^\./gm, ''), 'latin1')
}

function rsaKey(domain: string, selector: string): DkimKey {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2_048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  return { domain, selector, privateKey }
}
