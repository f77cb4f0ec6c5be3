import { once } from 'node:events'
import { request as connectRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { connect as secureConnect } from 'node:tls'

/** A running server of ours, and the hosts it stands in for. */
export interface StandIn {
  /** Address of its https port. */
  readonly address: string
  readonly port: number
  /** Lower case. */
  readonly hosts: readonly string[]
  /** PEM of the authority that signed its certificate for these hosts. */
  readonly caPem: string
}

/** Where a connection is wanted to. */
export interface Target {
  readonly host: string
  readonly port: number
}

/** The port of https, the only one that is led elsewhere. */
const httpsPort = 443

/** Whether a connection to this target belongs to the stand-in. */
export function isLedHere({ hosts }: StandIn, { host, port }: Target): boolean {
  return port === httpsPort && hosts.includes(host.toLowerCase().replace(/\.$/, ''))
}

/**
 * Connects to where a target is: to the stand-in for the hosts it stands in for, to the target itself for all others,
 * through `upstream` when the machine has a proxy of its own.
 *
 * @param signal gives up: the socket is destroyed
 * @returns a connected socket whose errors after this moment are the caller's
 * @throws Error when it cannot be had
 */
export async function reach(
  target: Target,
  standIn: StandIn,
  upstream: URL | undefined,
  signal: AbortSignal,
): Promise<Socket> {
  if (isLedHere(standIn, target)) return connected(connect(standIn.port, standIn.address), signal)
  if (upstream !== undefined) return throughProxy(upstream, target, signal)
  return connected(connect(target.port, target.host), signal)
}

async function connected(socket: Socket, signal: AbortSignal): Promise<Socket> {
  try {
    await once(socket, 'connect', { signal })
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** Asks another proxy for a tunnel (RFC 9110 §9.3.6). */
function throughProxy(proxy: URL, { host, port }: Target, signal: AbortSignal): Promise<Socket> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const secure = proxy.protocol === 'https:'
  const hostname = proxy.hostname.replace(/^\[|\]$/g, '')
  const proxyPort = Number(proxy.port || (secure ? 443 : 80))
  return new Promise((resolve, reject) => {
    const asked = connectRequest({
      method: 'CONNECT',
      path: authority,
      headers: { Host: authority, ...authorization(proxy) },
      createConnection: () =>
        secure
          ? secureConnect({ host: hostname, port: proxyPort, servername: hostname })
          : connect(proxyPort, hostname),
    })
    // Not the option `signal`: once there is a tunnel, it belongs to the caller.
    const giveUp = () => asked.destroy(new Error('nobody waits for it any more'))
    signal.addEventListener('abort', giveUp)
    asked.on('close', () => signal.removeEventListener('abort', giveUp))
    asked.on('connect', ({ statusCode = 0 }, socket, head) => {
      signal.removeEventListener('abort', giveUp)
      if (statusCode >= 200 && statusCode < 300) {
        if (head.length > 0) socket.unshift(head)
        resolve(socket)
      } else {
        socket.destroy()
        reject(new Error(`the proxy ${proxy.host} answered ${statusCode}`))
      }
    })
    asked.on('error', reject)
    asked.end()
  })
}

function authorization({ username, password }: URL): Record<string, string> {
  if (username === '') return {}
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'Proxy-Authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }
}
