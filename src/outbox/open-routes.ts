/** From settings and documents to ways out: every relay by its name, and the table of rules. */
import { accessTokens } from './access-token.js'
import { parseRelayUrl, type RelayAddress } from './relay-url.js'
import type { RouteRule } from './route.js'
import type { RelayEntry, RoutesDocument } from './routes-file.js'
import { mxWay } from './transport.js'

/** The settings about it, taken apart. */
export interface RouteSettings {
  /** URLs, in the order in which they are tried. */
  readonly relays: readonly string[]
  readonly deliver: 'relay' | 'mx' | 'capture'
  /** Patterns; undefined: everybody. */
  readonly allowRecipients: readonly string[] | undefined
  /** Patterns of whom is held. */
  readonly hold: readonly string[]
  readonly document?: RoutesDocument | undefined
}

export interface Routes {
  readonly rules: readonly RouteRule[]
  readonly relays: ReadonlyMap<string, RelayAddress>
}

const done = ['capture', 'hold', 'refuse'] as const

/**
 * Who may get mail at all comes first, then who is held, then the routes of the document, then the relay of the settings.
 *
 * @throws TypeError that names what is wrong, and never a password
 */
export function routesOf({ relays: urls, deliver, allowRecipients, hold, document }: RouteSettings): Routes {
  const relays = new Map<string, RelayAddress>()
  for (const [name, entry] of Object.entries(document?.relays ?? {})) relays.set(name, relayOf(name, entry))
  const add = (url: string) => {
    if (!relays.has(url)) relays.set(url, parseRelayUrl(url))
    return url
  }
  if (deliver === 'capture') {
    return {
      relays,
      rules: [{ via: 'capture', reply: 'Kept here: deliver is capture, so nothing leaves this machine.' }],
    }
  }
  const rules: RouteRule[] = []
  if (allowRecipients !== undefined) {
    rules.push({
      except: allowRecipients,
      via: 'capture',
      reply: 'Kept here: allowRecipients does not name this address.',
    })
  }
  if (hold.length > 0) rules.push({ recipients: hold, via: 'hold' })
  for (const { recipients, senders, via } of document?.routes ?? []) {
    rules.push({
      ...(recipients === undefined ? {} : { recipients }),
      ...(senders === undefined ? {} : { senders }),
      via: wayOf(via, relays, add),
    })
  }
  if (deliver === 'mx') rules.push({ via: [mxWay] })
  else if (urls.length > 0) rules.push({ via: urls.map(add) })
  else rules.push({ via: 'capture', reply: 'Kept here: no relay is set, so nothing leaves this machine.' })
  return { rules, relays }
}

function wayOf(
  via: string | readonly string[],
  relays: ReadonlyMap<string, RelayAddress>,
  add: (url: string) => string,
): RouteRule['via'] {
  const ways = typeof via === 'string' ? [via] : via
  const [only] = ways
  const end = done.find((word) => word === only)
  if (ways.length === 1 && end !== undefined) return end
  if (ways.length === 1 && only === mxWay) return [mxWay]
  return ways.map((way) => {
    if (relays.has(way)) return way
    if (/^smtps?:/.test(way)) return add(way)
    const alone = way === mxWay || done.some((word) => word === way)
    throw new TypeError(
      alone ? `A route names "${way}" beside others: it stands alone.` : `No relay of the routes is called "${way}".`,
    )
  })
}

function relayOf(name: string, { url, oauth2 }: RelayEntry): RelayAddress {
  if (name === mxWay || /^smtps?:/.test(name) || done.some((word) => word === name)) {
    throw new TypeError(`No relay can be called "${name}".`)
  }
  const address = parseRelayUrl(url)
  if (oauth2 === undefined) return address
  if (address.credentials === undefined) {
    throw new TypeError(`The relay "${name}" has oauth2 and no user: its URL names one, as in smtp://user@host.`)
  }
  return { ...address, credentials: { user: address.credentials.user, tokens: accessTokens(oauth2) } }
}
