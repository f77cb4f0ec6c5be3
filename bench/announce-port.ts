import type { AddressInfo, Server } from 'node:net'

/** Lets a server of the bench listen on a free loopback port, tell the parent which, and end when the parent does. */
export function announcePort(server: Server): void {
  server.listen(0, '127.0.0.1', 1024, () => process.send?.({ port: (server.address() as AddressInfo).port }))
  process.on('disconnect', () => process.exit())
}
