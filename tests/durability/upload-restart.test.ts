import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { test } from 'node:test'
import { freshFolder } from '../support/start-server.js'
import { endProcess, type ServerProcess, startProcess } from './server-process.js'

const size = 150_000_000
const range = 4_194_304

interface Called {
  readonly status: number
  readonly json: ReturnType<typeof JSON.parse>
  readonly bytes: Uint8Array
}

async function call(server: ServerProcess, method: string, path: string, body?: object): Promise<Called> {
  const answer = await fetch(`${server.url}/v1.0${path}`, {
    method,
    headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const bytes = new Uint8Array(await answer.arrayBuffer())
  const isJson = answer.headers.get('content-type')?.startsWith('application/json') ?? false
  return { status: answer.status, json: isJson ? JSON.parse(Buffer.from(bytes).toString()) : undefined, bytes }
}

/** The session's URL on the server of today: it is on another port after each start. */
function urlOn(server: ServerProcess, uploadUrl: string): string {
  return uploadUrl.replace(/^http:\/\/[^/]+/, server.url)
}

async function put(url: string, bytes: Buffer, first: number): Promise<number> {
  const last = Math.min(first + range, bytes.length) - 1
  const answer = await fetch(url, {
    method: 'PUT',
    headers: { 'Content-Range': `bytes ${first}-${last}/${bytes.length}` },
    body: bytes.subarray(first, last + 1),
  })
  await answer.arrayBuffer()
  return answer.status
}

/** Sends half of a range and leaves the rest unsaid; resolves once the half is on its way. */
function putHalf(url: string, bytes: Buffer, first: number): Promise<void> {
  return new Promise((resolve) => {
    const headers = {
      'Content-Range': `bytes ${first}-${first + range - 1}/${bytes.length}`,
      'Content-Length': String(range),
    }
    const half = request(url, { method: 'PUT', headers })
    half.on('error', () => {})
    half.write(bytes.subarray(first, first + range / 2), () => resolve())
  })
}

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

test('an upload of 150 MB that the server is killed under goes on where it was', async (t) => {
  const folder = await freshFolder(t)
  const bytes = randomBytes(size)
  let server = await startProcess(folder)
  t.after(() => server.process.kill('SIGKILL'))
  const { json: draft } = await call(server, 'POST', '/me/messages', { subject: 'Large' })
  const { json: session } = await call(server, 'POST', `/me/messages/${draft.id}/attachments/createUploadSession`, {
    AttachmentItem: { attachmentType: 'file', name: 'large.bin', size },
  })
  let first = 0
  let kills = 0
  for (const killAt of [3, 11, 30]) {
    for (; first < killAt * range; first += range) {
      assert.equal(await put(urlOn(server, session.uploadUrl), bytes, first), 200)
    }
    await putHalf(urlOn(server, session.uploadUrl), bytes, first)
    await endProcess(server, 'SIGKILL')
    kills += 1
    server = await startProcess(folder)
    const state = await fetch(urlOn(server, session.uploadUrl))
    const { nextExpectedRanges } = (await state.json()) as { nextExpectedRanges: string[] }
    assert.deepEqual(nextExpectedRanges, [String(first)])
  }
  for (; first < size; first += range) {
    assert.equal(await put(urlOn(server, session.uploadUrl), bytes, first), first + range < size ? 200 : 201)
  }
  await endProcess(server, 'SIGKILL')
  server = await startProcess(folder)
  const { json } = await call(server, 'GET', `/me/messages/${draft.id}/attachments?$select=id,name,size`)
  const [attachment] = json.value
  assert.deepEqual([attachment.name, attachment.size], ['large.bin', size])
  const content = await call(server, 'GET', `/me/messages/${draft.id}/attachments/${attachment.id}/$value`)
  assert.equal(hash(content.bytes), hash(bytes))
  assert.equal((await call(server, 'GET', `/me/messages/${draft.id}`)).json.hasAttachments, true)
  t.diagnostic(`${kills} kills in the middle of a range, and one after the last; ${size} bytes equal by SHA-256`)
})
