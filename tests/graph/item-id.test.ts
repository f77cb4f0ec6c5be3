import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  isCurrent,
  presentAttachmentId,
  presentChangeKey,
  presentConversationId,
  presentFolderId,
  presentImmutableAttachmentId,
  presentImmutableId,
  presentMessageId,
  readItemId,
  webLink,
} from '../../src/graph/item-id.js'
import type { AttachmentId, FolderId, MessageId } from '../../src/mail/ids.js'

const mailbox = { guid: '7a1b6c1e-52d4-4f0e-9c3a-0d9be2f4a811' }
const other = { guid: 'e0c7b0aa-9a55-4c62-8f0b-6b1d3a3f2c90' }
const place = { id: 0x1234 as MessageId, folder: 0x10c as FolderId, moves: 2 }
const attachment = 0x1235 as AttachmentId
const conversation = 'cd41cf2717dd1845bdcc9992ccd415eb'

const anyGuid = fc.uuid().map((guid) => ({ guid }))
const anyPlace = fc.record({
  id: fc.maxSafeNat().map((n) => (n % 2 ** 40) as MessageId),
  folder: fc.maxSafeNat().map((n) => (n % 2 ** 48) as FolderId),
  moves: fc.nat(),
})
const anyNumber = fc.maxSafeNat().map((n) => n % 2 ** 48)

/** The bytes of an id, worked out independently of how it was made. */
function bytesOf(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', '/').replaceAll('_', '+'), 'base64')
}

test('a message id has the length, head, tail and bytes of a work mailbox of Exchange', () => {
  const id = presentMessageId(mailbox, place)
  const bytes = bytesOf(id)

  assert.match(id, /^AAMk[A-Za-z0-9_-]{145}AA=$/)
  assert.equal(id.length, 152)
  assert.equal(bytes.length, 113)
  assert.equal(bytes.toString('hex', 0, 4), '00032400')
  assert.equal(bytes.toString('ascii', 4, 40), mailbox.guid)
  assert.equal(bytes.toString('hex', 40, 47), '00460000000000')
  assert.equal(bytes.toString('hex', 63, 65), '0700')
  assert.equal(bytes.readUIntBE(81, 6), 0x10c)
  assert.deepEqual(bytes.subarray(65, 81), bytes.subarray(89, 105), 'one replica id in both pairs')
  assert.equal(bytes.readUIntBE(105, 6), 0x123402)
  assert.equal(bytes.toString('hex', 111), '0000')
})

test('a folder id has 120 characters, shares the values of its mailbox and ends in the counter of the well-known folder', () => {
  const id = presentFolderId(mailbox, 0x10c as FolderId)
  const bytes = bytesOf(id)

  assert.equal(id.length, 120)
  assert.match(id, /^AAMk[A-Za-z0-9_-]+EMAAA=$/)
  assert.equal(bytes.length, 89)
  assert.equal(bytes.toString('hex', 40, 47), '002e0000000000')
  assert.equal(bytes.toString('hex', 63, 65), '0100')
  assert.deepEqual(bytes.subarray(47, 63), bytesOf(presentMessageId(mailbox, place)).subarray(47, 63))
})

test('an immutable id has 68 characters without padding and holds the replica of the mailbox and the message', () => {
  const id = presentImmutableId(mailbox, 0xa1b2c3d4e5f6 as MessageId)
  const bytes = bytesOf(id)

  assert.match(id, /^AAkALg[A-Za-z0-9_-]{62}$/)
  assert.equal(bytes.length, 51)
  assert.equal(bytes.toString('hex', 0, 9), '0009002e0000000000')
  assert.equal(bytes.toString('hex', 9, 27), '1d840311aa6611cd9bc800aa002fc45a0d00')
  assert.deepEqual(bytes.subarray(27, 43), bytesOf(presentMessageId(mailbox, place)).subarray(65, 81))
  assert.equal(bytes.toString('hex', 43), 'a1b2c3d4e5f60000')
})

test('an attachment id continues the id of its message', () => {
  const id = presentAttachmentId(mailbox, place, attachment)
  assert.equal(id.length, 180)
  assert.ok(id.startsWith(`${presentMessageId(mailbox, place).slice(0, -1)}BEgAQA`))
  assert.equal(bytesOf(id).toString('hex', 113, 118), '0112001000')

  const immutable = presentImmutableAttachmentId(mailbox, place.id, attachment)
  assert.equal(immutable.length, 96)
  assert.ok(immutable.startsWith(presentImmutableId(mailbox, place.id)))
  assert.deepEqual(bytesOf(immutable).subarray(-16), bytesOf(id).subarray(-16))
})

test('a conversation id holds the mailbox and the GUID of the thread', () => {
  const id = presentConversationId(mailbox, conversation)
  assert.match(id, /^AAQk[A-Za-z0-9_-]{75}=$/)
  assert.equal(bytesOf(id).toString('ascii', 4, 40), mailbox.guid)
  assert.equal(bytesOf(id).toString('hex', 40), `001000${conversation}`)
})

test('a change key is 40 characters of ordinary base64', () => {
  fc.assert(
    fc.property(anyGuid, anyNumber, (mailbox, change) => {
      const key = presentChangeKey(mailbox, change)
      assert.match(key, /^CQAAABYAAA[A-Za-z0-9+/]{30}$/)
      const bytes = Buffer.from(key, 'base64')
      assert.equal(bytes.toString('base64'), key)
      assert.equal(bytes.toString('hex', 0, 8), '0900000016000000')
      assert.deepEqual(bytes.subarray(8, 24), bytesOf(presentFolderId(mailbox, 1 as FolderId)).subarray(65, 81))
      assert.equal(bytes.readUIntBE(24, 6), change)
    }),
  )
})

test('every id is read back to the numbers it was made of', () => {
  fc.assert(
    fc.property(anyGuid, anyPlace, anyNumber, (mailbox, place, number) => {
      const { id: message, folder } = place
      const mailboxGuid = mailbox.guid
      const attachment = number as AttachmentId
      const byDefault = { kind: 'message', mailboxGuid, folder, message, moves: place.moves % 256 }
      const immutable = { kind: 'immutable', mailboxGuid, message }

      assert.deepEqual(readItemId(mailbox, presentMessageId(mailbox, place)), byDefault)
      assert.deepEqual(readItemId(mailbox, presentFolderId(mailbox, folder)), { kind: 'folder', mailboxGuid, folder })
      assert.deepEqual(readItemId(mailbox, presentImmutableId(mailbox, message)), immutable)
      assert.deepEqual(readItemId(mailbox, presentAttachmentId(mailbox, place, attachment)), {
        kind: 'attachment',
        mailboxGuid,
        item: byDefault,
        attachment,
      })
      assert.deepEqual(readItemId(mailbox, presentImmutableAttachmentId(mailbox, message, attachment)), {
        kind: 'attachment',
        mailboxGuid,
        item: immutable,
        attachment,
      })
    }),
  )
})

test('every id keeps to the alphabet, and encodes as bytes do', () => {
  fc.assert(
    fc.property(anyGuid, anyPlace, anyNumber, (mailbox, place, number) => {
      for (const id of idsOf(mailbox, place, number as AttachmentId)) {
        assert.match(id, /^AA[A-Za-z0-9_-]+=?$/)
        const canonical = bytesOf(id).toString('base64').replaceAll('/', '-').replaceAll('+', '_')
        assert.equal(id, canonical)
      }
    }),
  )
})

test('a message that moves gets another default id and keeps the immutable one', () => {
  const moved = { ...place, folder: 0x10a as FolderId, moves: 3 }
  const back = { ...place, moves: 4 }
  const ids = new Set([place, moved, back].map((message) => presentMessageId(mailbox, message)))
  assert.equal(ids.size, 3)

  const old = readItemId(mailbox, presentMessageId(mailbox, place))
  assert.ok(old?.kind === 'message')
  assert.equal(isCurrent(old, place), true)
  assert.equal(isCurrent(old, moved), false)
  assert.equal(isCurrent(old, back), false)
  assert.equal(isCurrent(old, { ...place, moves: place.moves + 256 }), true, 'moves are counted modulo 256')
})

test('an id of another mailbox is well-formed and names that mailbox where it can', () => {
  const read = readItemId(mailbox, presentMessageId(other, place))
  assert.equal(read?.mailboxGuid, other.guid)
  assert.equal(read?.kind, 'message')
  assert.equal(readItemId(mailbox, presentFolderId(other, place.folder))?.mailboxGuid, other.guid)
  assert.equal(readItemId(mailbox, presentAttachmentId(other, place, attachment))?.mailboxGuid, other.guid)

  for (const id of [presentImmutableId(other, place.id), presentImmutableAttachmentId(other, place.id, attachment)]) {
    const foreign = readItemId(mailbox, id)
    assert.ok(foreign !== undefined)
    assert.equal(foreign.mailboxGuid, undefined)
  }
})

test('changing any one character of a default id makes it malformed or another place of the same mailbox', () => {
  const original = [presentMessageId(mailbox, place), presentFolderId(mailbox, place.folder)]
  const counters = [
    [108, 116],
    [140, 148],
  ]
  for (const id of original) {
    for (let i = 0; i < id.length; i++) {
      for (const char of 'Ab9-_=+/ é') {
        if (char === id[i]) continue
        const read = readItemId(mailbox, id.slice(0, i) + char + id.slice(i + 1))
        const inCounter = counters.some(([from = 0, to = 0]) => i >= from && i < to)
        if (!inCounter) assert.equal(read, undefined, `${char} at ${i}`)
        else if (read !== undefined) assert.notDeepEqual(read, readItemId(mailbox, id))
      }
    }
  }
})

test('changing any character of an attachment id makes it malformed or the id under another place of the message', () => {
  fc.assert(
    fc.property(
      anyGuid,
      anyPlace,
      anyNumber,
      fc.nat(179),
      fc.constantFrom(...'AZaz09-_='),
      (mailbox, place, n, i, char) => {
        const id = presentAttachmentId(mailbox, place, n as AttachmentId)
        fc.pre(id[i] !== char)
        const read = readItemId(mailbox, id.slice(0, i) + char + id.slice(i + 1))
        assert.equal(readItemId(mailbox, id.toLowerCase()), undefined)
        if (read === undefined) return
        assert.ok(read.kind === 'attachment' && read.item.kind === 'message')
        assert.equal(read.item.message, place.id)
        assert.notDeepEqual([read.item.folder, read.item.moves], [place.folder, place.moves % 256])
      },
    ),
  )
})

test('a mutated immutable id never reads as the same message of the mailbox', () => {
  fc.assert(
    fc.property(anyPlace, anyNumber, fc.nat(95), fc.constantFrom(...'AZaz09-_='), ({ id: message }, n, i, char) => {
      for (const id of [
        presentImmutableId(mailbox, message),
        presentImmutableAttachmentId(mailbox, message, n as AttachmentId),
      ]) {
        if (i >= id.length || id[i] === char) continue
        const read = readItemId(mailbox, id.slice(0, i) + char + id.slice(i + 1))
        assert.notDeepEqual(read, readItemId(mailbox, id))
        if (read?.kind === 'attachment') assert.equal(read.mailboxGuid, undefined)
      }
    }),
  )
})

test('text that is no id is malformed, whatever it is', () => {
  const id = presentMessageId(mailbox, place)
  for (const text of ['', 'inbox', id.slice(1), `${id}=`, id.replace('=', 'A'), '<1@example.com>', 'A'.repeat(152)]) {
    assert.equal(readItemId(mailbox, text), undefined)
  }
  fc.assert(
    fc.property(
      fc.constantFrom(68, 96, 120, 152, 180),
      fc.string({ minLength: 180, maxLength: 180 }),
      (length, text) => {
        assert.equal(readItemId(mailbox, text.slice(0, length)), undefined)
      },
    ),
  )
})

test('a guid that is none makes an id malformed', () => {
  assert.equal(readItemId(mailbox, presentMessageId({ guid: 'Z'.repeat(36) }, place)), undefined)
})

test('a message number above 40 bits is refused rather than cut', () => {
  assert.throws(() => presentMessageId(mailbox, { ...place, id: (2 ** 40) as MessageId }), RangeError)
  assert.throws(() => presentFolderId(mailbox, (2 ** 48) as FolderId), RangeError)
})

test('webLink writes the id as ordinary base64, percent-encoded', () => {
  fc.assert(
    fc.property(anyGuid, anyPlace, (mailbox, place) => {
      const id = presentMessageId(mailbox, place)
      const link = webLink(id)
      const url = new URL(link)
      assert.equal(url.origin + url.pathname, 'https://outlook.office365.com/owa/')
      assert.deepEqual(Buffer.from(url.searchParams.get('ItemID') ?? '', 'base64'), bytesOf(id))
      assert.match(link, /\?ItemID=[A-Za-z0-9%]+%3D&exvsurl=1&viewmodel=ReadMessageItem$/)
    }),
  )
})

function idsOf(mailbox: { guid: string }, at: typeof place, attachment: AttachmentId): string[] {
  return [
    presentMessageId(mailbox, at),
    presentFolderId(mailbox, at.folder),
    presentImmutableId(mailbox, at.id),
    presentAttachmentId(mailbox, at, attachment),
    presentImmutableAttachmentId(mailbox, at.id, attachment),
    presentConversationId(mailbox, conversation),
  ]
}
