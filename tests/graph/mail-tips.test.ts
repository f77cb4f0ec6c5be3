import assert from 'node:assert/strict'
import { test } from 'node:test'
import { patch } from '../support/patch.js'
import { startServer } from '../support/start-server.js'

test('tips tell who is away, who is outside, and who is not there', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com', ['Mail.Read'])
  const alex = await server.user('alex@contoso.com', ['MailboxSettings.ReadWrite'])
  await server.user('diego@contoso.com')
  const at = (ms: number) => ({ dateTime: new Date(ms).toISOString().slice(0, 23), timeZone: 'UTC' })
  const [start, end] = [server.clock.now() - 60_000, server.clock.now() + 60_000]
  const set = await patch(alex, '/me/mailboxSettings', {
    automaticRepliesSetting: {
      status: 'scheduled',
      internalReplyMessage: 'Away',
      externalReplyMessage: 'Closed',
      scheduledStartDateTime: at(start),
      scheduledEndDateTime: at(end),
    },
  })
  assert.equal(set.status, 200, set.text)
  const EmailAddresses = ['Alex@contoso.com', 'diego@contoso.com', 'a@example.com', 'ghost@contoso.com', 'nonsense']
  const { status, json, text } = await adele.post('/me/getMailTips', {
    EmailAddresses,
    MailTipsOptions: 'automaticReplies, MailboxFullStatus,recipientScope',
  })
  assert.equal(status, 200, text)
  assert.match(json['@odata.context'], /\/v1\.0\/\$metadata#Collection\(microsoft\.graph\.mailTips\)$/)
  const zoned = (ms: number) => ({ dateTime: `${new Date(ms).toISOString().slice(0, 23)}0000`, timeZone: 'UTC' })
  assert.deepEqual(json.value, [
    {
      emailAddress: { name: '', address: 'Alex@contoso.com' },
      automaticReplies: {
        message: 'Away',
        messageLanguage: { locale: 'en-US', displayName: 'English (United States)' },
        scheduledStartTime: zoned(start),
        scheduledEndTime: zoned(end),
      },
      mailboxFull: false,
      recipientScope: 'internal',
    },
    {
      emailAddress: { name: '', address: 'diego@contoso.com' },
      automaticReplies: { message: '' },
      mailboxFull: false,
      recipientScope: 'internal',
    },
    {
      emailAddress: { name: '', address: 'a@example.com' },
      automaticReplies: { message: '' },
      mailboxFull: false,
      recipientScope: 'external',
    },
    {
      emailAddress: { name: '', address: 'ghost@contoso.com' },
      error: { message: 'The recipient could not be found.', code: 'RecipientNotFound' },
    },
    {
      emailAddress: { name: '', address: 'nonsense' },
      error: { message: 'The address is not valid.', code: 'InvalidSmtpAddress' },
    },
  ])
  server.clock.advance(120_000)
  const later = await adele.post('/me/microsoft.graph.getMailTips', {
    emailAddresses: ['alex@contoso.com'],
    mailTipsOptions: 'automaticReplies,maxMessageSize',
  })
  assert.deepEqual(later.json.value[0].automaticReplies, { message: '' })
  assert.equal(later.json.value[0].maxMessageSize, 209_715_200)
})

test('what cannot be asked is refused by name', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com', ['Mail.Read'])
  for (const [body, target] of [
    [{ MailTipsOptions: 'automaticReplies' }, 'emailAddresses'],
    [{ EmailAddresses: 'a@example.com' }, 'emailAddresses'],
    [{ EmailAddresses: [5] }, 'emailAddresses/0'],
    [{ EmailAddresses: Array.from({ length: 101 }, () => 'a@example.com') }, 'emailAddresses'],
    [{ EmailAddresses: [], MailTipsOptions: 'shoeSize' }, 'mailTipsOptions'],
    [{ EmailAddresses: [], Colour: 1 }, 'Colour'],
  ] as const) {
    const { status, json, text } = await adele.post('/me/getMailTips', body)
    assert.equal(status, 400, text)
    assert.equal(json.error.target, target)
  }
  assert.equal(
    (await (await server.user('adele@contoso.com', ['Mail.ReadBasic'])).post('/me/getMailTips', {})).status,
    403,
  )
})
