import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'

/**
 * Passwords and client secrets, hashed with scrypt (RFC 7914), which takes 32 MiB and some 80 ms a guess. Written as
 * `scrypt$N$r$p$salt$hash`, so that the cost can rise and old ones still be checked.
 */
const cost = { N: 32_768, r: 8, p: 1 }
const saltBytes = 16
const hashBytes = 32
/** Twice what the cost takes: 128 * N * r. */
const maxMemoryBytes = 67_108_864

/** Longest secret that is hashed: scrypt itself has no bound. */
const maxSecretLength = 1_024

/** What is kept of a password or client secret. */
export async function hashSecret(secret: string): Promise<string> {
  const salt = randomBytes(saltBytes)
  const hash = await derive(secret, salt, cost)
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), hash.toString('base64url')].join('$')
}

/** Whether the secret is the one that the hash was made of. */
export async function isSecret(secret: string, kept: string): Promise<boolean> {
  const [kind, N, r, p, salt, hash] = kept.split('$')
  if (kind !== 'scrypt' || salt === undefined || hash === undefined || secret.length > maxSecretLength) return false
  const expected = Buffer.from(hash, 'base64url')
  const found = await derive(secret, Buffer.from(salt, 'base64url'), { N: Number(N), r: Number(r), p: Number(p) })
  return expected.length === found.length && timingSafeEqual(expected, found)
}

/** A hash that no secret has, to spend the time of a check where there is nothing to check. */
export const hashOfNothing = ['scrypt', cost.N, cost.r, cost.p, 'AAAAAAAAAAAAAAAAAAAAAA', 'A'.repeat(43)].join('$')

/** At most this many at once: each takes memory, and callers may be strangers. */
const maxConcurrent = 4
let running = 0
const waiting: (() => void)[] = []

async function derive(secret: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  if (running >= maxConcurrent) await new Promise<void>((resolve) => waiting.push(resolve))
  else running += 1
  try {
    return await new Promise((resolve, reject) => {
      scrypt(secret.normalize('NFKC'), salt, hashBytes, { ...options, maxmem: maxMemoryBytes }, (error, key) => {
        if (error === null) resolve(key)
        else reject(error)
      })
    })
  } finally {
    const next = waiting.shift()
    if (next === undefined) running -= 1
    else next()
  }
}

/** A new client secret: 240 random bits, in letters that need no quoting anywhere. */
export function newClientSecret(): string {
  return randomBytes(30).toString('base64url')
}
