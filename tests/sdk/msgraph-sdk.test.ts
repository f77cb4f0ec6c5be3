/** Microsoft's generated client, unmodified but for its base URL, over https. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startSdkServer } from './sdk-server.js'

test('@microsoft/msgraph-sdk drafts, answers and sends', async (t) => {
  const { run, owner } = await startSdkServer(t)
  const users = ['TokenToReplace', owner, 'adele@contoso.com']
  const saw = await run('msgraph-sdk.js', users)

  for (const user of users) {
    await t.test(`as ${user === owner ? 'an object id' : user}`, () => {
      const { fresh, reply, replyAll, forward, last } = saw.stories[user]
      const common = { wasDraft: true, isDraft: false, sameMessage: true, sameThread: true, to: ['alex@contoso.com'] }
      assert.deepEqual(fresh, { ...common, draftSubject: 'A story', subject: 'A story' })
      for (const answer of [reply, replyAll]) {
        assert.deepEqual(answer, { ...common, draftSubject: 'RE: A story', subject: 'RE: A story' })
      }
      assert.deepEqual(forward, { ...common, draftSubject: 'FW: A story', subject: 'FW: A story' })
      assert.equal(last, 'In one call')
    })
  }

  await t.test('refusals reach the program with status, code and message', () => {
    assert.deepEqual(saw.refused.noRecipients, {
      status: 400,
      code: 'ErrorInvalidRecipients',
      message: "At least one recipient is not valid., A message can't be sent because it contains no recipients.",
    })
    assert.deepEqual(saw.refused.unknownMessage, {
      status: 400,
      code: 'ErrorInvalidIdMalformed',
      message: 'Id is malformed.',
    })
  })
})
