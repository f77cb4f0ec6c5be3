import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { KeyRing } from './key-ring.js'
import type { SigningKey } from './signing-key.js'

/**
 * What this server hands to a browser and wants back unchanged: a sign-in on its way, who is signed in. Nothing of it is
 * kept here; a code under one of the server's keys says that it is ours, for what, and until when.
 */
export interface Seals {
  seal(purpose: SealPurpose, value: unknown, lifetimeMs: number): string
  /** The value; undefined when it is not ours, is for something else or over. */
  open(purpose: SealPurpose, text: string): unknown
  /**
   * Whether it has the form of a seal under a key that is not, or no longer, among the server's: it may have been ours.
   * Looks for keys that another process has made.
   */
  isOfUnknownKey(text: string): Promise<boolean>
}

export type SealPurpose = 'sign-in' | 'session' | 'delta'

/** Key, content, code. */
const sealForm = /^([0-9a-f-]{36})\.[\w-]+\.[\w-]{43}$/

export function sealsOf(ring: KeyRing, now: () => number): Seals {
  return {
    seal: (purpose, value, lifetimeMs) => {
      const [newest] = ring.keys
      if (newest === undefined) throw new Error('there is no key to seal with')
      const content = Buffer.from(JSON.stringify({ until: now() + lifetimeMs, value })).toString('base64url')
      return `${newest.id}.${content}.${codeOf(newest, purpose, content).toString('base64url')}`
    },
    open: (purpose, text) => {
      const [id, content, code] = text.split('.')
      const key = ring.keys.find((candidate) => candidate.id === id)
      if (key === undefined || content === undefined || code === undefined) return undefined
      const given = Buffer.from(code, 'base64url')
      const expected = codeOf(key, purpose, content)
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
      const { until, value } = JSON.parse(Buffer.from(content, 'base64url').toString()) as {
        until: number
        value: unknown
      }
      return now() < until ? value : undefined
    },
    isOfUnknownKey: async (text) => {
      const [, id = ''] = sealForm.exec(text) ?? []
      return id !== '' && (await ring.find(id)) === undefined
    },
  }
}

/** RFC 5869: one key for each purpose, none of which tells anything of the signing key. */
function codeOf({ privateJwk }: SigningKey, purpose: SealPurpose, content: string): Buffer {
  const key = hkdfSync('sha256', Buffer.from(privateJwk.d ?? '', 'base64url'), '', `graphpost ${purpose}`, 32)
  return createHmac('sha256', Buffer.from(key)).update(content).digest()
}
