/** What was sent, and what was promised about it: the acknowledged set that the stores and the sink are compared with. */
import { type Caller, openCaller } from './caller.js'

/** Who gets a mail, beside the sender's own Sent Items. */
export interface Sent {
  /** A 202 was read. */
  acknowledged: boolean
  readonly isSaved: boolean
  /** One of our own mailboxes is among the recipients. */
  readonly isLocal: boolean
  /** Elsewhere: what the sink must get. */
  readonly remote: readonly string[]
}

/** By subject, which no two mails share. */
export type Ledger = Map<string, Sent>

/** In our own mailboxes. */
export const localRecipient = 'alex@contoso.com'
/** Destination domains of the mail that leaves. */
const domains = 7

/** The n-th mail of a kind: for outside, for inside, both, several recipients and destinations, with and without a copy. */
export function planMail(number: number): Omit<Sent, 'acknowledged'> {
  const domain = (step: number) => `d${(number + step) % domains}.example`
  const remote = [
    ...(number % 5 === 0 ? [] : [`a${number}@${domain(0)}`]),
    ...(number % 4 === 0 ? [`b${number}@${domain(0)}`, `c${number}@${domain(3)}`] : []),
  ]
  return { isSaved: number % 6 !== 0, isLocal: number % 3 === 0 || remote.length === 0, remote }
}

const filler = 'The quarterly figures are in the shared folder; please read them before Thursday. '

/** JSON of a `sendMail` call. */
export function mailBody(subject: string, sent: Omit<Sent, 'acknowledged'>, bodyBytes = 1_500): object {
  const addresses = [...(sent.isLocal ? [localRecipient] : []), ...sent.remote]
  const content = filler.repeat(Math.ceil(bodyBytes / filler.length)).slice(0, bodyBytes)
  return {
    message: {
      subject,
      body: { contentType: 'text', content },
      toRecipients: addresses.map((address) => ({ emailAddress: { address } })),
    },
    saveToSentItems: sent.isSaved,
  }
}

/** A load on a server until it is told to stop or the server is gone. */
export interface Flood {
  /** Resolves when every connection has ended; answers that were neither 202 nor lost with their connection. */
  readonly done: Promise<string[]>
  stop(): void
}

/**
 * Sends from so many connections at once, each mail noted before it is sent and again when its 202 was read.
 *
 * `mayStop`: the server will be stopped in order, and may refuse while it does.
 */
export function flood(
  url: string,
  token: string,
  {
    ledger,
    round,
    connections,
    mayStop = false,
  }: { ledger: Ledger; round: number; connections: number; mayStop?: boolean },
): Flood {
  const caller: Caller = openCaller(url, token)
  const wrong: string[] = []
  let number = 0
  let isStopped = false
  const oneConnection = async () => {
    while (!isStopped) {
      const subject = `mail ${round}-${number}`
      const sent: Sent = { ...planMail(number++), acknowledged: false }
      ledger.set(subject, sent)
      try {
        const { status, text } = await caller.call('POST', '/v1.0/me/sendMail', mailBody(subject, sent))
        if (status === 202) sent.acknowledged = true
        // A server that stops says so.
        else if (!mayStop || status !== 503) wrong.push(`${status} ${text.slice(0, 200)}`)
      } catch {
        // The server is gone: nobody was told anything.
        return
      }
    }
  }
  const done = Promise.all(Array.from({ length: connections }, oneConnection)).then(() => {
    caller.close()
    return wrong
  })
  return {
    done,
    stop: () => {
      isStopped = true
    },
  }
}
