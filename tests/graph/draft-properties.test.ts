/** Any draft that is accepted comes out as it went in: on every reading, in its MIME, and as others receive it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { domainToUnicode } from 'node:url'
import fc from 'fast-check'
import { type AddressObject, type Attachment, type ParsedMail, simpleParser } from 'mailparser'
import { startSmtpSink } from '../support/scripted-smtp.js'
import { type Answer, type Client, startServer } from '../support/start-server.js'
import { type AnyDraft, type AnyMessage, type AnyPerson, anyBody, anyChange, anyDraft, jsonOf } from './any-draft.js'

/** How many drafts; a failure prints the seed and path that repeat it. */
const checked = {
  numRuns: Number(process.env.GRAPHPOST_PROPERTY_RUNS ?? 60),
  includeErrorInReport: true,
  // Looking for a smaller counterexample ends then too.
  interruptAfterTimeLimit: 120_000,
}

const asImmutable = { Prefer: 'IdType="ImmutableId"' }
const anyway = { Prefer: 'IdType="ImmutableId", outlook.allow-unsafe-html' }

async function created(client: Client, draft: Partial<AnyDraft>): Promise<Answer['json']> {
  const answer = await client.post('/me/messages', jsonOf(draft), asImmutable)
  assert.equal(answer.status, 201, answer.text)
  return answer.json
}

/** A draft without recipients is kept, but not sent. */
function sendable(draft: AnyDraft): boolean {
  return draft.toRecipients.length + draft.ccRecipients.length + draft.bccRecipients.length > 0
}

test('what was written is read back, in the draft and in its attachments', async (t) => {
  const adele = await (await startServer(t)).user('adele@contoso.com')
  await fc.assert(
    fc.asyncProperty(anyDraft, async (draft) => {
      const { id } = await created(adele, draft)
      const { json } = await adele.get(`/me/messages/${id}`, anyway)
      assert.equal(json.isDraft, true)
      assertShown(json, draft)
      for (const name of ['categories', 'isRead', 'isReadReceiptRequested', 'flag'] as const) {
        assert.deepEqual(json[name], draft[name])
      }
      assert.equal(
        json.hasAttachments,
        draft.attachments.some((one) => one.kind === 'item' || !one.isInline),
      )
      assertAttachments(await attachmentsOf(adele, id), draft.attachments)
    }),
    checked,
  )
})

/** Every attachment, attached messages with what they hold. */
async function attachmentsOf(client: Client, id: string): Promise<Json[]> {
  const { value } = (await client.get(`/me/messages/${id}/attachments`, asImmutable)).json
  const expanded = value.map(async (attachment: Json) => {
    const path = `/me/messages/${id}/attachments/${attachment.id}?$expand=microsoft.graph.itemAttachment/item`
    return attachment['@odata.type'].endsWith('itemAttachment') ? (await client.get(path, anyway)).json : attachment
  })
  return Promise.all(expanded)
}

type Json = ReturnType<typeof JSON.parse>

function assertShown(shown: Json, said: AnyMessage): void {
  assert.equal(shown.subject, said.subject)
  assert.equal(shown.importance, said.importance)
  assert.equal(shown.body.contentType, said.body.contentType)
  if (said.body.contentType === 'text') assert.equal(shown.body.content, said.body.content)
  for (const list of ['toRecipients', 'ccRecipients', 'bccRecipients', 'replyTo'] as const) {
    const emailAddresses = (shown[list] ?? []).map(({ emailAddress }: { emailAddress: object }) => emailAddress)
    const expected = said[list].map(({ name, address }) => ({ name: name === '' ? address : name, address }))
    assert.deepEqual(emailAddresses, expected, list)
  }
}

/** Nested attachments are shown with the message that holds them. */
function assertAttachments(shown: readonly Json[], said: AnyMessage['attachments']): void {
  assert.deepEqual(
    shown.map(({ name }) => name),
    said.map(({ name }) => name),
  )
  for (const [index, attachment] of said.entries()) {
    const json = shown[index]
    if (attachment.kind === 'item') {
      assert.equal(json['@odata.type'], '#microsoft.graph.itemAttachment')
      assertShown(json.item, attachment.message)
      assertAttachments(json.item.attachments ?? [], attachment.message.attachments)
      continue
    }
    const { contentType, isInline, contentId, bytes } = attachment
    assert.deepEqual([json.contentType, json.isInline, json.contentId], [contentType, isInline, contentId])
    assert.equal(json.size, bytes.length)
    assert.equal(hash(Buffer.from(json.contentBytes, 'base64')), hash(bytes))
  }
}

test('a draft that was sent is read by an independent parser as it was written', async (t) => {
  const adele = await (await startServer(t)).user('adele@contoso.com')
  await fc.assert(
    fc.asyncProperty(anyDraft.filter(sendable), async (draft) => {
      const { id, internetMessageId } = await created(adele, draft)
      await assertMime(await mimeOf(adele, id), draft, { hasBcc: true })
      const sent = await adele.call('POST', `/me/messages/${id}/send`, { body: '' })
      assert.equal(sent.status, 202, sent.text)
      const mime = await mimeOf(adele, id)
      const mail = await assertMime(mime, draft, { hasBcc: true })
      await assertOwnHeaders(mail, draft)
      assert.equal(mail.messageId, internetMessageId)
      assert.equal(mail.from?.value[0]?.address, 'adele@contoso.com')
      assertLines(mime)
    }),
    checked,
  )
})

test('others receive what was written, as the same bytes each, and see nobody who was hidden', async (t) => {
  const sink = await startSmtpSink(t)
  const server = await startServer(t, { relay: sink.url })
  const adele = await server.user('adele@contoso.com')
  const alex = await server.user('alex@contoso.com')
  const here = { name: 'Alex', address: 'alex@contoso.com' }
  await fc.assert(
    fc.asyncProperty(anyDraft, async (draft) => {
      const said = withPlainAddresses({ ...draft, bccRecipients: [...draft.bccRecipients, here] })
      const before = sink.received.length
      const { id, internetMessageId } = await created(adele, said)
      const answer = await adele.call('POST', `/me/messages/${id}/send`, { body: '' })
      assert.equal(answer.status, 202, answer.text)
      await server.graphpost.drainOutbox(10_000)

      const [copy] = (await alex.get('/me/messages?$top=1&$orderby=receivedDateTime desc')).json.value
      assert.equal(copy.internetMessageId, internetMessageId)
      await assertMime(await mimeOf(alex, copy.id), said, { hasBcc: false })
      const relayed = sink.received.slice(before)
      for (const { mailFrom, bytes } of relayed) {
        assert.equal(mailFrom, 'adele@contoso.com')
        assert.ok(bytes.equals(relayed[0]?.bytes ?? bytes))
        assertLines(bytes)
        await assertOwnHeaders(await assertMime(bytes, said, { hasBcc: false }), said)
      }
      assert.deepEqual(relayed.flatMap(({ rcptTo }) => rcptTo).sort(), everyAddress(said, here.address))
      server.clock.advance(1_000)
    }),
    checked,
  )
})

/** A relay is asked by the domain's ASCII form, and not every one takes quotes: what is tested here is the message. */
function withPlainAddresses<Said extends AnyMessage>(said: Said): Said {
  const plain = (people: readonly AnyPerson[]) =>
    people.map(({ name, address }, index) => ({
      name,
      address: /^[a-z.]+@[a-z.]+$/.test(address) ? address : `person${index}@example.net`,
    }))
  const { toRecipients, ccRecipients, bccRecipients } = said
  return {
    ...said,
    toRecipients: plain(toRecipients),
    ccRecipients: plain(ccRecipients),
    bccRecipients: bccRecipients.length === 0 ? [] : [...plain(bccRecipients.slice(0, -1)), ...bccRecipients.slice(-1)],
  }
}

/** Once each, but for the one who is not reached by the relay. */
function everyAddress(said: AnyMessage, local: string): string[] {
  const people = [...said.toRecipients, ...said.ccRecipients, ...said.bccRecipients]
  return [...new Set(people.map(({ address }) => address))].filter((address) => address !== local).sort()
}

test('an update makes a draft what it would be, had it been made so', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  await fc.assert(
    fc.asyncProperty(anyDraft, anyChange, async (draft, change) => {
      const { id } = await created(adele, draft)
      const { status, json, text } = await patch(adele, id, jsonOf(change))
      assert.equal(status, 200, text)
      const made = await created(adele, { ...draft, ...change })
      assert.deepEqual(withoutIdentity(json), withoutIdentity(made))
      const read = (await adele.get(`/me/messages/${id}`, asImmutable)).json
      assert.deepEqual(withoutIdentity(read), withoutIdentity(made))
      assertAttachments(await attachmentsOf(adele, id), draft.attachments)
      await assertMime(await mimeOf(adele, id), { ...draft, ...change }, { hasBcc: true })
    }),
    checked,
  )
})

function patch(client: Client, id: string, body: object): Promise<Answer> {
  const headers = { 'Content-Type': 'application/json', ...asImmutable }
  return client.call('PATCH', `/me/messages/${id}`, { headers, body: JSON.stringify(body) })
}

/** What two drafts that say the same differ in, beside their dates. */
const identity = new Set([
  '@odata.etag',
  'id',
  'changeKey',
  'webLink',
  'internetMessageId',
  'conversationId',
  'conversationIndex',
])

function withoutIdentity(message: Json): Json {
  return Object.fromEntries(
    Object.entries(message).filter(([name]) => !identity.has(name) && !name.endsWith('DateTime')),
  )
}

test('a body that was read can be written back, and is read the same again', async (t) => {
  const adele = await (await startServer(t)).user('adele@contoso.com')
  const { id } = await created(adele, {})
  await fc.assert(
    fc.asyncProperty(anyBody, async (body) => {
      const first = await patch(adele, id, { body })
      assert.equal(first.status, 200, first.text)
      const second = await patch(adele, id, { body: first.json.body })
      assert.deepEqual(second.json.body, first.json.body)
      assert.equal(second.json.bodyPreview, first.json.bodyPreview)
    }),
    checked,
  )
})

async function mimeOf(client: Client, id: string): Promise<Buffer> {
  const { status, text } = await client.get(`/me/messages/${id}/$value`)
  assert.equal(status, 200, text)
  return Buffer.from(text)
}

/** RFC 5322 §2.1.1, and no line end that is only half of one. */
function assertLines(mime: Buffer): void {
  const text = mime.toString('latin1')
  assert.doesNotMatch(text, /\r(?!\n)|(?<!\r)\n|\0/)
  assert.ok(text.split('\r\n').every((line) => line.length <= 998))
}

/** The parser's own view of a message, compared with what its author said. */
async function assertMime(mime: Buffer, said: AnyMessage, { hasBcc }: { hasBcc: boolean }): Promise<ParsedMail> {
  const mail = await simpleParser(mime, { skipImageLinks: true, skipTextToHtml: true })
  assert.equal(mail.subject?.trim() ?? '', said.subject.trim())
  assert.deepEqual(peopleIn(mail.to), peopleOf(said.toRecipients), 'To')
  assert.deepEqual(peopleIn(mail.cc), peopleOf(said.ccRecipients), 'Cc')
  assert.deepEqual(peopleIn(mail.bcc), hasBcc ? peopleOf(said.bccRecipients) : [], 'Bcc')
  assert.deepEqual(peopleIn(mail.replyTo), peopleOf(said.replyTo), 'Reply-To')
  if (said.body.contentType === 'text') {
    assert.equal(lines(mail.text ?? ''), lines(said.body.content))
    assert.equal(mail.html, false)
  } else {
    assert.equal(lines(mail.html || ''), lines(said.body.content))
  }
  await assertParts(mail.attachments, said.attachments)
  return mail
}

async function assertOwnHeaders({ headers }: ParsedMail, { internetMessageHeaders }: AnyDraft): Promise<void> {
  for (const { name, value } of internetMessageHeaders) {
    // The parser decodes words only in the fields it knows.
    const { subject = '' } = await simpleParser(`Subject: ${headers.get(name.toLowerCase()) ?? ''}\r\n\r\n`)
    assert.equal(subject.trim(), value.trim(), name)
  }
}

async function assertParts(parts: readonly Attachment[], said: AnyMessage['attachments']): Promise<void> {
  const left = [...parts]
  for (const attachment of said) {
    // Several may have one name, and a picture that HTML shows stands before what is merely attached.
    const isIt = ({ filename, content }: Attachment) =>
      filename === fileNameOf(attachment) && (attachment.kind === 'item' || content.equals(attachment.bytes))
    const at = left.findIndex((part) => isIt(part) && part.contentDisposition === dispositionOf(attachment))
    assert.notEqual(at, -1, `${attachment.name} in ${left.map(({ filename }) => filename)}`)
    const [part] = left.splice(at, 1)
    if (part === undefined) continue
    if (attachment.kind === 'item') {
      assert.equal(part.contentType, 'message/rfc822')
      await assertMime(part.content, attachment.message, { hasBcc: false })
      continue
    }
    assert.equal(part.contentType, attachment.contentType)
    assert.equal(part.cid ?? null, attachment.contentId)
  }
  assert.deepEqual(left, [])
}

function dispositionOf(attachment: AnyMessage['attachments'][number]): string {
  return attachment.kind === 'file' && attachment.isInline ? 'inline' : 'attachment'
}

function fileNameOf({ kind, name }: AnyMessage['attachments'][number]): string {
  return kind === 'file' || name.toLowerCase().endsWith('.eml') ? name : `${name}.eml`
}

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
/** Every line end is one in mail, and a message ends with one whether its author wrote it or not. */
const lines = (text: string) => text.replace(/\r*\n|\r/g, '\n').replace(/\n$/, '')

/** Readers show an address without the quotes of its local part, its domain in Unicode, and a name that repeats it not. */
function addressAndName(address: string, name: string): [address: string, name: string] {
  const shown = (text: string) =>
    text.replace(/^"(.*)"@/, '$1@').replace(/@([^@]*xn--[^@]*)$/, (_, domain: string) => `@${domainToUnicode(domain)}`)
  return [shown(address), shown(name) === shown(address) ? '' : name.trim()]
}

function peopleIn(field: AddressObject | AddressObject[] | undefined): string[][] {
  const people = [field ?? []].flat().flatMap(({ value }) => value.map(({ address = '', name }) => ({ address, name })))
  // A group without members is nobody; it is what a message to hidden recipients alone is addressed to.
  const named = people.filter(({ address, name }) => address !== '' || name !== 'undisclosed-recipients')
  return named.map(({ address, name }) => addressAndName(address, name))
}

function peopleOf(people: readonly AnyPerson[]): string[][] {
  return people.map(({ address, name }) => addressAndName(address, name))
}
