import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DataMissing, readExample, readExchanges, readRecording } from '../../scripts/conformance/exchange.js'

test('a recording is read with its version taken off the path', () => {
  const exchange = readRecording({
    id: 'made-up',
    confidence: 'fixture',
    captured: '2024-05',
    request: { method: 'GET', path: '/beta/me/messages' },
    response: { status: 200, body: { value: [] } },
    inferred: ['response.status'],
  })
  assert.equal(exchange.name, 'recording made-up')
  assert.equal(exchange.version, 'beta')
  assert.equal(exchange.request.path, '/me/messages')
  assert.equal(exchange.evidence, 'fixture')
  assert.equal(exchange.response?.headers, undefined)
  assert.deepEqual(exchange.inferred, ['response.status'])
})

test('an example without an answer has none', () => {
  const exchange = readExample({
    source: 'page.md#one',
    version: 'v1.0',
    request: { method: 'POST', path: '/me/sendMail', headers: {}, body: {} },
    response: null,
    note: 'no response shown',
  })
  assert.equal(exchange.name, 'example v1.0 page.md#one')
  assert.equal(exchange.response, undefined)
  assert.equal(exchange.notes, 'no response shown')
})

test('all exchanges of a directory are read, recordings first; a missing directory is told', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'conformance-'))
  t.after(() => rm(directory, { recursive: true }))
  await assert.rejects(readExchanges(directory), DataMissing)
  await mkdir(join(directory, 'golden'))
  await mkdir(join(directory, 'spec'))
  await writeFile(join(directory, 'golden', 'recordings.jsonl'), '{"id":"one"}\n')
  await writeFile(join(directory, 'spec', 'examples.jsonl'), '{"source":"two","version":"beta"}\n\n')
  const names = (await readExchanges(directory)).map(({ name }) => name)
  assert.deepEqual(names, ['recording one', 'example beta two'])
})
