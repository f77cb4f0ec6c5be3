import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Finding } from './bars.js'
import { type Graphpost, type GraphpostOptions, graphpostToken, startGraphpost } from './graphpost.js'
import { type Cores, cpuMicros } from './machine.js'
import type { BenchOptions } from './options.js'
import type { LoadGenerator } from './processes.js'

/** The sample users that send. */
const senders = ['adele@contoso.com', 'alex@contoso.com']

/** What every section works with. */
export interface Bench {
  readonly options: BenchOptions
  /** `undefined`: not pinned. */
  readonly cores: Cores | undefined
  readonly load: LoadGenerator
  /** One token for each sender; valid in every data folder of the run. */
  readonly tokens: readonly string[]
  /** Temporary; everything a section writes goes here. */
  readonly root: string
  /** Says what is going on, to stderr. */
  progress(text: string): void
}

/** What a section has to say. */
export interface SectionReport {
  /** Ready to be printed. */
  readonly lines: readonly string[]
  readonly findings: readonly Finding[]
  /** What must not happen in any run: answers other than 202, lost connections, lost mail. */
  readonly failures: readonly string[]
}

export type Section = (bench: Bench) => Promise<SectionReport>

/** A folder of this run's own below the one asked for. */
export function makeRoot(directory: string): Promise<string> {
  return mkdtemp(join(directory, 'graphpost-bench-'))
}

/** Tokens for the senders, and with them the signing key that all data folders of the run are copied from. */
export async function makeTokens(root: string): Promise<string[]> {
  const tokens: string[] = []
  for (const user of senders) tokens.push(await graphpostToken(templateOf(root), user))
  return tokens
}

/** A data folder with users and keys but without mail. */
export async function newDataFolder(bench: Bench, name: string): Promise<string> {
  const folder = join(bench.root, name)
  await mkdir(folder, { recursive: true })
  await cp(templateOf(bench.root), folder, { recursive: true })
  return folder
}

/** Starts a server of ours on the server's core. */
export function startServer(bench: Bench, options: Omit<GraphpostOptions, 'core'>): Promise<Graphpost> {
  return startGraphpost({ ...options, core: bench.cores?.server })
}

/** Removes a data folder that is no longer needed. */
export function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 3 })
}

/**
 * Waits until a process has stopped working, so that what it does after its answers is not taken from whoever is
 * measured next; at most a minute. Without /proc it only waits a little. Returns when the work ended, as of
 * performance.now().
 */
export async function waitUntilQuiet(pid: number): Promise<number> {
  const until = performance.now() + quietLimitMs
  let quietSince = performance.now()
  let before = cpuMicros(pid)
  while (quietSince < until) {
    await sleep(quietMs)
    const now = cpuMicros(pid)
    if (before === undefined || now === undefined || now - before <= quietCpuMicros) break
    before = now
    quietSince = performance.now()
  }
  return quietSince
}

const quietLimitMs = 60_000
const quietMs = 100
/** One tick of the kernel's clock. */
const quietCpuMicros = 10_000

function templateOf(root: string): string {
  return join(root, 'template')
}
