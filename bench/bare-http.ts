/**
 * The ceiling: a bare `node:http` server that reads the whole body and answers 202 without looking at it or keeping it.
 * What Graphpost accepts is printed as a share of this.
 */
import { createServer } from 'node:http'
import { announcePort } from './announce-port.js'

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    Buffer.concat(chunks)
    response.writeHead(202, { 'Content-Length': 0 })
    response.end()
  })
})
announcePort(server)
