import { type Directory, openDirectory } from '../app.js'
import { UsageError } from '../config.js'
import { isFinal, type OutboxEntry, type OutboxRecipient } from '../mail/outbox-entry.js'
import { type QueueAction, type QueueOutcome, queueActions, readMessageName } from '../mail/queue.js'
import type { QueueFilter } from '../mail/store.js'
import type { Command, Invocation } from './command.js'
import { table } from './table.js'

/** `graphpost queue ...`: mail that is not delivered yet, and what people do to it. */
export const queue: Command = {
  name: 'queue',
  usage:
    'queue (list | show MESSAGE | retry | hold | release | cancel) [MESSAGE]... [--destination DOMAIN] [--all] [--limit N] [--json]',
  meaning:
    'List mail that waits, try it again now, hold it, release what is held, or cancel it. A MESSAGE is named by the number that lists show, or by its Message-ID. A running server takes notice within 5 seconds.',
  takes: 'every',
  options: [
    { name: 'destination', placeholder: 'DOMAIN', meaning: 'Only recipients in this domain.' },
    { name: 'all', placeholder: '', meaning: 'Everything that waits.' },
    { name: 'limit', placeholder: 'N', meaning: 'How many are listed; 100 unless given.' },
    { name: 'json', placeholder: '', meaning: 'Print JSON.' },
  ],
  run: async (invocation) => {
    const [action = 'list', ...names] = invocation.positionals
    const act = actionNamed(action)
    const filters = filtersOf(invocation, names)
    const directory = await openDirectory(invocation.settings)
    try {
      await act(directory, invocation, filters)
    } finally {
      await directory.close()
    }
  },
}

type Act = (directory: Directory, invocation: Invocation, filters: readonly QueueFilter[]) => Promise<void>

function actionNamed(name: string): Act {
  if (name === 'list') return list
  if (name === 'show') return show
  const action = queueActions.find((one) => one === name)
  if (action === undefined) {
    throw new UsageError(`There is no "queue ${name}": there are list, show, ${queueActions.join(', ')}.`)
  }
  return (directory, invocation, filters) => change(directory, invocation, filters, action)
}

/** One filter for each message named, or one for all. */
function filtersOf({ options }: Invocation, names: readonly string[]): QueueFilter[] {
  const destination = options.get('destination')?.[0]?.toLowerCase()
  const both = destination === undefined ? {} : { destination }
  const named = names.map((name) => {
    const message = readMessageName(name)
    if (message === undefined) throw new UsageError(`"${name}" is neither a number of the queue nor a Message-ID.`)
    return { ...message, ...both }
  })
  return named.length > 0 ? named : [both]
}

const list: Act = async (directory, { options, terminal }, filters) => {
  const entries = await found(directory, filters, limitOf(options.get('limit')?.[0] ?? '100'))
  terminal.print(options.has('json') ? JSON.stringify(entries, null, 2) : table(entries.flatMap(rowsOf)))
}

const show: Act = async (directory, { options, terminal, positionals }, filters) => {
  if (positionals.length < 2) throw new UsageError('Name the message: graphpost queue show 4711.')
  const entries = await found(
    directory,
    filters.map((filter) => ({ ...filter, closedToo: true as const })),
    maxShown,
  )
  if (entries.length === 0) throw new Error('The outbox has no such message.')
  terminal.print(
    options.has('json')
      ? JSON.stringify(entries, null, 2)
      : table(entries.flatMap((entry) => entry.recipients.map((recipient) => rowOf(entry, recipient)))),
  )
}

/** Of one message: more destinations than a message has recipients. */
const maxShown = 100_000

async function found(directory: Directory, filters: readonly QueueFilter[], limit: number): Promise<OutboxEntry[]> {
  const entries: OutboxEntry[] = []
  for (const filter of filters) entries.push(...(await directory.listQueue(filter, limit - entries.length)))
  return entries
}

async function change(
  directory: Directory,
  { options, terminal, positionals }: Invocation,
  filters: readonly QueueFilter[],
  action: QueueAction,
): Promise<void> {
  if (positionals.length < 2 && !options.has('destination') && options.get('all')?.[0] !== 'on') {
    throw new UsageError(`Say what to ${action}: name messages, or give --destination or --all.`)
  }
  const sum = { changed: 0, wished: 0, underWay: 0 }
  for (const filter of filters) {
    const { changed, wished, underWay } = await directory.changeQueue(filter, action)
    sum.changed += changed
    sum.wished += wished
    sum.underWay += underWay
  }
  terminal.print(options.has('json') ? JSON.stringify(sum, null, 2) : sentencesOf(action, sum))
}

const done: Record<QueueAction, string> = {
  retry: 'due now',
  hold: 'held',
  release: 'released',
  cancel: 'cancelled',
}

function sentencesOf(action: QueueAction, { changed, wished, underWay }: QueueOutcome): string {
  const lines = [`${recipients(changed)} ${done[action]}.`]
  if (wished > 0) {
    lines.push(
      `${recipients(wished)} under way at this moment: ${done[action]} when the attempt has ended, unless it gets through.`,
    )
  }
  if (underWay > 0) lines.push(`${recipients(underWay)} under way at this moment, and left alone.`)
  return lines.join('\n')
}

function recipients(count: number): string {
  return count === 1 ? '1 recipient' : `${count} recipients`
}

function rowsOf(entry: OutboxEntry): Record<string, unknown>[] {
  return entry.recipients.filter(({ state }) => !isFinal(state)).map((recipient) => rowOf(entry, recipient))
}

function rowOf(entry: OutboxEntry, { address, state, reply }: OutboxRecipient): Record<string, unknown> {
  const isWaiting = state === 'queued' || state === 'delayed'
  return {
    message: entry.message,
    accepted: new Date(entry.createdAt).toISOString(),
    from: entry.mailFrom,
    recipient: address,
    state: entry.state === 'sending' && isWaiting ? 'sending' : state,
    attempts: entry.attempts,
    next: isWaiting && entry.state === 'queued' ? new Date(entry.dueAt).toISOString() : '',
    reply,
  }
}

function limitOf(given: string): number {
  const limit = Number(given)
  if (Number.isInteger(limit) && limit > 0) return limit
  throw new UsageError(`"${given}" cannot be used for --limit: it must be a whole number above 0.`)
}
