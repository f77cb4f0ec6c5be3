/**
 * What SQLite allows: a bare `node:http` server that inserts each body as it came into one table, through the driver
 * and with the pragmas of the product (WAL, `synchronous=FULL`), and answers 202 when it is on disk. It checks
 * nothing, indexes nothing and keeps no second copy. `limit-sqlite.js FILE single` commits each mail by itself,
 * `limit-sqlite.js FILE group` all that waited at once.
 */
import { createServer, type ServerResponse } from 'node:http'
import { openSqlite } from '../src/store/sqlite-driver.js'
import { announcePort } from './announce-port.js'

interface Waiting {
  readonly body: Buffer
  readonly response: ServerResponse
}

const [file = ':memory:', mode = 'group'] = process.argv.slice(2)
const database = openSqlite(file)
database.exec('create table mail (id integer primary key, body blob not null)')
const insert = database.prepare('insert into mail (body) values (?)')

let waiting: Waiting[] = []

function commitWaiting(): void {
  const group = waiting
  waiting = []
  database.exec('begin immediate')
  for (const { body } of group) insert.run(body)
  database.exec('commit')
  for (const { response } of group) accept(response)
}

function accept(response: ServerResponse): void {
  response.writeHead(202, { 'Content-Length': 0 })
  response.end()
}

function keepSingle(body: Buffer, response: ServerResponse): void {
  insert.run(body)
  accept(response)
}

function keepInGroup(body: Buffer, response: ServerResponse): void {
  // After this turn's reads: whatever they brought shares the commit.
  if (waiting.length === 0) setImmediate(commitWaiting)
  waiting.push({ body, response })
}

const keep = mode === 'single' ? keepSingle : keepInGroup

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => keep(Buffer.concat(chunks), response))
})
announcePort(server)
