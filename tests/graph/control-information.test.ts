import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServer } from '../support/start-server.js'

const none = { Accept: 'application/json;odata.metadata=none' }

/** Names of every member, at any depth. */
function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  const below = Object.values(value).flatMap(namesIn)
  return Array.isArray(value) ? below : [...Object.keys(value), ...below]
}

test('with odata.metadata=none an answer has no control information but what leads on', async (t) => {
  const server = await startServer(t)
  const { post, get } = await server.user('adele@contoso.com', ['Mail.ReadWrite', 'User.Read'])
  const attachment = { '@odata.type': '#microsoft.graph.fileAttachment', name: 'a.txt', contentBytes: 'SGVsbG8=' }
  const created = await post('/me/messages', { subject: 'One', attachments: [attachment] }, none)
  assert.equal(created.status, 201)
  assert.equal(created.json.subject, 'One')
  assert.match(created.headers.get('content-type') ?? '', /^application\/json; ?odata\.metadata=none;/)

  const path = '/me/messages?$top=1&$count=true&$expand=attachments'
  const page = await get(path, none)
  const control = namesIn(page.json).filter((name) => name.includes('@'))
  assert.deepEqual(control, ['@odata.count', '@odata.nextLink'])
  // Nothing else is missing.
  const { json: whole, headers } = await get(path)
  assert.match(headers.get('content-type') ?? '', /odata\.metadata=minimal/)
  assert.deepEqual(
    namesIn(page.json).filter((name) => !name.includes('@')),
    namesIn(whole).filter((name) => !name.includes('@')),
  )
  assert.ok(namesIn(whole).includes('@odata.etag'))
  assert.equal(page.json.value[0].attachments[0].contentBytes, 'SGVsbG8=')

  const { json: user, headers: ofUser } = await get('/me', none)
  assert.ok(!('@odata.context' in user))
  assert.match(ofUser.get('content-type') ?? '', /odata\.metadata=none/)
})

const full = { Accept: 'application/json;odata.metadata=full' }

test('with odata.metadata=full everything has its type, and what is somewhere its address and links', async (t) => {
  const server = await startServer(t)
  const { post, get } = await server.user('adele@contoso.com', ['Mail.ReadWrite', 'User.Read'])
  const files = [
    {
      '@odata.type': '#microsoft.graph.fileAttachment',
      name: 'a.txt',
      contentType: 'text/plain',
      contentBytes: 'SGVsbG8=',
    },
    {
      '@odata.type': '#microsoft.graph.itemAttachment',
      name: 'Item',
      item: { '@odata.type': '#microsoft.graph.message', subject: 'Inside' },
    },
  ]
  const toRecipients = [{ emailAddress: { address: 'alex@contoso.com' } }]
  const draft = await post(
    '/me/messages',
    { subject: 'One', categories: ['Red'], toRecipients, attachments: files },
    full,
  )
  assert.match(draft.headers.get('content-type') ?? '', /odata\.metadata=full/)
  const { id, '@odata.context': context } = draft.json
  const place = `${context.split('#')[1].replace('/$entity', '')}('${encodeURIComponent(id)}')`
  assert.deepEqual(Object.keys(draft.json).slice(0, 6), [
    '@odata.context',
    '@odata.type',
    '@odata.id',
    '@odata.etag',
    '@odata.editLink',
    'id',
  ])
  assert.equal(draft.json['@odata.type'], '#microsoft.graph.message')
  assert.equal(draft.json['@odata.id'], place)
  assert.equal(draft.json['@odata.editLink'], place)
  assert.equal(draft.json['receivedDateTime@odata.type'], '#DateTimeOffset')
  assert.equal(draft.json['importance@odata.type'], '#microsoft.graph.importance')
  assert.equal(draft.json['categories@odata.type'], '#Collection(String)')
  assert.equal(draft.json['toRecipients@odata.type'], '#Collection(microsoft.graph.recipient)')
  assert.equal(draft.json['subject@odata.type'], undefined)
  assert.deepEqual(draft.json.toRecipients[0], {
    '@odata.type': '#microsoft.graph.recipient',
    emailAddress: {
      '@odata.type': '#microsoft.graph.emailAddress',
      name: 'alex@contoso.com',
      address: 'alex@contoso.com',
    },
  })
  assert.deepEqual(draft.json.body, {
    '@odata.type': '#microsoft.graph.itemBody',
    'contentType@odata.type': '#microsoft.graph.bodyType',
    contentType: 'text',
    content: '',
  })
  const link = `${server.url}/v1.0/${place}/attachments`
  assert.equal(draft.json['attachments@odata.navigationLink'], link)
  assert.equal(draft.json['attachments@odata.associationLink'], `${link}/$ref`)

  const below = `/me/mailFolders/Drafts/messages/${id}/attachments`
  const { json: list } = await get(below, full)
  const [file, item] = list.value
  const ofFile = `${place.replace('/messages', "/mailFolders('Drafts')/messages")}/attachments('${encodeURIComponent(file.id)}')`
  assert.deepEqual(
    Object.entries(file).filter(([name]) => name !== 'id' && name !== 'lastModifiedDateTime'),
    Object.entries({
      '@odata.type': '#microsoft.graph.fileAttachment',
      '@odata.id': ofFile,
      '@odata.editLink': `${ofFile}/microsoft.graph.fileAttachment`,
      '@odata.mediaEditLink': `${ofFile}/microsoft.graph.fileAttachment/$value`,
      '@odata.mediaContentType': 'text/plain',
      'lastModifiedDateTime@odata.type': '#DateTimeOffset',
      name: 'a.txt',
      contentType: 'text/plain',
      size: file.size,
      isInline: false,
      contentId: null,
      contentLocation: null,
      'contentBytes@odata.type': '#Binary',
      contentBytes: 'SGVsbG8=',
    }),
  )
  assert.match(item['item@odata.navigationLink'], /\/attachments\('[^']+'\)\/microsoft\.graph\.itemAttachment\/item$/)

  const { json: page } = await get('/me/messages?$select=subject&$expand=attachments', full)
  const [message] = page.value
  assert.equal(message.attachments[0]['@odata.id'], `${place}/attachments('${encodeURIComponent(file.id)}')`)
  assert.ok(!('attachments@odata.navigationLink' in message))
  const { json: user } = await get('/me', full)
  assert.equal(user['@odata.type'], '#microsoft.graph.user')
  assert.equal(user['@odata.id'], `users('${user.id}')`)
  assert.equal(user['businessPhones@odata.type'], '#Collection(String)')
})

test('nothing but control information is added, and no part of it twice', async (t) => {
  const server = await startServer(t)
  const { post, get } = await server.user('adele@contoso.com')
  await post('/me/messages', {
    subject: 'One',
    attachments: [{ '@odata.type': '#microsoft.graph.fileAttachment', name: 'a', contentBytes: '' }],
  })
  const path = '/me/messages?$expand=attachments&$count=true&$top=1'
  const bare = (await get(path, none)).json
  const whole = await get(path, full)
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plain)
    if (typeof value !== 'object' || value === null) return value
    const kept = Object.entries(value).filter(([name]) => !/@odata\.(?!nextLink|count)/.test(name))
    return Object.fromEntries(kept.map(([name, member]) => [name, plain(member)]))
  }
  assert.deepEqual(plain(whole.json), bare)
})
