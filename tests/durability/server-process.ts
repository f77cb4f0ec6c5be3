import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../../bin/graphpost.js', import.meta.url))

/** The program, started as an operator starts it. */
export interface ServerProcess {
  readonly process: ChildProcess
  readonly url: string
  /** Of the first sample user. */
  readonly token: string
}

/**
 * Starts the program on a data folder; its terminal tells the address and a token.
 *
 * @param before shell commands run first, in the process that becomes the server: `ulimit -f 100`
 * @param more options of `start`
 */
export async function startProcess(folder: string, before = '', more: readonly string[] = []): Promise<ServerProcess> {
  const options = ['start', '--data', folder, '--port', '0', '--https-port', 'off', '--smtp-port', 'off', ...more]
  const command = before === '' ? [] : ['-c', `${before}; exec "$@"`, 'server', globalThis.process.execPath]
  const process = spawn(before === '' ? globalThis.process.execPath : 'bash', [...command, program, ...options], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let terminal = ''
  for await (const chunk of process.stdout) {
    terminal += chunk
    if (terminal.includes('Stop with')) break
  }
  const url = /http:\/\/localhost:\d+/.exec(terminal)?.[0] ?? ''
  const token = /Bearer ([^']+)/.exec(terminal)?.[1] ?? ''
  return { process, url, token }
}

/** Sends a signal and waits for the end; answers the exit code, null when the signal ended it. */
export async function endProcess({ process }: ServerProcess, signal: NodeJS.Signals): Promise<number | null> {
  const exited = once(process, 'exit')
  process.kill(signal)
  const [code] = await exited
  return code
}
