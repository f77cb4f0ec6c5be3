/** A smarthost between two servers that takes everything, and tells afterwards by a bounce what it could not hand on. */
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTransport } from 'nodemailer'
import { SMTPServer } from 'smtp-server'
import { atEnd } from '../support/start-server.js'

export interface ForgetfulRelay {
  readonly url: string
  /** Ports it hands mail on to, and bounces back. */
  next: number
  back: number
  /** Resolves once nothing it took is under way. */
  settle(): Promise<void>
  /** A bounce in the form in which the most common of them writes it. */
  bounceOf(recipient: string, messageId: string, to: string): string
}

export async function startForgetfulRelay(t: TestContext): Promise<ForgetfulRelay> {
  let underWay = 0
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 10,
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        underWay += rcptTo.length
        const from = mailFrom === false ? '' : mailFrom.address
        for (const { address } of rcptTo) {
          void handOn(Buffer.concat(chunks), from, address).finally(() => {
            underWay -= 1
          })
        }
        done()
      })
    },
  })
  const handOn = async (mime: Buffer, from: string, to: string) => {
    try {
      await send(relay.next, { from, to: [to] }, mime)
    } catch {
      const messageId = /^message-id:\s*(<\S+>)/im.exec(mime.toString())?.[1] ?? ''
      await send(relay.back, { from: '', to: [from] }, relay.bounceOf(to, messageId, from))
    }
  }
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(t, () => new Promise<void>((resolve) => server.close(() => resolve())))
  const { port } = server.server.address() as { port: number }
  const relay: ForgetfulRelay = {
    url: `smtp://127.0.0.1:${port}`,
    next: 0,
    back: 0,
    settle: async () => {
      for (let turn = 0; turn < 1_000 && underWay > 0; turn++) await sleep(10)
    },
    bounceOf: (recipient, messageId, to) =>
      [
        'From: MAILER-DAEMON@relay.example (Mail Delivery System)',
        `To: ${to}`,
        'Subject: Undelivered Mail Returned to Sender',
        'Auto-Submitted: auto-replied',
        'MIME-Version: 1.0',
        'Message-ID: <1@relay.example>',
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b/relay"',
        '',
        '--b/relay',
        'Content-Type: text/plain; charset=us-ascii',
        '',
        'It could not be delivered.',
        '',
        '--b/relay',
        'Content-Description: Delivery report',
        'Content-Type: message/delivery-status',
        '',
        'Reporting-MTA: dns; relay.example',
        '',
        `Final-Recipient: rfc822; ${recipient}`,
        `Original-Recipient: rfc822;${recipient}`,
        'Action: failed',
        'Status: 5.1.1',
        'Remote-MTA: dns; mx.b.example',
        'Diagnostic-Code: smtp; 550 5.1.1 There is no such mailbox here,',
        '    and nothing is relayed',
        '',
        '--b/relay',
        'Content-Type: text/rfc822-headers',
        '',
        'Subject: Lunch?',
        `Message-ID: ${messageId}`,
        '',
        '--b/relay--',
        '',
      ].join('\r\n'),
  }
  return relay
}

async function send(port: number, envelope: { from: string; to: string[] }, raw: string | Buffer): Promise<void> {
  const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true })
  try {
    await transport.sendMail({ envelope, raw })
  } finally {
    transport.close()
  }
}
