/** The next mail server: takes every mail, keeps who got which, and may misbehave. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/** One mail that was taken: its final dot was read. */
export interface Arrival {
  readonly subject: string
  readonly messageId: string
  readonly recipients: readonly string[]
  /** The header of the message. */
  readonly head: string
  /** {@link RecordingSink.generation} when its connection began. */
  readonly generation: number
  /** ms of `performance.now()`. */
  readonly at: number
  /** The mail was taken, and the sender was not told so. */
  readonly isUnanswered: boolean
}

/**
 * What it does in place of one of its answers. Said to be `taken`: it keeps the mail whose final dot it had read, and the
 * sender hears of a failure.
 */
export type PeerFault = 'later' | 'closing' | 'nonsense' | 'slow' | 'drop' | 'drop taken'

export interface RecordingSink {
  readonly url: string
  readonly port: number
  /** By subject, in the order of arrival. */
  readonly arrivals: ReadonlyMap<string, readonly Arrival[]>
  /** Mails taken. */
  readonly taken: number
  /** Which life of the server is the present one. */
  generation: number
  /** Resolves when no connection is open: all that a dead server had sent was read. */
  silence(): Promise<void>
  close(): Promise<void>
}

const slowMs = 200

/** @param fault asked before each answer */
export async function startRecordingSink(fault: (isDot: boolean) => PeerFault | undefined = () => undefined) {
  const arrivals = new Map<string, Arrival[]>()
  const sockets = new Set<Socket>()
  let taken = 0
  const take = (arrival: Arrival) => {
    taken++
    const known = arrivals.get(arrival.subject)
    if (known === undefined) arrivals.set(arrival.subject, [arrival])
    else known.push(arrival)
  }
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    converse(socket, { generation: sink.generation, fault, take })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const sink: RecordingSink = {
    url: `smtp://127.0.0.1:${port}`,
    port,
    arrivals,
    get taken() {
      return taken
    },
    generation: 0,
    silence: async () => {
      await Promise.all([...sockets].map((socket) => once(socket, 'close')))
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return sink
}

interface Peer {
  readonly generation: number
  readonly fault: (isDot: boolean) => PeerFault | undefined
  readonly take: (arrival: Arrival) => void
}

const endOfData = Buffer.from('\r\n.\r\n')
const endOfLine = Buffer.from('\r\n')

function converse(socket: Socket, { generation, fault, take }: Peer): void {
  let pending: Buffer = Buffer.alloc(0)
  let inData = false
  let recipients: string[] = []
  let isOver = false
  let answering = Promise.resolve()
  const say = (answer: string, isDot = false) => {
    const misdeed = fault(isDot)
    answering = answering.then(() => misbehave(socket, misdeed, answer))
    if (misdeed === 'drop' || misdeed === 'drop taken' || misdeed === 'closing') isOver = true
    return misdeed
  }
  say('220 sink.example ESMTP')
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    while (!isOver) {
      const end = pending.indexOf(inData ? endOfData : endOfLine)
      if (end < 0) return
      const piece = pending.subarray(0, end)
      pending = pending.subarray(end + (inData ? endOfData : endOfLine).length)
      if (inData) {
        inData = false
        const misdeed = say('250 2.0.0 taken', true)
        if (misdeed === undefined || misdeed === 'slow' || misdeed === 'drop taken') {
          take({ ...headOf(piece), recipients, generation, isUnanswered: misdeed === 'drop taken' })
        }
        continue
      }
      const line = piece.toString()
      const verb = line.slice(0, 4).toUpperCase()
      if (verb === 'MAIL') recipients = []
      if (verb === 'EHLO') say('250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8')
      else if (verb === 'RCPT') {
        const misdeed = say('250 2.1.5 good')
        if (misdeed === undefined || misdeed === 'slow') recipients.push(/<(.*?)>/.exec(line)?.[1] ?? '')
      } else if (verb === 'DATA') {
        if (recipients.length === 0) answering = answering.then(() => void socket.write('554 5.5.1 nobody\r\n'))
        else {
          const misdeed = say('354 go on')
          inData = misdeed === undefined || misdeed === 'slow'
        }
      } else if (verb === 'QUIT') {
        isOver = true
        answering = answering.then(() => void socket.end('221 bye\r\n'))
      } else say('250 2.0.0 good')
    }
  })
}

async function misbehave(socket: Socket, misdeed: PeerFault | undefined, answer: string): Promise<void> {
  if (misdeed === 'drop' || misdeed === 'drop taken') socket.destroy()
  if (misdeed === 'slow') await new Promise((resolve) => setTimeout(resolve, slowMs))
  if (!socket.writable) return
  if (misdeed === 'later') socket.write('451 4.3.0 later\r\n')
  else if (misdeed === 'nonsense') socket.write('what?\r\n')
  else if (misdeed === 'closing') socket.end('421 4.3.2 closing\r\n')
  else socket.write(`${answer}\r\n`)
}

function headOf(message: Buffer): Pick<Arrival, 'subject' | 'messageId' | 'head' | 'at'> {
  // Without a body the blank line went with the final dot.
  const end = message.indexOf('\r\n\r\n')
  const head = message.toString('latin1', 0, end < 0 ? message.length : end)
  const subject = /^Subject: (.*)$/im.exec(head)?.[1]?.trim() ?? ''
  const messageId = /^Message-ID:\s*(\S+)/im.exec(head)?.[1] ?? ''
  return { subject, messageId, head, at: performance.now() }
}
