/**
 * Loaded before the program of `graphpost run` when that is Node (`--require` in NODE_OPTIONS): Node's own http, https,
 * http2, tls and fetch know nothing of HTTPS_PROXY. Every connection they make is made by `net.Socket.prototype.connect`,
 * so that one call is led elsewhere, and only its host and port: the name that TLS asks for and checks stays the cloud's.
 *
 * Stands alone and is CommonJS: it runs inside other programs, on whatever Node they bring.
 */
type ConnectArguments = readonly unknown[]

/** What `graphpost run` says in the variable. */
interface Redirect {
  readonly address: string
  readonly port: number
  readonly hosts: readonly string[]
}

const { Socket } = require('node:net') as typeof import('node:net')

const given = process.env.GRAPHPOST_REDIRECT
if (given !== undefined && given !== '') install(JSON.parse(given))

function install({ address, port, hosts }: Redirect): void {
  const led = new Set(hosts)
  const isLed = (host: unknown, wanted: unknown) =>
    typeof host === 'string' && Number(wanted) === 443 && led.has(host.toLowerCase().replace(/\.$/, ''))

  /** The forms of connect: (options), (port, host), (path), and the array that `net.connect` makes of any of them. */
  const leadElsewhere = (args: ConnectArguments): ConnectArguments => {
    const [first, second, ...rest] = args
    if (Array.isArray(first)) {
      const inner = leadElsewhere(first)
      // Copied with the symbol by which Node knows the array.
      return inner === first ? args : [Object.assign([], first, inner), second, ...rest]
    }
    if (typeof first === 'object' && first !== null) {
      const options = first as { host?: unknown; port?: unknown; path?: unknown }
      if (options.path || !isLed(options.host, options.port)) return args
      return [{ ...options, host: address, port }, ...args.slice(1)]
    }
    return isLed(second, first) ? [port, address, ...rest] : args
  }

  const connect = Socket.prototype.connect
  Socket.prototype.connect = function (this: import('node:net').Socket, ...args: unknown[]) {
    return Reflect.apply(connect, this, leadElsewhere(args) as Parameters<typeof connect>)
  } as typeof connect
}
