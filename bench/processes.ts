import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { LoadJob, LoadResult } from './load-job.js'

/** A server the bench started for itself. */
export interface Peer {
  readonly pid: number
  readonly port: number
  /** Sends a message and resolves with the next one that comes back. */
  ask(message: unknown): Promise<unknown>
  stop(): Promise<void>
}

/** Runs jobs in the generator's process, one at a time. */
export interface LoadGenerator {
  run(job: LoadJob): Promise<LoadResult>
  stop(): Promise<void>
}

/**
 * Starts a program, on one core with all its threads when a core is given. It is killed when this process ends, and
 * it sees none of our own settings from the environment: a relay set there would be sent the bench's mail.
 */
export function spawnOn(core: number | undefined, command: readonly string[], stdio: StdioOptions): ChildProcess {
  const [program = '', ...args] = core === undefined ? command : ['taskset', '-c', String(core), ...command]
  const child = spawn(program, args, { stdio, env: environment() })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts one of the bench's own servers (`bare-http.js`, ...) and resolves once it listens. */
export async function startPeer(core: number | undefined, script: string, ...args: string[]): Promise<Peer> {
  const child = startScript(core, script, args)
  const { port } = (await nextMessage(child)) as { port: number }
  return {
    pid: pidOf(child),
    port,
    ask: (message) => {
      const answer = nextMessage(child)
      child.send(message as object)
      return answer
    },
    stop: () => stop(child),
  }
}

/** Runs one of the bench's own scripts to its end; resolves with the one message it sends. */
export async function runScript(core: number | undefined, script: string, ...args: string[]): Promise<unknown> {
  const child = startScript(core, script, args)
  const message = await nextMessage(child)
  await stop(child)
  return message
}

/** Starts the generator's process. */
export function startLoadGenerator(core: number | undefined): LoadGenerator {
  const child = startScript(core, 'load.js', [])
  return {
    run: (job) => {
      const result = nextMessage(child) as Promise<LoadResult>
      child.send(job)
      return result
    },
    stop: () => stop(child),
  }
}

/** This process's environment without Graphpost's settings. */
export function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GRAPHPOST_')))
}

/** The process's id. */
export function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error(`Could not start ${child.spawnfile}.`)
  return child.pid
}

function startScript(core: number | undefined, script: string, args: string[]): ChildProcess {
  const path = join(import.meta.dirname, script)
  return spawnOn(core, [process.execPath, path, ...args], ['ignore', 'inherit', 'inherit', 'ipc'])
}

/** The next IPC message; fails when the process ends instead. */
async function nextMessage(child: ChildProcess): Promise<unknown> {
  const settled = new AbortController()
  const { signal } = settled
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([message]) => message as unknown),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new Error(`${child.spawnargs.join(' ')} ended with ${code}.`)
      }),
    ])
  } finally {
    settled.abort()
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.disconnect()
  await exited
}
