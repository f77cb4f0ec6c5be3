import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { startServer } from '../support/start-server.js'

async function readerAndSender(t: TestContext) {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  const alex = await server.user('alex@contoso.com')
  const send = async (subject: string, to: string, isReadReceiptRequested = true) => {
    const toRecipients = [{ emailAddress: { address: to } }]
    const { status } = await adele.post('/me/sendMail', { message: { subject, toRecipients, isReadReceiptRequested } })
    assert.equal(status, 202)
    await server.graphpost.drainOutbox(20_000)
  }
  const receipts = async () => {
    await server.graphpost.drainOutbox(20_000)
    const { json } = await adele.get('/me/mailFolders/inbox/messages')
    return json.value.map(({ subject }: { subject: string }) => subject).sort()
  }
  const markAll = (isRead: boolean, suppressReadReceipts: boolean) =>
    alex.post('/beta/me/mailFolders/inbox/updateAllMessagesReadState', { isRead, suppressReadReceipts })
  return { server, adele, alex, send, receipts, markAll }
}

test('reading a whole folder tells each sender who asked, once, unless receipts are suppressed', async (t) => {
  const { send, receipts, markAll } = await readerAndSender(t)
  await send('one', 'alex@contoso.com')
  await send('two', 'alex@contoso.com')
  await send('three', 'alex@contoso.com', false)
  assert.equal((await markAll(true, true)).status, 204)
  assert.deepEqual(await receipts(), [])
  await markAll(false, false)
  assert.equal((await markAll(true, false)).status, 204)
  assert.deepEqual(await receipts(), ['Read: one', 'Read: two'])
  await markAll(false, false)
  await markAll(true, false)
  assert.deepEqual(await receipts(), ['Read: one', 'Read: two'])
})

test('what one sent oneself is read without a receipt', async (t) => {
  const { adele, send, receipts } = await readerAndSender(t)
  await send('to me', 'adele@contoso.com')
  const { json } = await adele.get('/me/mailFolders/inbox/messages')
  await adele.call('PATCH', `/me/messages/${json.value[0].id}`, {
    headers: { 'Content-Type': 'application/json' },
    body: '{"isRead": true}',
  })
  assert.deepEqual(await receipts(), ['to me'])
})

test('a receipt is in the thread of the message, from who read it, and asks for none itself', async (t) => {
  const { adele, alex, send, receipts } = await readerAndSender(t)
  await send('one', 'alex@contoso.com')
  const [message] = (await alex.get('/me/mailFolders/inbox/messages')).json.value
  const { json } = await alex.call('PATCH', `/me/messages/${message.id}`, {
    headers: { 'Content-Type': 'application/json' },
    body: '{"isRead": true}',
  })
  assert.equal(json.isReadReceiptRequested, true)
  assert.deepEqual(await receipts(), ['Read: one'])
  const [receipt] = (await adele.get('/me/mailFolders/inbox/messages')).json.value
  const [sent] = (await adele.get('/me/mailFolders/sentitems/messages')).json.value
  assert.equal(receipt.conversationId, sent.conversationId)
  assert.equal(receipt.from.emailAddress.address, 'alex@contoso.com')
  assert.equal(receipt.isReadReceiptRequested, false)
  const { text } = await adele.get(`/me/messages/${receipt.id}/$value`)
  assert.match(text, /^Content-Type: multipart\/report; report-type=disposition-notification;/m)
  assert.match(text, /^Disposition: automatic-action\/MDN-sent-automatically; displayed\r$/m)
  assert.ok(text.includes(`Original-Message-ID: ${sent.internetMessageId}\r\n`))
  // Nothing of it is in the folders of who read the message.
  assert.deepEqual((await alex.get('/me/mailFolders/sentitems/messages')).json.value, [])
})
