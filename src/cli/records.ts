import { type Directory, openDirectory } from '../app.js'
import { UsageError } from '../config.js'
import type { Command, Invocation } from './command.js'
import { table } from './table.js'

const recordOptions = [
  { name: 'limit', placeholder: 'N', meaning: 'How many, the newest first; 20 unless given.' },
  { name: 'json', placeholder: '', meaning: 'Print JSON.' },
]

/** `graphpost outbox`: the newest envelopes with what became of each recipient. */
export const outbox: Command = {
  name: 'outbox',
  usage: 'outbox [--limit N] [--json]',
  meaning: 'Show the newest mail handed over for delivery, and the fate of each recipient.',
  takes: 'every',
  options: recordOptions,
  run: (invocation) =>
    printRecords(
      invocation,
      (directory, limit) => directory.listOutbox(limit),
      (entries) =>
        entries.flatMap((entry) =>
          entry.recipients.map((recipient) => ({
            accepted: new Date(entry.createdAt).toISOString(),
            from: entry.mailFrom,
            recipient: recipient.address,
            state: recipient.state,
            attempts: entry.attempts,
            reply: recipient.reply,
          })),
        ),
    ),
}

/** `graphpost calls`: the newest calls of the API, refused ones with the reason. */
export const calls: Command = {
  name: 'calls',
  usage: 'calls [--limit N] [--json]',
  meaning: 'Show the newest calls, refused ones with one sentence of why.',
  takes: 'every',
  options: recordOptions,
  run: (invocation) =>
    printRecords(
      invocation,
      (directory, limit) => directory.listCalls(limit),
      (records) =>
        records.map((record) => ({
          at: new Date(record.at).toISOString(),
          status: record.status,
          call: `${record.method} ${record.url}`,
          error: record.error,
          reason: record.reason,
          'request-id': record.requestId,
        })),
    ),
}

async function printRecords<Row>(
  { settings, options, terminal }: Invocation,
  list: (directory: Directory, limit: number) => Promise<Row[]>,
  rowsOf: (found: Row[]) => Record<string, unknown>[],
): Promise<void> {
  const given = options.get('limit')?.[0] ?? '20'
  const limit = Number(given)
  if (!Number.isInteger(limit) || limit < 1) {
    throw new UsageError(`"${given}" cannot be used for --limit: it must be a whole number above 0.`)
  }
  const directory = await openDirectory(settings)
  try {
    const found = await list(directory, limit)
    terminal.print(options.has('json') ? JSON.stringify(found, null, 2) : table(rowsOf(found)))
  } finally {
    await directory.close()
  }
}
