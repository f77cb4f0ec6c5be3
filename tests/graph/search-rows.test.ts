/** Any search leaves the messages that a plain evaluation leaves, newest first, page by page, as the mailbox changes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Client, startServer, type TestServer } from '../support/start-server.js'
import { anySearch, anySearchedContent, anySearchedMessage, type Shown } from './any-search.js'

/** How many searches; a failure prints the seed and path that repeat it. */
const runs = Number(process.env.GRAPHPOST_PROPERTY_RUNS ?? 1_000)
const mailboxSize = 160
/** So often the mailbox changes in between. */
const rounds = 10
const changesEach = 8

const lasting = { Prefer: 'IdType="ImmutableId"' }
const adele = 'adele@contoso.com'

interface Place {
  readonly server: TestServer
  readonly clock: { at: number }
  /** In the order in which they came. */
  readonly ids: string[]
}

/** Signed in now: the clock runs ahead of every token. */
const client = ({ server }: Place) => server.user(adele)

async function fill(place: Place): Promise<void> {
  for (const { folder, pause, draft } of fc.sample(anySearchedMessage, { numRuns: mailboxSize, seed: 11 })) {
    const user = await client(place)
    const { status, json, text } = await user.post(`/me/mailFolders/${folder}/messages`, draft, lasting)
    assert.equal(status, 201, text)
    place.ids.push(json.id)
    place.clock.at += pause * 1_000
  }
}

async function allShown(place: Place): Promise<Shown[]> {
  const user = await client(place)
  const { status, json, text } = await user.get('/me/messages?$top=1000&$expand=attachments', lasting)
  assert.equal(status, 200, text)
  return json.value
}

const anyChange = fc.record({
  act: fc.constantFrom('rewrite', 'move', 'copy', 'read', 'delete', 'purge', 'attach', 'send'),
  which: fc.nat(),
  folder: fc.constantFrom('inbox', 'archive', 'junkemail'),
  content: anySearchedContent,
})

async function change(
  place: Place,
  { act, which, folder, content }: typeof anyChange extends fc.Arbitrary<infer T> ? T : never,
) {
  const user = await client(place)
  const id = place.ids[which % place.ids.length] ?? ''
  const path = `/me/messages/${id}`
  const json = { 'Content-Type': 'application/json', ...lasting }
  const done = async (answer: Promise<{ status: number; text: string; json: { id: string } }>) => {
    const { status, text, json: body } = await answer
    assert.ok(status < 300, `${act}: ${text}`)
    return body
  }
  if (act === 'rewrite') await done(user.call('PATCH', path, { headers: json, body: JSON.stringify(content) }))
  if (act === 'read') await done(user.call('PATCH', path, { headers: json, body: '{"isRead":true}' }))
  if (act === 'move') await done(user.post(`${path}/move`, { destinationId: folder }, lasting))
  if (act === 'copy') place.ids.push((await done(user.post(`${path}/copy`, { destinationId: folder }, lasting))).id)
  if (act === 'delete') await done(user.post(`${path}/move`, { destinationId: 'deleteditems' }, lasting))
  if (act === 'purge') {
    await done(user.call('POST', `${path}/permanentDelete`))
    place.ids.splice(place.ids.indexOf(id), 1)
  }
  if (act === 'attach') {
    const attachment = { '@odata.type': '#microsoft.graph.fileAttachment', name: 'alpha 42.txt', contentBytes: '' }
    await done(user.post(`${path}/attachments`, attachment, lasting))
  }
  if (act === 'send') {
    // A moment of its own, so that its place among the others is known.
    place.clock.at += 1_000
    const message = { ...content, toRecipients: [{ emailAddress: { address: adele } }] }
    await done(user.post('/me/sendMail', { message, saveToSentItems: false }))
    await place.server.graphpost.drainOutbox(10_000)
    const known = new Set(place.ids)
    for (const shown of await allShown(place)) if (!known.has(shown.id)) place.ids.push(shown.id)
    place.clock.at += 1_000
  }
}

async function idsFound(user: Client, path: string): Promise<string[]> {
  const ids: string[] = []
  for (let next: string | undefined = path; next !== undefined; ) {
    const { status, json, text } = await user.get(next, lasting)
    assert.equal(status, 200, text)
    for (const { id } of json.value) ids.push(id)
    const link: string | undefined = json['@odata.nextLink']
    next = link?.slice(new URL(link).origin.length)
  }
  return ids
}

test('any search finds what a plain evaluation finds, in order, page by page, whatever became of the mail', async (t) => {
  // It stands still on whole seconds: moments are compared to the millisecond and shown to the second.
  const clock = { at: Math.floor(Date.now() / 1_000) * 1_000, now: () => clock.at }
  const server = await startServer(t, {}, { clock })
  const place: Place = { server, clock, ids: [] }
  await fill(place)
  let found = 0
  for (let round = 0; round < rounds; round++) {
    if (round > 0)
      for (const one of fc.sample(anyChange, { numRuns: changesEach, seed: round })) await change(place, one)
    const shown = await allShown(place)
    assert.equal(shown.length, place.ids.length)
    const came = new Map(place.ids.map((id, index) => [id, index]))
    const at = ({ sentDateTime, id }: Shown) => [Date.parse(sentDateTime), came.get(id) ?? 0] as const
    const newestFirst = shown.toSorted((a, b) => at(b)[0] - at(a)[0] || at(b)[1] - at(a)[1])
    const folders = [...new Set(shown.map(({ parentFolderId }) => parentFolderId))]
    const moments = shown.map(({ sentDateTime }) => Date.parse(sentDateTime))
    const user = await client(place)
    await fc.assert(
      fc.asyncProperty(
        anySearch(moments, clock.at),
        fc.option(fc.constantFrom(...folders), { nil: undefined }),
        fc.constantFrom(25, 100, 1_000),
        async ({ text, meets }, folder, top) => {
          const expected = newestFirst.filter(
            (message) => (folder === undefined || message.parentFolderId === folder) && meets(message) === true,
          )
          const list = folder === undefined ? '/me/messages' : `/me/mailFolders/${folder}/messages`
          const path = `${list}?$select=id&$top=${top}&$search=${encodeURIComponent(text)}`
          assert.deepEqual(
            await idsFound(user, path),
            expected.map(({ id }) => id),
            text,
          )
          if (expected.length > 0) found++
        },
      ),
      { numRuns: Math.ceil(runs / rounds), includeErrorInReport: true, interruptAfterTimeLimit: 120_000 },
    )
  }
  // Most have something to find.
  assert.ok(found > runs / 3, `${found} of ${runs}`)
  t.diagnostic(`${runs} searches, ${found} of them found something`)
})
