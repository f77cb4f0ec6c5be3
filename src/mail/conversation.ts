import { createHash } from 'node:crypto'
import type { Mail } from './mail.js'
import type { Conversation, Message, MessageContent } from './message.js'

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
  return conversationOf(mail.random.bytes(16), createdAt)
}

/**
 * The thread that begins with a message. Its id follows from the Message-ID alone, so that an answer which names it in
 * `References` joins the thread without anything being looked up: of one of ours it is the random part, of others a hash.
 *
 * @param messageId with angle brackets
 */
export function conversationFrom(messageId: string, createdAt: number): Conversation {
  const own = ownMessageId.exec(messageId)?.[1]
  const id =
    own === undefined ? createHash('sha256').update(messageId).digest().subarray(0, 16) : Buffer.from(own, 'hex')
  return conversationOf(id, createdAt)
}

/** A new Message-ID of ours, and the thread that begins with it: as `conversationFrom` reads it, without reading it. */
export function startThread(
  mail: Pick<Mail, 'random' | 'hostname'>,
  createdAt: number,
): Pick<Message, 'internetMessageId' | 'conversation'> {
  const bytes = mail.random.bytes(16)
  const id = bytes.toString('hex')
  return { internetMessageId: messageIdOf(id, mail.hostname), conversation: { id, index: indexOf(bytes, createdAt) } }
}

/** RFC 5322 §3.6.4: unique for ever, and the same in every copy, so that receivers can drop a repeated one. */
export function newMessageId(mail: Pick<Mail, 'random' | 'hostname'>): string {
  return messageIdOf(mail.random.bytes(16).toString('hex'), mail.hostname)
}

function messageIdOf(hex: string, hostname: string): string {
  return `<${hex.toUpperCase()}@${hostname}>`
}

/** As {@link newMessageId} makes them. */
const ownMessageId = /^<([0-9A-F]{32})@/

/** The Message-ID of the message that a thread began with, as far as one of the later ones tells. */
export function threadStartOf({
  references,
  inReplyTo,
}: Pick<MessageContent, 'references' | 'inReplyTo'>): string | undefined {
  return references?.split(' ', 1)[0] ?? inReplyTo?.split(' ', 1)[0]
}

function conversationOf(id: Buffer, createdAt: number): Conversation {
  return { id: id.toString('hex'), index: indexOf(id, createdAt) }
}

function indexOf(id: Buffer, createdAt: number): string {
  return headOf(Math.floor((createdAt + filetimeEpochMs) * indexUnitsPerMs)) + id.toString('base64')
}

/** Remembered: the same for the mail of a second, which is thousands. */
let lastHead = { time: -1, text: '' }

/** The six bytes before the id. They are two threes, so that their base64 and the id's are that of the whole. */
function headOf(time: number): string {
  if (time !== lastHead.time) {
    const head = Buffer.of(1, 0, 0, 0, 0, 0)
    head.writeUIntBE(time, 1, 5)
    lastHead = { time, text: head.toString('base64') }
  }
  return lastHead.text
}

const headerBytes = 22
const levelBytes = 5
/** Where a thread stops growing its index: 100 levels. */
const maxIndexBytes = headerBytes + levelBytes * 100

const ticksPerMs = 10_000n
/** Differences with any of these bits are written in units of 2^23 ticks (0.8 s), others in units of 2^18 (26 ms). */
const longDifference = 0x00fe_0000_0000_0000n
const largeUnit = { flag: 0x8000_0000n, shift: 23n }
const smallUnit = { flag: 0n, shift: 18n }
const maxUnits = 0x7fff_ffffn

/**
 * An answer in the thread: the same id, and five bytes more: one bit for the unit, 31 for the time since the message
 * before it, eight of chance. An index that is none, or has no room, begins anew with the thread's own id.
 *
 * MS-OXOMSG counts from the five bytes of time in the header. The service is seen to take the first six of the index for
 * the top of a FILETIME, the leading 01 with them, and to keep what is left of the difference in 31 bits (the recorded
 * reply, to the bit); indexes of several levels in circulation each count on from the one before.
 */
export function answerConversation(
  mail: Pick<Mail, 'random'>,
  original: Conversation,
  createdAt: number,
): Conversation {
  const index = Buffer.from(original.index, 'base64')
  if (index.length < headerBytes || index.length > maxIndexBytes) {
    return conversationOf(Buffer.from(original.id, 'hex'), createdAt)
  }
  const now = BigInt(createdAt + filetimeEpochMs) * ticksPerMs
  const difference = BigInt.asUintN(64, now - lastTime(index))
  const { flag, shift } = (difference & longDifference) === 0n ? smallUnit : largeUnit
  const level = Buffer.alloc(levelBytes)
  level.writeUInt32BE(Number(((difference >> shift) & maxUnits) | flag), 0)
  mail.random.bytes(1).copy(level, 4)
  return { id: original.id, index: Buffer.concat([index, level]).toString('base64') }
}

/** The time that an index ends with, as whoever wrote it understood it: its header's and all its levels'. */
function lastTime(index: Buffer): bigint {
  let time = BigInt(index.readUIntBE(0, 6)) << 16n
  for (let at = headerBytes; at + levelBytes <= index.length; at += levelBytes) {
    const level = BigInt(index.readUInt32BE(at))
    const { shift } = (level & largeUnit.flag) === 0n ? smallUnit : largeUnit
    time += (level & maxUnits) << shift
  }
  return time
}
