/** What is used of postal-mime, loaded with the first mail that is read: one made from JSON is not. */
import { createRequire } from 'node:module'
import type * as postalMime from 'postal-mime'

let loaded: typeof postalMime | undefined

function library(): typeof postalMime {
  loaded ??= createRequire(import.meta.url)('postal-mime') as typeof postalMime
  return loaded
}

/** RFC 2047: the text that encoded words stand for. */
export function decodeWords(text: string): string {
  return library().decodeWords(text)
}

/** RFC 5322 §3.4: the mailboxes and groups of an address field. */
export function addressParser(value: string): postalMime.Address[] {
  return library().addressParser(value)
}
