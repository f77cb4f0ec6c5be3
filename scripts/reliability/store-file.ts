/** The database of a server that is not running, or beside one that is, looked at without changing it. */
import { join } from 'node:path'
import { DatabaseSync } from '@photostructure/sqlite'

/** Asks the database of a data folder; nothing is written, so a log that is to be replayed stays. */
export function askStore<Answer>(folder: string, ask: (rows: Rows) => Answer): Answer {
  const database = new DatabaseSync(join(folder, 'graphpost.sqlite'), { readOnly: true })
  try {
    database.exec('pragma busy_timeout = 5000')
    return ask(<Row>(sql: string) => database.prepare(sql).all() as Row[])
  } finally {
    database.close()
  }
}

export type Rows = <Row>(sql: string) => Row[]

const inbox = 0x10c
const sentItems = 0x109

/** A recipient whose fate is not final, as `subject recipient`. */
export function openRecipients(folder: string): Set<string> {
  return askStore(folder, (rows) => {
    const open = rows<{ subject: string; recipients: string }>(`
      select m.subject, o.recipients from outbox o
      join messages m on m.mailbox_id = o.mailbox_id and m.id = o.message_id where o.state <> 'closed'`)
    const submitted = rows<{ subject: string; recipients: string }>(`
      select m.subject, e.value ->> 4 as recipients
      from submissions s, json_each('[' || s.entries || ']') as e
      join messages m on m.mailbox_id = (e.value ->> 0) and m.id = (e.value ->> 1)`)
    const found = new Set<string>()
    for (const { subject, recipients } of [...open, ...submitted]) {
      for (const { address, state } of JSON.parse(recipients) as { address: string; state: string }[]) {
        if (state === 'queued' || state === 'delayed') found.add(`${subject} ${address}`)
      }
    }
    return found
  })
}

/** Entries of the outbox that are not closed, those just submitted too. */
export function countOpen(folder: string): number {
  return askStore(folder, (rows) => {
    const [row] = rows<{ open: number }>(
      `select (select count(*) from outbox where state <> 'closed') + (select coalesce(sum(count), 0) from submissions) as open`,
    )
    return row?.open ?? 0
  })
}

/** What is in the mailboxes, by subject. */
export interface Kept {
  /** In Sent Items. */
  readonly sent: ReadonlySet<string>
  /** Kept for delivery alone: not in a folder. */
  readonly unsaved: ReadonlySet<string>
  /** How often in an Inbox. */
  readonly delivered: ReadonlyMap<string, number>
  /** Fixed when the mail was accepted. */
  readonly messageIds: ReadonlyMap<string, string>
  /** What SQLite and the counts of folders say against the database. */
  readonly faults: readonly string[]
}

export function kept(folder: string): Kept {
  return askStore(folder, (rows) => {
    const messages = rows<{ subject: string; folder_id: number; internet_message_id: string }>(
      'select subject, folder_id, internet_message_id from messages',
    )
    const own = (id: number) =>
      new Set(messages.filter(({ folder_id }) => folder_id === id).map((each) => each.subject))
    const delivered = new Map<string, number>()
    for (const { subject, folder_id } of messages) {
      if (folder_id === inbox) delivered.set(subject, (delivered.get(subject) ?? 0) + 1)
    }
    return {
      sent: own(sentItems),
      unsaved: own(0),
      delivered,
      messageIds: new Map(messages.map(({ subject, internet_message_id }) => [subject, internet_message_id])),
      faults: integrity(rows),
    }
  })
}

/** What is wrong with the database: nothing, on a good day. */
export function integrity(rows: Rows): string[] {
  const said = rows<{ integrity_check: string }>('pragma integrity_check').map(({ integrity_check }) => integrity_check)
  const miscounted = rows(`
    select f.mailbox_id from mail_folders f
    left join messages m on m.mailbox_id = f.mailbox_id and m.folder_id = f.id
    group by f.mailbox_id, f.id, f.total_item_count having count(m.id) <> f.total_item_count`)
  return [
    ...said.filter((line) => line !== 'ok').map((line) => `the database is damaged: ${line}`),
    ...(miscounted.length > 0 ? [`${miscounted.length} folders count what they do not hold`] : []),
  ]
}
