/** What operators watch: figures for Prometheus, spans for a collector, and log lines without secrets. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { openLog } from '../../src/log.js'
import { startSmtpSink } from '../support/scripted-smtp.js'
import { atEnd, clientOf, startServer, type TestServer } from '../support/start-server.js'

const adele = 'adele@contoso.com'
const alex = 'alex@contoso.com'

function mailTo(...addresses: string[]) {
  const toRecipients = addresses.map((address) => ({ emailAddress: { address } }))
  return { message: { subject: 'Lunch?', body: { contentType: 'Text', content: 'sauerkraut' }, toRecipients } }
}

/** Figures by name and labels. */
async function figuresOf({ graphpost }: TestServer): Promise<Map<string, number>> {
  const response = await fetch(`http://127.0.0.1:${graphpost.metricsPort}/metrics`)
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]))
}

test('figures count calls, acceptances, fates, attempts and what waits', async (t) => {
  const sink = await startSmtpSink(t)
  const server = await startServer(t, { relay: sink.url, metricsPort: '0', deliveryConcurrency: '5' })
  const client = await server.user(adele)
  await server.user(alex)
  assert.equal((await client.post('/me/sendMail', mailTo(alex, 'ben@fabrikam.com', 'cy@fabrikam.com'))).status, 202)
  const batch = { requests: [{ id: '1', method: 'GET', url: '/me/messages' }] }
  assert.equal((await client.post('/$batch', batch)).status, 200)
  assert.equal((await client.get('/me/nothing')).status, 400)
  await server.graphpost.drainOutbox(20_000)

  const figures = await figuresOf(server)
  const requests = (method: string, route: string, status: number) =>
    figures.get(`graphpost_requests_total{method="${method}",route="${route}",status="${status}"}`)
  assert.equal(requests('POST', '{mailbox}/sendMail', 202), 1)
  assert.equal(requests('GET', '{mailbox}/messages', 200), 1)
  assert.equal(requests('GET', 'none', 400), 1)
  assert.equal(figures.get('graphpost_accept_seconds_count'), 1)
  assert.equal(figures.get('graphpost_deliveries_total{fate="delivered"}'), 1)
  assert.equal(figures.get('graphpost_deliveries_total{fate="relayed"}'), 2)
  assert.equal(figures.get('graphpost_delivery_attempts_total{tls="none"}'), 1)
  assert.ok((figures.get('graphpost_store_write_seconds_count') ?? 0) > 3)
  assert.ok((figures.get('process_resident_memory_bytes') ?? 0) > 1_000_000)
  const scheduled = await client.post('/me/sendMail', mailTo('late@tailspin.com'))
  assert.equal(scheduled.status, 202)
})

test('what waits is shown by its state, and nothing is open where figures were not asked for', async (t) => {
  const server = await startServer(t, { metricsPort: '0', deliveryConcurrency: '0' })
  const client = await server.user(adele)
  await client.post('/me/sendMail', mailTo('ben@fabrikam.com', 'dee@tailspin.com'))
  const figures = await figuresOf(server)
  // The sender's copy; nothing is indexed in the first second.
  const unindexed = figures.get('graphpost_search_unindexed_messages')
  assert.ok(unindexed === 0 || unindexed === 1, `${unindexed} messages are not indexed`)
  const waiting = [...figures].filter(([name]) => name.startsWith('graphpost_outbox_entries'))
  assert.equal(
    waiting.reduce((sum, [, count]) => sum + count, 0),
    2,
  )
  const elsewhere = await fetch(`http://127.0.0.1:${server.graphpost.metricsPort}/v1.0/me`)
  assert.equal(elsewhere.status, 404)
  assert.equal((await startServer(t)).graphpost.metricsPort, undefined)
})

interface Span {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly attributes: readonly { key: string; value: Record<string, unknown> }[]
  readonly links?: readonly { spanId: string }[]
}

/** A collector of OpenTelemetry, as far as it is needed. */
async function startCollector(t: TestContext): Promise<{ url: string; spans: Span[] }> {
  const spans: Span[] = []
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await text(request))
    assert.equal(request.url, '/v1/traces')
    for (const { scopeSpans } of body.resourceSpans) for (const scope of scopeSpans) spans.push(...scope.spans)
    response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(t, () => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans }
}

test('a call is a span in the trace of its caller, and each attempt one that is linked to it', async (t) => {
  const collector = await startCollector(t)
  const sink = await startSmtpSink(t)
  const server = await startServer(t, { relay: sink.url, otlp: collector.url })
  const client = await server.user(adele)
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`
  const sent = await client.post('/me/sendMail', mailTo('ben@fabrikam.com'), { traceparent })
  await server.graphpost.drainOutbox(20_000)
  await server.graphpost.close()

  const call = collector.spans.find(({ name }) => name === 'POST {mailbox}/sendMail')
  assert.equal(call?.traceId, traceId)
  assert.equal(call?.parentSpanId, 'b7ad6b7169203331')
  const attributes = new Map(call?.attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
  assert.equal(attributes.get('graphpost.request_id'), sent.headers.get('request-id'))
  const attempt = collector.spans.find(({ name }) => name === 'deliver')
  assert.equal(attempt?.links?.[0]?.spanId, call?.spanId)
})

test('no log line holds a token, a password or a body, whatever comes in', async (t) => {
  const password = 'Tr0ub4dor-und-3'
  const lines: string[] = []
  const log = openLog({ level: 'trace', format: 'json', stream: { write: (line) => lines.push(line) } })
  const relay = `smtp://ada:${password}@127.0.0.1:1`
  const server = await startServer(t, { relay, logLevel: 'trace' }, { log })
  const client = await server.user(adele)
  const secrets = [client.token, password, 'sauerkraut']
  await client.post('/me/sendMail', mailTo('ben@fabrikam.com'))
  await client.post('/me/sendMail', `{"message":{"body":{"content":"sauerkraut"},"body":1}`)
  await client.post('/me/sendMail', { message: { body: { content: 'sauerkraut', contentType: 7 } } })
  await client.call('POST', '/me/sendMail', { headers: { 'Content-Type': 'text/plain' }, body: 'sauerkraut' })
  await client.get(`/me/messages?$filter=contains(body/content,'sauerkraut')`)
  await client.get('/me/messages/sauerkraut')
  const broken = `${client.token.slice(0, -3)}xyz`
  await clientOf(server.url, broken).get('/me')
  await clientOf(server.url, 'x'.repeat(9_000)).get('/me')
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'x', client_secret: password })
  await fetch(`${server.url}/common/oauth2/v2.0/token`, { method: 'POST', body: form })
  await server.graphpost.drainOutbox(20_000)
  await server.graphpost.close()
  assert.ok(
    lines.some((line) => line.includes('not relayed')),
    'there are lines',
  )
  for (const secret of secrets) {
    const shown = lines.filter((line) => line.includes(secret) || line.includes(Buffer.from(secret).toString('base64')))
    assert.deepEqual(shown, [])
  }
})
