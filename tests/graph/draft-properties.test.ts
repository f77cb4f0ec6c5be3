/** Any draft that is accepted comes out as it went in, by whoever reads the mail. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser'
import { type Client, startServer } from '../support/start-server.js'

/** More with GRAPHPOST_PROPERTY_RUNS. */
const runs = Number(process.env.GRAPHPOST_PROPERTY_RUNS ?? 60)

/** Well-formed Unicode on one line: a subject or a name may hold no controls, and ends may not be blank. */
const line = (maxLength: number) =>
  fc.string({ unit: 'grapheme', maxLength }).map((text) => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '').trim())

const local = fc.stringMatching(/^[a-z0-9]([a-z0-9._+-]{0,20}[a-z0-9])?$/).filter((text) => !text.includes('..'))
const address = fc
  .tuple(local, fc.constantFrom('example.com', 'example.org', 'mail.example.net'))
  .map((parts) => parts.join('@'))
const person = fc.record({ address, name: line(24) })
const people = (maxLength: number) =>
  fc.uniqueArray(person, { maxLength, selector: ({ address: key }) => key.toLowerCase() })

/** Lines as a person types them, long ones and dots at their beginning too. */
const textBody = fc
  .array(fc.oneof(line(80), fc.constant('.'), fc.constant('..dots'), fc.constant(''), fc.constant('x'.repeat(2_000))), {
    maxLength: 12,
  })
  .map((lines) => lines.join('\r\n'))

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const htmlBody = fc
  .array(line(60), { maxLength: 6 })
  .map((paragraphs) => paragraphs.map((text) => `<p>${escaped(text)}</p>`).join(''))

const body = fc.oneof(
  fc.record({ contentType: fc.constant('text'), content: textBody }),
  fc.record({ contentType: fc.constant('html'), content: htmlBody }),
)

const fileName = line(30)
  .map((text) => text.replace(/[/\\]/g, '_'))
  .filter((text) => text !== '' && text !== '.' && text !== '..')
const file = fc.record({
  name: fileName,
  bytes: fc.uint8Array({ maxLength: 4_000 }),
  contentType: fc.constantFrom('application/pdf', 'image/png', 'text/csv', 'application/octet-stream'),
})

const draftOf = fc.record({
  subject: line(120),
  body,
  to: people(4),
  cc: people(3),
  bcc: people(2),
  replyTo: people(2),
  importance: fc.constantFrom('low', 'normal', 'high'),
  headers: fc.uniqueArray(
    fc.record({
      name: fc.stringMatching(/^x-[a-z]{3,20}$/),
      value: fc.stringMatching(/^[ -~]{0,60}$/).map((text) => text.trim()),
    }),
    { maxLength: 3, selector: ({ name }) => name },
  ),
  files: fc.array(file, { maxLength: 3 }),
})

type AnyDraft = typeof draftOf extends fc.Arbitrary<infer Value> ? Value : never

function requestOf(draft: AnyDraft): object {
  const recipients = (list: AnyDraft['to']) =>
    list.map(({ name, address: at }) => ({ emailAddress: { address: at, ...(name === '' ? {} : { name }) } }))
  return {
    subject: draft.subject,
    body: draft.body,
    importance: draft.importance,
    toRecipients: recipients(draft.to),
    ccRecipients: recipients(draft.cc),
    bccRecipients: recipients(draft.bcc),
    replyTo: recipients(draft.replyTo),
    ...(draft.headers.length === 0 ? {} : { internetMessageHeaders: draft.headers }),
    attachments: draft.files.map(({ name, bytes, contentType }) => ({
      '@odata.type': '#microsoft.graph.fileAttachment',
      name,
      contentType,
      contentBytes: Buffer.from(bytes).toString('base64'),
    })),
  }
}

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

const addressesOf = (field: AddressObject | AddressObject[] | undefined) =>
  [field ?? []].flat().flatMap(({ value }) => value.map(({ address: at, name }) => ({ address: at, name })))

/** A person as a reader shows them: a name that is missing is the address, and blanks are one. */
const shown = (list: readonly { address?: string | undefined; name: string }[]) =>
  list.map(({ address: at, name }) => [at?.toLowerCase(), oneLine(name === at ? '' : name)])

const oneLine = (text: string) => text.normalize().replace(/\s+/g, ' ').trim()

async function parsedMime(client: Client, id: string): Promise<ParsedMail> {
  const answer = await client.get(`/me/messages/${id}/$value`)
  assert.equal(answer.status, 200)
  return simpleParser(answer.text)
}

test('create → get → send → $value → parse: subject, recipients, bodies and files are equal', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  await fc.assert(
    fc.asyncProperty(draftOf, async (draft) => {
      fc.pre(draft.to.length + draft.cc.length + draft.bcc.length > 0)
      const made = await adele.post('/me/messages', requestOf(draft))
      assert.equal(made.status, 201, made.text)
      const got = (await adele.get(`/me/messages/${made.json.id}`)).json
      assert.equal(got.subject, draft.subject)
      assert.equal(got.importance, draft.importance)
      assert.equal(got.hasAttachments, draft.files.length > 0)
      if (draft.body.contentType === 'text') assert.equal(got.body.content, draft.body.content)
      assert.deepEqual(
        got.toRecipients.map((item: { emailAddress: object }) => item.emailAddress),
        draft.to.map(({ name, address: at }) => ({ name: name === '' ? at : name, address: at })),
      )
      const sent = await adele.call('POST', `/me/messages/${made.json.id}/send`, { body: '' })
      assert.equal(sent.status, 202, sent.text)
      const [copy] = (await adele.get('/me/mailFolders/sentitems/messages?$top=1')).json.value
      assert.equal(copy.internetMessageId, made.json.internetMessageId)
      compare(draft, await parsedMime(adele, copy.id))
    }),
    { numRuns: runs, interruptAfterTimeLimit: 60_000 },
  )
})

function compare(draft: AnyDraft, mail: ParsedMail): void {
  assert.equal(oneLine(mail.subject ?? ''), oneLine(draft.subject))
  assert.deepEqual(shown(addressesOf(mail.to)), shown(draft.to))
  assert.deepEqual(shown(addressesOf(mail.cc)), shown(draft.cc))
  assert.deepEqual(shown(addressesOf(mail.bcc)), shown(draft.bcc))
  assert.deepEqual(shown(addressesOf(mail.replyTo)), shown(draft.replyTo))
  for (const { name, value } of draft.headers)
    assert.equal(oneLine(String(mail.headers.get(name) ?? '')), oneLine(value))
  if (draft.body.contentType === 'text') {
    assert.equal((mail.text ?? '').replace(/\r?\n/g, '\r\n').trimEnd(), draft.body.content.trimEnd())
  } else {
    assert.equal((mail.html || '').trimEnd(), draft.body.content.trimEnd())
  }
  assert.deepEqual(
    mail.attachments.map(({ filename, contentType, content }) => [filename?.normalize(), contentType, hash(content)]),
    draft.files.map(({ name, contentType, bytes }) => [name.normalize(), contentType, hash(bytes)]),
  )
}

test('what an update names is what is read afterwards, and nothing else has changed', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const changes = fc.record(
    {
      subject: line(60),
      importance: fc.constantFrom('low', 'normal', 'high'),
      isRead: fc.boolean(),
      categories: fc.array(line(12), { maxLength: 3 }),
      isReadReceiptRequested: fc.boolean(),
      body: fc.record({ contentType: fc.constant('text'), content: textBody }),
    },
    { requiredKeys: [] },
  )
  const { json: made } = await adele.post('/me/messages', { subject: 'Before', body: { content: 'Before' } })
  let expected = made
  await fc.assert(
    fc.asyncProperty(changes, async (change) => {
      const { status, text } = await adele.call('PATCH', `/me/messages/${made.id}`, {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(change),
      })
      assert.equal(status, 200, text)
      const { json } = await adele.get(`/me/messages/${made.id}`)
      const volatile = { '@odata.etag': json['@odata.etag'], changeKey: json.changeKey, bodyPreview: json.bodyPreview }
      expected = {
        ...expected,
        ...JSON.parse(JSON.stringify(change)),
        ...volatile,
        lastModifiedDateTime: json.lastModifiedDateTime,
      }
      assert.deepEqual(json, expected)
    }),
    { numRuns: runs, interruptAfterTimeLimit: 60_000 },
  )
})
