/**
 * The ids a Graph client sees, in the byte layouts of Exchange, made from our numbers and read without a lookup.
 *
 *     message     00032400 guid[36] 00460000000000 provider[16] 0700 replica[16] folder[6] 0000 replica[16] item[6] 0000
 *     folder      00032400 guid[36] 002e0000000000 provider[16] 0100 replica[16] folder[6] 0000
 *     immutable   0009002e0000000000 fixed provider[16] 0d00 replica[16] message[6] 0000
 *     attachment  the message's bytes (either kind), then 0112001000 value[16]; of an attached item's own attachments the
 *                 attachment's bytes with one more in the place of 01, then 12001000 value[16] (recorded)
 *
 * The layouts are those of MS-OXCDATA §2.2.4.1 and §2.2.4.2, wrapped; provider and replica follow from the mailbox's
 * guid, so an id that was altered or made up does not fit its own mailbox and is seen to be malformed. `item` is the
 * message's number times 256 plus the count of its moves: the default id changes with each move, the immutable never.
 *
 * Base64 with `/` written `-` and `+` written `_`, the reverse of base64url. The varying numbers happen to start at
 * multiples of three bytes, so most of an id is text worked out once a mailbox.
 */
import { createHash } from 'node:crypto'
import type { AttachmentId, FolderId, MessageId } from '../mail/ids.js'
import type { Mailbox } from '../mail/mailbox.js'
import type { MessageEnvelope } from '../mail/message.js'

type MailboxGuid = Pick<Mailbox, 'guid'>
type Place = Pick<MessageEnvelope, 'id' | 'folder' | 'moves'>

/** The default id of a message: names it where it stood after so many moves (mod 256). */
export interface DefaultMessageId {
  readonly kind: 'message'
  readonly mailboxGuid: string
  readonly folder: FolderId
  readonly message: MessageId
  readonly moves: number
}

/** The id that survives moves. It does not hold the mailbox's guid: `undefined` when it is of another mailbox than asked. */
export interface ImmutableMessageId {
  readonly kind: 'immutable'
  readonly mailboxGuid: string | undefined
  readonly message: MessageId
}

export interface FolderItemId {
  readonly kind: 'folder'
  readonly mailboxGuid: string
  readonly folder: FolderId
}

export interface AttachmentItemId {
  readonly kind: 'attachment'
  readonly mailboxGuid: string | undefined
  /** The message it hangs on, in the kind of id it was written with. */
  readonly item: DefaultMessageId | ImmutableMessageId
  readonly attachment: AttachmentId
}

export type ItemId = DefaultMessageId | ImmutableMessageId | FolderItemId | AttachmentItemId

/** Moves are counted in the last byte of the item counter, which leaves a message's number 40 bits. */
const moveCounts = 256
const maxMessageId = 2 ** 40 - 1
const maxNumber = 2 ** 48 - 1

/** The provider value that every immutable id of every mailbox has, as recorded. */
const immutableProvider = Buffer.from('1d840311aa6611cd9bc800aa002fc45a', 'hex')

const lengths = { message: 152, folder: 120, immutable: 68, attachment: 180, immutableAttachment: 96 } as const

/** The parts of a mailbox's ids that never change, as text. */
interface Layout {
  readonly guid: string
  readonly replica: Buffer
  /** 108 characters, up to the folder. */
  readonly message: string
  readonly folder: string
  /** 24 characters, between folder and item. */
  readonly betweenPairs: string
  /** 56 characters: all but the last byte of the replica. */
  readonly immutable: string
  readonly conversation: string
  readonly changeKey: string
}

const layouts = new WeakMap<MailboxGuid, Layout>()

function layoutOf(mailbox: MailboxGuid): Layout {
  const known = layouts.get(mailbox)
  if (known !== undefined) return known
  const made = layOut(mailbox.guid)
  layouts.set(mailbox, made)
  return made
}

function layOut(guid: string): Layout {
  const digest = createHash('sha256').update(`mailbox ${guid}`).digest()
  const provider = digest.subarray(0, 16)
  const replica = digest.subarray(16, 32)
  const name = Buffer.from(guid, 'ascii')
  return {
    guid,
    replica,
    message: encode(hex('00032400'), name, hex('00460000000000'), provider, hex('0700'), replica),
    folder: encode(hex('00032400'), name, hex('002e0000000000'), provider, hex('0100'), replica),
    betweenPairs: encode(hex('0000'), replica),
    immutable: encode(hex('0009002e0000000000'), immutableProvider, hex('0d00'), replica.subarray(0, 15)),
    conversation: encode(hex('00042400'), name, hex('0010')),
    changeKey: encode(hex('0900000016000000'), replica),
  }
}

/**
 * The default id, 152 characters: another after each move.
 *
 * @throws RangeError when the message's number is above 40 bits
 */
export function presentMessageId(mailbox: MailboxGuid, message: Place): string {
  return `${messageHead(layoutOf(mailbox), message)}AAA=`
}

/** The id that stays for the life of the message, 68 characters (`Prefer: IdType="ImmutableId"`). */
export function presentImmutableId(mailbox: MailboxGuid, message: MessageId): string {
  return immutableText(layoutOf(mailbox), message)
}

/** The id of a folder, 120 characters, for the life of the folder; folders have no other kind. */
export function presentFolderId(mailbox: MailboxGuid, folder: FolderId): string {
  return folderText(layoutOf(mailbox), folder)
}

/** The id of an attachment, 180 characters: the message's default id, then a value of its own. */
export function presentAttachmentId(mailbox: MailboxGuid, message: Place, attachment: AttachmentId): string {
  return attachmentText(layoutOf(mailbox), message, attachment)
}

/** The id of an attachment under its message's immutable id, 96 characters. */
export function presentImmutableAttachmentId(
  mailbox: MailboxGuid,
  message: MessageId,
  attachment: AttachmentId,
): string {
  return immutableAttachmentText(layoutOf(mailbox), message, attachment)
}

/**
 * The id of an attachment of an attached item: that of the attachment which holds it, and a value of its own for each
 * level. It tells them apart; no path leads to them.
 *
 * @param index its place among the attachments of the item, from 0
 */
export function presentNestedAttachmentId(holder: string, index: number): string {
  const bytes = fromBase64Id(holder)
  const valueBytes = 20
  // Ids end in their values, 20 bytes each, with the count of them in front; the rest has no multiple of 20 bytes.
  const count = bytes.readUInt8(countAt(bytes.length))
  bytes.writeUInt8(count + 1, countAt(bytes.length))
  const value = Buffer.alloc(valueBytes)
  value.write('12001000', 'hex')
  value.writeUIntBE(index + 1, 4, 6)
  createHash('sha256').update(holder).update(String(index)).digest().copy(value, 10, 0, 10)
  return encode(bytes, value)
}

/** Where an attachment id counts its values: behind the 113 bytes of a default id or the 51 of an immutable one. */
function countAt(length: number): number {
  return (length - 114) % 20 === 0 ? 113 : 51
}

/** `conversationId`, 80 characters. `conversation`: 16 bytes as 32 hex digits, the GUID that `conversationIndex` holds too. */
export function presentConversationId(mailbox: MailboxGuid, conversation: string): string {
  return layoutOf(mailbox).conversation + encode(Buffer.from(`00${conversation}`, 'hex'))
}

/** The conversation that an id names, as 32 hex digits; undefined when the mailbox cannot have made it. */
export function readConversationId(mailbox: MailboxGuid, text: string): string | undefined {
  const { conversation: head } = layoutOf(mailbox)
  const conversation = Buffer.from(toBase64(text.slice(head.length)), 'base64')
    .toString('hex')
    .slice(2)
  return conversation.length === 32 && presentConversationId(mailbox, conversation) === text ? conversation : undefined
}

/** `changeKey`, 40 characters of ordinary base64. */
export function presentChangeKey(mailbox: MailboxGuid, change: number): string {
  return toBase64(layoutOf(mailbox).changeKey + digits(change))
}

/** `webLink` of a work mailbox: the id as percent-encoded ordinary base64. */
export function webLink(id: string): string {
  const escaped = id.replaceAll('-', '%2F').replaceAll('_', '%2B').replaceAll('=', '%3D')
  return `https://outlook.office365.com/owa/?ItemID=${escaped}&exvsurl=1&viewmodel=ReadMessageItem`
}

/** The same of a message that is attached to another: it names the attachment (recorded). */
export function attachedItemLink(attachmentId: string): string {
  return webLink(attachmentId)
    .replace('?ItemID=', '?AttachmentItemID=')
    .replace(/ReadMessageItem$/, 'ItemAttachment')
}

/**
 * What an id names. `mailbox` is the one the request is about; an id of another mailbox is well-formed and says so in
 * `mailboxGuid`. undefined: malformed, which includes any id that this server cannot have made.
 */
export function readItemId(mailbox: MailboxGuid, text: string): ItemId | undefined {
  switch (text.length) {
    case lengths.message:
      return readMessage(layoutIn(mailbox, text), text)
    case lengths.folder:
      return readFolder(layoutIn(mailbox, text), text)
    case lengths.immutable:
      return readImmutable(layoutOf(mailbox), text)
    case lengths.attachment:
      return readAttachment(layoutIn(mailbox, text), text)
    case lengths.immutableAttachment:
      return readImmutableAttachment(layoutOf(mailbox), text)
    default:
      return undefined
  }
}

/** The number of the message that an id names, whosever it is; undefined when it is no id of a message. */
export function messageIn(text: string): MessageId | undefined {
  const id = readItemId(noMailbox, text)
  return id?.kind === 'message' || id?.kind === 'immutable' ? id.message : undefined
}

const noMailbox = { guid: '00000000-0000-4000-8000-000000000000' } as MailboxGuid

/** Whether a default id still names the message's place: false once it was moved since. */
export function isCurrent(id: DefaultMessageId, message: Place): boolean {
  return id.message === message.id && id.folder === message.folder && id.moves === message.moves % moveCounts
}

/** The layout of the mailbox whose guid the id holds; nearly always the one asked for. */
function layoutIn(mailbox: MailboxGuid, text: string): Layout | undefined {
  const own = layoutOf(mailbox)
  if (text.startsWith(own.message) || text.startsWith(own.folder)) return own
  const guid = Buffer.from(toBase64(text.slice(0, 56)), 'base64').toString('latin1', 4, 40)
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(guid) ? layOut(guid) : undefined
}

// Reading takes the numbers from their places and writes the id anew: only what comes out the same was well-formed.

function readMessage(layout: Layout | undefined, text: string): DefaultMessageId | undefined {
  const place = placeIn(text)
  if (layout === undefined || place === undefined || `${messageHead(layout, place)}AAA=` !== text) return undefined
  return defaultMessageId(layout, place)
}

function readFolder(layout: Layout | undefined, text: string): FolderItemId | undefined {
  const folder = numberAt(text, 108, 8) as FolderId | undefined
  if (layout === undefined || folder === undefined || folderText(layout, folder) !== text) return undefined
  return { kind: 'folder', mailboxGuid: layout.guid, folder }
}

function readImmutable(layout: Layout, text: string): ImmutableMessageId | undefined {
  const message = immutableMessageIn(text)
  if (message === undefined) return undefined
  if (immutableText(layout, message) === text) return { kind: 'immutable', mailboxGuid: layout.guid, message }
  // Nothing in it says whose it is: all that can be checked of a foreign one is the form.
  const foreign = text.startsWith(layout.immutable.slice(0, 36)) && /^[\w-]+$/.test(text)
  return foreign ? { kind: 'immutable', mailboxGuid: undefined, message } : undefined
}

function readAttachment(layout: Layout | undefined, text: string): AttachmentItemId | undefined {
  const place = placeIn(text)
  const attachment = attachmentIn(text.slice(156), 1)
  if (layout === undefined || place === undefined || attachmentText(layout, place, attachment) !== text)
    return undefined
  return { kind: 'attachment', mailboxGuid: layout.guid, item: defaultMessageId(layout, place), attachment }
}

function readImmutableAttachment(layout: Layout, text: string): AttachmentItemId | undefined {
  const item = readImmutable(layout, text.slice(0, lengths.immutable))
  if (item === undefined) return undefined
  const attachment = attachmentIn(text.slice(72), 2)
  const foreign = item.mailboxGuid === undefined && /^ARIAEA[A-D][\w-]{21}$/.test(text.slice(lengths.immutable))
  if (!foreign && immutableAttachmentText(layout, item.message, attachment) !== text) return undefined
  return { kind: 'attachment', mailboxGuid: item.mailboxGuid, item, attachment }
}

function defaultMessageId(layout: Layout, place: Place): DefaultMessageId {
  const { id: message, folder, moves } = place
  return { kind: 'message', mailboxGuid: layout.guid, folder, message, moves }
}

/** Everything of a message id but the `AAA=` at its end, which an attachment id continues otherwise. */
function messageHead(layout: Layout, { id, folder, moves }: Place): string {
  if (id > maxMessageId) throw new RangeError(`message ${id} is above 40 bits`)
  return layout.message + digits(folder) + layout.betweenPairs + digits(id * moveCounts + (moves % moveCounts))
}

function placeIn(text: string): Place | undefined {
  const folder = numberAt(text, 108, 8)
  const item = numberAt(text, 140, 8)
  if (folder === undefined || item === undefined) return undefined
  return { id: Math.floor(item / moveCounts) as MessageId, folder: folder as FolderId, moves: item % moveCounts }
}

function folderText(layout: Layout, folder: FolderId): string {
  return `${layout.folder + digits(folder)}AAA=`
}

/** Here the number straddles: its upper two bytes share a group with the last of the replica, the lower four end in 0000. */
function immutableText(layout: Layout, message: MessageId): string {
  const upper = Math.floor(message / 2 ** 32)
  const group = layout.replica.readUInt8(15) * 2 ** 16 + upper
  return layout.immutable + digits(group).slice(4) + digits((message - upper * 2 ** 32) * 2 ** 16)
}

function immutableMessageIn(text: string): MessageId | undefined {
  const group = numberAt(text, 56, 4)
  const lower = numberAt(text, 60, 8)
  if (group === undefined || lower === undefined || lower % 2 ** 16 !== 0) return undefined
  return ((group % 2 ** 16) * 2 ** 32 + lower / 2 ** 16) as MessageId
}

function attachmentText(layout: Layout, message: Place, attachment: AttachmentId): string {
  const value = attachmentValue(layout, message.id, attachment)
  return `${messageHead(layout, message)}AAABEgAQ${encode(hex('00'), value)}`
}

function immutableAttachmentText(layout: Layout, message: MessageId, attachment: AttachmentId): string {
  const value = attachmentValue(layout, message, attachment)
  return `${immutableText(layout, message)}ARIA${encode(hex('1000'), value)}`
}

/** The attachment's number, then a digest that no other attachment has, so that a made-up value is noticed. */
function attachmentValue(layout: Layout, message: MessageId, attachment: AttachmentId): Buffer {
  const value = Buffer.alloc(16)
  value.writeUIntBE(attachment, 0, 6)
  createHash('sha256').update(layout.replica).update(`${message} ${attachment}`).digest().copy(value, 6, 0, 10)
  return value
}

function attachmentIn(tail: string, offset: number): AttachmentId {
  return Buffer.concat([Buffer.from(toBase64(tail), 'base64'), Buffer.alloc(16)]).readUIntBE(offset, 6) as AttachmentId
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-'
const digitPairs = Array.from({ length: 4096 }, (_, n) => alphabet.charAt(n >>> 6) + alphabet.charAt(n & 63))
const digitValues = new Map(Array.from(alphabet, (digit, value) => [digit.charCodeAt(0), value]))

/** A 48-bit number as 8 digits: six bytes that start a base64 group. */
function digits(number: number): string {
  if (number > maxNumber) throw new RangeError(`${number} is above 48 bits`)
  const upper = Math.floor(number / 2 ** 24)
  const lower = number - upper * 2 ** 24
  return `${digitPairs[upper >>> 12]}${digitPairs[upper & 4095]}${digitPairs[lower >>> 12]}${digitPairs[lower & 4095]}`
}

/** The reverse of {@link digits}; undefined when a character is none of the alphabet's. */
function numberAt(text: string, start: number, count: number): number | undefined {
  let number = 0
  for (let i = start; i < start + count; i++) {
    const value = digitValues.get(text.charCodeAt(i))
    if (value === undefined) return undefined
    number = number * 64 + value
  }
  return number
}

function hex(digits: string): Buffer {
  return Buffer.from(digits, 'hex')
}

function encode(...parts: Buffer[]): string {
  return toBase64Id(Buffer.concat(parts))
}

/** The bytes of an id in the spelling of REST. */
export function toBase64Id(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('/', '-').replaceAll('+', '_')
}

/** The reverse of {@link toBase64Id}. */
export function fromBase64Id(text: string): Buffer {
  return Buffer.from(toBase64(text), 'base64')
}

function toBase64(text: string): string {
  return text.replaceAll('-', '/').replaceAll('_', '+')
}
