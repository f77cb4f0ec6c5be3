import type { Mail } from './mail.js'
import type { Conversation } from './message.js'

/** Between 1601-01-01, where a FILETIME begins, and 1970-01-01. */
const filetimeEpochMs = 11_644_473_600_000
/** A FILETIME counts 100 ns; an index keeps what is above its low 24 bits. */
const indexUnitsPerMs = 10_000 / 2 ** 24

/**
 * The first message of a thread: a new id, and an index of 22 bytes: 01, the five high bytes of the FILETIME of
 * creation, then the id.
 *
 * @see MS-OXOMSG §2.2.1.3, and the recordings, whose indexes and conversation ids agree with it
 */
export function startConversation(mail: Pick<Mail, 'random'>, createdAt: number): Conversation {
  const id = mail.random.bytes(16)
  const index = Buffer.alloc(22)
  index.writeUInt8(1, 0)
  index.writeUIntBE(Math.floor((createdAt + filetimeEpochMs) * indexUnitsPerMs), 1, 5)
  id.copy(index, 6)
  return { id: id.toString('hex'), index: index.toString('base64') }
}

const ticksPerMs = 10_000n
/** Time differences below 2^49 ticks (1.8 years) are kept in units of 2^18, longer ones in units of 2^23. */
const shortDifference = 49n

/**
 * An answer in the thread: the same id, and five bytes more for each level: one bit for the unit, 31 for the time since
 * the thread began, four of chance, four of sequence, which every writer leaves 0.
 *
 * @see MS-OXOMSG §2.2.1.3, response level
 */
export function answerConversation(
  mail: Pick<Mail, 'random'>,
  original: Conversation,
  createdAt: number,
): Conversation {
  const index = Buffer.from(original.index, 'base64')
  if (index.length < 22 || index.length > maxIndexBytes)
    return { ...startConversation(mail, createdAt), id: original.id }
  const began = BigInt(index.readUIntBE(1, 5)) << 24n
  const now = BigInt(createdAt + filetimeEpochMs) * ticksPerMs
  const difference = now > began ? now - began : 0n
  const isShort = difference >> shortDifference === 0n
  const units = (isShort ? difference >> 18n : difference >> 23n) & 0x7fffffffn
  const level = Buffer.alloc(5)
  level.writeUInt32BE(Number(units | (isShort ? 0n : 0x80000000n)), 0)
  level.writeUInt8((mail.random.bytes(1).readUInt8(0) & 0x0f) << 4, 4)
  return { id: original.id, index: Buffer.concat([index, level]).toString('base64') }
}

/** Where a thread stops growing its index: 100 levels. */
const maxIndexBytes = 22 + 5 * 100
