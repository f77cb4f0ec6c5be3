/**
 * What the library that speaks SMTP for us does by itself: a pool of nodemailer's sends messages made beforehand, keeps
 * nothing, and tells its parent by IPC how long it took and what CPU.
 *
 *     bare-pool.js PORT MAILS CONNECTIONS DESTINATIONS
 */
import { createTransport } from 'nodemailer'
import { mailBytes } from './mail-request.js'

const [port = 0, mails = 0, connections = 0, destinations = 1] = process.argv.slice(2).map(Number)

const pool = createTransport({
  pool: true,
  host: '127.0.0.1',
  port,
  maxConnections: connections,
  maxMessages: Number.POSITIVE_INFINITY,
})
const text = `${'The quarterly figures are in the shared folder. '.repeat(mailBytes / 48)}\r\n`

const startedAt = performance.now()
const before = process.cpuUsage()
let next = 0
await Promise.all(
  // As many as the pool can carry, and some that wait in it.
  Array.from({ length: connections * 4 }, async () => {
    while (next < mails) {
      const number = next++
      await pool.sendMail({
        envelope: { from: 'adele@contoso.com', to: `customer${number}@d${number % destinations}.example` },
        raw: `From: adele@contoso.com\r\nSubject: Quarterly figures ${number}\r\n\r\n${text}`,
      })
    }
  }),
)
const { user, system } = process.cpuUsage(before)
process.send?.({ ms: performance.now() - startedAt, cpuMicros: user + system })
pool.close()
