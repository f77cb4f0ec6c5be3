/** The system calls of a server: recorded, or made to fail. Only where strace is installed and may trace. */
import { spawnSync } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

/** `-D`: the server stays our own child, so that its end is seen; the filter makes only the traced calls slow. */
const always = ['strace', '-D', '-f', '--seccomp-bpf', '-q']

/** Why nothing can be traced here; undefined when it can. */
export function whyNotTraced(): string | undefined {
  const [program = '', ...args] = [...always, '-o', '/dev/null', 'true']
  const { error, status } = spawnSync(program, args, { stdio: 'ignore' })
  if (error !== undefined) return 'strace is not installed'
  return status === 0 ? undefined : 'strace may not trace here'
}

/** What to run a server under to have its writes, syncs and answers in a file, all their bytes included. */
export function recording(file: string): string[] {
  const calls = 'trace=write,writev,pwrite64,pwritev,fsync,fdatasync,ftruncate'
  return [...always, '-y', '-xx', '-s', '1000000', '-e', calls, '-o', file]
}

/**
 * What to run a server under to have calls fail.
 *
 * @param calls `fsync,fdatasync`
 * @param when of the calls of one thread: `3` the third, `3+` that and all after it, `3+10` every tenth from there
 */
export function failing(calls: string, error: string, when: string, file = '/dev/null'): string[] {
  return [...always, '-y', '-e', `trace=${calls}`, '-e', `inject=${calls}:error=${error}:when=${when}`, '-o', file]
}

/** @returns the files on which calls of a server that has ended were made to fail */
export async function failedFiles(file: string): Promise<string[]> {
  await waitForEnd(file)
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.includes('(INJECTED)'))
  return lines.map((line) => /<([^>]*)>/.exec(line)?.[1] ?? 'an interrupted call')
}

/** One call, with its place among all: another call of the recording began or ended at each number in between. */
interface Placed {
  readonly begin: number
  /** `Infinity` when it was under way as the process died. */
  readonly end: number
}

export type Traced = Placed &
  (
    | { readonly kind: 'write'; readonly file: string; readonly offset: number; readonly bytes: Buffer }
    | { readonly kind: 'truncate'; readonly file: string; readonly size: number }
    | { readonly kind: 'sync'; readonly file: string }
    /** The first bytes of an answer of HTTP. */
    | { readonly kind: 'answer'; readonly status: number; readonly clientRequestId: string }
  )

/**
 * Reads a recording of a server that has ended.
 *
 * @param folder files below it are taken, by their path from it; answers are taken anyway
 */
export async function readRecording(file: string, folder: string): Promise<Traced[]> {
  await waitForEnd(file)
  const unfinished = new Map<string, { text: string; begin: number }>()
  const found: Traced[] = []
  let place = 0
  const finish = (text: string, at: Placed) => {
    const traced = tracedOf(text, at, folder)
    if (traced !== undefined) found.push(traced)
  }
  for await (const line of createInterface({ input: createReadStream(file) })) {
    place++
    const blank = line.indexOf(' ')
    const thread = line.slice(0, blank)
    const text = line.slice(blank + 1).trimStart()
    if (text.endsWith('<unfinished ...>')) {
      unfinished.set(thread, { text: text.slice(0, -'<unfinished ...>'.length), begin: place })
      continue
    }
    const resumed = /^<\.\.\. \w+ resumed>/.exec(text)
    if (resumed === null) {
      finish(text, { begin: place, end: place })
      continue
    }
    const before = unfinished.get(thread)
    unfinished.delete(thread)
    if (before !== undefined) finish(before.text + text.slice(resumed[0].length), { begin: before.begin, end: place })
  }
  for (const { text, begin } of unfinished.values()) finish(text, { begin, end: Number.POSITIVE_INFINITY })
  return found.sort((one, other) => one.begin - other.begin)
}

/** strace ends after the server, and writes until then. */
async function waitForEnd(file: string): Promise<void> {
  for (let size = -1, tries = 0; tries < 600; tries++) {
    const now = (await stat(file)).size
    if (now === size && (await endsWithExit(file, now))) return
    size = now
    await sleep(100)
  }
}

async function endsWithExit(file: string, size: number): Promise<boolean> {
  const handle = await open(file)
  try {
    const tail = Buffer.alloc(Math.min(size, 200))
    await handle.read(tail, 0, tail.length, size - tail.length)
    return /\+\+\+ (exited|killed)[^\n]*\n$/.test(tail.toString())
  } finally {
    await handle.close()
  }
}

function tracedOf(text: string, at: Placed, folder: string): Traced | undefined {
  const call = /^(\w+)\(/.exec(text)?.[1]
  if (call === undefined || / = -1 E/.test(text.slice(-120))) return undefined
  const path = pathIn(text)
  if (call.startsWith('write') && path.startsWith('socket:')) return answerOf(text, at)
  if (!path.startsWith(`${folder}/`)) return undefined
  const file = path.slice(folder.length + 1)
  if (call === 'fsync' || call === 'fdatasync') return { ...at, kind: 'sync', file }
  if (call === 'ftruncate') return { ...at, kind: 'truncate', file, size: Number(/>, (\d+)/.exec(text)?.[1]) }
  if (call !== 'pwrite64') throw new Error(`${call} on ${file}: this recording does not understand it`)
  // A call that was interrupted in the listing has blanks there.
  const offset = /, (\d+)\s*(?:\)|$)/.exec(text.slice(-60))?.[1]
  if (offset === undefined) throw new Error(`a write without an offset: ${text.slice(-60)}`)
  return { ...at, kind: 'write', file, offset: Number(offset), bytes: bytesIn(text) }
}

function answerOf(text: string, at: Placed): Traced | undefined {
  const answer = bytesIn(text).toString('latin1')
  const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]
  if (status === undefined) return undefined
  const clientRequestId = /^client-request-id: (\S+)/im.exec(answer)?.[1] ?? ''
  return { ...at, kind: 'answer', status: Number(status), clientRequestId }
}

/** Of the first file descriptor. */
function pathIn(text: string): string {
  const begin = text.indexOf('<')
  const end = text.indexOf('>', begin)
  return unescaped(text.slice(begin + 1, end)).toString()
}

/** All texts between quotation marks, one after the other: those of `writev` are several. */
function bytesIn(text: string): Buffer {
  return Buffer.concat([...text.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map((match) => unescaped(match[1] ?? '')))
}

function unescaped(text: string): Buffer {
  return text.includes('\\x') ? Buffer.from(text.replaceAll('\\x', ''), 'hex') : Buffer.from(text)
}
