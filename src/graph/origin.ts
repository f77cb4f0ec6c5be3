import type { IncomingMessage } from 'node:http'
import { type Cloud, cloudOfGraphHost } from '../identity/clouds.js'

/** By which name a client called this server. */
export interface Origin {
  /** Scheme, host and port: what links begin with. */
  readonly baseUrl: string
  /** Whose Graph has that name; undefined for a name of our own, under which everything is served. */
  readonly cloud: Cloud | undefined
}

const hostAndPort = /^[A-Za-z0-9.:[\]_-]{1,255}$/

/**
 * Makes a reader of the origin that a client used, so that links lead back the same way. Behind a proxy that is
 * `publicUrl`, except for clients that were led here under a name of the cloud: no proxy of an operator has such a name.
 */
export function originReader(
  publicUrl: string | undefined,
): (request: Pick<IncomingMessage, 'socket' | 'headers'>) => Origin {
  const given = publicUrl === undefined ? undefined : originAt(publicUrl)
  return ({ socket, headers: { host } }) => {
    const isSecure = 'encrypted' in socket
    const cloud = host === undefined ? undefined : cloudNamed(host)
    if (given !== undefined && (cloud === undefined || !isSecure)) return given
    // A Host header that is none is not repeated.
    const named = host !== undefined && hostAndPort.test(host) ? host : `localhost:${socket.localPort}`
    return { baseUrl: `${isSecure ? 'https' : 'http'}://${named}`, cloud }
  }
}

function originAt(baseUrl: string): Origin {
  return { baseUrl, cloud: cloudNamed(new URL(baseUrl).host) }
}

/** @param host as a Host header has it, with or without port */
function cloudNamed(host: string): Cloud | undefined {
  const colon = host.indexOf(':')
  return cloudOfGraphHost((colon === -1 ? host : host.slice(0, colon)).toLowerCase())
}

/** Where callers of that name sign in: here as well, at the port they called. */
export function authorityOf({ baseUrl, cloud }: Origin): string {
  if (cloud === undefined) return baseUrl
  const [port = ''] = /:\d+$/.exec(baseUrl) ?? []
  return `https://${cloud.signInHosts[0]}${port}`
}
