import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { MailboxId } from '../../src/mail/ids.js'
import { startIndexing } from '../../src/mail/keep-indexed.js'
import { openStore } from '../../src/store/open.js'
import { testLocation } from '../support/open-test-store.js'
import { atEnd, startServer } from '../support/start-server.js'

/** Waits until the index has every message of every mailbox. */
async function caughtUp(listBehind: () => Promise<MailboxId[]>): Promise<void> {
  while ((await listBehind()).length > 0) await sleep(50)
}

test('mail is indexed without a search, also what an earlier run left', { timeout: 60_000 }, async (t) => {
  const location = await testLocation(t)
  const place: Record<string, string> =
    location.kind === 'postgres'
      ? { store: location.url }
      : { memory: 'off', data: location.kind === 'folder' ? location.path : '' }
  const server = await startServer(t, place)
  const ada = await server.user('ada@example.com')
  const send = () =>
    ada.post('/me/sendMail', {
      message: { subject: 'Hello', toRecipients: [{ emailAddress: { address: 'ada@example.com' } }] },
    })
  assert.equal((await send()).status, 202)
  await server.graphpost.drainOutbox(10_000)

  const store = await openStore(location, 10)
  atEnd(t, () => store.close())
  // Written by the server: its own process indexes it.
  await caughtUp(() => store.mail.search.listBehind())
  await server.graphpost.close()

  const [mailbox] = await store.mail.mailboxes.list(server.graphpost.tenant as never)
  assert.ok(mailbox !== undefined)
  const [message] = await store.mail.messages.list({
    mailbox: mailbox.id,
    order: [],
    skip: 0,
    top: 1,
    withContent: true,
  })
  assert.ok(message?.content !== undefined)
  const changed = { ...message, content: message.content, subject: 'Changed', change: store.ids.next() }
  await store.mail.write((tx) => tx.updateMessage(changed, message.change))
  assert.deepEqual(await store.mail.search.listBehind(), [mailbox.id])
  const faults: unknown[] = []
  const end = startIndexing({ store: store.mail }, { failed: (error) => faults.push(error) })
  await caughtUp(() => store.mail.search.listBehind())
  await end()
  assert.deepEqual(faults, [])
})
