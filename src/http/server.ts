import { createServer, type RequestListener, type Server, STATUS_CODES } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { type FastPath, FastPathConnections, type FastPathOptions } from './fast-path.js'

/** Where a server listens and how long it waits for slow clients. Durations in ms. */
export interface ListenOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly headersTimeoutMs: number
  /** For a whole request, body included. */
  readonly requestTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  /** Present: https. */
  readonly tls?: ServerCertificate & {
    /** Host names for which another one is shown. */
    readonly others?: { readonly names: readonly string[]; readonly certificate: ServerCertificate }
  }
  /** Answers what it can before `node:http` reads it. */
  readonly fastPath?: FastPath
}

/** A certificate, with its chain, and its key. PEM. */
export interface ServerCertificate {
  readonly cert: string
  readonly key: string
}

/** A server that listens. */
export interface Listening {
  readonly port: number
  /** Takes no more connections, lets requests under way finish for at most `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>
  /** Shows another certificate from the next connection on. */
  setCertificate(certificate: ServerCertificate): void
}

/** Header bytes of one request at most; what is more is answered with 431. */
const maxHeaderBytes = 16_384

/** Starts an HTTP/1.1 server; resolves once it listens, rejects when the port cannot be had. */
export async function listen(listener: RequestListener, options: ListenOptions): Promise<Listening> {
  const { headersTimeoutMs, requestTimeoutMs } = options
  // Node looks at the two limits now and then. It is told less by that, by as much for looks that come late on a busy
  // machine, and by two looks after which it hears of a client that said nothing, so that nobody has more time than was set.
  const lookEveryMs = Math.min(500, Math.max(25, Math.floor(headersTimeoutMs / 8)))
  const common = {
    maxHeaderSize: maxHeaderBytes,
    keepAliveTimeout: options.keepAliveTimeoutMs,
    headersTimeout: Math.max(1, headersTimeoutMs - 4 * lookEveryMs),
    requestTimeout: Math.max(1, requestTimeoutMs - 4 * lookEveryMs),
    connectionsCheckingInterval: lookEveryMs,
  }
  const { tls } = options
  // Whoever says nothing before TLS has no more time than for the headers after it.
  const handshakeTimeout = headersTimeoutMs
  const secure = tls && createSecureServer({ ...common, handshakeTimeout, cert: tls.cert, key: tls.key }, listener)
  for (const name of tls?.others?.names ?? []) secure?.addContext(name, { ...tls?.others?.certificate })
  const server: Server = secure ?? createServer(common, listener)
  // After what node:http itself has answered with: a connection that it ends is not answered twice.
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => process.nextTick(refuse, error, socket))
  // Nothing can be answered before there is TLS, and an answer that waits for it would keep the connection for ever.
  secure?.on('tlsClientError', (_error, socket) => socket.destroy())
  const { fastPath, keepAliveTimeoutMs } = options
  const fast =
    fastPath &&
    readBefore(server, secure ? 'secureConnection' : 'connection', {
      answer: fastPath,
      keepAliveTimeoutMs,
      lookEveryMs,
    })

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: (graceMs) => close(server, fast, graceMs),
    setCertificate: ({ cert, key }) => secure?.setSecureContext({ cert, key }),
  }
}

/** Answers what is not HTTP, is too large a head, or came too slowly; such a connection is not used again. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const statuses: Record<string, number> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }
  const status = statuses[error.code ?? ''] ?? 400
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

/** Puts the fast path before what `node:http` does with a new connection. */
function readBefore(
  server: Server,
  event: 'connection' | 'secureConnection',
  options: Omit<FastPathOptions, 'toHttp'>,
): FastPathConnections {
  const listeners = server.listeners(event) as ((socket: Socket) => void)[]
  const toHttp = (socket: Socket) => {
    for (const listener of listeners) listener.call(server, socket)
  }
  const connections = new FastPathConnections({ ...options, toHttp })
  server.removeAllListeners(event)
  server.on(event, (socket: Socket) => connections.add(socket))
  return connections
}

async function close(server: Server, fast: FastPathConnections | undefined, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  fast?.close()
  // A connection whose last answer has just left would be kept alive; nobody may use it any more.
  const idle = setInterval(() => server.closeIdleConnections(), 20)
  const cut = setTimeout(() => {
    server.closeAllConnections()
    fast?.cut()
  }, graceMs)
  await closed
  clearInterval(idle)
  clearTimeout(cut)
}
