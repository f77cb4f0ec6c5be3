/** R20: connections that crawl hold nobody up, and are closed. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { openCaller } from './caller.js'
import { percentile } from './percentile.js'
import type { Row } from './row.js'
import { startServer } from './server.js'

/** Of the goal table, ms. */
const bars = { answer: 1_000, closed: 60_000 }
/** Between two bytes of a connection that crawls. */
const dripMs = 500
const looks = 30
const openedAtOnce = 50
/** Beyond the settings of the server: how often it looks, and what a busy machine takes. */
const closingMarginMs = 30_000

export const slowConnections: Row = {
  id: 'R20',
  promise: 'connections that crawl hold nobody up and are closed',
  inTests: true,
  run: async (scope) => {
    const count = scope.pick(50, 200, 2_000)
    const [headersMs, requestMs] = scope.pick([1_000, 2_000], [15_000, 60_000], [15_000, 60_000])
    const folder = await scope.folder('data')
    const limits = ['--headers-timeout', `${headersMs}ms`, '--request-timeout', `${requestMs}ms`]
    const server = startServer({ folder, args: [...limits, '--log-level', 'silent'] })
    const url = await server.ready
    const port = Number(new URL(url).port)
    scope.progress(`${count} connections crawl`)
    const crawling: Crawling[] = []
    for (let index = 0; index < count; index++) {
      const one = crawl(port, index, scope.token)
      crawling.push(one)
      // More at once than the system's queue of new connections holds would be forgotten by it, not by us.
      if (index % openedAtOnce === openedAtOnce - 1) await once(one.socket, 'connect')
    }
    const caller = openCaller(url, scope.token)
    const waits: number[] = []
    const faults: string[] = []
    for (let look = 0; look < looks; look++) {
      const askedAt = performance.now()
      const { status } = await caller.call('GET', '/v1.0/me/messages?$top=1')
      waits.push(performance.now() - askedAt)
      if (status !== 200) faults.push(`another client was answered with ${status}`)
    }
    const limit = new Promise<undefined>((resolve) => {
      setTimeout(resolve, requestMs + closingMarginMs, undefined).unref()
    })
    const closedAt = await Promise.all(crawling.map(({ closed }) => Promise.race([closed, limit])))
    for (const { socket } of crawling) socket.destroy()
    caller.close()
    const code = await server.end('SIGTERM')
    if (code !== 0) faults.push(`the server ended with ${code}`)
    const open = closedAt.filter((at) => at === undefined).length
    if (open > 0) faults.push(`${open} connections were still open after ${requestMs + closingMarginMs} ms`)
    const last = Math.max(0, ...closedAt.map((at, index) => (at ?? 0) - (crawling[index]?.openedAt ?? 0)))
    const slowest = percentile(waits, 1)
    return {
      did: `${count} connections, a byte each ${dripMs} ms; limits ${headersMs / 1000} s and ${requestMs / 1000} s`,
      figure: `others answered in ${slowest.toFixed(0)} ms at most; the last closed after ${(last / 1000).toFixed(1)} s`,
      faults,
      slow: [
        ...(slowest > bars.answer ? [`another client waited ${slowest.toFixed(0)} ms`] : []),
        ...(last > bars.closed ? [`the last was closed after ${(last / 1000).toFixed(1)} s`] : []),
      ],
    }
  },
}

interface Crawling {
  readonly socket: Socket
  /** When we asked for it: the server has had it for less than since then. */
  readonly openedAt: number
  /** When the server closed it. */
  readonly closed: Promise<number>
}

/** A third says nothing, a third crawls in its headers, a third in its body. */
function crawl(port: number, index: number, token: string): Crawling {
  const openedAt = performance.now()
  const socket = connect(port, '127.0.0.1')
  const head = `POST /v1.0/me/sendMail HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n`
  const body = `${head}Content-Type: application/json\r\nContent-Length: 10000\r\n\r\n{`
  const kind = index % 3
  socket.on('error', () => {})
  socket.on('data', () => {})
  socket.on('connect', () => {
    if (kind === 1) socket.write(`${head}X-More: `)
    if (kind === 2) socket.write(body)
  })
  const drip = setInterval(() => {
    if (kind > 0 && socket.writable) socket.write(' ')
  }, dripMs)
  const closed = new Promise<number>((resolve) => {
    socket.on('close', () => {
      clearInterval(drip)
      resolve(performance.now())
    })
  })
  return { socket, openedAt, closed }
}
