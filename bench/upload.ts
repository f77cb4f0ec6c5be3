/** U1: what a file of 150 MB costs in memory while it comes in by an upload session. */
import { setTimeout as sleep } from 'node:timers/promises'
import { newDataFolder, removeFolder, type Section, startServer, waitUntilQuiet } from './bench.js'
import { residentBytes } from './machine.js'

const mebibyte = 2 ** 20
/** What clients send at once, a multiple of 320 KiB. */
const rangeBytes = 4 * mebibyte
const sampleMs = 20

export const upload: Section = async (bench) => {
  const megabytes = bench.options.quick ? 40 : 150
  const folder = await newDataFolder(bench, 'upload')
  const server = await startServer(bench, { folder, deliveryPaused: true })
  await waitUntilQuiet(server.pid)
  const atRest = residentBytes(server.pid)
  let highest = atRest ?? 0
  let isDone = false
  const watching = (async () => {
    while (!isDone) {
      highest = Math.max(highest, residentBytes(server.pid) ?? 0)
      await sleep(sampleMs)
    }
  })()
  const started = performance.now()
  bench.progress(`a file of ${megabytes} MB in ranges of 4 MiB`)
  const failures = await send(`http://127.0.0.1:${server.port}`, bench.tokens[0] ?? '', megabytes * 1_000_000)
  const seconds = (performance.now() - started) / 1_000
  isDone = true
  await watching
  await server.stop()
  await removeFolder(folder)
  const more = atRest === undefined ? undefined : (highest - atRest) / mebibyte
  const note =
    atRest === undefined
      ? 'no /proc here'
      : `${megabytes} MB in ${seconds.toFixed(1)} s; at rest ${(atRest / mebibyte).toFixed(0)} MiB, at most ${(highest / mebibyte).toFixed(0)} MiB`
  return { lines: [], findings: [{ bar: 'memoryOfUpload', value: more, note }], failures }
}

/** Sends the file; what went wrong comes back. */
async function send(base: string, token: string, size: number): Promise<string[]> {
  const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(base + path, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
    return (await answer.json()) as Record<string, unknown>
  }
  const { id } = await post('/v1.0/me/messages', { subject: 'Large' })
  const { uploadUrl } = await post(`/v1.0/me/messages/${id}/attachments/createUploadSession`, {
    AttachmentItem: { attachmentType: 'file', name: 'large.bin', size },
  })
  const range = Buffer.alloc(rangeBytes, 'range')
  for (let first = 0; first < size; first += rangeBytes) {
    const last = Math.min(first + rangeBytes, size) - 1
    const { status } = await fetch(String(uploadUrl), {
      method: 'PUT',
      headers: { 'Content-Range': `bytes ${first}-${last}/${size}` },
      body: range.subarray(0, last - first + 1),
    })
    const wanted = last === size - 1 ? 201 : 200
    if (status !== wanted) return [`upload: bytes ${first}-${last} were answered ${status}`]
  }
  return []
}
