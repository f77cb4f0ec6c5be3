import { connect } from 'node:net'

/** What came back on a connection of its own. */
export interface RawAnswer {
  /** Undefined when nothing came that is HTTP. */
  readonly status: number | undefined
  readonly text: string
  /** The server has closed it; otherwise the time was up. */
  readonly isClosed: boolean
}

/** Sends bytes, HTTP or not, and reads until the server closes the connection or the time is up. */
export function rawCall(port: number, bytes: string | Uint8Array, timeoutMs = 30_000): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1')
    const finish = (isClosed: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      const text = Buffer.concat(chunks).toString('latin1')
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]
      resolve({ status: status === undefined ? undefined : Number(status), text, isClosed })
    }
    const timer = setTimeout(() => finish(false), timeoutMs)
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => finish(true))
    socket.on('connect', () => socket.write(bytes))
  })
}

/** A whole request that asks for the connection to be closed after its answer. */
export function requestBytes(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array = '',
): Buffer {
  const content = Buffer.from(body as string)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  const length = content.length > 0 || method !== 'GET' ? [`Content-Length: ${content.length}`] : []
  const head = [`${method} ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...lines, ...length]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), content])
}
