/** `translateExchangeIds`: every format of an id leads to every other, and back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idFormats } from '../../src/graph/id-format.js'
import { type Client, startServer } from '../support/start-server.js'

const adele = 'adele@contoso.com'
const scopes = ['Mail.ReadWrite', 'User.Read']

async function translate(client: Client, inputIds: readonly string[], sourceIdType: string, targetIdType: string) {
  const { status, json, text } = await client.post('/me/translateExchangeIds', { inputIds, sourceIdType, targetIdType })
  assert.equal(status, 200, text)
  return json.value as { sourceId: string; targetId: string | null; errorDetails?: { code: string; message: string } }[]
}

async function one(client: Client, id: string, source: string, target: string): Promise<string> {
  const [result] = await translate(client, [id], source, target)
  assert.equal(result?.sourceId, id)
  assert.ok(result?.targetId, JSON.stringify(result))
  return result.targetId
}

/** A draft, and its id of the other kind. */
async function makeDraft(client: Client): Promise<{ id: string; immutable: string; folder: string }> {
  const { json } = await client.post('/me/messages', { subject: 'Quinces' })
  const read = await client.get(`/me/messages/${json.id}`, { Prefer: 'IdType="ImmutableId"' })
  return { id: json.id, immutable: read.json.id, folder: json.parentFolderId }
}

test('a message id goes into every format and comes back from it', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele, scopes)
  const { id, immutable } = await makeDraft(client)
  assert.equal(await one(client, id, 'restId', 'restImmutableEntryId'), immutable)
  assert.equal(await one(client, immutable, 'restImmutableEntryId', 'restId'), id)
  for (const source of idFormats) {
    const spelt = await one(client, id, 'restId', source)
    for (const target of idFormats) {
      const wanted = await one(client, id, 'restId', target)
      assert.equal(await one(client, spelt, source, target), wanted, `${source} to ${target}`)
    }
  }
  const ews = Buffer.from(await one(client, id, 'restId', 'ewsId'), 'base64')
  assert.equal(ews.length, 113)
  const entry = await one(client, id, 'restId', 'entryId')
  // 70 bytes: two characters of padding, which a digit counts.
  assert.match(entry, /^[\w-]{94}2$/)
  assert.deepEqual(Buffer.from(entry.slice(0, -1), 'base64url'), ews.subarray(43))
})

test('ids of folders have one form in REST', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele, scopes)
  const { folder } = await makeDraft(client)
  assert.equal(await one(client, folder, 'restId', 'restImmutableEntryId'), folder)
  const entry = await one(client, folder, 'restId', 'entryId')
  assert.equal(await one(client, entry, 'entryId', 'restId'), folder)
  assert.equal(await one(client, entry, 'immutableEntryId', 'restId'), folder)
  assert.equal(await one(client, folder, 'restId', 'immutableEntryId'), entry)
})

test('what is wrong with one id is said beside it, and the others are translated', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele, scopes)
  const alex = await server.user('alex@contoso.com', scopes)
  const kept = await makeDraft(client)
  const moved = await makeDraft(client)
  const foreign = await makeDraft(alex)
  const now = (await client.post(`/me/messages/${moved.id}/move`, { destinationId: 'inbox' })).json.id
  const inputIds = [kept.id, 'none', moved.id, foreign.id, now, kept.immutable, '']
  const { json } = await client.post(`/me/translateExchangeIds`, {
    InputIds: inputIds,
    SourceIdType: 'RestId',
    TargetIdType: 'restImmutableEntryId',
  })
  assert.equal(json['@odata.context'], `${server.url}/v1.0/$metadata#Collection(microsoft.graph.convertIdResult)`)
  const results = json.value.map(({ targetId, errorDetails }: { targetId: string; errorDetails?: { code: string } }) =>
    errorDetails === undefined ? targetId : errorDetails.code,
  )
  assert.deepEqual(results, [
    kept.immutable,
    'ErrorInvalidIdMalformed',
    'ErrorItemNotFound',
    'ErrorInvalidMailboxItemId',
    moved.immutable,
    'ErrorInvalidIdMalformed',
    'ErrorInvalidIdMalformed',
  ])
  assert.deepEqual(json.value[1], {
    sourceId: 'none',
    targetId: null,
    errorDetails: { code: 'ErrorInvalidIdMalformed', message: 'Id is malformed.' },
  })
  assert.equal(await one(client, moved.immutable, 'restImmutableEntryId', 'restId'), now)
})

test('a thousand ids are translated at once, one more is refused', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele, scopes)
  const { id, immutable } = await makeDraft(client)
  const results = await translate(client, Array(1_000).fill(id), 'restId', 'restImmutableEntryId')
  assert.equal(results.length, 1_000)
  assert.ok(results.every(({ targetId }) => targetId === immutable))
  const inputIds = Array(1_001).fill(id)
  const more = await client.post('/me/translateExchangeIds', {
    inputIds,
    sourceIdType: 'restId',
    targetIdType: 'ewsId',
  })
  assert.equal(more.status, 400)
  assert.equal(more.json.error.target, 'inputIds')
})

test('parameters that are missing or of another type are named', async (t) => {
  const server = await startServer(t)
  const client = await server.user(adele, scopes)
  const good = { inputIds: ['x'], sourceIdType: 'restId', targetIdType: 'ewsId' }
  const bad: [object, string][] = [
    [{ ...good, inputIds: undefined }, 'inputIds'],
    [{ ...good, inputIds: 'x' }, 'inputIds'],
    [{ ...good, inputIds: [1] }, 'inputIds/0'],
    [{ ...good, sourceIdType: undefined }, 'sourceIdType'],
    [{ ...good, sourceIdType: 'mapiId' }, 'sourceIdType'],
    [{ ...good, targetIdType: null }, 'targetIdType'],
    [{ ...good, targetIdType: 3 }, 'targetIdType'],
    [{ ...good, other: 3 }, 'other'],
  ]
  for (const [body, target] of bad) {
    const { status, json } = await client.post('/me/translateExchangeIds', body)
    assert.equal(status, 400)
    assert.equal(json.error.target, target, JSON.stringify(json))
  }
})
