/** Microsoft's own client for JavaScript, unmodified but for base URL and host list, over https as it demands. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recipient, startSdkServer } from './sdk-server.js'

test('@microsoft/microsoft-graph-client sends, lists, pages, gets and reads refusals', async (t) => {
  const { run, server } = await startSdkServer(t)
  const { httpsUrl } = server.graphpost
  const saw = await run('graph-client.js')

  await t.test('a list has what was selected, newest first, and a link to the next page', () => {
    const { value } = saw.list
    assert.deepEqual(subjectsOf(value), ['Menu 7', 'Menu 6', 'Menu 5'])
    assert.deepEqual(Object.keys(value[0]).sort(), ['@odata.etag', 'hasAttachments', 'id', 'subject'])
    assert.deepEqual(
      value.map((message: { hasAttachments: boolean }) => message.hasAttachments),
      [true, false, false],
    )
    assert.ok(saw.list['@odata.nextLink'].startsWith(`${httpsUrl}/v1.0/me/mailFolders/sentitems/messages?`))
  })

  await t.test('the page iterator goes through all of them once', () => {
    assert.deepEqual(
      saw.paged,
      [7, 6, 5, 4, 3, 2, 1].map((number) => `Menu ${number}`),
    )
  })

  await t.test('one message is read whole, with its file when that is expanded', () => {
    assert.equal(saw.one.subject, 'Menu 7')
    assert.match(saw.one.body.content, /Grüße 🎉/)
    assert.equal(saw.one.toRecipients[0].emailAddress.address, recipient)
    const [attachment] = saw.withFiles.attachments
    assert.equal(attachment['@odata.type'], '#microsoft.graph.fileAttachment')
    assert.equal(attachment.name, 'menu.txt')
    assert.equal(Buffer.from(attachment.contentBytes, 'base64').toString(), 'Soup\r\nBread\r\n')
  })

  await t.test('the MIME of a message comes as a stream', () => {
    assert.match(saw.mime, /^Subject: Menu 7\r$/m)
  })

  await t.test('beta is the same mailbox, counted', () => {
    assert.equal(saw.beta['@odata.count'], 7)
    assert.equal(saw.beta.value.length, 1)
  })

  await t.test('a refusal reaches the program with status, code, message and request id', () => {
    const { noRecipients, unknownMessage, otherMailbox } = saw.refused
    assert.equal(noRecipients.statusCode, 400)
    assert.equal(noRecipients.code, 'ErrorInvalidRecipients')
    assert.match(noRecipients.message, /contains no recipients/)
    assert.equal(unknownMessage.statusCode, 400)
    assert.equal(unknownMessage.code, 'ErrorInvalidIdMalformed')
    assert.equal(otherMailbox.statusCode, 403)
    assert.equal(otherMailbox.code, 'ErrorAccessDenied')
  })
})

test('its batches are sent, answered, and waited for where one call depends on another', async (t) => {
  const { run } = await startSdkServer(t)
  const { parallel, serial } = await run('graph-batch.js')
  const statuses = Object.values(parallel).map((seen) => (seen as { status: number }).status)
  assert.deepEqual(statuses, Array(20).fill(202))
  assert.equal(serial[1].status, 201)
  assert.equal(serial[1].body.subject, 'Draft')
  assert.equal(Buffer.from(serial[2].body, 'base64').toString(), '20')
  assert.deepEqual(subjectsOf(serial[3].body.value), ['Draft'])
  assert.equal(serial[3].body.value[0].id.length, 68)
  assert.deepEqual([serial[4].status, serial[4].body.error.code], [400, 'ErrorInvalidIdMalformed'])
  assert.deepEqual([serial[5].status, serial[5].body.error.code], [424, 'FailedDependency'])
})

test('without our authority the client does not talk to us', async (t) => {
  const { run } = await startSdkServer(t, { trusted: false })
  await assert.rejects(run('graph-client.js'), /fetch failed/)
})

function subjectsOf(messages: readonly { subject: string }[]): string[] {
  return messages.map((message) => message.subject)
}
