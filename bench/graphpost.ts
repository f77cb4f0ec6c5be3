import { type ChildProcess, execFile } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { environment, pidOf, spawnOn } from './processes.js'

const program = join(import.meta.dirname, '../../bin/graphpost.js')
const startTimeoutMs = 60_000

/** How a server of ours is started. */
export interface GraphpostOptions {
  /** Data folder. */
  readonly folder: string
  readonly core: number | undefined
  /** Accepted mail is kept but goes nowhere. */
  readonly deliveryPaused: boolean
  /** Port of an SMTP server on 127.0.0.1 that takes what is for outside; without it that mail is captured. */
  readonly relayPort?: number
  /** A program to run the server under, with its arguments. */
  readonly under?: readonly string[]
}

/** The real server, as a user starts it. */
export interface Graphpost {
  readonly pid: number
  readonly port: number
  /** performance.now() when its process was spawned. */
  readonly spawnedAt: number
  /** SIGTERM, and waits for its end. */
  stop(): Promise<void>
  /** SIGKILL, and waits for its end. */
  kill(): Promise<void>
}

/** Starts `graphpost start` on a free port; resolves once it said which. */
export async function startGraphpost(options: GraphpostOptions): Promise<Graphpost> {
  const spawnedAt = performance.now()
  const command = [...(options.under ?? []), process.execPath, program, 'start', ...startArguments(options)]
  const child = spawnOn(options.core, command, ['ignore', 'pipe', 'pipe'])
  const port = await readPort(child)
  return {
    pid: pidOf(child),
    port,
    spawnedAt,
    stop: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
  }
}

/** A token for a sample user, made by the program's own command; makes the data folder when it is not there. */
export async function graphpostToken(folder: string, user: string): Promise<string> {
  const scopes = ['Mail.Send', 'Mail.ReadWrite'].flatMap((scope) => ['--scope', scope])
  const args = [program, 'token', '--data', folder, '--user', user, ...scopes]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: environment() })
  return stdout.trim()
}

function startArguments(options: GraphpostOptions): string[] {
  const args = ['--data', options.folder, '--port', '0', '--https-port', 'off', '--smtp-port', 'off']
  if (options.deliveryPaused) args.push('--delivery-concurrency', '0')
  if (options.relayPort !== undefined) args.push('--relay', `smtp://127.0.0.1:${options.relayPort}`)
  return args
}

/** The port in the first `http://host:port` that the server prints. */
function readPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let printed = ''
    const timer = setTimeout(() => fail('did not say its port in time'), startTimeoutMs)
    const fail = (what: string): void => {
      clearTimeout(timer)
      reject(new Error(`graphpost ${what}:\n${printed}`))
    }
    const read = (chunk: Buffer): void => {
      if (printed.length < 10_000) printed += chunk.toString()
      const port = /http:\/\/[^\s:/]+:(\d+)/.exec(printed)?.[1]
      if (port === undefined) return
      clearTimeout(timer)
      resolve(Number(port))
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code) => fail(`ended with ${code}`))
  })
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}
