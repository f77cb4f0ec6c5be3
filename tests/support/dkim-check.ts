/** Verifies DKIM signatures by RFC 6376 alone, sharing nothing with what signs: relaxed/relaxed, rsa-sha256. */
import { createHash, createPublicKey, createVerify } from 'node:crypto'

/**
 * @param message as received, dots unstuffed
 * @param record value of the DNS record by its name
 * @returns `d=` of each signature that is good
 */
export function goodSignatures(message: Buffer, record: (name: string) => string | undefined): string[] {
  const text = message.toString('latin1')
  const split = text.indexOf('\r\n\r\n')
  const fields = text.slice(0, split + 2).match(/[^\r\n][^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*/g) ?? []
  const body = text.slice(split + 4)
  return fields
    .filter((field) => /^dkim-signature:/i.test(field))
    .flatMap((signature) => (isGood(signature, fields, body, record) ? [tagOf(signature, 'd')] : []))
}

function isGood(
  signature: string,
  fields: readonly string[],
  body: string,
  record: (name: string) => string | undefined,
) {
  if (tagOf(signature, 'a') !== 'rsa-sha256' || tagOf(signature, 'c') !== 'relaxed/relaxed') return false
  const bodyHash = createHash('sha256').update(relaxedBody(body), 'latin1').digest('base64')
  if (bodyHash !== tagOf(signature, 'bh')) return false
  const left = [...fields]
  const signed = tagOf(signature, 'h')
    .split(':')
    .map((name) => {
      const index = left.findLastIndex(
        (field) => field.slice(0, field.indexOf(':')).trim().toLowerCase() === name.toLowerCase(),
      )
      return index < 0 ? '' : `${relaxedField(left.splice(index, 1)[0] ?? '')}\r\n`
    })
  const own = relaxedField(signature.replace(/(;\s*b=)[^;]*/, '$1'))
  const key = /p=([A-Za-z0-9+/=]+)/.exec(
    record(`${tagOf(signature, 's')}._domainkey.${tagOf(signature, 'd')}`) ?? '',
  )?.[1]
  if (key === undefined) return false
  const publicKey = createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' })
  const verifier = createVerify('RSA-SHA256').update(signed.join('') + own, 'latin1')
  return verifier.verify(publicKey, tagOf(signature, 'b'), 'base64')
}

function tagOf(signature: string, tag: string): string {
  const value = new RegExp(`(?:^[^:]*:|;)\\s*${tag}=([^;]*)`).exec(signature)?.[1] ?? ''
  return value.replace(/\s+/g, '')
}

/** §3.4.2 */
function relaxedField(field: string): string {
  const colon = field.indexOf(':')
  const value = field
    .slice(colon + 1)
    .replaceAll('\r\n', '')
    .replace(/[ \t]+/g, ' ')
    .trim()
  return `${field.slice(0, colon).trim().toLowerCase()}:${value}`
}

/** §3.4.4 */
function relaxedBody(body: string): string {
  const lines = body.split('\r\n').map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''))
  while (lines.length > 0 && lines.at(-1) === '') lines.pop()
  return lines.map((line) => `${line}\r\n`).join('')
}
