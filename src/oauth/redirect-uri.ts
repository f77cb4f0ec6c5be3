import type { Application } from '../identity/application.js'

const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Whether answers may be sent there. Addresses are compared as they are written; of loopback ones the port does not count
 * (RFC 8252 §7.3), and one registered with `/*` at its end stands for every path below.
 */
export function isRegistered({ redirectUris }: Application, uri: string): boolean {
  return redirectUris.some((registered) => registered === uri || isSameBesidePort(registered, uri))
}

function isSameBesidePort(registered: string, uri: string): boolean {
  // What a URL's reader would pass over must not reach a header.
  if (!URL.canParse(registered) || !URL.canParse(uri) || /[^\x21-\x7e]/.test(uri)) return false
  const known = new URL(registered)
  const given = new URL(uri)
  if (!loopbackHosts.has(known.hostname) || given.username !== '' || given.password !== '' || given.hash !== '')
    return false
  if (known.protocol !== given.protocol || known.hostname !== given.hostname) return false
  if (known.pathname.endsWith('/*')) return given.pathname.startsWith(known.pathname.slice(0, -1))
  return known.pathname === given.pathname && known.search === given.search
}
