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
