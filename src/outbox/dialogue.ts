/**
 * What is said to other servers in an attempt, for its record. The lines come from nodemailer's log, which leaves out
 * what is secret in AUTH and all of the message; they are tied to the attempt by the message that the connection
 * carries at that moment, since connections are kept and serve many.
 */
import { oneLine } from './outcome.js'
import { type Carrier, carriersOf } from './pool-carriers.js'

/** What was heard in one attempt. */
export interface Dialogue {
  peer?: string
  tls?: string
  readonly lines: string[]
  /** The last command had credentials in it: what answers it is not repeated. */
  isSecret: boolean
  cut: number
}

/** Lines of one attempt: so many from its beginning, and the latest. */
const maxFirst = 60
const maxLatest = 20
const maxLineLength = 200

export function newDialogue(): Dialogue {
  return { lines: [], isSecret: false, cut: 0 }
}

/** As it is kept. */
export function linesOf({ lines, cut }: Dialogue): string[] {
  return cut === 0 ? lines : [...lines.slice(0, maxFirst), `(${cut} lines left out)`, ...lines.slice(maxFirst)]
}

interface LogEntry {
  readonly tnx?: string
  readonly sid?: string
}

/** Listens to the connections of one pool. */
export class DialogueTap {
  readonly #dialogues = new WeakMap<object, Dialogue>()
  #pool: object = {}

  /** Options that the pool is made with. */
  readonly poolOptions = {
    transactionLog: true,
    logger: {
      level: () => {},
      trace: () => {},
      debug: (entry: LogEntry, text: unknown) => this.#heard(entry, String(text)),
      info: () => {},
      warn: () => {},
      error: () => {},
      fatal: () => {},
    },
  }

  attach(pool: object): void {
    this.#pool = pool
  }

  /** What is said while this message, as the pool is given it, is carried goes into the dialogue. */
  follow(mail: object, dialogue: Dialogue | undefined): void {
    if (dialogue !== undefined) this.#dialogues.set(mail, dialogue)
  }

  #heard({ tnx, sid }: LogEntry, text: string): void {
    if (tnx !== 'client' && tnx !== 'server') return
    const carrier = carriersOf(this.#pool).find(({ connection }) => connection?.id === sid)
    const mail = carrier?.queueEntry ? carrier.queueEntry.mail : undefined
    const dialogue = mail && this.#dialogues.get(mail)
    if (carrier === undefined || dialogue === undefined) return
    noteConnection(dialogue, carrier)
    for (const line of text.split(/\r?\n/)) noteLine(dialogue, tnx, line)
  }
}

function noteConnection(dialogue: Dialogue, { connection }: Carrier): void {
  const socket = connection?._socket
  if (!socket || connection === undefined) return
  const { host = '', port = 0 } = connection
  dialogue.peer = `${host} [${socket.remoteAddress ?? 'unknown'}]:${port}`
  const protocol = socket.getProtocol?.()
  if (protocol) dialogue.tls = protocol
}

/** Of an answer to credentials only its code: servers have been seen to repeat what they were sent. */
const replyCode = /^\d{3}(?:[ -]\d\.\d{1,3}\.\d{1,3})?/

function noteLine(dialogue: Dialogue, who: 'client' | 'server', line: string): void {
  if (who === 'client') dialogue.isSecret = /^AUTH\b|\/\* secret \*\//i.test(line)
  const said = who === 'server' && dialogue.isSecret ? (replyCode.exec(line)?.[0] ?? '') : line
  const shown = oneLine(said).slice(0, maxLineLength)
  if (dialogue.lines.length >= maxFirst + maxLatest) {
    dialogue.lines.splice(maxFirst, 1)
    dialogue.cut++
  }
  dialogue.lines.push(`${who === 'client' ? 'C' : 'S'}: ${shown}`)
}
