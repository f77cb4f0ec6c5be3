import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSqlite } from '../../src/store/sqlite-driver.js'
import { freshFolder } from '../support/start-server.js'
import { endProcess, type ServerProcess, startProcess } from './server-process.js'

const kills = 20
const connections = 16

/** What one flood sent: each subject, and whether its 202 was read. */
type Sent = Map<string, { acknowledged: boolean; saved: boolean; attachment: boolean }>

async function flood(server: ServerProcess, round: number, sent: Sent, stopped: () => boolean): Promise<void> {
  let number = 0
  const sendOne = async () => {
    const subject = `mail ${round}-${number++}`
    const saved = number % 4 !== 0
    const attachment = number % 3 === 0
    const record = { acknowledged: false, saved, attachment }
    sent.set(subject, record)
    const body = {
      message: {
        subject,
        body: { contentType: 'html', content: `<p>${'x'.repeat(1_500)}</p>` },
        toRecipients: [
          { emailAddress: { address: 'alex@contoso.com' } },
          { emailAddress: { address: 'a@example.com' } },
        ],
        ...(attachment
          ? {
              attachments: [
                { '@odata.type': '#microsoft.graph.fileAttachment', name: 'a.bin', contentBytes: 'AAAA'.repeat(2_000) },
              ],
            }
          : {}),
      },
      saveToSentItems: saved,
    }
    const response = await fetch(`${server.url}/v1.0/me/sendMail`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
    assert.equal(response.status, 202)
    record.acknowledged = true
  }
  const oneConnection = async () => {
    while (!stopped()) {
      try {
        await sendOne()
      } catch (error) {
        // The server was killed under this request: nobody was told anything.
        if (error instanceof assert.AssertionError) throw error
        return
      }
    }
  }
  await Promise.all(Array.from({ length: connections }, oneConnection))
}

interface Kept {
  readonly subject: string
  readonly folder_id: number
  readonly mailbox_id: number
  readonly id: number
}

/** Looks at the database itself, with nobody else at it. */
function examine(folder: string, sent: Sent): void {
  const database = openSqlite(join(folder, 'graphpost.sqlite'))
  try {
    const rows = <Row>(sql: string) => database.prepare(sql).all() as Row[]
    assert.equal(rows<{ integrity_check: string }>('pragma integrity_check')[0]?.integrity_check, 'ok')

    const inbox = 0x10c
    const messages = rows<Kept>('select subject, folder_id, mailbox_id, id from messages')
    const own = new Map(messages.filter(({ folder_id }) => folder_id !== inbox).map((kept) => [kept.subject, kept]))
    const entries = new Set(
      rows<{ key: string }>(`
        select mailbox_id || ' ' || message_id || ' ' || destination as key from outbox union all
        select (e.value ->> 0) || ' ' || (e.value ->> 1) || ' ' || (e.value ->> 2)
        from submissions, json_each('[' || entries || ']') as e`).map(({ key }) => key),
    )
    const attachments = new Map(
      rows<{ key: string; bytes: number }>(
        `select mailbox_id || ' ' || message_id as key, length(content) as bytes from attachments`,
      ).map(({ key, bytes }) => [key, bytes]),
    )
    for (const [subject, { acknowledged, saved, attachment }] of sent) {
      const kept = own.get(subject)
      if (acknowledged) assert.ok(kept, `${subject} was answered with 202 and is gone`)
      if (kept === undefined) continue
      const key = `${kept.mailbox_id} ${kept.id}`
      assert.equal(kept.folder_id, saved ? 0x109 : 0, subject)
      assert.ok(entries.has(`${key} contoso.com`) && entries.has(`${key} example.com`), `${subject} is half written`)
      if (attachment) assert.equal(attachments.get(key), 6_000, `${subject} lost its attachment`)
    }
    const delivered = messages.filter(({ folder_id }) => folder_id === inbox).map(({ subject }) => subject)
    assert.equal(new Set(delivered).size, delivered.length, 'a mail was delivered twice')

    const counts = rows(`
      select f.mailbox_id, f.id, f.total_item_count as counted, count(m.id) as present
      from mail_folders f left join messages m on m.mailbox_id = f.mailbox_id and m.folder_id = f.id
      group by f.mailbox_id, f.id, f.total_item_count having count(m.id) <> f.total_item_count`)
    assert.deepEqual(counts, [])
  } finally {
    database.close()
  }
}

test(`killed ${kills} times in a flood of sendMail, it keeps every mail it answered with 202`, async (t: TestContext) => {
  const folder = await freshFolder(t)
  const sent: Sent = new Map()
  for (let round = 0; round < kills; round++) {
    const server = await startProcess(folder)
    let stopped = false
    const flooding = flood(server, round, sent, () => stopped)
    await sleep(50 + Math.random() * 400)
    await endProcess(server, 'SIGKILL')
    stopped = true
    await flooding
    examine(folder, sent)
  }
  const acknowledged = [...sent.values()].filter((mail) => mail.acknowledged).length
  t.diagnostic(`${kills} kills, ${sent.size} mails sent, ${acknowledged} answered with 202, none of those lost`)
  assert.ok(acknowledged > kills)

  // What was under way at the last kill is taken up again: in the end each recipient of ours has each mail once.
  const server = await startProcess(folder)
  const waiting = () => {
    const database = openSqlite(join(folder, 'graphpost.sqlite'))
    const [row] = database
      .prepare(
        "select count(*) + (select count(*) from submissions) as open from outbox where outbox.state <> 'closed'",
      )
      .all() as { open: number }[]
    database.close()
    return row?.open ?? 0
  }
  for (let turn = 0; turn < 300 && waiting() > 0; turn++) await sleep(100)
  assert.equal(waiting(), 0)
  assert.equal(await endProcess(server, 'SIGTERM'), 0)
  examine(folder, sent)
})
