import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type AddressObject, simpleParser } from 'mailparser'
import { type Answer, type Client, startServer, type TestServer } from '../support/start-server.js'

const recipient = (address: string, name?: string) => ({
  emailAddress: { address, ...(name === undefined ? {} : { name }) },
})
const adeleAt = 'adele@contoso.com'
const alexAt = 'alex@contoso.com'

interface World {
  readonly server: TestServer
  readonly adele: Client
  readonly alex: Client
}

async function world(t: TestContext): Promise<World> {
  const server = await startServer(t)
  return { server, adele: await server.user(adeleAt), alex: await server.user(alexAt) }
}

/** Sends a mail and waits until it is delivered. */
async function sent({ server }: World, from: Client, message: object): Promise<void> {
  const answer = await from.post('/me/sendMail', { message })
  assert.equal(answer.status, 202, answer.text)
  await server.graphpost.drainOutbox(5_000)
}

async function newestIn(client: Client, folder: string): Promise<Answer['json']> {
  const [newest] = (await client.get(`/me/mailFolders/${folder}/messages?$top=1`)).json.value
  assert.notEqual(newest, undefined, `${folder} is empty`)
  return newest
}

async function answered(client: Client, id: string, action: string, body: object = {}): Promise<Answer['json']> {
  const answer = await client.post(`/me/messages/${id}/${action}`, body)
  assert.equal(answer.status, 201, answer.text)
  return answer.json
}

const addresses = (recipients: { emailAddress: { address: string } }[]) =>
  recipients.map(({ emailAddress }) => emailAddress.address)

function refused(answer: Answer, status: number, code: string): void {
  assert.equal(answer.status, status, answer.text)
  assert.equal(answer.json.error.code, code)
}

/** A mail of Alex in Adele's Inbox. */
async function received(w: World, message: object = {}): Promise<Answer['json']> {
  await sent(w, w.alex, {
    subject: 'Meeting',
    body: { contentType: 'html', content: '<p>See you <b>there</b></p>' },
    toRecipients: [recipient(adeleAt, 'Adele')],
    ...message,
  })
  return newestIn(w.adele, 'inbox')
}

test('a reply draft has subject, recipients, thread and quote as recorded', async (t) => {
  const w = await world(t)
  w.server.clock.advance(1_000)
  const original = await received(w, {
    subject: 'Demande de rendez-vous',
    body: {
      contentType: 'html',
      content:
        '<html><head><style type="text/css" style="display:none;">P {margin-top:0;margin-bottom:0;}</style></head><body dir="ltr"><div class="x" style="color:black">Bonjour,</div></body></html>',
    },
  })
  const answer = await w.adele.post(`/me/messages/${original.id}/createReply`, { comment: 'Merci,\nvolontiers <3' })
  assert.equal(answer.status, 201)
  const draft = answer.json
  assert.match(draft['@odata.context'], /\/\$metadata#users\('[^']+'\)\/messages\/\$entity$/)
  assert.ok(answer.headers.get('location')?.endsWith(`/messages('${draft.id}')`))
  assert.equal(draft.subject, 'RE: Demande de rendez-vous')
  assert.deepEqual([draft.isDraft, draft.isRead, draft.importance, draft.hasAttachments], [true, true, 'normal', false])
  assert.equal(draft.isDeliveryReceiptRequested, false)
  assert.equal(draft.conversationId, original.conversationId)
  assert.notEqual(draft.internetMessageId, original.internetMessageId)
  assert.deepEqual(draft.from, recipient(adeleAt, 'Adele'))
  assert.deepEqual(draft.sender, draft.from)
  assert.deepEqual(draft.toRecipients, [original.from])
  assert.deepEqual([draft.ccRecipients, draft.bccRecipients, draft.replyTo], [[], [], []])
  assert.equal(draft.sentDateTime, draft.createdDateTime)
  const before = Buffer.from(original.conversationIndex, 'base64')
  const after = Buffer.from(draft.conversationIndex, 'base64')
  assert.deepEqual([before.length, after.length], [22, 27])
  assert.deepEqual(after.subarray(0, 22), before)
  const sentLine = /<b>Sent:<\/b> ([^<]+)</.exec(draft.body.content)?.[1] ?? ''
  assert.match(sentLine, /^[A-Z][a-z]+day, [A-Z][a-z]+ \d{1,2}, \d{4} \d{1,2}:\d\d:\d\d [AP]M$/)
  assert.equal(Date.parse(`${sentLine} UTC`), Date.parse(original.sentDateTime))
  assert.deepEqual(draft.body, {
    contentType: 'html',
    content:
      '<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8"><style type="text/css" style="display:none">\r\n<!--\r\np\r\n\t{margin-top:0;\r\n\tmargin-bottom:0}\r\n-->\r\n</style></head><body dir="ltr">Merci,<br>volontiers &lt;3 ' +
      '<hr tabindex="-1" style="display:inline-block; width:98%"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif" color="#000000" style="font-size:11pt">' +
      `<b>From:</b> Alex &lt;alex@contoso.com&gt;<br><b>Sent:</b> ${sentLine}<br><b>To:</b> Adele &lt;adele@contoso.com&gt;<br><b>Subject:</b> Demande de rendez-vous</font> ` +
      '<div>&nbsp;</div></div><div><div class="x" style="color:black">Bonjour,</div></div></body></html>',
  })
  assert.match(draft.bodyPreview, /^Merci,\r\nvolontiers <3/)
  assert.equal((await newestIn(w.adele, 'drafts')).id, draft.id)
  const unique = (await w.adele.get(`/me/messages/${draft.id}?$select=uniqueBody`)).json.uniqueBody
  assert.match(unique.content, /volontiers &lt;3\s*<\/body>/)
})

test('prefixes do not pile up', async (t) => {
  const w = await world(t)
  for (const [subject, reply, forward] of [
    ["Re: Let's start", "RE: Let's start", "FW: Let's start"],
    ['FW: RE: Twice', 'RE: RE: Twice', 'FW: RE: Twice'],
    ['AW: Termin', 'RE: Termin', 'FW: Termin'],
    ['9:30 meeting', 'RE: 9:30 meeting', 'FW: 9:30 meeting'],
    ['', 'RE: ', 'FW: '],
  ]) {
    const { id } = await received(w, { subject })
    assert.equal((await answered(w.adele, id, 'createReply')).subject, reply)
    assert.equal((await answered(w.adele, id, 'createForward')).subject, forward)
  }
})

test('reply goes to replyTo, reply-all to everybody once and never to oneself', async (t) => {
  const w = await world(t)
  const { id } = await received(w, {
    toRecipients: [recipient(adeleAt), recipient('bob@example.com', 'Bob'), recipient('BOB@example.com')],
    ccRecipients: [recipient('carol@example.com'), recipient('bob@example.com'), recipient('ADELE@contoso.com')],
    replyTo: [recipient('desk@example.com')],
  })
  const reply = await answered(w.adele, id, 'createReply')
  assert.deepEqual([addresses(reply.toRecipients), reply.ccRecipients], [['desk@example.com'], []])
  const all = await answered(w.adele, id, 'createReplyAll')
  assert.deepEqual(addresses(all.toRecipients), ['desk@example.com', 'bob@example.com'])
  assert.deepEqual(addresses(all.ccRecipients), ['carol@example.com'])
  assert.match(all.body.content, /<b>Cc:<\/b> carol@example.com &lt;carol@example.com&gt;; /)
})

test('own sent mail is answered to those it was sent to', async (t) => {
  const w = await world(t)
  await sent(w, w.adele, {
    subject: 'Plan',
    toRecipients: [recipient('samantha@example.com'), recipient('randi@example.com')],
    ccRecipients: [recipient(alexAt)],
  })
  const { id } = await newestIn(w.adele, 'sentitems')
  const all = await answered(w.adele, id, 'createReplyAll')
  assert.deepEqual(addresses(all.toRecipients), ['samantha@example.com', 'randi@example.com'])
  assert.deepEqual(addresses(all.ccRecipients), [alexAt])
  assert.deepEqual(addresses((await answered(w.adele, id, 'createReply')).toRecipients), [
    'samantha@example.com',
    'randi@example.com',
  ])
  await sent(w, w.adele, { subject: 'Note to self', toRecipients: [recipient(adeleAt)] })
  const own = await newestIn(w.adele, 'sentitems')
  assert.deepEqual(addresses((await answered(w.adele, own.id, 'createReplyAll')).toRecipients), [adeleAt])
})

test('a message given with an answer replaces what the original would give', async (t) => {
  const w = await world(t)
  const { id } = await received(w)
  const draft = await answered(w.adele, id, 'createReply', {
    Message: {
      toRecipients: [recipient(alexAt), recipient('more@example.com')],
      body: { contentType: 'text', content: 'Only this' },
      importance: 'high',
      isReadReceiptRequested: true,
      internetMessageHeaders: [{ name: 'x-case', value: '7' }],
      attachments: [
        {
          '@odata.type': '#microsoft.graph.fileAttachment',
          name: 'a.txt',
          contentBytes: Buffer.from('a').toString('base64'),
        },
      ],
    },
  })
  assert.deepEqual(addresses(draft.toRecipients), [alexAt, 'more@example.com'])
  assert.deepEqual(draft.body, { contentType: 'text', content: 'Only this' })
  assert.deepEqual([draft.importance, draft.isReadReceiptRequested, draft.hasAttachments], ['high', true, true])
  assert.equal(draft.subject, 'RE: Meeting')
})

for (const version of ['/v1.0', '/beta']) {
  test(`${version}: every operation is served for every spelling of mailbox and message`, async (t) => {
    const w = await world(t)
    const { id, parentFolderId } = await received(w)
    const [user] = (await w.server.graphpost.directory.listUsers()).filter(
      ({ userPrincipalName }) => userPrincipalName === adeleAt,
    )
    const roots = [
      ['/me', user?.owner],
      [`/users/${user?.owner}`, user?.owner],
      [`/users/${adeleAt}`, adeleAt],
      [`/users('${encodeURIComponent(adeleAt)}')`, adeleAt],
    ]
    const to = [recipient(alexAt)]
    for (const [root, written] of roots) {
      for (const path of [
        `messages/${id}`,
        `messages('${id}')`,
        `mailFolders/inbox/messages/${id}`,
        `mailFolders/${parentFolderId}/messages/${id}`,
      ]) {
        for (const action of ['createReply', 'microsoft.graph.createReplyAll', 'createforward']) {
          const { status, headers, json } = await w.adele.post(`${version}${root}/${path}/${action}`, { Comment: 'c' })
          assert.equal(status, 201, `${root}/${path}/${action}`)
          assert.equal(headers.get('location'), `${w.server.url}${version}/users('${written}')/messages('${json.id}')`)
        }
        for (const action of ['reply', 'replyAll', 'microsoft.graph.forward']) {
          const body = { Comment: 'c', ...(action.endsWith('forward') ? { ToRecipients: to } : {}) }
          const answer = await w.adele.post(`${version}${root}/${path}/${action}`, body)
          assert.deepEqual([answer.status, answer.text], [202, ''], `${root}/${path}/${action}`)
        }
      }
    }
    const elsewhere = await w.adele.post(`${version}/me/mailFolders/drafts/messages/${id}/createReply`, {})
    refused(elsewhere, 404, 'ErrorItemNotFound')
    refused(await w.alex.post(`${version}/me/messages/${id}/createReply`, {}), 404, 'ErrorInvalidMailboxItemId')
  })
}

test('a mailbox whose name a header cannot hold still gets its answer', async (t) => {
  const w = await world(t)
  const name = 'żaba@contoso.com'
  const zaba = await w.server.user(name)
  await sent(w, w.alex, { subject: 'x', toRecipients: [recipient(name)] })
  const { id } = await newestIn(zaba, 'inbox')
  const answer = await zaba.post(`/users/${encodeURIComponent(name)}/messages/${id}/createReply`, {})
  assert.equal(answer.status, 201, answer.text)
  const location = `${w.server.url}/v1.0/users('%C5%BCaba@contoso.com')/messages('${answer.json.id}')`
  assert.equal(answer.headers.get('location'), location)
  assert.equal((await zaba.get(location.slice(w.server.url.length))).json.id, answer.json.id)
})

test('what says nothing is no contradiction: empty bodies and empty lists', async (t) => {
  const w = await world(t)
  const { id } = await received(w)
  const nothing = { body: { contentType: 'text', content: '' }, toRecipients: [] }
  const reply = await answered(w.adele, id, 'createReply', { comment: 'Mine', message: nothing })
  assert.match(reply.body.content, /Mine <hr .*See you/)
  assert.deepEqual(addresses(reply.toRecipients), [alexAt])
  const forwarded = await answered(w.adele, id, 'createForward', {
    toRecipients: [recipient(alexAt)],
    message: nothing,
    comment: null,
  })
  assert.deepEqual(addresses(forwarded.toRecipients), [alexAt])
  const given = await answered(w.adele, id, 'createForward', {
    toRecipients: [],
    message: { toRecipients: [recipient(alexAt)] },
  })
  assert.deepEqual(addresses(given.toRecipients), [alexAt])
  const nulls = await answered(w.adele, id, 'createForward', { toRecipients: null, message: null, comment: null })
  assert.deepEqual(nulls.toRecipients, [])
})

test('comment and body, or recipients twice, are refused', async (t) => {
  const w = await world(t)
  const { id } = await received(w)
  const body = { contentType: 'text', content: 'b' }
  for (const action of ['createReply', 'createReplyAll', 'createForward', 'reply', 'replyAll', 'forward']) {
    const path = `/me/messages/${id}/${action}`
    refused(await w.adele.post(path, { comment: 'a', message: { body } }), 400, 'ErrorInvalidRequest')
    refused(await w.adele.post(path, { comment: 'a', coment: 'b' }), 400, 'RequestBodyRead')
    refused(await w.adele.post(path, { comment: 'a', Comment: 'b' }), 400, 'RequestBodyRead')
    refused(await w.adele.post(path, { comment: 7 }), 400, 'RequestBodyRead')
    refused(await w.adele.post(path, []), 400, 'BadRequest')
    refused(
      await w.adele.post(path, '%%', { 'Content-Type': 'text/plain' }),
      400,
      'ErrorMimeContentInvalidBase64String',
    )
  }
  for (const action of ['createForward', 'forward']) {
    const twice = { toRecipients: [recipient(alexAt)], message: { toRecipients: [recipient(alexAt)] } }
    refused(await w.adele.post(`/me/messages/${id}/${action}`, twice), 400, 'ErrorInvalidRequest')
  }
  refused(await w.adele.post(`/me/messages/${id}/forward`, { comment: 'To nobody' }), 400, 'ErrorInvalidRecipients')
  assert.equal((await w.adele.get('/me/mailFolders/drafts/messages/$count')).text, '0')
  assert.equal((await w.adele.get('/me/mailFolders/sentitems/messages/$count')).text, '0')
  const empty = await answered(w.adele, id, 'createReply', { comment: '', message: { body } })
  assert.equal(empty.body.content, 'b')
})

test('an answer needs no body at all, but the right to make it, and a message that was sent', async (t) => {
  const w = await world(t)
  const { id } = await received(w)
  const bodiless = (client: Client, path: string) => client.call('POST', path, { body: '' })
  const sender = await w.server.user(adeleAt, ['Mail.Send'])
  const writer = await w.server.user(adeleAt, ['Mail.ReadWrite'])
  for (const action of ['createReply', 'createReplyAll', 'createForward']) {
    assert.equal((await bodiless(writer, `/me/messages/${id}/${action}`)).status, 201)
    refused(await bodiless(sender, `/me/messages/${id}/${action}`), 403, 'ErrorAccessDenied')
  }
  for (const action of ['reply', 'replyAll']) {
    const answer = await bodiless(sender, `/me/messages/${id}/${action}`)
    assert.deepEqual([answer.status, answer.text, answer.headers.get('content-length')], [202, '', '0'])
    refused(await bodiless(writer, `/me/messages/${id}/${action}`), 403, 'ErrorAccessDenied')
  }
  const draft = await newestIn(w.adele, 'drafts')
  for (const action of ['createReply', 'reply', 'createForward']) {
    refused(await bodiless(w.adele, `/me/messages/${draft.id}/${action}`), 400, 'ErrorInvalidReferenceItem')
  }
  refused(await bodiless(w.adele, '/me/messages/nonsense/createReply'), 400, 'ErrorInvalidIdMalformed')
})

test('a forward carries every file, a reply the pictures its quote shows', async (t) => {
  const w = await world(t)
  const file = (name: string, more: object = {}) => ({
    '@odata.type': '#microsoft.graph.fileAttachment',
    name,
    contentBytes: Buffer.from(name).toString('base64'),
    ...more,
  })
  const { id } = await received(w, {
    body: { contentType: 'html', content: '<img src="cid:shown@x"> and text' },
    attachments: [
      file('report.pdf'),
      file('shown.png', { isInline: true, contentId: 'shown@x' }),
      file('unused.png', { isInline: true, contentId: 'unused@x' }),
    ],
  })
  const namesOf = async (draft: Answer['json']) =>
    (await w.adele.get(`/me/messages/${draft.id}/attachments`)).json.value.map(
      (item: { name: string; contentBytes: string }) => [
        item.name,
        Buffer.from(item.contentBytes, 'base64').toString(),
      ],
    )
  const reply = await answered(w.adele, id, 'createReply')
  assert.equal(reply.hasAttachments, false)
  assert.deepEqual(await namesOf(reply), [['shown.png', 'shown.png']])
  const forward = await answered(w.adele, id, 'createForward', { toRecipients: [recipient(alexAt)] })
  assert.equal(forward.hasAttachments, true)
  assert.deepEqual(
    (await namesOf(forward)).map(([name]: string[]) => name),
    ['report.pdf', 'shown.png', 'unused.png'],
  )
  const other = await w.adele.post(`/me/messages/${id}/forward`, { toRecipients: [recipient(alexAt)], comment: 'FYI' })
  assert.equal(other.status, 202)
  await w.server.graphpost.drainOutbox(5_000)
  const got = await newestIn(w.alex, 'inbox')
  const parsed = await simpleParser((await w.alex.get(`/me/messages/${got.id}/$value`)).text)
  assert.deepEqual(parsed.attachments.map(({ content }) => content.toString()).sort(), [
    'report.pdf',
    'shown.png',
    'unused.png',
  ])
})

test('the times of a quote are those of the zone the caller prefers', async (t) => {
  const w = await world(t)
  const { id, sentDateTime } = await received(w)
  const lineIn = async (zone: string) => {
    const answer = await w.adele.post(`/me/messages/${id}/createReply`, {}, { Prefer: `outlook.timezone="${zone}"` })
    assert.equal(answer.headers.get('preference-applied'), `outlook.timezone="${zone}"`)
    return /<b>Sent:<\/b> ([^<]+)</.exec(answer.json.body.content)?.[1] ?? ''
  }
  const utc = Date.parse(sentDateTime)
  assert.equal(Date.parse(`${await lineIn('Asia/Tokyo')} GMT+0900`), utc)
  assert.equal(Date.parse(`${await lineIn('Tokyo Standard Time')} GMT+0900`), utc)
  assert.equal(Date.parse(`${await lineIn('India Standard Time')} GMT+0530`), utc)
  const unknown = await w.adele.post(`/me/messages/${id}/createReply`, {}, { Prefer: 'outlook.timezone="Mars"' })
  refused(unknown, 400, 'TimeZoneNotSupportedException')
})

test('in MIME an answer says what it says, and goes where the original came from', async (t) => {
  const w = await world(t)
  const { id, internetMessageId } = await received(w, { ccRecipients: [recipient('carol@example.com')] })
  const mime = (fields: string[], text: string) =>
    Buffer.from([...fields, 'Content-Type: text/plain', '', text, ''].join('\r\n')).toString('base64')
  const asMime = { 'Content-Type': 'text/plain' }
  const body = mime(['To: stranger@example.com', 'Cc: other@example.com', 'Subject: Mine', 'x-own: 1'], 'In MIME')
  for (const [action, to, cc] of [
    ['createReply', [alexAt], []],
    ['createReplyAll', [alexAt], ['carol@example.com']],
    ['createForward', ['stranger@example.com'], ['other@example.com']],
  ] as const) {
    const { status, json } = await w.adele.post(`/me/messages/${id}/${action}`, body, asMime)
    assert.equal(status, 201)
    assert.deepEqual([addresses(json.toRecipients), addresses(json.ccRecipients)], [to, cc])
    assert.equal(json.subject, 'Mine')
    assert.match(json.body.content, /In MIME/)
    const onTheWire = await simpleParser((await w.adele.get(`/me/messages/${json.id}/$value`)).text)
    assert.equal(onTheWire.inReplyTo, internetMessageId)
    assert.equal(onTheWire.headers.get('x-own'), '1')
  }
  assert.equal((await w.adele.post(`/me/messages/${id}/reply`, body, asMime)).status, 202)
  await w.server.graphpost.drainOutbox(5_000)
  assert.equal((await newestIn(w.alex, 'inbox')).subject, 'Mine')
})

test('what is signed in an answer in MIME reaches its reader as it was signed', async (t) => {
  const w = await world(t)
  const { id, internetMessageId, conversationId } = await received(w)
  const entity =
    '--b\r\nContent-Type: text/plain\r\n\r\nsigned  text \r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\r\nAAAA\r\n--b--\r\n'
  const mime = Buffer.from(
    `From: else@example.com\r\nTo: stranger@example.com\r\nSubject: Signed\r\nMIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary=b\r\n\r\n${entity}`,
  ).toString('base64')
  const asMime = { 'Content-Type': 'text/plain', Prefer: 'outlook.timezone="Mars"' }
  assert.equal((await w.adele.post(`/me/messages/${id}/reply`, mime, asMime)).status, 202)
  const draft = await w.adele.post(`/me/messages/${id}/createReply`, mime, asMime)
  assert.equal(draft.status, 201)
  assert.equal((await w.adele.call('POST', `/me/messages/${draft.json.id}/send`, { body: '' })).status, 202)
  await w.server.graphpost.drainOutbox(5_000)
  const { value } = (await w.alex.get('/me/mailFolders/inbox/messages')).json
  assert.equal(value.length, 2)
  for (const got of value) {
    const { text } = await w.alex.get(`/me/messages/${got.id}/$value`)
    assert.equal(text.slice(text.indexOf('\r\n\r\n') + 4), entity)
    const parsed = await simpleParser(text)
    assert.deepEqual(
      [parsed.inReplyTo, parsed.references, parsed.subject],
      [internetMessageId, internetMessageId, 'Signed'],
    )
    assert.deepEqual([parsed.from?.value[0]?.address, (parsed.to as AddressObject).value.length], [adeleAt, 1])
    assert.equal((parsed.to as AddressObject).value[0]?.address, alexAt)
    assert.deepEqual(addresses(got.toRecipients), [alexAt])
  }
  const kept = (await w.adele.get('/me/mailFolders/sentitems/messages?$select=conversationId')).json.value
  for (const sentCopy of kept) assert.equal(sentCopy.conversationId, conversationId)
})

test('an answer in MIME that is changed is written anew, and stays in its thread', async (t) => {
  const w = await world(t)
  const { id, internetMessageId } = await received(w)
  const mime = Buffer.from('Subject: One\r\nX-Own: 1\r\n\r\ntext\r\n').toString('base64')
  const { json } = await w.adele.post(`/me/messages/${id}/createReply`, mime, { 'Content-Type': 'text/plain' })
  const patched = await w.adele.call('PATCH', `/me/messages/${json.id}`, {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ subject: 'Two' }),
  })
  assert.equal(patched.status, 200)
  const parsed = await simpleParser((await w.adele.get(`/me/messages/${json.id}/$value`)).text)
  assert.deepEqual([parsed.subject, parsed.inReplyTo, parsed.headers.get('x-own')], ['Two', internetMessageId, '1'])
})

test('an answer that was sent is seen on the original', async (t) => {
  const w = await world(t)
  const { id } = await received(w)
  const verbs = async () => {
    const filter = encodeURIComponent("id eq 'Integer 0x1081' or id eq 'SystemTime 0x1082' or id eq 'Integer 0x1080'")
    const { json } = await w.adele.get(`/me/messages/${id}?$expand=singleValueExtendedProperties($filter=${filter})`)
    return json.singleValueExtendedProperties?.map(({ value }: { value: string }) => value)
  }
  const draft = await answered(w.adele, id, 'createReplyAll')
  assert.equal(await verbs(), undefined)
  w.server.clock.advance(60_000)
  const sentDraft = await w.adele.call('POST', `/me/messages/${draft.id}/send`, { body: '' })
  assert.equal(sentDraft.status, 202)
  const { sentDateTime } = await newestIn(w.adele, 'sentitems')
  assert.deepEqual(await verbs(), ['103', sentDateTime, '261'])
  const forwarded = await w.adele.post(`/me/messages/${id}/forward`, { toRecipients: [recipient(alexAt)] })
  assert.equal(forwarded.status, 202)
  assert.equal((await verbs())[0], '104')
  assert.equal((await w.adele.get(`/me/messages/${id}`)).json.isRead, false)
})

test('a thread of five replies between two mailboxes holds together on the wire', async (t) => {
  const w = await world(t)
  await sent(w, w.adele, { subject: 'Budget', toRecipients: [recipient(alexAt)], body: { content: 'First' } })
  const ids: string[] = [(await newestIn(w.alex, 'inbox')).internetMessageId]
  const wire = []
  for (let round = 0; round < 5; round++) {
    w.server.clock.advance(3_600_000)
    const client = round % 2 === 0 ? w.alex : w.adele
    const other = client === w.alex ? w.adele : w.alex
    const { id } = await newestIn(client, 'inbox')
    const draft = await answered(client, id, 'createReply', { comment: `Answer ${round + 1}` })
    assert.equal((await client.call('POST', `/me/messages/${draft.id}/send`, { body: '' })).status, 202)
    await w.server.graphpost.drainOutbox(5_000)
    const got = await newestIn(other, 'inbox')
    assert.equal(Buffer.from(got.conversationIndex, 'base64').length, 22 + 5 * (round + 1))
    wire.push(await simpleParser((await other.get(`/me/messages/${got.id}/$value`)).text))
    ids.push(got.internetMessageId)
  }
  wire.forEach((mail, round) => {
    assert.equal(mail.subject, 'RE: Budget')
    assert.equal(mail.messageId, ids[round + 1])
    assert.equal(mail.inReplyTo, ids[round])
    assert.deepEqual([mail.references].flat(), ids.slice(0, round + 1))
    assert.equal((mail.to as AddressObject).value[0]?.address, round % 2 === 0 ? adeleAt : alexAt)
  })
  for (const client of [w.adele, w.alex]) {
    const { value } = (await client.get('/me/messages?$top=50&$select=conversationId')).json
    assert.equal(value.length, 6)
    assert.equal(new Set(value.map(({ conversationId }: { conversationId: string }) => conversationId)).size, 1)
  }
})

test('an original of four megabytes is quoted in no time', async (t) => {
  const w = await world(t)
  const content = `<div>${'<p>line &amp; more</p>'.repeat(150_000)}`.slice(0, 3_000_000)
  const { id } = await received(w, { body: { contentType: 'html', content } })
  const draft = await answered(w.adele, id, 'createReply', { comment: 'Long' })
  assert.ok(draft.body.content.length > 2_900_000)
})
