/**
 * DKIM (RFC 6376), rsa-sha256 and relaxed/relaxed: nodemailer's signer. Keys are files of one folder, each called as its
 * record in the DNS: `SELECTOR._domainkey.DOMAIN.pem`. What is signed is what is sent: after the message was made to fit
 * what the next server takes, with the line ends of SMTP; dots are stuffed after it, and taken out again before it is
 * verified.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type DKIM from 'nodemailer/lib/dkim'
import { parseAddresses } from '../mail/mime/addresses.js'
import { readHeaderBlock, unfoldedValue } from '../mail/mime/header-block.js'

/** A key of a domain. */
export interface DkimKey {
  readonly domain: string
  readonly selector: string
  /** PEM */
  readonly privateKey: string
}

/** A folder of keys that cannot be used. */
export class DkimFault extends Error {
  override readonly name = 'DkimFault'
}

const fileName = /^([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)\._domainkey\.([a-z0-9.-]+)\.pem$/i

/** RFC 8301 §3.2 */
const minBits = 1_024

/** Name of the file that a key is in. */
export function dkimFileName({ domain, selector }: Pick<DkimKey, 'domain' | 'selector'>): string {
  return `${selector}._domainkey.${domain}.pem`
}

/** Reads every key of a folder; other files are passed over. @throws DkimFault naming the file */
export async function readDkimKeys(folder: string): Promise<DkimKey[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new DkimFault(`The folder ${folder}, given by dkim, cannot be read (${error.code}).`)
  })
  const keys: DkimKey[] = []
  for (const name of names.toSorted()) {
    const [, selector, domain] = fileName.exec(name) ?? []
    if (selector === undefined || domain === undefined) continue
    const privateKey = await readFile(join(folder, name), 'utf8')
    requireUsable(privateKey, join(folder, name))
    keys.push({ domain: domain.toLowerCase(), selector, privateKey })
  }
  return keys
}

/** A signer that cannot sign would let mail out unsigned, in silence. */
function requireUsable(pem: string, path: string): void {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    throw new DkimFault(`The file ${path} holds no PEM private key without a passphrase.`)
  }
  const { modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType !== 'rsa' || modulusLength < minBits) {
    throw new DkimFault(`The key in ${path} is no RSA key of at least ${minBits} bits.`)
  }
}

/** Signs what has a key: with those of the domain of From, or else of the nearest domain above it. */
export function dkimSigner(keys: readonly DkimKey[]): (mime: Buffer) => Readable {
  // Loaded when there are keys, which most who only try it out have none of.
  const Signer: typeof DKIM = createRequire(import.meta.url)('nodemailer/lib/dkim')
  const signers = new Map<string, DKIM>()
  for (const { domain } of keys) {
    if (signers.has(domain)) continue
    const own = keys.filter((key) => key.domain === domain)
    const named = own.map(({ selector, privateKey }) => ({ domainName: domain, keySelector: selector, privateKey }))
    signers.set(domain, new Signer({ keys: named }))
  }
  return (mime) => {
    const signer = signerFor(authorDomain(mime), signers)
    return signer === undefined ? Readable.from([mime], { objectMode: false }) : signer.sign(mime)
  }
}

function signerFor(domain: string, signers: ReadonlyMap<string, DKIM>): DKIM | undefined {
  for (let name = domain; name.includes('.'); name = name.slice(name.indexOf('.') + 1)) {
    const signer = signers.get(name)
    if (signer !== undefined) return signer
  }
  return undefined
}

function authorDomain(mime: Buffer): string {
  const from = readHeaderBlock(mime).fields.find(({ key }) => key === 'from')
  const address = from === undefined ? '' : (parseAddresses(unfoldedValue(from))[0]?.address ?? '')
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase()
}

/** Name and value of the DNS record that a key is verified with (RFC 6376 §3.6.1). */
export function dkimRecord({ domain, selector, privateKey }: DkimKey): {
  readonly name: string
  readonly value: string
} {
  const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return { name: `${selector}._domainkey.${domain}`, value: `v=DKIM1; k=rsa; p=${der.toString('base64')}` }
}
