/** The real program in a process of its own, which may be killed at any moment, also while it starts. */
import { once } from 'node:events'
import { join } from 'node:path'
import { pidOf, spawnOn } from '../../bench/processes.js'

const program = join(import.meta.dirname, '../../../bin/graphpost.js')

export interface ServerOptions {
  readonly folder: string
  /** As on the command line, besides the ports. */
  readonly args?: readonly string[]
  /** A program to run it under, with its arguments. */
  readonly under?: readonly string[]
}

export interface Server {
  readonly pid: number
  /** Resolves with the address once it listens; rejects when the process ends before. */
  readonly ready: Promise<string>
  /** From the start of the process until it listened, ms; undefined before. */
  readonly readyMs: () => number | undefined
  /** All that it has said, on both streams. */
  readonly said: () => string
  /** Resolves with the exit code when it has ended, null when a signal ended it. */
  readonly ended: Promise<number | null>
  /** Sends a signal and waits for the end. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>
}

/** Starts `graphpost start` on a free port; does not wait for it. */
export function startServer({ folder, args = [], under = [] }: ServerOptions): Server {
  const startedAt = performance.now()
  const own = ['--data', folder, '--port', '0', '--https-port', 'off', '--smtp-port', 'off', ...args]
  const child = spawnOn(undefined, [...under, process.execPath, program, 'start', ...own], ['ignore', 'pipe', 'pipe'])
  const pieces: string[] = []
  let readyAt: number | undefined
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const ready = new Promise<string>((resolve, reject) => {
    let heard = ''
    const hear = (chunk: Buffer) => {
      pieces.push(chunk.toString())
      if (readyAt !== undefined) return
      heard += chunk.toString()
      const url = /http:\/\/localhost:(\d+)/.exec(heard)
      if (url === null || !heard.includes('Stop with')) return
      readyAt = performance.now()
      resolve(`http://127.0.0.1:${url[1]}`)
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    ended.then((code) => reject(new Error(`the server ended with ${code} before it listened: ${heard}`)))
  })
  // Whoever kills it while it starts does not wait for it to listen.
  ready.catch(() => {})
  return {
    pid: pidOf(child),
    ready,
    readyMs: () => (readyAt === undefined ? undefined : readyAt - startedAt),
    said: () => pieces.join(''),
    ended,
    end: (signal) => {
      child.kill(signal)
      return ended
    },
  }
}
