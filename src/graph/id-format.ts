/**
 * The spellings of one id. A REST id holds the id that MAPI knows, the entry id, behind a head that names the mailbox:
 *
 *     restId                 base64 of head and entry id, `/` written `-` and `+` written `_`
 *     ewsId                  the same bytes in ordinary base64
 *     entryId                the entry id alone, as a URL token: base64url whose padding is counted by a digit at its end
 *     restImmutableEntryId   as restId, of the id that survives moves
 *     immutableEntryId       as entryId, of the id that survives moves
 *
 * Folders have one id, which is the immutable one too.
 */
import { fromBase64Id, toBase64Id } from './item-id.js'

/** `microsoft.graph.exchangeIdFormat` */
export const idFormats = ['entryId', 'ewsId', 'immutableEntryId', 'restId', 'restImmutableEntryId'] as const
export type IdFormat = (typeof idFormats)[number]

/** Whether ids in a format survive moves. */
export function isImmutableFormat(format: IdFormat): boolean {
  return format === 'immutableEntryId' || format === 'restImmutableEntryId'
}

/** Bytes before the entry id: kind and lengths, and of a default id the mailbox. */
const headBytes = { default: 43, immutable: 5 } as const
const immutableHead = Buffer.from('0009002e00', 'hex')
const entryBytes = { message: 70, folder: 46, immutable: 46 } as const

/** The REST ids that a text may stand for; which of them it is, reading them shows. None when it is of another format. */
export function restIdsOf(mailbox: { readonly guid: string }, text: string, format: IdFormat): string[] {
  switch (format) {
    case 'restId':
    case 'restImmutableEntryId':
      return [text]
    case 'ewsId':
      return /^[A-Za-z0-9+/]+=*$/.test(text) ? [text.replaceAll('/', '-').replaceAll('+', '_')] : []
    case 'entryId': {
      const entry = readUrlToken(text)
      return entry?.length === entryBytes.message || entry?.length === entryBytes.folder
        ? [behindDefaultHead(mailbox, entry)]
        : []
    }
    case 'immutableEntryId': {
      const entry = readUrlToken(text)
      if (entry?.length !== entryBytes.immutable) return []
      return [toBase64Id(Buffer.concat([immutableHead, entry])), behindDefaultHead(mailbox, entry)]
    }
  }
}

function behindDefaultHead({ guid }: { readonly guid: string }, entry: Buffer): string {
  const head = Buffer.alloc(headBytes.default)
  head.writeUInt8(3, 1)
  head.writeUInt16LE(guid.length, 2)
  head.write(guid, 4, 'ascii')
  head.writeUInt16LE(entry.length, 41)
  return toBase64Id(Buffer.concat([head, entry]))
}

/** A REST id in another spelling. */
export function spellId(restId: string, isImmutable: boolean, format: IdFormat): string {
  if (format === 'restId' || format === 'restImmutableEntryId') return restId
  const bytes = fromBase64Id(restId)
  if (format === 'ewsId') return bytes.toString('base64')
  return writeUrlToken(bytes.subarray(isImmutable ? headBytes.immutable : headBytes.default))
}

function writeUrlToken(bytes: Buffer): string {
  return bytes.toString('base64url') + String((3 - (bytes.length % 3)) % 3)
}

/** undefined: it is none, or not written as we write it. */
function readUrlToken(text: string): Buffer | undefined {
  const bytes = Buffer.from(text.slice(0, -1), 'base64url')
  return writeUrlToken(bytes) === text ? bytes : undefined
}
