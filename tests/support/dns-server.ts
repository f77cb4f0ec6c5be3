/** A DNS server of a few records on loopback, for tests: answers by UDP, and forgets what it was not given. */
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import type { TestContext } from 'node:test'

/** Records by name, lower case. `fails`: the server answers SERVFAIL. */
export type Zone = Record<
  string,
  | 'fails'
  | {
      readonly mx?: readonly (readonly [priority: number, exchange: string])[]
      readonly a?: readonly string[]
      readonly txt?: readonly string[]
    }
>

const types = { a: 1, mx: 15, txt: 16 } as const

/** Starts it; the resolver asks nobody else. The zone may be changed while it runs. */
export async function startDnsServer(t: TestContext, zone: Zone): Promise<{ resolver: Resolver; asked: string[] }> {
  const asked: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (query, peer) => {
    const { name, type, end } = question(query)
    asked.push(`${type} ${name}`)
    const known = zone[name]
    const data = known === undefined || known === 'fails' ? [] : recordsOf(known, type)
    const code = known === 'fails' ? 2 : known === undefined ? 3 : 0
    const header = Buffer.alloc(12)
    query.copy(header, 0, 0, 2)
    header.writeUInt16BE(0x8180 | code, 2)
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(data.length, 6)
    const answers = data.map((bytes) => {
      const front = Buffer.alloc(12)
      front.writeUInt16BE(0xc00c, 0)
      front.writeUInt16BE(type, 2)
      front.writeUInt16BE(1, 4)
      front.writeUInt32BE(60, 6)
      front.writeUInt16BE(bytes.length, 10)
      return Buffer.concat([front, bytes])
    })
    socket.send(Buffer.concat([header, query.subarray(12, end), ...answers]), peer.port, peer.address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  t.after(() => new Promise<void>((resolve) => socket.close(() => resolve())))
  const resolver = new Resolver({ timeout: 5_000, tries: 1 })
  resolver.setServers([`127.0.0.1:${socket.address().port}`])
  return { resolver, asked }
}

function question(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 }
}

function recordsOf({ mx = [], a = [], txt = [] }: Exclude<Zone[string], 'fails'>, type: number): Buffer[] {
  if (type === types.a) return a.map((address) => Buffer.from(address.split('.').map(Number)))
  if (type === types.txt) {
    return txt.map((text) => {
      const parts = text.match(/.{1,255}/gs) ?? []
      return Buffer.concat(parts.flatMap((part) => [Buffer.from([part.length]), Buffer.from(part)]))
    })
  }
  if (type !== types.mx) return []
  return mx.map(([priority, exchange]) =>
    Buffer.concat([Buffer.from([priority >> 8, priority & 255]), encoded(exchange)]),
  )
}

function encoded(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  return Buffer.concat([
    ...labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]),
    Buffer.from([0]),
  ])
}
