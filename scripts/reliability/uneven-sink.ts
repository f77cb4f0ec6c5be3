import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'

/** An SMTP server that takes everything, and lets mail for some recipients wait. */
export interface UnevenSink {
  readonly url: string
  /** When each recipient's mail was taken, ms of `performance.now()`. */
  readonly takenAt: ReadonlyMap<string, number>
  close(): Promise<void>
}

/** @param waitMs how long the answer to the final dot of a mail waits, by its recipient; never for `Infinity` */
export async function startUnevenSink(waitMs: (recipient: string) => number): Promise<UnevenSink> {
  const takenAt = new Map<string, number>()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.write('220 sink.example ESMTP\r\n')
    let pending = ''
    let recipient = ''
    let inData = false
    socket.on('data', (chunk) => {
      pending += chunk.toString('latin1')
      while (true) {
        const mark = inData ? '\r\n.\r\n' : '\r\n'
        const end = pending.indexOf(mark)
        if (end < 0) return
        const line = pending.slice(0, end)
        pending = pending.slice(end + mark.length)
        if (inData) {
          inData = false
          answerDot(socket, recipient)
          continue
        }
        const verb = line.slice(0, 4).toUpperCase()
        if (verb === 'RCPT') recipient = /<(.*)>/.exec(line)?.[1] ?? ''
        if (verb === 'DATA') inData = true
        socket.write(verb === 'DATA' ? '354 Go on\r\n' : '250 OK\r\n')
      }
    })
  })
  const answerDot = (socket: Socket, recipient: string) => {
    const wait = waitMs(recipient)
    const take = () => {
      takenAt.set(recipient, performance.now())
      if (socket.writable) socket.write('250 Taken\r\n')
    }
    if (wait === 0) take()
    else if (wait !== Number.POSITIVE_INFINITY) setTimeout(take, wait).unref()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    takenAt,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
