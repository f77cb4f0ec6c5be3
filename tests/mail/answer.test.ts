import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type AnswerKind, prepareAnswer } from '../../src/mail/answer.js'
import { contentIdsIn } from '../../src/mail/content-ids.js'
import { createDraft } from '../../src/mail/create-draft.js'
import { emptyDraft } from '../../src/mail/empty-draft.js'
import type { Mailbox } from '../../src/mail/mailbox.js'
import type { Draft, EmailAddress, Message } from '../../src/mail/message.js'
import { parseMime } from '../../src/mail/mime/parse.js'
import { openPostOffice, type PostOffice, to } from '../outbox/delivery-fixture.js'
import { sampleFile, sampleMessage } from './mime/sample-message.js'

const kinds: readonly AnswerKind[] = ['reply', 'replyAll', 'forward']
const me = 'me@example.com'
const ada = { name: 'Ada King', address: 'ada@example.com' }

interface Desk {
  readonly office: PostOffice
  readonly mailbox: Mailbox
}

async function desk(t: TestContext): Promise<Desk> {
  const office = await openPostOffice(t)
  return { office, mailbox: { ...(await office.mailbox('upn@example.com')), address: me } }
}

function answer(
  { office, mailbox }: Desk,
  original: Message,
  kind: AnswerKind,
  parts: Partial<Draft> = {},
  comment = '',
) {
  return prepareAnswer(office.mail, mailbox, original, kind, { comment, parts, timeZone: 'UTC' })
}

const addresses = (recipients: readonly EmailAddress[]) => recipients.map(({ address }) => address)

const addressed: readonly {
  readonly what: string
  readonly original: Parameters<typeof sampleMessage>[0]
  readonly reply: string[]
  readonly replyAll: [to: string[], cc: string[]]
}[] = [
  {
    what: 'a mail to me alone',
    original: { toRecipients: to(me) },
    reply: [ada.address],
    replyAll: [[ada.address], []],
  },
  {
    what: 'a mail to me and others, under both of my names and in other letters',
    original: {
      toRecipients: to('UPN@example.com', 'bob@example.com'),
      ccRecipients: to('ME@Example.com', 'cy@example.com'),
    },
    reply: [ada.address],
    replyAll: [[ada.address, 'bob@example.com'], ['cy@example.com']],
  },
  {
    what: 'addresses named twice, in other letters, and in both lists',
    original: {
      replyTo: to('desk@example.com', 'DESK@example.com'),
      toRecipients: to('bob@example.com', 'Bob@example.com', 'desk@example.com'),
      ccRecipients: to('BOB@example.com', 'cy@example.com', 'cy@example.com'),
    },
    reply: ['desk@example.com'],
    replyAll: [['desk@example.com', 'bob@example.com'], ['cy@example.com']],
  },
  {
    what: 'answers wanted by me among others',
    original: { replyTo: to(me, 'desk@example.com'), toRecipients: to(me) },
    reply: ['desk@example.com'],
    replyAll: [['desk@example.com'], []],
  },
  {
    what: 'answers wanted by nobody but me',
    original: { replyTo: to(me), toRecipients: to(me) },
    reply: [me],
    replyAll: [[me], []],
  },
  {
    what: 'my own mail',
    original: {
      from: { address: 'Me@example.com' },
      toRecipients: to('bob@example.com', me),
      ccRecipients: to('cy@example.com'),
    },
    reply: ['bob@example.com'],
    replyAll: [['bob@example.com'], ['cy@example.com']],
  },
  {
    what: 'my own mail to hidden recipients',
    original: { from: { address: me }, toRecipients: [], bccRecipients: to('bob@example.com') },
    reply: [me],
    replyAll: [[me], []],
  },
]

for (const { what, original, reply, replyAll } of addressed) {
  test(`recipients of answers to ${what}`, async (t) => {
    const place = await desk(t)
    const message = sampleMessage({ from: ada, ...original })
    const toAuthor = (await answer(place, message, 'reply')).draft
    assert.deepEqual([addresses(toAuthor.toRecipients), addresses(toAuthor.ccRecipients)], [reply, []])
    const toAll = (await answer(place, message, 'replyAll')).draft
    assert.deepEqual([addresses(toAll.toRecipients), addresses(toAll.ccRecipients)], replyAll)
    const forward = (await answer(place, message, 'forward')).draft
    assert.deepEqual([forward.toRecipients, forward.ccRecipients, forward.bccRecipients], [[], [], []])
  })
}

test('a mail that only names its sender is answered to it, one that names neither to nobody', async (t) => {
  const place = await desk(t)
  const { from: _, sender: __, ...content } = sampleMessage({ toRecipients: to(me) }).content
  const without = sampleMessage()
  const bySender = await answer(place, { ...without, content: { ...content, sender: ada } }, 'reply')
  assert.deepEqual(bySender.draft.toRecipients, [ada])
  assert.deepEqual((await answer(place, { ...without, content }, 'replyAll')).draft.toRecipients, [])
})

test('given recipients replace those of To, and nobody is left in Cc who is in To now', async (t) => {
  const place = await desk(t)
  const message = sampleMessage({
    from: ada,
    toRecipients: to(me),
    ccRecipients: to('cy@example.com', 'dee@example.com'),
  })
  const given = (await answer(place, message, 'replyAll', { toRecipients: to('CY@example.com') })).draft
  assert.deepEqual(
    [addresses(given.toRecipients), addresses(given.ccRecipients)],
    [['CY@example.com'], ['dee@example.com']],
  )
  const noCc = (await answer(place, message, 'replyAll', { ccRecipients: [] })).draft
  assert.deepEqual([addresses(noCc.toRecipients), noCc.ccRecipients], [[ada.address], []])
  const empty = (await answer(place, message, 'reply', { toRecipients: [] })).draft
  assert.deepEqual(empty.toRecipients, [ada])
})

test('the author is the owner of the mailbox, and the answer is read, of normal importance, in the thread', async (t) => {
  const place = await desk(t)
  const message = sampleMessage({ from: ada }, { importance: 'high' })
  for (const kind of kinds) {
    const { draft, options } = await answer(place, message, kind)
    const owner = { name: place.mailbox.displayName, address: me }
    assert.deepEqual([draft.from, draft.sender], [owner, owner])
    assert.equal(draft.isRead, true)
    assert.equal(draft.importance, kind === 'forward' ? 'high' : 'normal')
    assert.equal(draft.inReplyTo, message.internetMessageId)
    assert.equal(draft.internetMessageId, undefined)
    assert.equal(options.conversation.id, message.conversation.id)
    assert.deepEqual(options.answers, { message: message.id, verb: { reply: 102, replyAll: 103, forward: 104 }[kind] })
  }
})

test('a draft is not answered', async (t) => {
  const place = await desk(t)
  for (const kind of kinds) {
    await assert.rejects(answer(place, sampleMessage({}, { isDraft: true }), kind), { code: 'referenceInvalid' })
  }
})

test('references go on from the original, the first and the latest when there are many', async (t) => {
  const place = await desk(t)
  const id = '<original@example.com>'
  const referencesOf = async (content: Parameters<typeof sampleMessage>[0]) =>
    (await answer(place, sampleMessage(content, { internetMessageId: id }), 'reply')).draft.references
  assert.equal(await referencesOf({}), id)
  assert.equal(await referencesOf({ references: '<a@x> <b@x>', inReplyTo: '<b@x>' }), `<a@x> <b@x> ${id}`)
  assert.equal(await referencesOf({ inReplyTo: '<b@x>' }), `<b@x> ${id}`)
  assert.equal(await referencesOf({ references: `<a@x> ${id} <a@x> <b@x>` }), `<a@x> <b@x> ${id}`)
  const many = Array.from({ length: 400 }, (_, index) => `<${index}@x>`)
  const kept = (await referencesOf({ references: many.join(' ') }))?.split(' ') ?? []
  assert.deepEqual([kept.length, kept[0], kept[1], kept.at(-2), kept.at(-1)], [20, '<0@x>', '<382@x>', '<399@x>', id])
})

test('references that were set by MAPI property are gone on from', async (t) => {
  const place = await desk(t)
  const message = sampleMessage({
    references: '<other@x>',
    singleValueExtendedProperties: [
      { id: 'String 0x1039', value: '<a@x> <b@x>' },
      { id: 'String 0x1042', value: '<b@x>' },
    ],
  })
  const { draft } = await answer(place, message, 'reply')
  assert.equal(draft.references, `<a@x> <b@x> ${message.internetMessageId}`)
})

test('a body that is given is the whole body; an empty one beside a comment says nothing', async (t) => {
  const place = await desk(t)
  const body = { contentType: 'text', content: 'mine' } as const
  assert.deepEqual((await answer(place, sampleMessage(), 'reply', { body })).draft.body, body)
  const { draft } = await answer(place, sampleMessage(), 'reply', { body: { ...body, content: '' } }, 'a comment')
  assert.match(draft.body.content, /a comment .*divRplyFwdMsg/)
})

const picture = (contentId: string) =>
  sampleFile(`${contentId}.png`, Buffer.from(contentId), { isInline: true, contentId, contentType: 'image/png' })

test('a reply carries the pictures its body shows, however they are named there, and none it brings itself', async (t) => {
  const place = await desk(t)
  const shown = ['plain@x', 'two words@x', 'a&b@x', 'in(parens).png@x', 'style@x', 'own@x']
  const original = await createDraft(
    place.office.mail,
    place.mailbox,
    {
      ...emptyDraft(),
      body: {
        contentType: 'html',
        content:
          '<img src="CID:plain@x"><img src=\'cid:two%20words@x\'><img src="cid:a&amp;b@x"><img src="cid:in(parens).png@x"><img src=cid:own@x>' +
          '<div style="background:url(cid:style@x)">cid:%zz in words</div><img src="cid:b10@x">',
      },
      attachments: [...shown, 'b1', 'b10', 'unused@x'].map(picture).concat(sampleFile('plain.pdf', Buffer.from('x'))),
    },
    { imported: {} },
  )
  const carried = async (kind: AnswerKind, parts: Partial<Draft> = {}) =>
    (await answer(place, original, kind, parts)).options.carried.map(({ name }) => name.replace(/\.png$/, ''))
  const names = shown.map((name) => name.replace(/\.png$/, ''))
  assert.deepEqual(await carried('reply'), names)
  assert.deepEqual(await carried('replyAll', { attachments: [picture('own@x')] }), names.slice(0, -1))
  assert.equal((await carried('forward')).length, 10)
  assert.deepEqual(await carried('reply', { body: { contentType: 'html', content: 'no picture' } }), [])
  assert.deepEqual(await carried('reply', { body: { contentType: 'text', content: 'cid:plain@x' } }), [])
})

test('content ids are found in one pass', () => {
  const ids = contentIdsIn('cid:'.repeat(800_000))
  assert.ok(ids.size < 10)
})

const signed = [
  'From: Somebody <else@example.com>',
  'To: stranger@example.com',
  'Cc: other@example.com',
  'Bcc: hidden@example.com',
  'Subject: Re: signed',
  'Message-ID: <mine@example.com>',
  'In-Reply-To: <wrong@example.com>',
  'References: <wrong@example.com>',
  'Thread-Index: AQ==',
  'Date: Sun, 28 Feb 2021 07:15:00 +0000',
  'X-Own: kept',
  'MIME-Version: 1.0',
  'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="b"',
]
const signedBody = [
  'This line stands before the first part.',
  '--b',
  'Content-Type: text/plain',
  '',
  'signed  text =20',
  '',
  '--b',
  'Content-Type: application/pkcs7-signature; name=smime.p7s',
  'Content-Transfer-Encoding: base64',
  '',
  'AAAA',
  '--b--',
  '',
]
const mimeOf = (fields: readonly string[], lineEnd = '\r\n') =>
  Buffer.from([...fields, '', ...signedBody].join(lineEnd))

async function inMime({ office, mailbox }: Desk, original: Message, kind: AnswerKind, mime: Buffer) {
  return prepareAnswer(office.mail, mailbox, original, kind, { mime: await parseMime(mime) })
}

/** The header of a message as lines, and what stands below it. */
function taken(mime: Uint8Array | undefined): { fields: string[]; body: string } {
  const text = Buffer.from(mime ?? []).toString()
  const end = text.indexOf('\r\n\r\n')
  return {
    fields: text
      .slice(0, end)
      .replace(/\r\n[ \t]/g, ' ')
      .split('\r\n'),
    body: text.slice(end + 4),
  }
}

test('an answer in MIME keeps its body byte for byte, under the header of the answer', async (t) => {
  const place = await desk(t)
  const original = sampleMessage({ from: ada, toRecipients: to(me), ccRecipients: to('cy@example.com') })
  for (const kind of kinds) {
    for (const lineEnd of ['\r\n', '\n']) {
      const { draft, options } = await inMime(place, original, kind, mimeOf(signed, lineEnd))
      const { fields, body } = taken(draft.mime)
      assert.equal(body, signedBody.join('\r\n'))
      assert.deepEqual(options.carried, [])
      const named = kind === 'forward' ? ['stranger@example.com', 'other@example.com'] : [ada.address, 'cy@example.com']
      assert.deepEqual(addresses(draft.toRecipients), named.slice(0, 1))
      assert.deepEqual(addresses(draft.ccRecipients), kind === 'reply' ? [] : named.slice(1))
      assert.deepEqual(addresses(draft.bccRecipients), kind === 'forward' ? ['hidden@example.com'] : [])
      const field = (name: string) => fields.filter((line) => line.toLowerCase().startsWith(`${name}:`))
      assert.equal(field('from').length, 1)
      assert.match(field('from')[0] ?? '', /<me@example\.com>/)
      assert.equal(field('to').length, 1)
      assert.ok(field('to')[0]?.includes(named[0] ?? '-'))
      assert.equal(field('cc').length, kind === 'reply' ? 0 : 1)
      assert.equal(field('bcc').length, kind === 'forward' ? 1 : 0)
      assert.deepEqual(field('in-reply-to'), [`In-Reply-To: ${original.internetMessageId}`])
      assert.deepEqual(field('references'), [`References: ${original.internetMessageId}`])
      assert.deepEqual(field('thread-index'), [`Thread-Index: ${options.conversation.index}`])
      assert.deepEqual(field('subject'), ['Subject: Re: signed'])
      assert.deepEqual(field('x-own'), ['X-Own: kept'])
      assert.equal(draft.subject, 'Re: signed')
      assert.equal(draft.internetMessageId, '<mine@example.com>')
      assert.equal(draft.sentAt, Date.UTC(2021, 1, 28, 7, 15))
    }
  }
})

test('the MIME of the original, sent back, is a message with an id of its own, and a subject where it had none', async (t) => {
  const place = await desk(t)
  const original = sampleMessage({ from: ada }, { internetMessageId: '<mine@example.com>' })
  const fields = signed.filter((line) => !line.startsWith('Subject'))
  const { draft } = await inMime(place, original, 'reply', mimeOf(fields))
  assert.equal(draft.internetMessageId, undefined)
  assert.equal(draft.subject, 'RE: Lunch?')
  const shown = taken(draft.mime).fields
  assert.ok(shown.includes('Subject: RE: Lunch?'))
  assert.ok(!shown.some((line) => /^Message-ID/i.test(line)))
})

test('a header that grows beyond what can be sent is refused before anything is kept', async (t) => {
  const place = await desk(t)
  const original = sampleMessage({
    from: ada,
    toRecipients: to(...Array.from({ length: 400 }, (_, index) => `${index}@example.com`)),
  })
  const fields = [...signed, ...Array.from({ length: 980 }, (_, index) => `X-${index}: ${index}`)]
  await assert.rejects(inMime(place, original, 'replyAll', mimeOf(fields)), { code: 'mimeInvalid' })
})
