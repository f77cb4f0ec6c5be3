/**
 * What must not be accepted. Each refusal says in Graph's form what is wrong, leaves nothing in Sent Items and nothing in
 * the outbox, shows nothing of the inside of the server, and does the server no harm.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { exchange } from '../support/raw-socket.js'
import { type Answer, type Client, startServer, type TestServer } from '../support/start-server.js'

const alex = { emailAddress: { address: 'alex@contoso.com' } }
const lunch = { subject: 'Lunch?', body: { contentType: 'Text', content: 'Noon.' }, toRecipients: [alex] }
const limit = 4 * 1024 * 1024
const json = { 'Content-Type': 'application/json' }

/** One bad request: what is sent, and what is answered. */
interface Case {
  readonly name: string
  readonly body: string | Uint8Array | (() => ReadableStream)
  readonly headers?: Record<string, string>
  readonly status?: number
  readonly code: string
  /** Found in the message or the target of the error: what the caller must change. */
  readonly says: RegExp
}

/** A message that is bad in one property. */
function message(name: string, changes: object, code: string, says: RegExp, status = 400): Case {
  return { name, body: JSON.stringify({ message: { ...lunch, ...changes } }), code, says, status }
}

/** A body given as text. */
function text(name: string, body: string | Uint8Array, code: string, says: RegExp): Case {
  return { name, body, code, says }
}

/** Runs every case against one server, which has nothing in it afterwards and then takes a good mail. */
function refuses(title: string, cases: readonly Case[]): void {
  test(title, async (t) => {
    const server = await startServer(t)
    await server.user('alex@contoso.com')
    const adele = await server.user('adele@contoso.com')
    for (const { name, body, headers = json, status = 400, code, says } of cases) {
      await t.test(name, async () => {
        const sent = typeof body === 'function' ? body() : body
        const answer = await adele.call('POST', '/me/sendMail', { headers, body: sent })
        requireRefusal(answer, status, code, says)
        await requireNothingStored(server, adele)
      })
    }
    await requireWorking(server, adele)
  })
}

function requireRefusal(answer: Answer, status: number, code: string, says: RegExp): void {
  assert.equal(answer.status, status, answer.text)
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/)
  const { error } = answer.json
  assert.equal(error.code, code, answer.text)
  assert.match(`${error.message}\n${error.target ?? ''}`, says)
  requireNothingOfTheInside(answer)
}

/** No stack, no path of a source file, no text of a runtime's own errors; short, and of ASCII alone. */
function requireNothingOfTheInside({ text }: Answer): void {
  assert.doesNotMatch(
    text,
    /\bat \S+ \(|node:|\.[jt]s:\d|node_modules|SyntaxError|TypeError|RangeError|SQLITE|undefined/,
  )
  assert.doesNotMatch(text, /[^\x20-\x7e]/)
  assert.ok(text.length < 1_500, `an answer of ${text.length} characters`)
}

async function requireNothingStored(server: TestServer, adele: Client): Promise<void> {
  const { status, json: found } = await adele.get('/me/messages')
  assert.equal(status, 200)
  assert.deepEqual(found.value, [])
  assert.deepEqual(await server.graphpost.directory.listOutbox(10), [])
}

async function requireWorking(server: TestServer, adele: Client): Promise<void> {
  assert.equal((await adele.post('/me/sendMail', { message: lunch })).status, 202)
  await server.graphpost.drainOutbox(10_000)
  const recipient = await server.user('alex@contoso.com')
  assert.equal((await recipient.get('/me/mailFolders/inbox/messages/$count')).text, '1')
}

const unreadable = /Unable to read JSON request payload/
const empty = /Empty Payload/

refuses('a body that is no JSON is refused', [
  text('cut off', '{"message":{"subject":"Lunch?"', 'BadRequest', unreadable),
  text('a comma too many', '{"message":{},}', 'BadRequest', unreadable),
  text('single quotes', "{'message':{}}", 'BadRequest', unreadable),
  text('a comment', '{"message":{}/* */}', 'BadRequest', unreadable),
  text('two values', '{"message":{}}{"message":{}}', 'BadRequest', unreadable),
  text('a line break in a text', '{"message":{"subject":"a\nb"}}', 'BadRequest', unreadable),
  text('NaN', '{"message":NaN}', 'BadRequest', unreadable),
  text('plain words', 'hello', 'BadRequest', unreadable),
  text('a form', 'message=hello&to=alex', 'BadRequest', unreadable),
  text('a lone byte of UTF-8', Buffer.from('{"message":{"subject":"\xff"}}', 'latin1'), 'BadRequest', unreadable),
  text(
    'a surrogate in UTF-8',
    Buffer.from('{"message":{"subject":"\xed\xa0\x80"}}', 'latin1'),
    'BadRequest',
    unreadable,
  ),
  text('UTF-16', Buffer.from('{"message":{}}', 'utf16le'), 'BadRequest', unreadable),
  text('a NUL byte', '{"message":{}}\0', 'BadRequest', unreadable),
])

refuses('a body that says nothing, or is no object, is refused', [
  text('no byte', '', 'BadRequest', empty),
  text('{}', '{}', 'BadRequest', empty),
  text('null', 'null', 'BadRequest', unreadable),
  text('[]', '[]', 'BadRequest', unreadable),
  text('a string', '"message"', 'BadRequest', unreadable),
  text('a number', '1', 'BadRequest', unreadable),
  text('white space', '  \r\n', 'BadRequest', unreadable),
])

refuses('the parameters are message and saveToSentItems, each once', [
  text('message missing', '{"saveToSentItems":true}', 'RequestBodyRead', /Message/),
  text('message null', '{"message":null}', 'RequestBodyRead', /Message/),
  text('message a list', '{"message":[]}', 'RequestBodyRead', /message$/),
  text('message a text', '{"message":"hello"}', 'RequestBodyRead', /message$/),
  text('a parameter nobody knows', JSON.stringify({ message: lunch, sendAt: 'noon' }), 'RequestBodyRead', /sendAt/),
  text('twice in another case', '{"message":{},"Message":{}}', 'RequestBodyRead', /'Message'/),
  text(
    'the other one twice',
    '{"saveToSentItems":true,"SaveToSentItems":false}',
    'RequestBodyRead',
    /'SaveToSentItems'/,
  ),
  text(
    'saved maybe',
    JSON.stringify({ message: lunch, saveToSentItems: 'maybe' }),
    'RequestBodyRead',
    /saveToSentItems/,
  ),
  text('saved 1', JSON.stringify({ message: lunch, saveToSentItems: 1 }), 'RequestBodyRead', /saveToSentItems/),
  text('saved {}', JSON.stringify({ message: lunch, saveToSentItems: {} }), 'RequestBodyRead', /saveToSentItems/),
  text(
    '__proto__',
    JSON.stringify({ message: lunch }).replace('{', '{"__proto__":{},'),
    'RequestBodyRead',
    /__proto__/,
  ),
  text('constructor', JSON.stringify({ message: lunch, constructor: {} }), 'RequestBodyRead', /constructor/),
])

/** What no property of a message can be, beside the type it has. */
const wrongValues: Readonly<Record<string, readonly unknown[]>> = {
  subject: [1, true, {}, []],
  body: ['text', 1, []],
  toRecipients: ['alex@contoso.com', {}, 1, [1], ['alex@contoso.com']],
  ccRecipients: [{}, [[]]],
  bccRecipients: [true],
  replyTo: ['desk@contoso.com'],
  from: ['adele@contoso.com', [alex]],
  sender: [1],
  importance: [1, 'urgent', {}],
  categories: ['Red category', [1], [{}]],
  flag: ['flagged', { flagStatus: 1 }, { flagStatus: 'maybe' }, { startDateTime: 'today' }],
  inferenceClassification: ['spam', 1],
  internetMessageId: [1, {}],
  internetMessageHeaders: ['x-a: b', {}, [1], [null]],
  isRead: ['yes', 1],
  isReadReceiptRequested: ['no', []],
  isDeliveryReceiptRequested: [{}],
  singleValueExtendedProperties: [{}, [1]],
  multiValueExtendedProperties: ['', [{ id: 'StringArray 0x1', value: 'x' }]],
  attachments: [{}, 'file', [1], [null]],
}

refuses(
  'a value of another type than its property is refused',
  Object.entries(wrongValues).flatMap(([name, values]) =>
    values.map((value) =>
      message(`${name}: ${JSON.stringify(value)}`, { [name]: value }, 'RequestBodyRead', new RegExp(`message/${name}`)),
    ),
  ),
)

const file = { '@odata.type': '#microsoft.graph.fileAttachment', name: 'a.txt', contentBytes: 'SGk=' }
const withFile = (name: string, changes: object, code: string, says: RegExp, status?: number) =>
  message(name, { attachments: [{ ...file, ...changes }] }, code, says, status)
const to = (emailAddress: unknown) => ({ toRecipients: [{ emailAddress }] })
const unknown = 'RequestBodyRead'

refuses('a member that its type does not have is refused by name', [
  message('of the message', { subjekt: 'Lunch?' }, unknown, /'subjekt'.*microsoft\.graph\.message/),
  message(
    'of a recipient',
    { toRecipients: [{ ...alex, type: 'to' }] },
    unknown,
    /'type'.*microsoft\.graph\.recipient/,
  ),
  message('of an address', to({ address: 'a@b.c', type: 'x' }), unknown, /'type'.*microsoft\.graph\.emailAddress/),
  message('of the body', { body: { text: 'Noon' } }, unknown, /'text'.*microsoft\.graph\.itemBody/),
  message('of a flag', { flag: { status: 'x' } }, unknown, /'status'.*microsoft\.graph\.followupFlag/),
  message('of a header', { internetMessageHeaders: [{ key: 'x' }] }, unknown, /'key'/),
  message('of an extended property', { singleValueExtendedProperties: [{ key: 'x' }] }, unknown, /'key'/),
  withFile('of an attachment', { bytes: 'x' }, unknown, /'bytes'.*microsoft\.graph\.fileAttachment/),
  message('constructor', { constructor: { prototype: {} } }, unknown, /'constructor'/),
  message('prototype', { prototype: {} }, unknown, /'prototype'/),
  message('toString', { toString: 1 }, unknown, /'toString'/),
  text(
    '__proto__',
    JSON.stringify({ message: lunch }).replace('{"subject', '{"__proto__":{"isAdmin":true},"subject'),
    unknown,
    /'__proto__'/,
  ),
  text(
    '__proto__ of a recipient',
    `{"message":{"toRecipients":[{"__proto__":${JSON.stringify(alex)}}]}}`,
    unknown,
    /'__proto__'/,
  ),
  message('a name that is long', { ['x'.repeat(100_000)]: 1 }, unknown, /'x{100}'/),
  message('a name that is no word', { '\u0000\r\n<b>\ud800': 1 }, unknown, /'\?\?\?<b>\?'/),
])

const invalid = 'ErrorInvalidRecipients'
const address = (value: string) =>
  message(JSON.stringify(value), to({ address: value }), invalid, /Recipient '.*' is not resolved/)

refuses('a mail goes to someone, and to an address that can be delivered to', [
  message('nobody', { toRecipients: [] }, invalid, /no recipients/),
  message('null', { toRecipients: null }, invalid, /no recipients/),
  text('not said', '{"message":{"subject":"Lunch?"}}', invalid, /no recipients/),
  message('an empty recipient', { toRecipients: [{}] }, invalid, /Recipient ''/),
  message('null in the list', { toRecipients: [null] }, invalid, /Recipient ''/),
  message('emailAddress null', to(null), invalid, /Recipient ''/),
  message('an address of null', to({ address: null }), invalid, /Recipient ''/),
  message('a name alone', to({ name: 'Alex' }), invalid, /Recipient ''/),
  address(''),
  address(' '),
  address('alex'),
  address('@contoso.com'),
  address('alex@'),
  address('a@x;b@y'),
  address('a@x,b@y'),
  address('a@x b@y'),
  address('Alex <alex@contoso.com>'),
  address('<alex@contoso.com>'),
  address('"a@b c"@d e'),
  address(' alex@contoso.com'),
  address('alex@contoso.com '),
  address('al ex@contoso.com'),
  address('alex@con toso.com'),
  address('alex@contoso..com'),
  address('alex@-contoso.com'),
  address('alex(friend)@contoso.com'),
  address(`${'a'.repeat(65)}@contoso.com`),
  address('alex@contoso.com\u202e'),
  message(
    'beside a good one',
    { toRecipients: [alex, { emailAddress: { address: 'a@x;b@y' } }] },
    invalid,
    /'a@x;b@y'/,
  ),
  message('in Cc', { ccRecipients: [{ emailAddress: { address: 'a@' } }] }, invalid, /'a@'/),
  message('in Bcc', { bccRecipients: [{ emailAddress: { address: 'a@' } }] }, invalid, /'a@'/),
  message('a very long one', to({ address: `${'a'.repeat(1_000_000)}@x` }), invalid, /'a{320}'/),
])

const breaks = ['\r\n', '\r', '\n', '\0', '\u0085', '\u007f']
const shown = (text: string) => JSON.stringify(text).slice(1, -1)
const header = (name: string, value: string) => ({ internetMessageHeaders: [{ name, value }] })
const badHeader = 'InvalidInternetMessageHeader'
const badProperty = 'ErrorInvalidProperty'

refuses(
  'no text that becomes a header line may hold a line break or another control character',
  breaks.flatMap((end) => {
    const bcc = `x${end}Bcc: evil@example.com`
    return [
      message(`${shown(end)} in the subject`, { subject: bcc }, badProperty, /subject/),
      message(`${shown(end)} in an address`, to({ address: `alex@contoso.com${end}Bcc` }), invalid, /alex@contoso/),
      message(`${shown(end)} in a name`, to({ ...alex.emailAddress, name: bcc }), invalid, /alex@contoso/),
      message(
        `${shown(end)} in from`,
        { from: { emailAddress: { address: 'adele@contoso.com', name: bcc } } },
        invalid,
        /adele@contoso/,
      ),
      message(`${shown(end)} in replyTo`, { replyTo: [{ emailAddress: { address: bcc } }] }, invalid, /evil@example/),
      message(`${shown(end)} in a header's name`, header(`x-a${end}Bcc`, 'b'), badHeader, /x-a/),
      message(`${shown(end)} in a header's value`, header('x-a', bcc), badHeader, /x-a/),
      message(
        `${shown(end)} in the message id`,
        { internetMessageId: `<a@b>${end}Bcc: x` },
        badProperty,
        /internetMessageId/,
      ),
      withFile(`${shown(end)} in a file's name`, { name: bcc }, badProperty, /attachments\/0\/name/),
      withFile(`${shown(end)} in a content id`, { contentId: bcc }, badProperty, /attachments\/0\/contentId/),
      withFile(`${shown(end)} in a content type`, { contentType: bcc }, badProperty, /attachments\/0\/contentType/),
    ]
  }),
)

const many = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ emailAddress: { address: `r${index}@example.com` } }))
const headers = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `x-own-${index}`, value: 'v' }))
const headerCount = 'InvalidInternetMessageHeaderCollection'

refuses('there is a limit to what one message has', [
  message('501 recipients', { toRecipients: many(501) }, 'ErrorExceededMaxRecipientLimit', /500/),
  message(
    '501 over three lists',
    { toRecipients: many(250), ccRecipients: many(250), bccRecipients: [alex] },
    'ErrorExceededMaxRecipientLimit',
    /500/,
  ),
  message('6 headers', { internetMessageHeaders: headers(6) }, headerCount, /less than or equal to 5/),
  message('an empty list of headers', { internetMessageHeaders: [] }, headerCount, /headers/),
  message('a header without x-', header('Bcc', 'evil@example.com'), badHeader, /'Bcc' should start with/),
  message('a header of a colon', header('x-a: b', 'c'), badHeader, /x-a: b/),
  message('a header without a name', header('', 'c'), badHeader, /header/),
  message('a message id of words', { internetMessageId: 'a b' }, badProperty, /internetMessageId/),
  message(
    'due without a start',
    { flag: { dueDateTime: { dateTime: '2026-01-01T00:00:00' } } },
    badProperty,
    /dueDateTime/,
  ),
])

const cannot = 'UnableToDeserializePostBody'
const bytes = /contentBytes/

refuses('an attachment has a type, a name and its bytes in base64', [
  withFile('no base64', { contentBytes: 'no base64!' }, cannot, bytes),
  withFile('URL-safe base64', { contentBytes: '__-_' }, cannot, bytes),
  withFile('no padding', { contentBytes: 'SGk' }, cannot, bytes),
  withFile('padding inside', { contentBytes: 'SG==SGk=' }, cannot, bytes),
  withFile('a number', { contentBytes: 1 }, unknown, bytes),
  withFile('null', { contentBytes: null }, 'ErrorRequiredPropertyMissing', bytes),
  withFile('no name', { name: null }, 'ErrorRequiredPropertyMissing', /attachments\/0\/name/),
  withFile('a type nobody knows', { '@odata.type': '#microsoft.graph.zip' }, unknown, /attachments\/0\/@odata\.type/),
  withFile('no type', { '@odata.type': undefined }, unknown, bytes),
  message('nothing but a name', { attachments: [{ name: 'a.txt' }] }, 'UnprocessableType', /attachment/, 422),
])

const plain = { 'Content-Type': 'text/plain' }
const mime = (name: string, body: string, code: string, says: RegExp): Case => ({
  name,
  headers: plain,
  body,
  code,
  says,
})
const base64 = (body: string) => Buffer.from(body).toString('base64')
const notBase64 = 'ErrorMimeContentInvalidBase64String'

refuses('MIME is base64 text of a message with a recipient', [
  mime('empty', '', notBase64, /base64/),
  mime('blanks', ' \r\n ', notBase64, /base64/),
  mime('as it is', 'To: alex@contoso.com\r\nSubject: Lunch?\r\n\r\nNoon', notBase64, /base64/),
  mime('JSON', JSON.stringify({ message: lunch }), notBase64, /base64/),
  mime('cut off', base64('To: alex@contoso.com\r\n\r\nNoon').slice(0, -1), notBase64, /base64/),
  mime('base64 of JSON', base64(JSON.stringify({ message: lunch })), 'ErrorMimeContentInvalid', /MIME/),
  mime('base64 of nothing much', base64('\0\x01\x02\r\n\r\n'), 'ErrorMimeContentInvalid', /MIME/),
  mime('no recipient', base64('Subject: Lunch?\r\n\r\nNoon'), invalid, /no recipients/),
  mime('a bad recipient', base64('To: alex\r\nSubject: Lunch?\r\n\r\nNoon'), invalid, /'alex'/),
  mime(
    '501 recipients',
    base64(
      `To: ${many(501)
        .map((each) => each.emailAddress.address)
        .join(',\r\n ')}\r\n\r\nNoon`,
    ),
    'ErrorExceededMaxRecipientLimit',
    /500/,
  ),
])

const good = JSON.stringify({ message: lunch })
const typed = (name: string, contentType: string): Case => ({
  name,
  body: good,
  headers: { 'Content-Type': contentType },
  code: 'BadRequest',
  says: /JSON Content-Type/,
})

refuses('the content type says JSON, or text for MIME', [
  typed('a form', 'application/x-www-form-urlencoded'),
  typed('XML', 'application/xml'),
  typed('HTML', 'text/html'),
  typed('a multipart', 'multipart/form-data; boundary=x'),
  typed('nothing that is a type', 'json'),
  typed('empty', ''),
  { name: 'none', body: Buffer.from(good), headers: {}, code: 'BadRequest', says: /Content-Type header declaration/ },
])

const tooLong = /4MB/
const tooLarge = (name: string, rest: Pick<Case, 'body'> & Partial<Case>): Case => ({
  name,
  status: 413,
  code: 'BadRequest',
  says: tooLong,
  ...rest,
})
const zipped = { ...json, 'Content-Encoding': 'gzip' }

/** A megabyte at a time, without saying how many. */
const endless = () => {
  const piece = Buffer.alloc(1024 * 1024, 0x20)
  return new ReadableStream({ pull: (controller) => controller.enqueue(piece) })
}

refuses('a body over 4 MB is refused, however it comes', [
  tooLarge('one byte over', { body: good.padEnd(limit + 1) }),
  tooLarge('far over', { body: good.padEnd(3 * limit) }),
  tooLarge('in chunks without an end', { body: endless }),
  tooLarge('MIME', { body: 'QUFB'.padEnd(limit + 1, 'QUFB'), headers: plain }),
  tooLarge('a small gzip that unpacks to a huge text', {
    body: gzipSync(Buffer.alloc(200 * 1024 * 1024)),
    headers: zipped,
  }),
  tooLarge('a gzip of gzips', {
    body: Buffer.concat(Array(64).fill(gzipSync(Buffer.alloc(1024 * 1024)))),
    headers: zipped,
  }),
])

refuses('a body is sent plain or as gzip', [
  ...['br', 'deflate', 'zstd', 'gzip, gzip', 'x'].map((encoding) => ({
    name: encoding,
    body: good,
    headers: { ...json, 'Content-Encoding': encoding },
    status: 415,
    code: 'BadRequest',
    says: /Content-Encoding/,
  })),
  { name: 'no gzip', body: good, headers: zipped, code: 'BadRequest', says: /could not be read/ },
  {
    name: 'a gzip cut off',
    body: gzipSync(good).subarray(0, 40),
    headers: zipped,
    code: 'BadRequest',
    says: /could not be read/,
  },
  {
    name: 'a gzip with a wrong sum',
    body: withWrongSum(gzipSync(good)),
    headers: zipped,
    code: 'BadRequest',
    says: /could not be read/,
  },
  { name: 'a gzip of no JSON', body: gzipSync('hello'), headers: zipped, code: 'BadRequest', says: unreadable },
])

/** The checksum stands eight bytes from the end, RFC 1952 §2.3. */
function withWrongSum(gzip: Buffer): Buffer {
  const at = gzip.length - 8
  gzip.writeUInt8(gzip.readUInt8(at) ^ 0xff, at)
  return gzip
}

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
const objects = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
const deep = (name: string, body: string) => text(name, body, 'BadRequest', unreadable)

refuses('what is nested deeper than 64 levels is refused, wherever it stands', [
  deep('65 levels', `{"message":{"x":${nested(63)}}}`),
  deep('65 levels of objects', `{"message":{"x":${objects(63)}}}`),
  deep('100,000 in a property', `{"message":{"subject":${nested(100_000)}}}`),
  deep('100,000 in a list', `{"message":{"toRecipients":${nested(100_000)}}}`),
  deep('100,000 in an unknown property', `{"message":{"nobodyKnows":${objects(100_000)}}}`),
  deep('100,000 in an annotation', `{"message":{"subject@odata.type":${nested(100_000)}}}`),
  deep('100,000 in an annotation of the action', `{"@odata.context":${objects(100_000)},"message":{}}`),
  deep('100,000 from the start', nested(100_000)),
  deep('2,000,000 that are never closed', '['.repeat(2_000_000)),
  text('64 levels are read', `{"message":{"x":${nested(62)}}}`, unknown, /'x'/),
])

const twice = (name: string, body: string, member: string) =>
  text(name, body, 'RequestBodyRead', new RegExp(`'${member}'`))

refuses('a member named twice in one object is refused', [
  twice('side by side', '{"message":{"subject":"a","subject":"b"}}', 'subject'),
  twice('with blanks before the colon', '{"message":{"subject" :"a","subject"\t\r\n:"b"}}', 'subject'),
  twice('one with an escape', '{"message":{"subject":"a","\\u0073ubject":"b"}}', 'subject'),
  twice(
    'far apart',
    `{"message":{"subject":"a","body":{"content":"${'x'.repeat(100_000)}"},"subject":"b"}}`,
    'subject',
  ),
  twice(
    'beside a text that holds ":',
    '{"message":{"subject":"\\":","importance":"low","importance":"high"}}',
    'importance',
  ),
  twice('an object', '{"message":{"toRecipients":[{"emailAddress":{},"emailAddress":{}}]}}', 'emailAddress'),
  twice('the parameter', '{"message":{},"message":{}}', 'message'),
  twice('__proto__', '{"message":{"__proto__":{},"__proto__":{}}}', '__proto__'),
  twice('in the other case of its first letter', '{"message":{"subject":"a","Subject":"b"}}', 'subject'),
])

test('a text that merely looks like members is taken, in every spelling', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const contents = ['"a":1,"a":2', '{"x" : "\\":\\\\":"}', '\\', '\\"', '":', '" :', '::""\\\\"":']
  for (const content of contents) {
    const answer = await adele.post('/me/sendMail', {
      message: {
        ...lunch,
        body: { contentType: 'text', content },
        internetMessageHeaders: [{ name: 'x-a', value: ':' }],
      },
    })
    assert.equal(answer.status, 202, answer.text)
  }
  const { json: found } = await adele.get('/me/messages?$select=body&$orderby=receivedDateTime&$top=50')
  const kept = found.value.map((each: { body: { content: string } }) => each.body.content)
  assert.deepEqual(new Set(kept), new Set(contents))
})

test('what was tried on prototypes has changed nothing for anyone', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const tries = ['{"__proto__":{"status":1}}', '{"constructor":{"prototype":{"status":1}}}']
  for (const body of tries) assert.equal((await adele.post('/me/sendMail', body)).status, 400)
  assert.equal((Object.prototype as { status?: unknown }).status, undefined)
  assert.equal(({} as { status?: unknown }).status, undefined)
  await requireNothingStored(server, adele)
})

/** The beginning of a sendMail by hand. */
function head(adele: Client, ...lines: string[]): string {
  const common = ['Host: localhost', `Authorization: Bearer ${adele.token}`, 'Content-Type: application/json']
  return `${['POST /v1.0/me/sendMail HTTP/1.1', ...common, ...lines].join('\r\n')}\r\n\r\n`
}

/** Raw bytes, answered with this status line and a closed connection. */
const rawCases: readonly { name: string; bytes: (adele: Client) => string; answered: RegExp }[] = [
  {
    name: 'a POST that says nothing of its length',
    bytes: (adele) => head(adele, 'Connection: close'),
    answered: /^HTTP\/1\.1 411 Length Required\r\nContent-Type: text\/html.*<h2>Length Required<\/h2>/s,
  },
  {
    name: 'a length and chunks',
    bytes: (adele) => `${head(adele, `Content-Length: ${good.length}`, 'Transfer-Encoding: chunked')}0\r\n\r\n${good}`,
    answered: /^HTTP\/1\.1 400 /,
  },
  {
    name: 'chunks and a length',
    bytes: (adele) => `${head(adele, 'Transfer-Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n`,
    answered: /^HTTP\/1\.1 400 /,
  },
  {
    name: 'two lengths',
    bytes: (adele) => head(adele, `Content-Length: ${good.length}`, 'Content-Length: 1') + good,
    answered: /^HTTP\/1\.1 400 /,
  },
  {
    name: 'a length that is no number',
    bytes: (adele) => head(adele, 'Content-Length: +5') + good,
    answered: /^HTTP\/1\.1 400 /,
  },
  {
    name: 'a transfer encoding of two',
    bytes: (adele) => `${head(adele, 'Transfer-Encoding: chunked, identity')}0\r\n\r\n`,
    answered: /^HTTP\/1\.1 400 /,
  },
  {
    name: 'a chunk whose size is no number',
    bytes: (adele) => `${head(adele, 'Transfer-Encoding: chunked')}5\r\n{"mes\r\nzz\r\n`,
    answered: /^HTTP\/1\.1 400 /,
  },
  {
    name: 'a chunk longer than it says',
    bytes: (adele) => `${head(adele, 'Transfer-Encoding: chunked')}2\r\n{"message"\r\n0\r\n\r\n`,
    answered: /^HTTP\/1\.1 400 /,
  },
  {
    name: 'a header folded in the old way',
    bytes: (adele) => head(adele, 'X-A: b', ' c', 'Content-Length: 0', 'Connection: close'),
    answered: /^HTTP\/1\.1 400 /,
  },
  {
    name: 'a header with a bare line feed',
    bytes: (adele) => head(adele, 'X-A: b\rX-B: c', 'Content-Length: 0'),
    answered: /^HTTP\/1\.1 400 /,
  },
  {
    name: 'a header name with a blank before its colon',
    bytes: (adele) => head(adele, 'Content-Length : 5', 'Connection: close'),
    answered: /^HTTP\/1\.1 400 /,
  },
  {
    name: 'headers of more than 16 KB',
    bytes: (adele) => head(adele, `X-A: ${'a'.repeat(17_000)}`, 'Content-Length: 0'),
    answered: /^HTTP\/1\.1 431 /,
  },
  {
    name: 'a path of more than 16 KB',
    bytes: () => `GET /v1.0/me/${'a'.repeat(17_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    answered: /^HTTP\/1\.1 431 /,
  },
  { name: 'no Host', bytes: () => 'GET /v1.0/me/messages HTTP/1.1\r\n\r\n', answered: /^HTTP\/1\.1 400 / },
  { name: 'a request line of garbage', bytes: () => '\x01\x02\x03 garbage\r\n\r\n', answered: /^HTTP\/1\.1 400 / },
  { name: 'another protocol', bytes: () => 'EHLO mail.example\r\n', answered: /^HTTP\/1\.1 400 / },
  { name: 'TLS', bytes: () => '\x16\x03\x01\x02\x00\x01\x00\x01', answered: /^HTTP\/1\.1 400 / },
]

test('what is not HTTP as it should be ends the connection', async (t: TestContext) => {
  const server = await startServer(t)
  await server.user('alex@contoso.com')
  const adele = await server.user('adele@contoso.com')
  for (const { name, bytes: bytesOf, answered } of rawCases) {
    await t.test(name, async (each) => {
      const answer = await exchange(each, server.url, bytesOf(adele))
      assert.match(answer, answered)
      assert.doesNotMatch(answer, /Parse Error|HPE_|\bat \S+ \(|node:/)
      assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1, answer)
      await requireNothingStored(server, adele)
    })
  }
  await requireWorking(server, adele)
})

test('a client that sends all of a body that is too long, and only then listens, has its answer', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  for (const line of [`Content-Length: ${limit * 3}`, 'Transfer-Encoding: chunked']) {
    const piece = Buffer.alloc(limit * 3, 0x20)
    const chunk = line.startsWith('C') ? [piece] : [`${piece.length.toString(16)}\r\n`, piece, '\r\n0\r\n\r\n']
    const bytesSent = Buffer.concat([head(adele, line), ...chunk].map((part) => Buffer.from(part)))
    const answer = await exchange(t, server.url, bytesSent)
    assert.match(answer, /^HTTP\/1\.1 413 .*The maximum request length supported is 4MB\./s)
  }
  await requireNothingStored(server, adele)
})

test('what is wrong with the URL is said as JSON, in ASCII, on one line', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const paths: readonly [string, number][] = [
    ['/me/%22%0d%0a%3cscript%3e', 400],
    ['/me/%ff', 400],
    ['/me/%zz', 400],
    ['/me/messages/..%2f..%2fetc%2fpasswd', 400],
    ["/me/messages/'%20or%201=1--", 400],
    ['/me/messages/%00', 400],
    ['/users/%F0%9F%8E%89@contoso.com/messages', 404],
    ['/me/messages?$top=-1', 400],
    ['/me/messages?$top=1e9', 400],
    ['/me/messages?$skip=x', 400],
    ['/me/messages?$select=__proto__', 400],
    ['/me/messages?$orderby=constructor', 400],
    [`/me/messages?$select=${'a,'.repeat(5_000)}a`, 400],
  ]
  for (const [path, status] of paths) {
    const answer = await adele.get(path)
    assert.equal(answer.status, status, `${path.slice(0, 60)}: ${answer.text}`)
    assert.ok(typeof answer.json.error.code === 'string' && typeof answer.json.error.message === 'string')
    assert.doesNotMatch(answer.text, /\bat \S+ \(|node:|SQLITE|undefined|[^\x20-\x7e]/)
  }
})
