import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSqlite } from '../../src/store/sqlite-driver.js'
import { freshFolder } from '../support/start-server.js'
import { endProcess, type ServerProcess, startProcess } from './server-process.js'

const kills = 8
const senders = 4
/** All rounds together send fewer than one search indexes and answers. */
const mailsEach = 100

function call(server: ServerProcess, path: string, body?: unknown): Promise<Response> {
  return fetch(`${server.url}/v1.0${path}`, {
    headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  })
}

async function found(server: ServerProcess, kql: string): Promise<string[]> {
  const response = await call(
    server,
    `/me/messages?$top=1000&$select=subject&$search=${encodeURIComponent(`"${kql}"`)}`,
  )
  assert.equal(response.status, 200)
  const { value } = (await response.json()) as { value: { subject: string }[] }
  return value.map(({ subject }) => subject)
}

/** Sends and searches until the server is killed under it; `sent` gets what was answered with 202. */
async function useIt(server: ServerProcess, round: number, sent: string[], stopped: () => boolean): Promise<void> {
  let number = 0
  const repeated = async (act: () => Promise<void>) => {
    while (!stopped()) {
      try {
        await act()
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error
        return
      }
    }
  }
  const search = async () => {
    await found(server, `subject:r${round}n*`)
  }
  const send = async () => {
    if (number >= mailsEach) return search()
    const subject = `common r${round}n${number++}`
    const toRecipients = [{ emailAddress: { address: 'someone@example.com' } }]
    const body = { contentType: 'text', content: `inside ${subject}` }
    const response = await call(server, '/me/sendMail', { message: { subject, body, toRecipients } })
    assert.equal(response.status, 202)
    sent.push(subject)
  }
  await Promise.all([...Array.from({ length: senders }, () => repeated(send)), repeated(search)])
}

/** Looks at the index itself, with nobody else at it. */
function examine(folder: string): void {
  const database = openSqlite(join(folder, 'graphpost.sqlite'))
  try {
    database.exec("insert into search_words (search_words) values ('integrity-check')")
    const rows = database
      .prepare(`
        select mailbox_id, indexed_count,
          (select count(*) from search_documents as d where d.mailbox_id = m.mailbox_id) as documents,
          (select count(*) from search_documents as d join search_words as w on w.rowid = d.doc
            where d.mailbox_id = m.mailbox_id) as worded
        from search_mailboxes as m`)
      .all() as { indexed_count: number; documents: number; worded: number }[]
    for (const row of rows) assert.deepEqual([row.documents, row.worded], [row.indexed_count, row.indexed_count])
  } finally {
    database.close()
  }
}

test(`killed ${kills} times while mail is sent and searched, it finds every mail it answered with 202`, async (t: TestContext) => {
  const folder = await freshFolder(t)
  const sent: string[] = []
  for (let round = 0; round < kills; round++) {
    const server = await startProcess(folder)
    let stopped = false
    const using = useIt(server, round, sent, () => stopped)
    await sleep(100 + Math.random() * 300)
    await endProcess(server, 'SIGKILL')
    stopped = true
    await using
    examine(folder)
  }
  t.diagnostic(`${kills} kills, ${sent.length} mails answered with 202`)
  assert.ok(sent.length > kills)
  const server = await startProcess(folder)
  for (let round = 0; round < kills; round++) {
    const there = new Set(await found(server, `subject:r${round}n* body:inside`))
    for (const subject of sent) if (subject.startsWith(`common r${round}n`)) assert.ok(there.has(subject), subject)
  }
  assert.equal(await endProcess(server, 'SIGTERM'), 0)
  examine(folder)
})
