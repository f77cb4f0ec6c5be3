/**
 * The proxy that `graphpost run` puts beside a program. What the program wants of a host of Microsoft's cloud reaches our
 * own server, TLS and all: the proxy sees only what is encrypted. Everything else goes where it was meant to go.
 *
 * Most clients ask for a tunnel (CONNECT); some write the whole URL into the request instead, `GET https://...` included
 * (axios does). Both are served.
 */
import { createServer, type IncomingMessage, request as plainRequest, type ServerResponse } from 'node:http'
import { type AddressInfo, isIP, type Socket } from 'node:net'
import { type Duplex, pipeline, type Writable } from 'node:stream'
import { connect as secureConnect } from 'node:tls'
import { isLedHere, reach, type StandIn, type Target } from './reach.js'

export interface ProxyOptions {
  readonly standIn: StandIn
  /** Proxy of this machine that all other connections go through; undefined: none. */
  readonly upstream: URL | undefined
}

/** A running proxy, on loopback. */
export interface Proxy {
  readonly port: number
  /** Cuts every connection. */
  close(): Promise<void>
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  // A slow upload is the business of the two at the ends.
  const server = createServer({ requestTimeout: 0 })
  const closing = new AbortController()
  const open = new Set<Duplex>()
  const track = (socket: Duplex) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  }
  const connectTo = async (target: Target, signal: AbortSignal) => {
    const socket = await reach(target, options.standIn, options.upstream, AbortSignal.any([signal, closing.signal]))
    track(socket)
    return socket
  }
  server.on('connection', track)
  server.on('connect', (request, client, head) => tunnel(request, client, head, connectTo))
  server.on('request', (request, response) => forward(request, response, options.standIn, connectTo))
  server.on('clientError', (_, client) => refuse(client, '400 Bad Request'))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      closing.abort()
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}

type Connect = (target: Target, signal: AbortSignal) => Promise<Socket>

/** Aborts when nobody waits for the answer any more: the connection for it is not made. */
function abortedWith(answering: Writable): AbortSignal {
  const gone = new AbortController()
  answering.once('close', () => gone.abort())
  return gone.signal
}

/** CONNECT: bytes go to and fro until both ends are done, or one is lost. */
async function tunnel(request: IncomingMessage, client: Duplex, head: Buffer, connectTo: Connect): Promise<void> {
  client.on('error', () => client.destroy())
  const target = readAuthority(request.url ?? '')
  if (target === undefined) {
    refuse(client, '400 Bad Request')
    return
  }
  const server = await connectTo(target, abortedWith(client)).catch(() => undefined)
  if (server === undefined) {
    refuse(client, '502 Bad Gateway')
    return
  }
  client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
  if (head.length > 0) server.write(head)
  // Each destroys both ends when one fails; an end that only finishes lets the other go on.
  pipeline(client, server, () => {})
  pipeline(server, client, () => {})
}

/** `host:port` of CONNECT; undefined when it is none. */
function readAuthority(text: string): Target | undefined {
  const [, six, name, digits] = /^(?:\[([0-9a-f:.]+)\]|([^\s:/?#@[\]]+)):(\d{1,5})$/i.exec(text) ?? []
  const host = six ?? name
  const port = Number(digits)
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port }
}

function refuse(client: Duplex, status: string): void {
  if (!client.writable) {
    client.destroy()
    return
  }
  client.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

/** A request with a whole URL: made again from here, header by header as it came. */
async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  standIn: StandIn,
  connectTo: Connect,
): Promise<void> {
  const url = readUrl(request.url ?? '')
  if (url === undefined) {
    response
      .writeHead(400, { Connection: 'close' })
      .end('This is a proxy: it takes CONNECT and whole http and https URLs.\n')
    return
  }
  const target = targetOf(url, standIn)
  const ledHere = isLedHere(standIn, target)
  const secure = ledHere || url.protocol === 'https:'
  try {
    const socket = await connectTo(target, abortedWith(response))
    const name = isIP(target.host) === 0 ? { servername: target.host } : {}
    const tls = { socket, host: target.host, ...name, ...(ledHere ? { ca: standIn.caPem } : {}) }
    const outgoing = plainRequest({
      method: request.method,
      path: `${url.pathname}${url.search}`,
      headers: endToEnd(request.rawHeaders),
      createConnection: () => (secure ? secureConnect(tls) : socket),
    })
    pipeline(request, outgoing, () => {})
    outgoing.on('response', (answer) => {
      // The framing is made anew, a connection of the server's is not one of the client's.
      response.writeHead(
        answer.statusCode ?? 502,
        answer.statusMessage,
        endToEnd(answer.rawHeaders, 'transfer-encoding'),
      )
      pipeline(answer, response, () => socket.destroy())
    })
    outgoing.on('error', () => {
      socket.destroy()
      badGateway(response)
    })
    response.on('close', () => socket.destroy())
  } catch {
    badGateway(response)
  }
}

function readUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url !== undefined && /^https?:$/.test(url.protocol) && url.hostname !== '' ? url : undefined
}

/** Plain http to a host that is led here goes to the same place as https: the real one speaks nothing else. */
function targetOf({ protocol, hostname, port }: URL, standIn: StandIn): Target {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (port === '' && isLedHere(standIn, { host, port: 443 })) return { host, port: 443 }
  return { host, port: Number(port || (protocol === 'https:' ? 443 : 80)) }
}

function badGateway(response: ServerResponse): void {
  if (response.headersSent) response.destroy()
  else response.writeHead(502, { Connection: 'close' }).end()
}

/** Names that concern one connection alone (RFC 9110 §7.6.1), and Expect, which has been answered here. */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
  'expect',
]

/** Names and values in turn, without what concerns this connection alone. */
function endToEnd(rawHeaders: readonly string[], ...more: string[]): string[] {
  const dropped = new Set([...hopByHop, ...more])
  const pairs = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? '']] : []))
  for (const [name, value] of pairs) {
    if (name?.toLowerCase() !== 'connection') continue
    for (const named of value?.split(',') ?? []) dropped.add(named.trim().toLowerCase())
  }
  return pairs.filter(([name]) => !dropped.has(name?.toLowerCase() ?? '')).flat()
}
