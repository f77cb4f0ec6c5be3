/** Drafts, answers and upload sessions with Microsoft's client for JavaScript, unmodified but for base URL and host list. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startSdkServer } from './sdk-server.js'

test('@microsoft/microsoft-graph-client drafts, answers, sends, and uploads a large file', async (t) => {
  const { run, owner, server } = await startSdkServer(t)
  const mailboxes = ['/me', `/users/${owner}`, '/users/adele@contoso.com']
  const saw = await run('draft-stories.js', mailboxes)

  for (const version of ['v1.0', 'beta']) {
    for (const mailbox of mailboxes) {
      await t.test(`${version} ${mailbox === `/users/${owner}` ? '/users/{id}' : mailbox}`, () => {
        const { fresh, reply, replyAll, forward } = saw.stories[`${version} ${mailbox}`]
        for (const [answer, subject, preview] of [
          [fresh, 'A story', /^Once/],
          [reply, 'RE: A story', /^Thanks/],
          [replyAll, 'RE: A story', /^Thanks, all/],
          [forward, 'FW: A story', /^FYI/],
        ]) {
          assert.equal(answer.subject, subject)
          assert.deepEqual([answer.isDraft, answer.sameMessage, answer.sameThread], [false, true, true])
          assert.match(answer.preview, preview)
        }
      })
    }
  }

  await t.test('a file of 20 MB goes up in ranges and comes back as it was', () => {
    const { location, ranges, names, intact } = saw.upload
    assert.ok(location.startsWith(`${server.graphpost.httpsUrl}/`), location)
    assert.equal(ranges, Math.ceil(20_000_000 / 3_276_800))
    assert.deepEqual(names, ['large.bin'])
    assert.equal(intact, true)
  })
})
