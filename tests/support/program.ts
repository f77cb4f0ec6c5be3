import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { atEnd } from './start-server.js'

/** Graphpost's own program, to be started with Node. */
export const graphpostProgram = fileURLToPath(new URL('../../../bin/graphpost.js', import.meta.url))

type Environment = Readonly<Record<string, string | undefined>>

/** A program that runs. */
export interface RunningProgram {
  readonly process: ChildProcess
  /** Resolves with its standard output once this is in it. */
  printed(text: string): Promise<string>
  readonly ended: Promise<ProgramEnd>
}

/** How a program has ended; `code` is null when a signal ended it. */
export interface ProgramEnd {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts Node with these arguments; it is killed after the test when it still runs. */
export function startNode(t: TestContext, argv: readonly string[], env: Environment = process.env): RunningProgram {
  const child = spawn(process.execPath, argv, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  atEnd(t, () => child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const ended = once(child, 'close').then(([code]) => ({ code, stdout, stderr }))
  return {
    process: child,
    ended,
    printed: async (text) => {
      while (!stdout.includes(text)) {
        const more = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)])
        if (!more && !stdout.includes(text)) throw new Error(`it ended without a word of "${text}": ${stdout}${stderr}`)
      }
      return stdout
    },
  }
}

/** Runs Node with these arguments to its end. */
export function runNode(t: TestContext, argv: readonly string[], env?: Environment): Promise<ProgramEnd> {
  return startNode(t, argv, env).ended
}
