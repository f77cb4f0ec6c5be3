import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FlowPlan, startFlow } from '../../bench/flow.js'
import type { Answer } from '../../bench/response-splitter.js'

const accepted: Answer = { status: 202, body: Buffer.alloc(0) }
const made = (id: string): Answer => ({ status: 201, body: Buffer.from(JSON.stringify({ '@odata.etag': 'W', id })) })

const drafts: FlowPlan = {
  kind: 'draftAndSend',
  requests: ['draft 0', 'draft 1'],
  sends: ['send 0 {id}', 'send 1 {id}'],
}

test('an operation of one request takes the requests in turn, each connection from another on', () => {
  const plan: FlowPlan = { kind: 'single', requests: ['a', 'b', 'c'] }
  for (const [connection, asked] of [
    [0, 'abca'],
    [1, 'bcab'],
    [5, 'cabc'],
  ] as const) {
    const { flow, keepsBody } = startFlow(plan, connection)
    const requests = Array.from({ length: 4 }, () => {
      const request = flow.begin().toString()
      assert.equal(flow.proceed(accepted), undefined)
      return request
    })
    assert.equal(requests.join(''), asked)
    assert.equal(keepsBody, false)
  }
})

test('a draft is sent by the id that was answered, by the sender who made it', () => {
  const { flow, keepsBody } = startFlow(drafts, 1)
  assert.equal(keepsBody, true)
  for (const [variant, id] of [
    [1, 'AAMk='],
    [0, 'AAMkB'],
    [1, 'AAMkC'],
  ] as const) {
    assert.equal(flow.begin().toString(), `draft ${variant}`)
    assert.equal(flow.proceed(made(id))?.toString(), `send ${variant} ${id}`)
    assert.equal(flow.proceed(accepted), undefined)
  }
})

test('what was refused is not sent, and the next draft goes with its own sender', () => {
  const { flow } = startFlow(drafts, 0)
  flow.begin()
  assert.equal(flow.proceed({ status: 503, body: Buffer.from('{"error":{}}') }), undefined)
  assert.equal(flow.begin().toString(), 'draft 1')
  assert.equal(flow.proceed(made('A'))?.toString(), 'send 1 A')
})

test('a made draft without an id ends the run instead of sending nothing', () => {
  const { flow } = startFlow(drafts, 0)
  flow.begin()
  assert.throws(() => flow.proceed({ status: 201, body: Buffer.from('{}') }), /no id/)
})
