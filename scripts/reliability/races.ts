/** R13: one draft sent by many requests at once. R14: one idempotency key used by many at once. */
import { randomUUID } from 'node:crypto'
import { type Called, type Caller, openCaller } from './caller.js'
import { drained } from './kills.js'
import { localRecipient, mailBody } from './ledger.js'
import { startRecordingSink } from './recording-sink.js'
import type { Finding, Row, Scope } from './row.js'
import { startServer } from './server.js'
import { kept } from './store-file.js'

const atOnce = 32
/** Lead to one mailbox here and one address elsewhere. */
const plan = { isSaved: true, isLocal: true, remote: ['ben@fabrikam.example'] }

export const oneDraft: Row = {
  id: 'R13',
  promise: 'one draft sent by 32 requests at once: one 202, one copy, one delivery',
  inTests: true,
  run: async (scope) => {
    const drafts = scope.pick(10, 200, 1_000)
    const race = await openRace(scope)
    const { caller } = race
    const faults: string[] = []
    const refusals = new Map<string, number>()
    for (let number = 0; number < drafts; number++) {
      if (number % 20 === 0) scope.progress(`draft ${number} of ${drafts}`)
      const { message } = mailBody(`draft ${number}`, plan) as { message: object }
      const { id } = JSON.parse((await caller.call('POST', '/v1.0/me/messages', message)).text)
      const answers = await together(() => caller.call('POST', `/v1.0/me/messages/${id}/send`))
      const accepted = answers.filter(({ status }) => status === 202).length
      if (accepted !== 1) faults.push(`draft ${number} was answered ${accepted} times with 202`)
      for (const { status, text } of answers) {
        if (status === 202) continue
        const reason = `${status} ${/"code":"(\w+)"/.exec(text)?.[1]}`
        refusals.set(reason, (refusals.get(reason) ?? 0) + 1)
        if (status < 400 || status > 499) faults.push(`a send of draft ${number} was answered with ${status}`)
      }
    }
    faults.push(...(await race.end(Array.from({ length: drafts }, (_, number) => `draft ${number}`))))
    return {
      did: `${drafts} drafts, each sent by ${atOnce} requests at once`,
      figure: `${drafts} of 202, one delivery here and one elsewhere each; refused: ${[...refusals].map(([reason, count]) => `${count} × ${reason}`).join(', ')}`,
      faults: faults.slice(0, 8),
    } satisfies Finding
  },
}

export const oneKey: Row = {
  id: 'R14',
  promise: 'one idempotency key used 32 times at once: one mail, and the same answer for all',
  inTests: true,
  run: async (scope) => {
    const keys = scope.pick(10, 200, 1_000)
    const race = await openRace(scope, '--idempotency', 'idempotency-key')
    const { caller } = race
    const faults: string[] = []
    const statuses = new Map<number, number>()
    for (let number = 0; number < keys; number++) {
      if (number % 20 === 0) scope.progress(`key ${number} of ${keys}`)
      const answers = await sendWithKey(caller, `keyed ${number}`)
      for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1)
      const wrong = answers.find(({ status }) => status !== 202)
      if (wrong !== undefined)
        faults.push(`key ${number} was answered with ${wrong.status}: ${wrong.text.slice(0, 100)}`)
    }
    faults.push(...(await race.end(Array.from({ length: keys }, (_, number) => `keyed ${number}`))))
    return {
      did: `${keys} keys, each used by ${atOnce} requests at once`,
      figure: `one mail each; answers ${[...statuses].map(([status, count]) => `${count} × ${status}`).join(', ')}`,
      faults: faults.slice(0, 8),
    } satisfies Finding
  },
}

/** A server with a relay, and who calls it. */
async function openRace(scope: Scope, ...more: string[]) {
  const folder = await scope.folder('data')
  const sink = await startRecordingSink()
  const server = startServer({ folder, args: ['--relay', sink.url, '--log-level', 'silent', ...more] })
  const caller = openCaller(await server.ready, scope.token)
  return {
    caller,
    /** Lets everything leave and ends it all. @returns what is wrong with these mails */
    end: async (subjects: readonly string[]): Promise<string[]> => {
      caller.close()
      const faults = await drained(folder)
      await server.end('SIGTERM')
      await sink.close()
      return [...faults, ...notOnce(folder, sink.arrivals, subjects)]
    },
  }
}

function sendWithKey(caller: Caller, subject: string): Promise<Called[]> {
  const key = randomUUID()
  return together(() => caller.call('POST', '/v1.0/me/sendMail', mailBody(subject, plan), { 'Idempotency-Key': key }))
}

function together(ask: () => Promise<Called>): Promise<Called[]> {
  return Promise.all(Array.from({ length: atOnce }, ask))
}

/** @returns mails that are not once in Sent Items, once in the Inbox of {@link localRecipient} and once elsewhere */
function notOnce(
  folder: string,
  arrivals: ReadonlyMap<string, readonly unknown[]>,
  subjects: readonly string[],
): string[] {
  const store = kept(folder)
  const wrong = subjects.filter(
    (subject) => !store.sent.has(subject) || store.delivered.get(subject) !== 1 || arrivals.get(subject)?.length !== 1,
  )
  return [
    ...store.faults,
    ...wrong.map((subject) => {
      const [here, elsewhere] = [store.delivered.get(subject) ?? 0, arrivals.get(subject)?.length ?? 0]
      return `${subject} arrived ${here} times at ${localRecipient} and ${elsewhere} times elsewhere`
    }),
  ]
}
