import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'

/** The cores a run uses: one for the server with all its threads, another for everything that drives it. */
export interface Cores {
  readonly server: number
  readonly generator: number
}

/** Linux reports CPU time in ticks of 10 ms on every architecture Node runs on (USER_HZ). */
const ticksPerSecond = 100

/** statfs(2) f_type of a file system in memory. */
const tmpfsMagic = 0x01021994

/** Two cores to pin to, or a sentence that says why not. */
export function findCores(): Cores | string {
  const allowed = allowedCores()
  const [generator, server] = allowed
  if (generator === undefined || server === undefined) return 'not pinned: fewer than two cores'
  if (spawnSync('taskset', ['-c', String(server), 'true']).status !== 0) return 'not pinned: taskset is not here'
  return { server, generator }
}

/** Core numbers this process may run on, from `/proc/self/status`; none where that does not exist. */
function allowedCores(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readProc('self', 'status') ?? '')?.[1]
  if (list === undefined) return []
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

/** CPU time of a process with all its threads since it began, µs; undefined where there is no /proc. */
export function cpuMicros(pid: number): number | undefined {
  const stat = readProc(pid, 'stat')
  if (stat === undefined) return undefined
  // proc(5): the name in parentheses may hold anything; user and system time are the 14th and 15th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / ticksPerSecond
}

/** Resident memory of a process, bytes; undefined where there is no /proc. */
export function residentBytes(pid: number): number | undefined {
  const kibibytes = /^VmRSS:\s*(\d+) kB/m.exec(readProc(pid, 'status') ?? '')?.[1]
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
}

/** True when nothing written to the folder ever reaches a disk. */
export async function isInMemory(folder: string): Promise<boolean> {
  return (await statfs(folder)).type === tmpfsMagic
}

function readProc(pid: number | 'self', file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return undefined
  }
}
