/**
 * Postfix as a peer, where it is installed: an instance of the bench's own, with its settings, queue and log in a
 * temporary folder. The machine's own instance is neither asked nor touched.
 */
import { type ChildProcess, execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { writeSettings } from './postfix-settings.js'
import { environment, pidOf, spawnOn } from './processes.js'

const startTimeoutMs = 30_000
const endTimeoutMs = 10_000
const pollMs = 20

/** How an instance is started. */
export interface PostfixOptions {
  /** Not there yet. Everybody may enter the folder above it afterwards: Postfix's processes are not root. */
  readonly folder: string
  readonly core: number | undefined
  /** Port of the SMTP server on 127.0.0.1 that takes all mail. */
  readonly relayPort: number
  /** Accepted mail is kept, and goes nowhere before {@link Postfix.release}. */
  readonly isHeld: boolean
}

/** A running instance. */
export interface Postfix {
  readonly port: number
  /** Begins to deliver what is kept. */
  release(): Promise<void>
  /** Ends every process of the instance. */
  stop(): Promise<void>
}

/** The version of a Postfix that can be measured here, or a sentence that says why there is none. */
export function findPostfix(userId = process.getuid?.()): { version: string } | string {
  const asked = spawnSync('postconf', ['-dh', 'mail_version'], { encoding: 'utf8', env: environment() })
  if (asked.status !== 0 || spawnSync('smtp-source').error !== undefined) return 'postfix is not installed here'
  if (userId !== 0) return 'postfix is not measured: only root can start its master process'
  return { version: asked.stdout.trim() }
}

/** @throws Error with the end of its log when it does not come up */
export async function startPostfix({ folder, core, relayPort, isHeld }: PostfixOptions): Promise<Postfix> {
  const port = await freePort()
  await mkdir(join(folder, 'queue'), { recursive: true })
  await mkdir(join(folder, 'data'))
  await chmod(dirname(folder), 0o711)
  await writeSettings({ folder, port, relayPort, isHeld })
  await run('chown', 'postfix', join(folder, 'data'))
  await run('postfix', '-c', folder, 'check')
  const master = join((await run('postconf', '-dh', 'daemon_directory')).trim(), 'master')
  const child = spawnOn(core, [master, '-c', folder, '-s'], 'ignore')
  // A master that is killed leaves its children at work.
  const killGroup = () => void signalled(groupOf(child), 'SIGKILL')
  process.once('exit', killGroup)
  const stop = () => end(child).finally(() => process.removeListener('exit', killGroup))
  try {
    await waitForGreeting(child, port)
  } catch (error) {
    await stop()
    const log = await readFile(join(folder, 'mail.log'), 'utf8').catch(() => '')
    throw new Error(`postfix did not start:\n${log.slice(-2_000)}`, { cause: error })
  }
  return {
    port,
    release: async () => {
      await writeSettings({ folder, port, relayPort, isHeld: false })
      child.kill('SIGHUP')
    },
    stop,
  }
}

async function run(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { env: environment() })
  return stdout
}

/** Nobody else takes it before Postfix does, most likely; Postfix cannot pick one itself. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function waitForGreeting(child: ChildProcess, port: number): Promise<void> {
  const until = performance.now() + startTimeoutMs
  while (performance.now() < until && child.exitCode === null) {
    if (await greets(port)) return
    await sleep(pollMs)
  }
  throw new Error('No greeting.')
}

async function greets(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1', timeout: startTimeoutMs })
  try {
    const [greeting] = (await once(socket, 'data')) as [Buffer]
    return greeting.toString().startsWith('220')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** The children need a moment more than the master process does. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    await exited
  }
  const until = performance.now() + endTimeoutMs
  while (signalled(groupOf(child), performance.now() < until ? 0 : 'SIGKILL')) await sleep(pollMs)
}

/** The master process leads one (-s) of all that it starts. */
function groupOf(child: ChildProcess): number {
  return -pidOf(child)
}

/** @returns whether anybody was there */
function signalled(group: number, signal: 0 | 'SIGKILL'): boolean {
  try {
    return process.kill(group, signal)
  } catch {
    return false
  }
}
