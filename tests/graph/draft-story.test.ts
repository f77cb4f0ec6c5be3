/** From draft to Sent Items: every kind of draft, however mailbox and version are spelt. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServer } from '../support/start-server.js'

const kinds = [
  { name: 'new', action: undefined, subject: 'Plan', recipient: 'alex@contoso.com' },
  { name: 'reply', action: 'createReply', subject: 'RE: Plan', recipient: 'alex@contoso.com' },
  { name: 'reply-all', action: 'createReplyAll', subject: 'RE: Plan', recipient: 'alex@contoso.com' },
  { name: 'forward', action: 'createForward', subject: 'FW: Plan', recipient: 'megan@contoso.com' },
] as const

const recipients = (address: string) => [{ emailAddress: { address } }]

for (const version of ['/v1.0', '/beta']) {
  for (const mailbox of ['/me', '/users/{id}', '/users/adele@contoso.com']) {
    test(`${version}${mailbox}: new, reply, reply-all and forward drafts are sent`, async (t) => {
      const server = await startServer(t)
      const adele = await server.user('adele@contoso.com')
      const alex = await server.user('alex@contoso.com')
      const users = await server.graphpost.directory.listUsers()
      const owner = users.find(({ userPrincipalName }) => userPrincipalName === 'adele@contoso.com')?.owner ?? ''
      const root = version + mailbox.replace('{id}', owner)
      const asked = await alex.post('/me/sendMail', {
        message: { subject: 'Plan', body: { content: 'Shall we?' }, toRecipients: recipients('adele@contoso.com') },
      })
      assert.equal(asked.status, 202)
      await server.graphpost.drainOutbox(5_000)
      const [original] = (await adele.get(`${root}/mailFolders/inbox/messages`)).json.value

      for (const { name, action, subject, recipient } of kinds) {
        await t.test(name, async () => {
          const made =
            action === undefined
              ? await adele.post(`${root}/messages`, {
                  subject,
                  body: { content: 'New' },
                  toRecipients: recipients(recipient),
                })
              : await adele.post(`${root}/messages/${original.id}/${action}`, {
                  comment: 'Yes',
                  ...(action === 'createForward' ? { toRecipients: recipients(recipient) } : {}),
                })
          assert.equal(made.status, 201, made.text)
          const draft = made.json
          assert.deepEqual([draft.subject, draft.isDraft], [subject, true])
          assert.equal(draft.conversationId === original.conversationId, action !== undefined)
          const immutable = (await adele.get(`${root}/messages/${draft.id}`, { Prefer: 'IdType="ImmutableId"' })).json
            .id

          const sent = await adele.call('POST', `${root}/messages/${draft.id}/send`, { body: '' })
          assert.deepEqual([sent.status, sent.text, sent.headers.get('content-length')], [202, '', '0'])

          const [copy] = (await adele.get(`${root}/mailFolders/sentitems/messages?$top=1`)).json.value
          assert.notEqual(copy.id, draft.id)
          assert.equal(copy.internetMessageId, draft.internetMessageId)
          assert.equal(copy.conversationId, draft.conversationId)
          assert.deepEqual([copy.subject, copy.isDraft, copy.isRead], [subject, false, true])
          assert.equal((await adele.get(`${root}/messages/${immutable}`)).json.id, copy.id)
          assert.equal((await adele.get(`${root}/messages/${draft.id}`)).status, 404)
          assert.equal((await adele.get(`${root}/mailFolders/drafts/messages/$count`)).text, '0')

          await server.graphpost.drainOutbox(5_000)
          const reader = await server.user(recipient)
          const [received] = (await reader.get('/me/mailFolders/inbox/messages?$top=1')).json.value
          assert.equal(received.internetMessageId, draft.internetMessageId)
        })
        server.clock.advance(1_000)
      }
    })
  }
}
