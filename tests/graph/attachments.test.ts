import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Answer, type Client, startServer } from '../support/start-server.js'

async function setup(t: TestContext) {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const { json: draft } = await adele.post('/me/messages', {
    subject: 'With files',
    toRecipients: [{ emailAddress: { address: 'someone@example.com' } }],
  })
  return { server, adele, draft }
}

const file = (name: string, content: string | Buffer, more: object = {}) => ({
  '@odata.type': '#microsoft.graph.fileAttachment',
  name,
  contentBytes: Buffer.from(content).toString('base64'),
  ...more,
})

async function attached(client: Client, id: string, attachment: object): Promise<Answer['json']> {
  const answer = await client.post(`/me/messages/${id}/attachments`, attachment)
  assert.equal(answer.status, 201, answer.text)
  return answer.json
}

const messageOf = async (client: Client, id: string) => (await client.get(`/me/messages/${id}`)).json

function refused(answer: Answer, status: number, code: string, message?: string): void {
  assert.equal(answer.status, status, answer.text)
  assert.equal(answer.json.error.code, code)
  if (message !== undefined) assert.equal(answer.json.error.message, message)
}

test('a file is answered as it is kept, and changes its message', async (t) => {
  const { server, adele, draft } = await setup(t)
  server.clock.advance(2_000)
  const answer = await adele.post(`/me/messages/${draft.id}/attachments`, file('smile.gif', 'GIF89a'))
  assert.equal(answer.status, 201)
  assert.deepEqual(Object.keys(answer.json), [
    '@odata.context',
    '@odata.type',
    '@odata.mediaContentType',
    'id',
    'lastModifiedDateTime',
    'name',
    'contentType',
    'size',
    'isInline',
    'contentId',
    'contentLocation',
    'contentBytes',
  ])
  assert.match(answer.json['@odata.context'], /\/messages\('[^']+'\)\/attachments\/\$entity$/)
  assert.equal(answer.json.contentType, 'image/gif')
  assert.equal(Buffer.from(answer.json.contentBytes, 'base64').toString(), 'GIF89a')
  assert.ok(answer.headers.get('location')?.endsWith(`/messages('${draft.id}')/attachments('${answer.json.id}')`))
  const message = await messageOf(adele, draft.id)
  assert.equal(message.hasAttachments, true)
  assert.notEqual(message.changeKey, draft.changeKey)
  assert.notEqual(message.lastModifiedDateTime, draft.lastModifiedDateTime)
  const { json } = await adele.get(`/me/messages/${draft.id}/attachments/${answer.json.id}`)
  assert.equal(json.contentBytes, answer.json.contentBytes)
})

test('items and, in beta, links are attached too', async (t) => {
  const { adele, draft } = await setup(t)
  const event = await attached(adele, draft.id, {
    '@odata.type': '#microsoft.graph.itemAttachment',
    name: 'Holiday event',
    item: { '@odata.type': 'microsoft.graph.event', subject: 'Discuss gifts' },
  })
  assert.deepEqual([event['@odata.type'], event.contentType], ['#microsoft.graph.itemAttachment', null])
  assert.equal('item' in event, false)
  const link = await adele.post(`/beta/me/messages/${draft.id}/attachments`, {
    '@odata.type': '#microsoft.graph.referenceAttachment',
    name: 'Pictures',
    sourceUrl: 'https://contoso.com/pics',
    providerType: 'oneDriveConsumer',
    permission: 'Edit',
    isFolder: 'True',
  })
  assert.equal(link.status, 201, link.text)
  assert.deepEqual(
    [link.json.sourceUrl, link.json.permission, link.json.isFolder],
    ['https://contoso.com/pics', 'edit', true],
  )
  assert.equal((await adele.get(`/me/messages/${draft.id}/attachments`)).json.value.length, 2)
})

test('inline files do not count as attachments to be seen', async (t) => {
  const { adele, draft } = await setup(t)
  await attached(adele, draft.id, file('logo.png', 'png', { isInline: true, contentId: 'logo' }))
  assert.equal((await messageOf(adele, draft.id)).hasAttachments, false)
  const { id } = await attached(adele, draft.id, file('a.txt', 'a'))
  assert.equal((await messageOf(adele, draft.id)).hasAttachments, true)
  const gone = await adele.call('DELETE', `/me/messages/${draft.id}/attachments/${id}`)
  assert.deepEqual([gone.status, gone.text], [204, ''])
  assert.equal((await messageOf(adele, draft.id)).hasAttachments, false)
  refused(await adele.get(`/me/messages/${draft.id}/attachments/${id}`), 404, 'ErrorItemNotFound')
  refused(await adele.call('DELETE', `/me/messages/${draft.id}/attachments/${id}`), 404, 'ErrorItemNotFound')
})

test('a removed file is not sent, an added one is', async (t) => {
  const { adele, draft } = await setup(t)
  const { id } = await attached(adele, draft.id, file('removed.txt', 'removed'))
  await attached(adele, draft.id, file('kept.txt', 'kept'))
  assert.equal((await adele.call('DELETE', `/me/messages/${draft.id}/attachments/${id}`)).status, 204)
  assert.equal((await adele.call('POST', `/me/messages/${draft.id}/send`, { body: '' })).status, 202)
  const [sent] = (await adele.get('/me/mailFolders/sentitems/messages')).json.value
  const mime = (await adele.get(`/me/messages/${sent.id}/$value`)).text
  assert.match(mime, /kept\.txt/)
  assert.doesNotMatch(mime, /removed\.txt/)
})

test('twenty files added to one draft at once are all there', async (t) => {
  const { adele, draft } = await setup(t)
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, number) =>
      adele.post(`/me/messages/${draft.id}/attachments`, file(`${number}.txt`, String(number))),
    ),
  )
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201])
  const { value } = (await adele.get(`/me/messages/${draft.id}/attachments?$select=name`)).json
  assert.equal(new Set(value.map(({ name }: { name: string }) => name)).size, 20)
  await Promise.all(answers.map(({ json }) => adele.call('DELETE', `/me/messages/${draft.id}/attachments/${json.id}`)))
  assert.equal((await adele.get(`/me/messages/${draft.id}/attachments`)).json.value.length, 0)
  assert.equal((await messageOf(adele, draft.id)).hasAttachments, false)
})

test('a file of 3 MB goes in one request, a larger one does not', async (t) => {
  const { adele, draft } = await setup(t)
  assert.equal((await attached(adele, draft.id, file('most.bin', Buffer.alloc(3_000_000)))).size, 3_000_000)
  // Base64 makes four bytes of three, so the limit of a request comes first unless it is raised.
  const large = await startServer(t, { maxRequestBytes: '8MiB' })
  const owner = await large.user('adele@contoso.com')
  const { json } = await owner.post('/me/messages', {})
  refused(
    await owner.post(`/me/messages/${json.id}/attachments`, file('more.bin', Buffer.alloc(3_145_612))),
    400,
    'ErrorMessageSizeExceeded',
    'The message exceeds the maximum supported size., Cannot save changes made to an item to store.',
  )
  assert.equal((await owner.get(`/me/messages/${json.id}/attachments`)).json.value.length, 0)
  refused(
    await adele.post(`/me/messages/${draft.id}/attachments`, file('more.bin', Buffer.alloc(3_200_000))),
    413,
    'BadRequest',
    'The maximum request length supported is 4MB.',
  )
})

test('what is no attachment is refused by name, and nothing is kept', async (t) => {
  const { server, adele, draft } = await setup(t)
  const path = `/me/messages/${draft.id}/attachments`
  refused(await adele.post(path, {}), 422, 'UnprocessableType')
  refused(await adele.post(path, { ...file('a', 'a'), contentBytes: '%' }), 400, 'UnableToDeserializePostBody')
  refused(await adele.post(path, { ...file('a', 'a'), colour: 'red' }), 400, 'RequestBodyRead')
  refused(await adele.post(path, file('', 'a')), 400, 'ErrorRequiredPropertyMissing')
  refused(await adele.post(path, file('a\r\nb', 'a')), 400, 'ErrorInvalidProperty')
  refused(await adele.post(path, []), 400, 'RequestBodyRead')
  refused(await adele.post('/me/messages/nonsense/attachments', file('a', 'a')), 400, 'ErrorInvalidIdMalformed')
  const reader = await server.user('adele@contoso.com', ['Mail.Read', 'Mail.Send'])
  refused(await reader.post(path, file('a', 'a')), 403, 'ErrorAccessDenied')
  const unchanged = await messageOf(adele, draft.id)
  assert.deepEqual([unchanged.changeKey, unchanged.hasAttachments], [draft.changeKey, false])
})

test('the files of a received message can be taken off it', async (t) => {
  const { server, adele } = await setup(t)
  const alex = await server.user('alex@contoso.com')
  const sent = await alex.post('/me/sendMail', {
    message: {
      subject: 'Large',
      toRecipients: [{ emailAddress: { address: 'adele@contoso.com' } }],
      attachments: [file('large.txt', 'large')],
    },
  })
  assert.equal(sent.status, 202)
  await server.graphpost.drainOutbox(5_000)
  const [received] = (await adele.get('/me/mailFolders/inbox/messages')).json.value
  const [{ id }] = (await adele.get(`/me/messages/${received.id}/attachments`)).json.value
  assert.equal((await adele.call('DELETE', `/me/messages/${received.id}/attachments/${id}`)).status, 204)
  assert.equal((await messageOf(adele, received.id)).hasAttachments, false)
  const [own] = (await alex.get('/me/mailFolders/sentitems/messages')).json.value
  assert.equal((await alex.get(`/me/messages/${own.id}/attachments`)).json.value.length, 1)
})

test('attachments of an attached item have ids of their own, at every depth', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const file = (name: string) => ({ '@odata.type': '#microsoft.graph.fileAttachment', name, contentBytes: 'YQ==' })
  const item = (subject: string, ...attachments: object[]) => ({
    '@odata.type': '#microsoft.graph.itemAttachment',
    name: subject,
    item: { '@odata.type': '#microsoft.graph.message', subject, attachments },
  })
  const { json } = await adele.post('/me/messages', {
    subject: 'Outer',
    attachments: [item('Middle', file('a'), file('b'), item('Inner', file('c'), file('d')))],
  })
  const path = `/me/messages/${json.id}/attachments`
  for (const headers of [undefined, { Prefer: 'IdType="ImmutableId"' }]) {
    const expand = '$expand=Microsoft.Graph.itemattachment/item'
    const [held] = (await adele.get(`${path}?${expand}`, headers)).json.value
    const [a, b, inner] = held.item.attachments
    const [c, d] = inner.item.attachments
    const ids: string[] = [held, a, b, inner, c, d].map(({ id }) => id)
    assert.equal(new Set(ids).size, 6)
    for (const id of ids) assert.match(id, /^A[\w-]+=*$/)
    // 20 bytes a level (recorded).
    const sizes = ids.map((id) => Buffer.from(id, 'base64url').length - Buffer.from(ids[0] ?? '', 'base64url').length)
    assert.deepEqual(sizes, [0, 20, 20, 20, 40, 40])
    assert.match(held.item.webLink, /\/owa\/\?AttachmentItemID=[\w%]+&exvsurl=1&viewmodel=ItemAttachment$/)
    const single = (await adele.get(`${path}/${held.id}?${expand}`, headers)).json
    assert.deepEqual(single.item, held.item)
    assert.match(single['@odata.context'], /\/attachments\(microsoft\.graph\.itemAttachment\/item\(\)\)\/\$entity$/)
    assert.match(single['item@odata.context'], /\/microsoft\.graph\.itemAttachment\/item\/\$entity$/)
    assert.equal((await adele.get(`${path}/${a.id}`, headers)).json.error.code, 'ErrorInvalidIdMalformed')
  }
})
