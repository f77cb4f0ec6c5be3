/**
 * The next mail server, as cheap as it can be: takes every message over SMTP (RFC 5321), keeps none, and tells its
 * parent by IPC how many it took whenever it is asked.
 */
import { createServer, type Socket } from 'node:net'
import { announcePort } from './announce-port.js'

const endOfData = Buffer.from('\r\n.\r\n')
const lineEnd = Buffer.from('\r\n')

const replies: Record<string, string> = {
  EHLO: '250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n',
  DATA: '354 Go on\r\n',
  QUIT: '221 Bye\r\n',
}

let received = 0
/** Of messages, their headers included. */
let bytes = 0

function serve(socket: Socket): void {
  let pending: Buffer = Buffer.alloc(0)
  let inData = false
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.write('220 sink.example ESMTP\r\n')
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    let answer = ''
    for (;;) {
      const end = pending.indexOf(inData ? endOfData : lineEnd)
      if (end < 0) break
      if (inData) {
        received += 1
        bytes += end
        answer += '250 Taken\r\n'
        pending = pending.subarray(end + endOfData.length)
        inData = false
        continue
      }
      const verb = pending.toString('latin1', 0, Math.min(end, 4)).toUpperCase()
      answer += replies[verb] ?? '250 OK\r\n'
      pending = pending.subarray(end + lineEnd.length)
      inData = verb === 'DATA'
      if (verb === 'QUIT') socket.end(answer)
    }
    if (socket.writable && answer !== '') socket.write(answer)
  })
}

process.on('message', () => process.send?.({ received, bytes }))
announcePort(createServer(serve))
