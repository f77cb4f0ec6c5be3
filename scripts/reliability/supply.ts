/** R23: a copy made under load is restored. R24: what the program stands on. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { environment } from '../../bench/processes.js'
import { flood, type Ledger } from './ledger.js'
import type { Finding, Row } from './row.js'
import { startServer } from './server.js'
import { kept } from './store-file.js'

const root = join(import.meta.dirname, '../../..')
const program = join(root, 'bin/graphpost.js')
/** An answer of the registry is not waited for any longer. */
const auditLimitMs = 60_000

export const backup: Row = {
  id: 'R23',
  promise: 'a copy made under load has everything that was acknowledged before it began',
  inTests: true,
  run: async (scope) => {
    const folder = await scope.folder('data')
    const server = startServer({ folder, args: ['--log-level', 'silent'] })
    const ledger: Ledger = new Map()
    const load = flood(await server.ready, scope.token, { ledger, round: 0, connections: 16 })
    await sleep(scope.pick(500, 3_000, 20_000))
    const before = [...ledger].filter(([, { acknowledged }]) => acknowledged).map(([subject]) => subject)
    const copy = scope.scratch('copy')
    const made = await output(process.execPath, [program, 'backup', copy, '--data', folder])
    await sleep(500)
    load.stop()
    const faults = [...(await load.done)]
    await server.end('SIGTERM')
    if (made.code !== 0) return { did: 'a backup', figure: '', faults: [`it ended with ${made.code}: ${made.text}`] }
    const restored = startServer({ folder: copy, args: ['--log-level', 'silent'] })
    await restored.ready
    await restored.end('SIGTERM')
    const store = kept(copy)
    const lost = before.filter((subject) => !store.sent.has(subject) && !store.unsaved.has(subject))
    if (lost.length > 0)
      faults.push(`${lost.length} of ${before.length} mails are not in the copy, ${lost[0]} the first`)
    return {
      did: `a copy while ${ledger.size} mails were sent`,
      figure: `${before.length} acknowledged before it, ${store.sent.size + store.unsaved.size} in it`,
      faults: [...faults, ...store.faults],
    } satisfies Finding
  },
}

interface LockedPackage {
  readonly dev?: boolean
  readonly optional?: boolean
  readonly hasInstallScript?: boolean
  readonly integrity?: string
  readonly link?: boolean
}

/** Packages that may run something when they are installed: the SQLite build for Node 20. */
const mayInstall = new Set(['node_modules/@photostructure/sqlite'])

export const dependencies: Row = {
  id: 'R24',
  promise: 'few packages, all pinned by hash, no install scripts but the SQLite build, no known severe fault',
  inTests: true,
  run: async (scope) => {
    const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, LockedPackage>
    }
    const all = Object.entries(lock.packages).filter(([path]) => path !== '')
    const shipped = all.filter(([, { dev, optional }]) => dev !== true && optional !== true)
    const scripts = shipped.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path)
    const withoutHash = ([, { integrity, link }]: (typeof all)[number]) => integrity === undefined && link !== true
    const unpinned = shipped.filter(withoutHash)
    const unpinnedTools = all.filter(withoutHash).length - unpinned.length
    const faults = [
      ...scripts.filter((path) => !mayInstall.has(path)).map((path) => `${path} runs a script when it is installed`),
      ...unpinned.slice(0, 5).map(([path]) => `${path} has no hash in the lock file`),
    ]
    const audit = scope.form === 'short' ? undefined : await audited()
    if (audit !== undefined && audit.severe > 0)
      faults.push(`${audit.severe} known faults of high or critical severity`)
    const counts = `${shipped.length} packages are installed with it, ${all.length - shipped.length} for development; ${scripts.length} install scripts; without a hash ${unpinned.length} and ${unpinnedTools}`
    return {
      did: audit === undefined ? 'lock file' : 'lock file, npm audit',
      figure: `${counts}${audit === undefined ? '' : `; ${audit.text}`}`,
      faults,
      ...(audit !== undefined && !audit.isAnswered ? { obstacle: 'no registry answers npm audit' } : {}),
    } satisfies Finding
  },
}

async function audited(): Promise<{ severe: number; text: string; isAnswered: boolean }> {
  const { text } = await output('npm', ['audit', '--omit=dev', '--json'])
  try {
    const { vulnerabilities } = (JSON.parse(text.slice(text.indexOf('{'))) as AuditReport).metadata
    const { high, critical, total } = vulnerabilities
    return {
      severe: high + critical,
      text: `npm audit: ${total} known faults, ${high + critical} severe`,
      isAnswered: true,
    }
  } catch {
    return { severe: 0, text: 'npm audit: no answer', isAnswered: false }
  }
}

interface AuditReport {
  readonly metadata: {
    readonly vulnerabilities: { readonly high: number; readonly critical: number; readonly total: number }
  }
}

function output(program: string, args: readonly string[]): Promise<{ code: number; text: string }> {
  const options = { cwd: root, env: environment(), timeout: auditLimitMs, maxBuffer: 50_000_000 }
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code ?? 1)
      resolve({ code, text: stdout === '' ? stderr : stdout })
    })
  })
}
