import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createTransport } from 'nodemailer'
import { startServer } from '../support/start-server.js'

async function serverWithSmtp(t: TestContext) {
  const server = await startServer(t, { smtpPort: '0' })
  const alex = await server.user('alex@contoso.com')
  const transport = createTransport({
    host: '127.0.0.1',
    port: server.graphpost.smtpPort,
    secure: false,
    ignoreTLS: true,
  })
  t.after(() => transport.close())
  return { server, alex, transport }
}

test('mail that comes in over SMTP is in the Inbox when the final dot is answered', async (t) => {
  const { alex, transport } = await serverWithSmtp(t)
  await transport.sendMail({
    from: 'Customer <customer@example.com>',
    to: 'alex@contoso.com',
    bcc: 'alex@contoso.com',
    subject: 'Grüße 🎉',
    html: '<p>Hallo</p>',
    messageId: '<from-outside@example.com>',
    attachments: [{ filename: 'a.bin', content: Buffer.from([0, 255, 1]) }],
  })
  const { json } = await alex.get('/me/mailFolders/inbox/messages?$expand=attachments')
  const [message] = json.value
  assert.equal(json.value.length, 1)
  assert.equal(message.subject, 'Grüße 🎉')
  assert.equal(message.isRead, false)
  assert.equal(message.isDraft, false)
  assert.equal(message.isDeliveryReceiptRequested, null)
  assert.equal(message.internetMessageId, '<from-outside@example.com>')
  assert.deepEqual(message.from, { emailAddress: { name: 'Customer', address: 'customer@example.com' } })
  assert.equal(message.attachments[0].contentBytes, Buffer.from([0, 255, 1]).toString('base64'))
  const headers = await alex.get(`/me/messages/${message.id}?$select=internetMessageHeaders`)
  const names = headers.json.internetMessageHeaders.map((header: { name: string }) => header.name)
  assert.deepEqual(names.slice(0, 2), ['Return-Path', 'Received'])
})

test('mail for anyone who has no mailbox here is refused: nothing is relayed', async (t) => {
  const { alex, transport } = await serverWithSmtp(t)
  await assert.rejects(
    transport.sendMail({ from: 'a@example.com', to: 'someone@example.net', subject: 'x', text: 'x' }),
    /550.*5\.1\.1/,
  )
  assert.deepEqual((await alex.get('/me/messages')).json.value, [])
})
