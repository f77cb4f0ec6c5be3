import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { rootCertificates } from 'node:tls'
import { localAuthority } from '../../src/http/certificate.js'
import { certificatesIn, javaTrustStore, pemOf, trustedAuthorities } from '../../src/http/trust-store.js'
import { freshFolder } from '../support/start-server.js'

test('trusted authorities: ours first, those of Node and of the given files, each once; a missing file is none', async (t) => {
  const folder = await freshFolder(t)
  const { caPem } = await localAuthority(folder)
  const other = await localAuthority(join(folder, 'other'))
  const twice = join(folder, 'twice.pem')
  await writeFile(
    twice,
    `Some words.\n${other.caPem}${other.caPem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
  )
  const found = await trustedAuthorities(caPem, [twice, join(folder, 'none.pem')])
  const asText = found.map((der) => der.toString('base64'))
  assert.equal(new Set(asText).size, asText.length)
  const [ours = Buffer.alloc(0), theirs = Buffer.alloc(0)] = [caPem, other.caPem].flatMap(certificatesIn)
  assert.deepEqual(found[0], ours)
  for (const der of [theirs, ...rootCertificates.flatMap(certificatesIn)])
    assert.ok(asText.includes(der.toString('base64')))
  assert.deepEqual(certificatesIn(pemOf(found)), found)
})

test('a Java key store holds each certificate under an alias of its own, sealed with the password', async (t) => {
  const { caPem } = await localAuthority(await freshFolder(t))
  const certificates = [caPem, ...rootCertificates.slice(0, 3)].flatMap(certificatesIn)
  const store = javaTrustStore(certificates, 'password')
  assert.deepEqual(javaTrustStore(certificates, 'password'), store)
  const [content, seal] = [store.subarray(0, -20), store.subarray(-20)]
  const salt = Buffer.from('\0p\0a\0s\0s\0w\0o\0r\0dMighty Aphrodite', 'latin1')
  assert.deepEqual(createHash('sha1').update(salt).update(content).digest(), seal)
  assert.deepEqual(readJavaStore(content), {
    head: [0xfeedfeed, 2, 4],
    aliases: ['graphpost', 'authority-1', 'authority-2', 'authority-3'],
    certificates,
  })
})

/** Reads what javaTrustStore writes, by the format's own description. */
function readJavaStore(content: Buffer) {
  let at = 0
  const bytes = (length: number) => {
    at += length
    return content.subarray(at - length, at)
  }
  const number = () => bytes(4).readUInt32BE()
  const text = () => bytes(bytes(2).readUInt16BE()).toString('latin1')
  const head = [number(), number(), number()]
  const aliases: string[] = []
  const certificates: Buffer[] = []
  while (at < content.length) {
    assert.equal(number(), 2)
    aliases.push(text())
    bytes(8)
    assert.equal(text(), 'X.509')
    certificates.push(Buffer.from(bytes(number())))
  }
  return { head, aliases, certificates }
}
