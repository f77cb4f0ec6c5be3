import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { startGraphpost } from '../../src/app.js'
import {
  type Answer,
  atEnd,
  type Client,
  clientOf,
  freshFolder,
  startServer,
  type TestServer,
  testSettings,
} from '../support/start-server.js'

const size = 5_000_000
const chunk = 2_097_152

interface Upload {
  readonly server: TestServer
  readonly adele: Client
  readonly draft: Answer['json']
  readonly url: string
  readonly bytes: Buffer
}

const item = (more: object = {}) => ({
  AttachmentItem: { attachmentType: 'file', name: 'flower.jpg', size, ...more },
})

async function opened(t: TestContext, given: Parameters<typeof startServer>[1] = {}): Promise<Upload> {
  const server = await startServer(t, given)
  const adele = await server.user('adele@contoso.com')
  const { json: draft } = await adele.post('/me/messages', {
    subject: 'Large',
    toRecipients: [{ emailAddress: { address: 'alex@contoso.com' } }],
  })
  const answer = await adele.post(`/me/messages/${draft.id}/attachments/createUploadSession`, item())
  assert.equal(answer.status, 201, answer.text)
  return { server, adele, draft, url: answer.json.uploadUrl, bytes: randomBytes(size) }
}

interface Put {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Answer['json']
}

async function put(url: string, bytes: Buffer, first: number, last: number, headers: object = {}): Promise<Put> {
  const response = await fetch(url, {
    method: 'PUT',
    headers: {
      'Content-Type': 'application/octet-stream',
      'Content-Range': `bytes ${first}-${last}/${bytes.length}`,
      ...headers,
    },
    body: bytes.subarray(first, last + 1),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: text.startsWith('{') ? JSON.parse(text) : undefined,
  }
}

async function putAll({ url, bytes }: Pick<Upload, 'url' | 'bytes'>, from = 0): Promise<Put> {
  let answer: Put | undefined
  for (let first = from; first < bytes.length; first += chunk) {
    answer = await put(url, bytes, first, Math.min(first + chunk, bytes.length) - 1)
    assert.ok(answer.status === 200 || answer.status === 201, answer.text)
  }
  assert.ok(answer)
  return answer
}

const get = async (url: string, method = 'GET') => {
  const response = await fetch(url, { method })
  const text = await response.text()
  return { status: response.status, json: text === '' ? undefined : JSON.parse(text) }
}

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

test('a new session is answered as recorded', async (t) => {
  const { server, adele, draft } = await opened(t)
  const { json } = await adele.post(`/me/messages/${draft.id}/attachments/createUploadSession`, {
    attachmentItem: {
      attachmentType: 'File',
      name: 'a.bin',
      size: String(size),
      contentType: 'x/y',
      isInline: 'false',
    },
  })
  assert.deepEqual(Object.keys(json), ['@odata.context', 'uploadUrl', 'expirationDateTime', 'nextExpectedRanges'])
  assert.equal(json['@odata.context'], `${server.url}/v1.0/$metadata#microsoft.graph.uploadSession`)
  assert.match(json.expirationDateTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/)
  assert.deepEqual(json.nextExpectedRanges, ['0-'])
  assert.ok(json.uploadUrl.startsWith(`${server.url}/api/gv1.0/users('`))
  assert.match(json.uploadUrl, /\/AttachmentSessions\('[^']+'\)\?authtoken=[\w-]{43}$/)
})

test('a file comes in ranges, and is there with the last one', async (t) => {
  const upload = await opened(t)
  const { server, adele, draft, url, bytes } = upload
  const first = await put(url, bytes, 0, chunk - 1)
  assert.equal(first.status, 200)
  assert.deepEqual(Object.keys(first.json), ['@odata.context', 'expirationDateTime', 'nextExpectedRanges'])
  assert.deepEqual(first.json.nextExpectedRanges, [String(chunk)])
  assert.equal((await adele.get(`/me/messages/${draft.id}/attachments`)).json.value.length, 0)
  assert.equal((await adele.get(`/me/messages/${draft.id}`)).json.hasAttachments, false)
  assert.deepEqual((await get(url)).json, first.json)

  const last = await putAll(upload, chunk)
  assert.deepEqual([last.status, last.text, last.headers.get('content-length')], [201, '', '0'])
  const location = last.headers.get('location') ?? ''
  const [, attachment] = /Attachments\('([^']+)'\)$/i.exec(location) ?? []
  const message = (await adele.get(`/me/messages/${draft.id}`)).json
  assert.equal(message.hasAttachments, true)
  assert.notEqual(message.changeKey, draft.changeKey)
  const shown = (
    await adele.get(`/me/messages/${draft.id}/attachments/${attachment}?$select=name,size,contentType,isInline`)
  ).json
  assert.deepEqual(
    [shown.name, shown.size, shown.contentType, shown.isInline],
    ['flower.jpg', size, 'image/jpeg', false],
  )

  const value = await fetch(`${location}/$value`, { headers: { Authorization: `Bearer ${adele.token}` } })
  assert.deepEqual(
    [value.status, value.headers.get('content-type'), value.headers.get('content-length')],
    [200, 'image/jpeg', String(size)],
  )
  assert.equal(hash(new Uint8Array(await value.arrayBuffer())), hash(bytes))
  const { contentBytes } = (await adele.get(`/me/messages/${draft.id}/attachments/${attachment}`)).json
  assert.equal(hash(Buffer.from(contentBytes, 'base64')), hash(bytes))

  assert.equal((await get(url)).status, 404)
  assert.equal((await put(url, bytes, 0, chunk - 1)).status, 404)
  const alex = await server.user('alex@contoso.com')
  assert.equal((await adele.call('POST', `/me/messages/${draft.id}/send`, { body: '' })).status, 202)
  await server.graphpost.drainOutbox(20_000)
  const [received] = (await alex.get('/me/mailFolders/inbox/messages')).json.value
  const [copy] = (await alex.get(`/me/messages/${received.id}/attachments`)).json.value
  assert.equal(hash(Buffer.from(copy.contentBytes, 'base64')), hash(bytes))
})

test('a bearer token on the URL is not looked at, a wrong authtoken is', async (t) => {
  const { url, bytes } = await opened(t)
  assert.equal((await put(url, bytes, 0, chunk - 1, { Authorization: 'Bearer nonsense' })).status, 200)
  const forged = url.replace(/authtoken=.*/, `authtoken=${'A'.repeat(43)}`)
  for (const wrong of [forged, url.replace(/\?.*/, ''), `${forged}&authtoken=B`]) {
    const answer = await put(wrong, bytes, chunk, 2 * chunk - 1)
    assert.equal(answer.status, 401)
    assert.equal(answer.json.error.code, 'InvalidAuthenticationToken')
    assert.equal((await get(wrong, 'DELETE')).status, 401)
  }
  assert.deepEqual((await get(url)).json.nextExpectedRanges, [String(chunk)])
})

test('a URL that was altered leads nowhere', async (t) => {
  const { adele, draft, url, bytes } = await opened(t)
  const other = (await adele.post('/me/messages', {})).json.id
  for (const altered of [
    url.replace(draft.id, other),
    url.replace(draft.id, '%0d%0aSet-Cookie: a=b'),
    url.replace(draft.id, encodeURIComponent('héllo')),
    url.replace(/users\('[^@]+/, "users('%0d%0a"),
    url.replace(/AttachmentSessions\('[^']+/, "AttachmentSessions('AAAA"),
  ]) {
    const { status } = await put(altered, bytes, 0, chunk - 1)
    assert.ok(status === 400 || status === 404, `${altered}: ${status}`)
  }
  assert.deepEqual((await get(url)).json.nextExpectedRanges, ['0'])
})

test('a range that does not fit is refused, and nothing of it counts', async (t) => {
  const { url, bytes } = await opened(t)
  assert.equal((await put(url, bytes, 0, chunk - 1)).status, 200)
  const cases: [Promise<Put>, number, string, string | undefined][] = [
    [put(url, bytes, 0, chunk - 1), 416, 'invalidRange', 'fragmentOverlap'],
    [put(url, bytes, chunk - 1, 2 * chunk - 1), 416, 'invalidRange', 'fragmentOverlap'],
    [put(url, bytes, chunk + 1, 2 * chunk), 416, 'invalidRange', 'fragmentOutOfOrder'],
    [
      put(url, bytes, chunk, 2 * chunk, { 'Content-Range': `bytes ${chunk}-${2 * chunk}/${size + 1}` }),
      400,
      'invalidRequest',
      'fragmentLengthMismatch',
    ],
    [
      put(url, bytes, chunk, 2 * chunk, { 'Content-Range': `bytes ${chunk}-${2 * chunk - 1}/${size}` }),
      400,
      'invalidRequest',
      undefined,
    ],
    [put(url, bytes, chunk, 2 * chunk, { 'Content-Range': 'bytes */5' }), 400, 'invalidRequest', undefined],
    [put(url, bytes, chunk, 2 * chunk, { 'Content-Range': '' }), 400, 'invalidRequest', undefined],
    [
      put(url, bytes, 1, 0, { 'Content-Range': `bytes ${chunk}-${chunk - 1}/${size}` }),
      400,
      'invalidRequest',
      'fragmentLengthMismatch',
    ],
  ]
  for (const [answer, status, code, inner] of cases) {
    const { status: got, json, text } = await answer
    assert.equal(got, status, text)
    assert.equal(json.error.code, code)
    assert.equal(json.error.innerError?.code, inner)
  }
  assert.deepEqual((await get(url)).json.nextExpectedRanges, [String(chunk)])
})

test('a PUT without a length is refused with 411, another method with 405', async (t) => {
  const { url, bytes } = await opened(t)
  const status = await new Promise((resolve, reject) => {
    const call = httpRequest(url, { method: 'PUT', headers: { 'Content-Range': `bytes 0-9/${size}` } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    call.on('error', reject)
    call.write(bytes.subarray(0, 5))
    call.end(bytes.subarray(5, 10))
  })
  assert.equal(status, 411)
  assert.equal((await fetch(url, { method: 'POST', body: 'x' })).status, 405)
})

test('a PUT that breaks off counts for nothing, and the file goes on from there', async (t) => {
  const upload = await opened(t)
  const { adele, draft, url, bytes } = upload
  await new Promise<void>((resolve) => {
    const headers = { 'Content-Range': `bytes 0-${chunk - 1}/${size}`, 'Content-Length': String(chunk) }
    const call = httpRequest(url, { method: 'PUT', headers })
    call.on('error', () => resolve())
    call.write(randomBytes(1_000_000), () => global.setTimeout(() => call.destroy(), 50))
  })
  assert.deepEqual((await get(url)).json.nextExpectedRanges, ['0'])
  const { headers } = await putAll(upload)
  const value = await fetch(`${headers.get('location')}/$value`, {
    headers: { Authorization: `Bearer ${adele.token}` },
  })
  assert.equal(hash(new Uint8Array(await value.arrayBuffer())), hash(bytes))
  assert.equal((await adele.get(`/me/messages/${draft.id}/attachments?$select=name`)).json.value.length, 1)
})

test('of two that send the same range at once one is taken, and the bytes are not mixed', async (t) => {
  const upload = await opened(t)
  const { adele, url, bytes } = upload
  const other = randomBytes(size)
  const answers = await Promise.all([put(url, bytes, 0, chunk - 1), put(url, other, 0, chunk - 1)])
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 416])
  const winner = answers[0]?.status === 200 ? bytes : other
  const { headers } = await putAll({ ...upload, bytes: winner }, chunk)
  const value = await fetch(`${headers.get('location')}/$value`, {
    headers: { Authorization: `Bearer ${adele.token}` },
  })
  assert.equal(hash(new Uint8Array(await value.arrayBuffer())), hash(winner))
})

test('several sessions fill one message, and a moved draft keeps its own', async (t) => {
  const upload = await opened(t)
  const { adele, draft } = upload
  const second = await adele.post(`/me/messages/${draft.id}/attachments/createUploadSession`, item({ name: 'b.bin' }))
  const moved = (await adele.post(`/me/messages/${draft.id}/move`, { destinationId: 'archive' })).json
  const answers = await Promise.all([putAll(upload), putAll({ ...upload, url: second.json.uploadUrl })])
  assert.deepEqual(
    answers.map(({ status }) => status),
    [201, 201],
  )
  const { value } = (await adele.get(`/me/messages/${moved.id}/attachments?$select=name,size`)).json
  assert.deepEqual(value.map(({ name }: { name: string }) => name).sort(), ['b.bin', 'flower.jpg'])
})

test('a session ends by DELETE, by time, and with its message', async (t) => {
  const cancelled = await opened(t)
  assert.equal((await get(cancelled.url, 'DELETE')).status, 204)
  assert.equal((await get(cancelled.url)).status, 404)
  assert.equal((await put(cancelled.url, cancelled.bytes, 0, chunk - 1)).json.error.code, 'ErrorItemNotFound')

  const expired = await opened(t)
  expired.server.clock.advance(24 * 3_600_000)
  assert.equal((await put(expired.url, expired.bytes, 0, chunk - 1)).status, 404)

  const purged = await opened(t)
  assert.equal((await put(purged.url, purged.bytes, 0, chunk - 1)).status, 200)
  const gone = await purged.adele.call('POST', `/me/messages/${purged.draft.id}/permanentDelete`, { body: '' })
  assert.equal(gone.status, 204)
  assert.equal((await put(purged.url, purged.bytes, chunk, 2 * chunk - 1)).status, 200)
  assert.equal((await put(purged.url, purged.bytes, 2 * chunk, size - 1)).status, 404)
})

test('what a session may be is checked before a byte comes', async (t) => {
  const { server, adele, draft } = await opened(t)
  const path = `/me/messages/${draft.id}/attachments/createUploadSession`
  const refused = async (body: object, status: number, code: string) => {
    const answer = await adele.post(path, body)
    assert.equal(answer.status, status, answer.text)
    assert.equal(answer.json.error.code, code)
  }
  await refused(item({ size: 2_097_151 }), 400, 'ErrorAttachmentSizeShouldNotBeLessThanMinimumSize')
  await refused(item({ size: 157_286_401 }), 400, 'ErrorMessageSizeExceeded')
  await refused(item({ size: -1 }), 400, 'RequestBodyRead')
  await refused(item({ size: 'large' }), 400, 'RequestBodyRead')
  await refused(item({ size: null }), 400, 'RequestBodyRead')
  await refused(item({ name: '' }), 400, 'ErrorRequiredPropertyMissing')
  await refused(item({ name: 'a\nb' }), 400, 'ErrorInvalidProperty')
  await refused(item({ attachmentType: 'item' }), 400, 'RequestBodyRead')
  await refused(item({ attachmentType: 'folder' }), 400, 'RequestBodyRead')
  await refused(item({ colour: 'red' }), 400, 'RequestBodyRead')
  await refused({}, 400, 'RequestBodyRead')
  await refused({ AttachmentItem: null }, 400, 'RequestBodyRead')
  await refused({ ...item(), more: 1 }, 400, 'RequestBodyRead')
  const sender = await server.user('adele@contoso.com', ['Mail.Send'])
  assert.equal((await sender.post(path, item())).status, 403)
})

test('a message takes no more than it may hold', async (t) => {
  const { adele, draft } = await opened(t, { maxMessageBytes: '6MiB' })
  const path = `/me/messages/${draft.id}/attachments/createUploadSession`
  assert.equal((await adele.post(path, item({ size: 7_000_000 }))).json.error.code, 'ErrorMessageSizeExceeded')
})

test('the token of a URL is not written down', async (t) => {
  const { server, url } = await opened(t)
  await get(url)
  const admin = await server.application(['Graphpost.Admin'])
  const { text } = await admin.get('/admin/calls')
  assert.match(text, /authtoken=\*\*\*/)
  assert.equal(text.includes(new URL(url).searchParams.get('authtoken') ?? '-'), false)
})

test('bytes that nothing names are swept away, those of attachments stay', async (t) => {
  const data = await freshFolder(t)
  const settings = await testSettings(t, { memory: 'off', data })
  const first = await startGraphpost(settings)
  const token = await first.directory.issueToken({ user: 'adele@contoso.com', scopes: ['Mail.ReadWrite'] })
  const adele = clientOf(first.httpUrl ?? '', token)
  const { json: draft } = await adele.post('/me/messages', {})
  const open = async () => {
    const { json } = await adele.post(`/me/messages/${draft.id}/attachments/createUploadSession`, item())
    return { url: json.uploadUrl, bytes: randomBytes(size) }
  }
  const kept = await open()
  const dropped = await open()
  const location = (await putAll(kept)).headers.get('location') ?? ''
  assert.equal((await put(dropped.url, dropped.bytes, 0, chunk - 1)).status, 200)
  const blobs = () =>
    readdirSync(join(data, 'blobs'), { recursive: true }).filter((name) => String(name).includes('-')).length
  assert.equal(blobs(), 2)
  await first.close()

  // A day and two hours later the session has run out; the file of the other is an attachment.
  const second = await startGraphpost(settings, { clock: { now: () => Date.now() + 26 * 3_600_000 } })
  atEnd(t, () => second.close())
  for (let wait = 0; blobs() > 1 && wait < 250; wait++) await setTimeout(20)
  assert.equal(blobs(), 1)
  const later = await second.directory.issueToken({ user: 'adele@contoso.com', scopes: ['Mail.Read'] })
  const value = await clientOf(second.httpUrl ?? '', later).get(`${new URL(location).pathname}/$value`)
  assert.equal(value.status, 200)
})
