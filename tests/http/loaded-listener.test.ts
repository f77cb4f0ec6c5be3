import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { loadedListener } from '../../src/http/loaded-listener.js'

/** What a listener that was loaded does: answers paths below /own with the length of the body, hands on the others. */
const link =
  (next: RequestListener): RequestListener =>
  (request, response) => {
    if (!request.url?.startsWith('/own')) return next(request, response)
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
    })
    request.on('end', () => response.end(`own ${length}`))
  }

async function serve(t: TestContext, load: () => Promise<typeof link>) {
  const failures: unknown[] = []
  const listener = loadedListener(
    (path) => path.startsWith('/v1.0/'),
    load,
    (error) => failures.push(error),
  )
  const server = createServer(listener((_, response) => response.end('next'))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const call = async (path: string, body?: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, body === undefined ? {} : { method: 'POST', body })
    return `${response.status} ${await response.text()}`
  }
  return { call, failures }
}

test('a listener is loaded once, with the first request that may be its own, and misses nothing of it', async (t) => {
  let loads = 0
  const { call } = await serve(t, async () => {
    loads += 1
    await new Promise((resolve) => setTimeout(resolve, 20))
    return link
  })
  assert.equal(await call('/v1.0/me'), '200 next')
  assert.equal(loads, 0)
  const body = 'x'.repeat(300_000)
  assert.deepEqual(await Promise.all([call('/own/form', body), call('/elsewhere'), call('/own')]), [
    '200 own 300000',
    '200 next',
    '200 own 0',
  ])
  assert.equal(loads, 1)
})

test('what cannot be loaded is said and answered 500, and tried again', async (t) => {
  let isThere = false
  const { call, failures } = await serve(t, async () => {
    if (!isThere) throw new Error('no such module')
    return link
  })
  assert.equal(await call('/own'), '500 ')
  assert.equal(await call('/v1.0/me'), '200 next')
  assert.deepEqual(failures.map(String), ['Error: no such module'])
  isThere = true
  assert.equal(await call('/own'), '200 own 0')
})
