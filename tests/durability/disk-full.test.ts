import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientOf, freshFolder } from '../support/start-server.js'
import { endProcess, startProcess } from './server-process.js'

/** A file may not grow beyond this many KiB: the shell's own limit, which needs no rights and no other file system. */
const limitKib = 12_000

const mail = (subject: string) => ({
  message: {
    subject,
    body: { contentType: 'text', content: 'x'.repeat(200_000) },
    toRecipients: [{ emailAddress: { address: 'someone@example.com' } }],
  },
})

test('when the disk takes no more, sendMail answers 503, keeps what it had accepted, and goes on when there is room', async (t) => {
  const folder = await freshFolder(t)
  const limited = await startProcess(folder, `trap '' XFSZ; ulimit -f ${limitKib}`)
  const client = clientOf(limited.url, limited.token)
  const accepted: string[] = []
  let refused = 0
  for (let number = 0; number < 400 && refused < 5; number++) {
    const answer = await client.post('/me/sendMail', mail(`mail ${number}`))
    if (answer.status === 202) {
      accepted.push(`mail ${number}`)
    } else {
      refused++
      assert.equal(answer.status, 503)
      assert.equal(answer.json.error.code, 'ErrorServerBusy')
      assert.equal(answer.headers.get('retry-after'), '1')
      const reading = await client.get('/me/mailFolders/sentitems/messages?$top=1&$select=subject')
      assert.equal(reading.status, 200)
    }
  }
  assert.equal(refused, 5, 'the disk never became full')
  assert.ok(accepted.length > 5)
  assert.equal(await endProcess(limited, 'SIGTERM'), 0)

  const server = await startProcess(folder)
  const free = clientOf(server.url, server.token)
  assert.equal((await free.post('/me/sendMail', mail('afterwards'))).status, 202)
  const { json } = await free.get('/me/mailFolders/sentitems/messages?$top=1000&$select=subject')
  const kept = json.value.map((message: { subject: string }) => message.subject)
  assert.deepEqual(kept.sort(), [...accepted, 'afterwards'].sort())
  t.diagnostic(`${accepted.length} accepted before the disk was full, all of them there afterwards`)
  assert.equal(await endProcess(server, 'SIGTERM'), 0)
})
