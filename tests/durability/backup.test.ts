/** A copy of the data folder that is made while mail comes in. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { backupFolder } from '../../src/store/backup.js'
import { openSqlite } from '../../src/store/sqlite-driver.js'
import { graphpostProgram, runNode } from '../support/program.js'
import { freshFolder } from '../support/start-server.js'
import { endProcess, startProcess } from './server-process.js'

const connections = 8

interface DeltaAnswer {
  readonly '@odata.deltaLink'?: string
  readonly error?: { readonly code: string }
}

test('what was acknowledged before a backup began is in it, with its attachments, and a server starts on it', async (t) => {
  const folder = await freshFolder(t)
  const data = join(folder, 'data')
  const server = await startProcess(data)
  t.after(() => server.process.kill('SIGKILL'))
  const headers = { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' }
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${server.url}/v1.0${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    const text = await response.text()
    return { status: response.status, json: text === '' ? undefined : JSON.parse(text) }
  }
  const size = 3_200_000
  const uploadOne = async (subject: string) => {
    const { json: draft } = await post('/me/messages', { subject })
    const AttachmentItem = { attachmentType: 'file', name: 'large.bin', size }
    const { json: session } = await post(`/me/messages/${draft.id}/attachments/createUploadSession`, { AttachmentItem })
    const range = { 'Content-Range': `bytes 0-${size - 1}/${size}` }
    const put = await fetch(session.uploadUrl, { method: 'PUT', headers: range, body: new Uint8Array(size).fill(65) })
    assert.equal(put.status, 201)
  }
  const acknowledged: string[] = []
  let stopped = false
  let number = 0
  const flood = Array.from({ length: connections }, async () => {
    while (!stopped) {
      const subject = `mail ${number++}`
      const toRecipients = [{ emailAddress: { address: 'alex@contoso.com' } }]
      const message = { subject, body: { contentType: 'Text', content: 'x'.repeat(1_000) }, toRecipients }
      assert.equal((await post('/me/sendMail', { message })).status, 202)
      acknowledged.push(subject)
    }
  })
  const uploads = (async () => {
    for (let count = 0; !stopped; count++) await uploadOne(`upload ${count}`)
  })()

  const copies: { path: string; before: string[] }[] = []
  for (let round = 0; round < 2; round++) {
    while (acknowledged.length < (round + 1) * 100) await new Promise((resolve) => setTimeout(resolve, 5))
    const path = join(folder, `copy ${round}`)
    const before = [...acknowledged]
    const { code, stdout, stderr } = await runNode(t, [graphpostProgram, 'backup', path, '--data', data])
    assert.equal(code, 0, stderr)
    assert.match(stdout, /checked/)
    copies.push({ path, before })
  }
  stopped = true
  await Promise.all([...flood, uploads])
  const latest = await fetch(`${server.url}/v1.0/me/mailFolders/deletedItems/messages/delta?$deltatoken=latest`, {
    headers,
  })
  const deltaLink = ((await latest.json()) as DeltaAnswer)['@odata.deltaLink'] ?? ''
  await endProcess(server, 'SIGTERM')

  for (const { path, before } of copies) {
    const database = openSqlite(join(path, 'graphpost.sqlite'))
    const kept = new Set(
      (database.prepare('select subject from messages where folder_id <> 0').all() as { subject: string }[]).map(
        ({ subject }) => subject,
      ),
    )
    const counts = database.prepare(
      'select count(*) as wrong from mail_folders f where total_item_count <> (select count(*) from messages m where m.mailbox_id = f.mailbox_id and m.folder_id = f.id)',
    )
    assert.equal((counts.get() as { wrong: number }).wrong, 0)
    database.close()
    assert.deepEqual(
      before.filter((subject) => !kept.has(subject)),
      [],
    )
  }
  const last = copies.at(-1)?.path ?? ''
  const follow = async (url: string) => {
    const answer = await fetch(url, { headers })
    const json = (await answer.json()) as DeltaAnswer
    return { status: answer.status, location: answer.headers.get('Location'), json }
  }
  const restored = await startProcess(last)
  t.after(() => restored.process.kill('SIGKILL'))
  // The token of the server that was copied is good: its keys are there.
  const answer = await fetch(`${restored.url}/v1.0/me/messages/$count`, { headers })
  assert.equal(answer.status, 200)
  // What came after the copy is not there, so a link that knows of it begins anew, and the next one goes on.
  const gone = await follow(deltaLink.replace(server.url, restored.url))
  assert.deepEqual([gone.status, gone.json.error?.code], [410, 'SyncStateNotFound'])
  const anew = await follow(gone.location ?? '')
  assert.equal((await follow(anew.json['@odata.deltaLink'] ?? '')).status, 200)
  await endProcess(restored, 'SIGTERM')
})

test('a backup goes nowhere where something is, and needs a data folder', async (t) => {
  const folder = await freshFolder(t)
  await assert.rejects(backupFolder(join(folder, 'none'), join(folder, 'copy')))
  await assert.rejects(backupFolder(folder, folder), /is there already/)
})
