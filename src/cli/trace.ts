import { openDirectory } from '../app.js'
import { UsageError } from '../config.js'
import type { Trace, TracedEntry } from '../mail/trace.js'
import type { Command } from './command.js'
import { table } from './table.js'

/** `graphpost trace`: from a call through its message to what other servers said. */
export const trace: Command = {
  name: 'trace',
  usage: 'trace (REQUEST_ID | CLIENT_REQUEST_ID | MESSAGE_ID | INTERNET_MESSAGE_ID) [--json]',
  meaning: 'Show what became of a call or a message: who called, each recipient, every attempt with what was said.',
  takes: 'every',
  options: [{ name: 'json', placeholder: '', meaning: 'Print JSON.' }],
  run: async ({ settings, options, positionals, terminal }) => {
    const [name, ...more] = positionals
    if (name === undefined || more.length > 0)
      throw new UsageError('trace takes one id; graphpost trace --help says which.')
    const directory = await openDirectory(settings)
    try {
      const found = await directory.trace(name)
      if (found.calls.length === 0 && found.messages.length === 0) throw new Error(`Nothing is known of ${name}.`)
      terminal.print(options.has('json') ? JSON.stringify(found, null, 2) : traceText(found))
    } finally {
      await directory.close()
    }
  },
}

const moment = (at: number) => new Date(at).toISOString()

function traceText({ calls, messages }: Trace): string {
  const parts = calls.map((call) =>
    [
      `Call ${call.requestId}`,
      table([
        {
          at: moment(call.at),
          status: call.status,
          call: `${call.method} ${call.url}`,
          ms: call.durationMs,
          'client-request-id': call.clientRequestId,
          reason: call.reason,
        },
      ]),
    ].join('\n'),
  )
  for (const { message, entries } of messages) {
    parts.push(
      [
        `Message ${message.id} ${message.internetMessageId}`,
        table([
          {
            created: moment(message.createdAt),
            mailbox: message.mailbox,
            bytes: message.sizeBytes,
            subject: message.subject,
          },
        ]),
        entries.length === 0 ? 'No envelope: it was not sent from here.' : table(entries.flatMap(recipientRows)),
        ...entries.flatMap(historyLines),
      ].join('\n'),
    )
  }
  return parts.join('\n\n')
}

function recipientRows({ recipients, state, attempts, dueAt }: TracedEntry) {
  return recipients.map((recipient) => ({
    recipient: recipient.address,
    state: recipient.state,
    since: recipient.at === undefined ? undefined : moment(recipient.at),
    attempts,
    next: state === 'closed' ? undefined : moment(dueAt),
    reply: recipient.reply,
  }))
}

function historyLines({ history }: TracedEntry): string[] {
  return history.flatMap(({ destination, attempt, at, durationMs, peer, tls, dialogue }) => [
    `  Attempt ${attempt} for ${destination}, ${moment(at)}, ${durationMs} ms, ${peer ?? 'no connection'}, ${tls ?? 'no TLS'}`,
    ...dialogue.map((line) => `    ${line}`),
  ])
}
