/** What users may do in the mailboxes of others: reading with Full Access, sending as them and on their behalf. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, startServer, type TestServer } from '../support/start-server.js'

const adele = 'adele@contoso.com'
const alex = 'alex@contoso.com'
const support = 'support@contoso.com'
const shared = ['Mail.ReadWrite', 'Mail.ReadWrite.Shared', 'Mail.Send', 'Mail.Send.Shared']

async function office(t: Parameters<typeof startServer>[0], rights: object): Promise<TestServer> {
  const server = await startServer(t)
  await server.graphpost.directory.putSharedMailbox({
    userPrincipalName: support,
    displayName: 'Support',
    aliases: ['help@contoso.com'],
    ...rights,
  })
  return server
}

function mail(subject: string, from?: string) {
  return {
    message: {
      subject,
      toRecipients: [{ emailAddress: { address: alex } }],
      ...(from === undefined ? {} : { from: { emailAddress: { address: from } } }),
    },
  }
}

/** Subject, author and sender of what stands in a folder. */
async function inFolder(server: TestServer, upn: string, folder: string): Promise<[string, string, string][]> {
  await server.graphpost.drainOutbox(5_000)
  const reader = await server.application(['Mail.Read'])
  const { json } = await reader.get(`/users/${upn}/mailFolders/${folder}/messages?$select=subject,from,sender`)
  return json.value.map(
    (message: Record<'from' | 'sender', { emailAddress: { address: string } }> & { subject: string }) => [
      message.subject,
      message.from.emailAddress.address,
      message.sender.emailAddress.address,
    ],
  )
}

async function requireDenied(client: Client, path: string, body: unknown): Promise<void> {
  const { status, json } = await client.post(path, body)
  assert.deepEqual([status, json.error.code], [403, 'ErrorSendAsDenied'])
  assert.equal(
    json.error.message,
    'The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account., Cannot submit message.',
  )
}

test('with Send As the mail is all theirs, and the copy the sender’s', async (t) => {
  const server = await office(t, { sendAs: [adele], sendOnBehalf: [adele] })
  const client = await server.user(adele, shared)
  assert.equal((await client.post('/me/sendMail', mail('As them', 'HELP@contoso.com'))).status, 202)
  assert.deepEqual(await inFolder(server, alex, 'inbox'), [['As them', support, support]])
  assert.deepEqual(await inFolder(server, adele, 'sentitems'), [['As them', support, support]])
  assert.deepEqual(await inFolder(server, support, 'sentitems'), [])
})

test('with Send on Behalf both names stand in the mail', async (t) => {
  const server = await office(t, { sendOnBehalf: [adele] })
  const client = await server.user(adele, shared)
  assert.equal((await client.post('/me/sendMail', mail('For them', support))).status, 202)
  assert.deepEqual(await inFolder(server, alex, 'inbox'), [['For them', support, adele]])
  const draft = await client.post('/me/messages', mail('Drafted for them', support).message)
  assert.equal(draft.status, 201)
  assert.equal(
    (await client.call('POST', `/me/messages/${draft.json.id}/send`, { headers: { 'Content-Length': '0' } })).status,
    202,
  )
  assert.deepEqual((await inFolder(server, alex, 'inbox'))[0], ['Drafted for them', support, adele])
})

test('through the other’s mailbox it takes Full Access and a right of sending; the copy is the other’s', async (t) => {
  const server = await office(t, { fullAccess: [adele, 'lee@contoso.com'], sendAs: [adele] })
  const client = await server.user(adele, shared)
  assert.equal((await client.post(`/users/${support}/sendMail`, mail('From the office'))).status, 202)
  assert.deepEqual(await inFolder(server, support, 'sentitems'), [['From the office', support, support]])
  assert.deepEqual(await inFolder(server, adele, 'sentitems'), [])
  await requireDenied(await server.user('lee@contoso.com', shared), `/users/${support}/sendMail`, mail('No right'))
  const stranger = await server.user('megan@contoso.com', shared)
  const refused = await stranger.post(`/users/${support}/sendMail`, mail('No access'))
  assert.deepEqual([refused.status, refused.json.error.code], [403, 'ErrorAccessDenied'])
})

test('without a right, or without the permission for it, nobody sends as another', async (t) => {
  const server = await office(t, { sendAs: [adele] })
  await requireDenied(await server.user('lee@contoso.com', shared), '/me/sendMail', mail('No right', support))
  await requireDenied(await server.user(adele, ['Mail.Send']), '/me/sendMail', mail('No permission', support))
  await requireDenied(await server.user(adele, shared), '/me/sendMail', mail('Nobody here', 'ceo@elsewhere.example'))
  await requireDenied(await server.application(['Mail.Send']), `/users/${adele}/sendMail`, mail('Not hers', alex))
  assert.deepEqual(await inFolder(server, alex, 'inbox'), [])
})

test('an address of one’s own is always one’s own, and becomes the primary one', async (t) => {
  const server = await office(t, {})
  await server.graphpost.directory.putUser({ userPrincipalName: adele, aliases: ['a.vance@contoso.com'] })
  const client = await server.user(adele, ['Mail.Send'])
  assert.equal((await client.post('/me/sendMail', mail('Alias', 'A.Vance@contoso.com'))).status, 202)
  assert.deepEqual(await inFolder(server, alex, 'inbox'), [['Alias', adele, adele]])
  const back = await server.user(alex, ['Mail.Send'])
  const answer = { message: { subject: 'Back', toRecipients: [{ emailAddress: { address: 'a.vance@contoso.com' } }] } }
  assert.equal((await back.post('/me/sendMail', answer)).status, 202)
  assert.deepEqual(
    (await inFolder(server, adele, 'inbox')).map(([subject]) => subject),
    ['Back'],
  )
})

test('reading another’s mailbox takes Full Access and a .Shared permission; uploads are for one’s own', async (t) => {
  const server = await office(t, { fullAccess: [adele] })
  const client = await server.user(adele, shared)
  assert.equal((await client.get(`/users/${support}/messages`)).status, 200)
  const draft = await client.post(`/users/${support}/messages`, { subject: 'A draft' })
  assert.equal(draft.status, 201)
  const session = await client.post(`/users/${support}/messages/${draft.json.id}/attachments/createUploadSession`, {
    AttachmentItem: { attachmentType: 'file', name: 'a', size: 4_000_000 },
  })
  assert.equal(session.status, 403)
  const own = await server.user(adele, ['Mail.ReadWrite'])
  assert.equal((await own.get(`/users/${support}/messages`)).status, 403)
  const other = await server.user('lee@contoso.com', shared)
  assert.equal((await other.get(`/users/${support}/messages`)).status, 403)
  await server.graphpost.directory.changeRights(support, adele, ['fullAccess'], false)
  assert.equal((await client.get(`/users/${support}/messages`)).status, 403)
})
