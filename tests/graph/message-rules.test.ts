import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createTransport } from 'nodemailer'
import { patch } from '../support/patch.js'
import { startSmtpSink } from '../support/scripted-smtp.js'
import { type Client, startServer, type TestServer } from '../support/start-server.js'

const path = '/me/mailFolders/inbox/messageRules'
const permissions = ['Mail.ReadWrite', 'Mail.Send', 'MailboxSettings.ReadWrite']

async function office(t: TestContext, given: Parameters<typeof startServer>[1] = {}) {
  const server = await startServer(t, given)
  const [adele, alex, diego] = await Promise.all([
    server.user('adele@contoso.com', permissions),
    server.user('alex@contoso.com', permissions),
    server.user('diego@contoso.com', permissions),
  ])
  return { server, adele, alex, diego }
}

let sequence = 0

async function makeRule(client: Client, rule: object) {
  sequence++
  const { status, json, text } = await client.post(path, { displayName: `Rule ${sequence}`, sequence, ...rule })
  assert.equal(status, 201, text)
  return json
}

const addressed = (...addresses: string[]) => addresses.map((address) => ({ emailAddress: { address } }))

async function send(server: TestServer, from: Client, to: string, subject: string, more: object = {}) {
  const message = { subject, toRecipients: addressed(to), body: { contentType: 'text', content: 'At noon.' }, ...more }
  const { status, text } = await from.post('/me/sendMail', { message })
  assert.equal(status, 202, text)
  await server.graphpost.drainOutbox(10_000)
}

async function messages(client: Client, folder: string, query = '') {
  return (await client.get(`/me/mailFolders/${folder}/messages?$top=100${query}`)).json.value
}

async function subjects(client: Client, folder: string): Promise<string[]> {
  return (await messages(client, folder)).map((each: { subject: string }) => each.subject).sort()
}

test('a rule is made, read, changed and deleted', async (t) => {
  const { server, adele, alex } = await office(t)
  const made = await adele.post(path, {
    displayName: 'From partner',
    sequence: 2,
    conditions: { senderContains: ['adele'], subjectContains: null, sentToMe: true },
    actions: {
      forwardTo: [{ emailAddress: { name: 'Alex Wilbur', address: 'AlexW@contoso.onmicrosoft.com' } }],
      moveToFolder: 'archive',
      stopProcessingRules: true,
    },
  })
  assert.equal(made.status, 201, made.text)
  const { id, '@odata.context': context, ...rest } = made.json
  assert.match(context, /\$metadata#users\('[0-9a-f-]{36}'\)\/mailFolders\('inbox'\)\/messageRules\/\$entity$/)
  const { moveToFolder, ...actions } = rest.actions
  assert.deepEqual(
    { ...rest, actions },
    {
      displayName: 'From partner',
      sequence: 2,
      isEnabled: true,
      hasError: false,
      isReadOnly: false,
      conditions: { senderContains: ['ADELE'], sentToMe: true },
      actions: {
        forwardTo: [{ emailAddress: { name: 'Alex Wilbur', address: 'AlexW@contoso.onmicrosoft.com' } }],
        stopProcessingRules: true,
      },
    },
  )
  assert.match(moveToFolder, /^AAMk/)
  assert.deepEqual((await adele.get(`${path}/${id}`)).json, made.json)
  assert.deepEqual((await adele.get(`/me/mailfolders/inbox/messagerules('${id}')`)).json, made.json)
  const changed = await patch(adele, `${path}/${id}`, {
    displayName: 'Important from partner',
    actions: { markImportance: 'High' },
  })
  assert.equal(changed.status, 200, changed.text)
  assert.deepEqual(changed.json, {
    ...made.json,
    displayName: 'Important from partner',
    actions: { markImportance: 'high' },
  })
  await makeRule(adele, { displayName: 'First', sequence: 1, actions: { markAsRead: true } })
  const { json } = await adele.get(path)
  assert.deepEqual(
    json.value.map((each: { displayName: string }) => each.displayName),
    ['First', 'Important from partner'],
  )
  assert.deepEqual((await alex.get(path)).json.value, [])
  assert.equal((await alex.get(`${path}/${id}`)).status, 404)
  assert.equal((await adele.call('DELETE', `${path}/${id}`)).status, 204)
  assert.equal((await adele.get(`${path}/${id}`)).json.error.code, 'ErrorItemNotFound')
  const reader = await server.user('adele@contoso.com', ['Mail.ReadWrite', 'MailboxSettings.Read'])
  assert.equal((await reader.get(path)).status, 200)
  assert.equal((await reader.call('DELETE', `${path}/${json.value[0].id}`)).status, 403)
})

test('what is no rule is refused by name', async (t) => {
  const { adele } = await office(t)
  const rule = { displayName: 'x', sequence: 1, actions: { markAsRead: true } }
  for (const [body, target] of [
    [{ ...rule, displayName: undefined }, 'displayName'],
    [{ ...rule, sequence: undefined }, 'sequence'],
    [{ ...rule, actions: undefined }, 'actions'],
    [{ ...rule, sequence: 'first' }, 'messageRule/sequence'],
    [{ ...rule, sequence: 0 }, 'messageRule/sequence'],
    [{ ...rule, color: 'red' }, 'messageRule/color'],
    [{ ...rule, conditions: { subject: ['x'] } }, 'messageRule/conditions/subject'],
    [{ ...rule, conditions: { subjectContains: 'x' } }, 'messageRule/conditions/subjectContains'],
    [{ ...rule, conditions: { subjectContains: [''] } }, 'messageRule/conditions/subjectContains/0'],
    [{ ...rule, conditions: { importance: 'huge' } }, 'messageRule/conditions/importance'],
    [
      { ...rule, exceptions: { withinSizeRange: { minimumSize: -1 } } },
      'messageRule/exceptions/withinSizeRange/minimumSize',
    ],
    [{ ...rule, actions: { delete: 'perhaps' } }, 'messageRule/actions/delete'],
  ] as const) {
    const { status, json, text } = await adele.post(path, body)
    assert.equal(status, 400, text)
    assert.equal(json.error.target, target, text)
  }
  const codes = async (body: object) => (await adele.post(path, { ...rule, ...body })).json.error.code
  assert.equal(await codes({ actions: {} }), 'ErrorInvalidProperty')
  assert.equal(await codes({ displayName: '' }), 'ErrorInvalidProperty')
  assert.equal(await codes({ actions: { redirectTo: addressed('nobody') } }), 'ErrorInvalidRecipients')
  assert.equal(await codes({ actions: { moveToFolder: 'My Folder' } }), 'ErrorInvalidIdMalformed')
  assert.equal(await codes({ actions: { moveToFolder: 'msgfolderroot' } }), 'ErrorItemNotFound')
  assert.equal(
    await codes({ conditions: { withinSizeRange: { minimumSize: 2, maximumSize: 1 } } }),
    'ErrorInvalidProperty',
  )
  assert.equal(await codes({ conditions: { bodyContains: ['x'.repeat(20_000)] } }), 'ErrorInvalidProperty')
  assert.equal((await adele.post('/me/mailFolders/drafts/messageRules', rule)).json.error.code, 'ErrorInvalidRequest')
  for (const id of ['nothing', 'AQAAAJ5dZp8=', '%00', 'AQ=='])
    assert.equal((await adele.get(`${path}/${id}`)).status, 404, id)
  assert.deepEqual((await adele.get(path)).json.value, [])
})

test('rules move, copy, delete and mark what arrives, in their order, until one is the last', async (t) => {
  const { server, adele, alex } = await office(t)
  await makeRule(adele, {
    conditions: { subjectContains: ['ENTER to win'] },
    actions: { permanentDelete: true, stopProcessingRules: true },
  })
  await makeRule(adele, {
    conditions: { senderContains: ['alex'], bodyContains: ['noon'] },
    exceptions: { importance: 'high' },
    actions: { moveToFolder: 'archive', markAsRead: true, assignCategories: ['Lunch'], markImportance: 'low' },
  })
  await makeRule(adele, { conditions: { categories: ['lunch'] }, actions: { copyToFolder: 'junkemail' } })
  await makeRule(adele, { conditions: { subjectContains: ['stop'] }, actions: { stopProcessingRules: true } })
  await makeRule(adele, { conditions: { importance: 'high' }, actions: { delete: true } })
  await makeRule(adele, { isEnabled: false, actions: { permanentDelete: true } })

  await send(server, alex, 'adele@contoso.com', 'Please enter to win')
  await send(server, alex, 'adele@contoso.com', 'Lunch')
  await send(server, alex, 'adele@contoso.com', 'Urgent', { importance: 'high' })
  await send(server, alex, 'adele@contoso.com', 'Do not stop', { importance: 'high' })
  await send(server, adele, 'adele@contoso.com', 'Note')

  assert.deepEqual(await subjects(adele, 'inbox'), ['Do not stop', 'Note'])
  assert.deepEqual(await subjects(adele, 'archive'), ['Lunch'])
  assert.deepEqual(await subjects(adele, 'junkemail'), ['Lunch'])
  assert.deepEqual(await subjects(adele, 'deleteditems'), ['Urgent'])
  const [lunch] = await messages(adele, 'archive')
  assert.deepEqual([lunch.isRead, lunch.categories, lunch.importance], [true, ['Lunch'], 'low'])
  const [copy] = await messages(adele, 'junkemail')
  assert.notEqual(copy.id, lunch.id)
  // Counts are of what is there.
  for (const [folder, count] of [
    ['inbox', '2'],
    ['archive', '1'],
    ['junkemail', '1'],
    ['deleteditems', '1'],
  ] as const)
    assert.equal((await adele.get(`/me/mailFolders/${folder}/messages/$count`)).text, count)
})

test('rules send on what arrives, with its files, and each in its own way', async (t) => {
  const { server, adele, alex, diego } = await office(t)
  const attachments = [{ '@odata.type': '#microsoft.graph.fileAttachment', name: 'menu.txt', contentBytes: 'c291cA==' }]
  await makeRule(adele, {
    conditions: { hasAttachments: true },
    actions: { forwardTo: addressed('diego@contoso.com') },
  })
  await send(server, alex, 'adele@contoso.com', 'Menu', { attachments })
  const [forwarded] = await messages(diego, 'inbox', '&$expand=attachments')
  assert.equal(forwarded.subject, 'FW: Menu')
  assert.equal(forwarded.from.emailAddress.address, 'adele@contoso.com')
  assert.match(forwarded.body.content, /At noon\./)
  assert.match(forwarded.body.content, /alex@contoso\.com/)
  assert.deepEqual(
    forwarded.attachments.map((each: { name: string; contentBytes: string }) => [each.name, each.contentBytes]),
    [['menu.txt', 'c291cA==']],
  )

  await makeRule(adele, {
    conditions: { subjectContains: ['Round'] },
    actions: { redirectTo: addressed('diego@contoso.com') },
  })
  await send(server, alex, 'adele@contoso.com', 'Round')
  const redirected = (await messages(diego, 'inbox')).find((each: { subject: string }) => each.subject === 'Round')
  assert.equal(redirected.from.emailAddress.address, 'alex@contoso.com')
  assert.deepEqual(redirected.toRecipients[0].emailAddress.address, 'adele@contoso.com')
  const shown = await diego.get(`/me/messages/${redirected.id}?$select=internetMessageHeaders`)
  const header = (name: string) =>
    shown.json.internetMessageHeaders.find((each: { name: string }) => each.name === name)?.value ?? ''
  assert.match(header('Resent-From'), /adele@contoso\.com/)
  assert.match(header('Resent-To'), /diego@contoso\.com/)

  await makeRule(adele, {
    conditions: { subjectContains: ['Parcel'] },
    actions: { forwardAsAttachmentTo: addressed('diego@contoso.com') },
  })
  await send(server, alex, 'adele@contoso.com', 'Parcel')
  const parcel = (
    await messages(diego, 'inbox', '&$expand=attachments($expand=microsoft.graph.itemAttachment/item)')
  ).find((each: { subject: string }) => each.subject === 'FW: Parcel')
  assert.equal(parcel.attachments[0].item.subject, 'Parcel')
  assert.equal(parcel.attachments[0].item.from.emailAddress.address, 'alex@contoso.com')
  // All of it stays with her too, and nothing of it stands in her Sent Items.
  assert.deepEqual(await subjects(adele, 'inbox'), ['Menu', 'Parcel', 'Round'])
  assert.deepEqual(await subjects(adele, 'sentitems'), [])
})

test('rules that send to each other, and to oneself, come to an end', async (t) => {
  const { server, adele, alex, diego } = await office(t)
  for (const kind of ['redirectTo', 'forwardTo']) {
    await makeRule(adele, { actions: { [kind]: addressed('alex@contoso.com', 'adele@contoso.com') } })
    await makeRule(alex, { actions: { [kind]: addressed('adele@contoso.com') } })
  }
  await send(server, diego, 'adele@contoso.com', 'Ping')
  await server.graphpost.drainOutbox(10_000)
  assert.equal((await server.graphpost.directory.listOutbox(100)).filter(({ state }) => state !== 'closed').length, 0)
  // Adele's two go to Alex, whose two of each come back to her, where they end.
  assert.equal((await messages(alex, 'inbox')).length, 2)
  assert.equal((await messages(adele, 'inbox')).length, 5)
})

test('mail from outside is ruled alike, and goes on to the outside as it came', async (t) => {
  const sink = await startSmtpSink(t)
  const { server, adele } = await office(t, { smtpPort: '0', relay: sink.url })
  const transport = createTransport({
    host: '127.0.0.1',
    port: server.graphpost.smtpPort,
    secure: false,
    ignoreTLS: true,
  })
  t.after(() => transport.close())
  await makeRule(adele, {
    conditions: {
      fromAddresses: addressed('Customer@example.com'),
      headerContains: ['x-order: 7'],
      sentOnlyToMe: true,
    },
    actions: { redirectTo: addressed('partner@fabrikam.example'), moveToFolder: 'archive' },
  })
  const mail = { from: 'customer@example.com', to: 'adele@contoso.com', text: 'Hello', headers: { 'X-Order': '7' } }
  await transport.sendMail({ ...mail, subject: 'Order', messageId: '<order@example.com>' })
  await transport.sendMail({ ...mail, subject: 'Another', headers: { 'X-Order': '8' } })
  await transport.sendMail({ ...mail, subject: 'Bounce', envelope: { from: '', to: 'adele@contoso.com' } })
  await server.graphpost.drainOutbox(10_000)
  assert.deepEqual(await subjects(adele, 'archive'), ['Bounce', 'Order'])
  assert.deepEqual(await subjects(adele, 'inbox'), ['Another'])
  assert.equal(sink.received.length, 1)
  const [onward] = sink.received
  assert.equal(onward?.mailFrom, 'adele@contoso.com')
  assert.deepEqual(onward?.rcptTo, ['partner@fabrikam.example'])
  const text = onward?.bytes.toString('latin1') ?? ''
  assert.match(text, /^Resent-From: .*adele@contoso\.com/m)
  assert.match(text, /^From: customer@example\.com\r$/m)
  assert.match(text, /^Message-ID: <order@example\.com>\r$/m)
  assert.match(text, /^X-MS-Exchange-Inbox-Rules-Loop: adele@contoso\.com\r$/m)
  assert.doesNotMatch(text, /^Return-Path/m)
})
