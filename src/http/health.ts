import type { RequestListener } from 'node:http'

/**
 * `/livez`: the process answers. `/readyz`: what it stands on answers too, else 503. Everything else goes to the next
 * listener. No token: whoever restarts or routes around a server must be able to ask.
 *
 * @param check rejects when the server could not do its work
 */
export function healthListener(check: () => Promise<void>): (next: RequestListener) => RequestListener {
  return (next) => (request, response) => {
    if (request.url === '/livez') {
      response.writeHead(200, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' }).end('ok\n')
    } else if (request.url === '/readyz') {
      check().then(
        () => response.writeHead(200, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' }).end('ok\n'),
        () => response.writeHead(503, { 'Content-Type': 'text/plain', 'Retry-After': '1' }).end('not ready\n'),
      )
    } else {
      next(request, response)
    }
  }
}
