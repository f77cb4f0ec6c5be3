/**
 * The ceiling: a bare `node:http` server that reads the whole body and answers 202 without looking at it or keeping it;
 * where a draft would be made, 201 and an id.
 * What Graphpost accepts is printed as a share of this.
 */
import { createServer } from 'node:http'
import { announcePort } from './announce-port.js'

/** The answer to a draft: an id of the length that Graph's have, and nothing else. */
const draft = Buffer.from(JSON.stringify({ id: 'A'.repeat(152) }))

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    Buffer.concat(chunks)
    if (request.url?.endsWith('/messages')) {
      response.writeHead(201, { 'Content-Type': 'application/json', 'Content-Length': draft.length }).end(draft)
      return
    }
    response.writeHead(202, { 'Content-Length': 0 })
    response.end()
  })
})
announcePort(server)
