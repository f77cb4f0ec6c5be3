/** Two servers that relay to each other over real SMTP, as `a.example` and `b.example`. */
import { connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { SettingKey } from '../../src/config.js'
import { atEnd, type Client, startServer, type TestServer } from '../support/start-server.js'

/** A port that leads to another one, which need not be known when it is opened. */
export interface Junction {
  readonly url: string
  target: number
}

export async function openJunction(t: TestContext): Promise<Junction> {
  const sockets = new Set<Socket>()
  const server = createServer((from) => {
    const to = connect(junction.target, '127.0.0.1')
    for (const socket of [from, to]) {
      sockets.add(socket)
      socket.on('close', () => {
        sockets.delete(socket)
        from.destroy()
        to.destroy()
      })
      socket.on('error', () => {})
    }
    from.pipe(to).pipe(from)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(t, () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as { port: number }
  const junction: Junction = { url: `smtp://127.0.0.1:${port}?tls=none`, target: 0 }
  return junction
}

export interface TwoServers {
  readonly a: TestServer
  readonly b: TestServer
  /** alex@a.example */
  readonly alex: Client
  /** bea@b.example */
  readonly bea: Client
  /** Waits until neither has anything to deliver. */
  settle(): Promise<void>
}

export async function startTwoServers(
  t: TestContext,
  { relayOfA, ofB = {} }: { readonly relayOfA?: string; readonly ofB?: Partial<Record<SettingKey, string>> } = {},
): Promise<TwoServers> {
  const [toA, toB] = await Promise.all([openJunction(t), openJunction(t)])
  const a = await startServer(t, {
    domain: 'a.example',
    hostname: 'mx.a.example',
    smtpPort: '0',
    relay: relayOfA ?? toB.url,
  })
  const b = await startServer(t, {
    domain: 'b.example',
    hostname: 'mx.b.example',
    smtpPort: '0',
    relay: toA.url,
    ...ofB,
  })
  toA.target = a.graphpost.smtpPort ?? 0
  toB.target = b.graphpost.smtpPort ?? 0
  const alex = await a.user('alex@a.example')
  const bea = await b.user('bea@b.example')
  return {
    a,
    b,
    alex,
    bea,
    settle: async () => {
      // What one sends because of the other is there once the other is done.
      for (const server of [a, b, a, b]) await server.graphpost.drainOutbox(20_000)
    },
  }
}

/** The messages of a client's Inbox, newest first. */
export async function inboxOf(client: Client): Promise<ReturnType<typeof JSON.parse>[]> {
  const expand = "$expand=attachments,singleValueExtendedProperties($filter=id eq 'String 0x001A')"
  const { json } = await client.get(`/me/mailFolders/inbox/messages?$top=100&${expand}`)
  return json.value
}

export function messageTo(address: string, more: object = {}): object {
  return {
    message: {
      subject: 'Lunch?',
      body: { contentType: 'text', content: 'At noon.' },
      toRecipients: [{ emailAddress: { address } }],
      ...more,
    },
  }
}
