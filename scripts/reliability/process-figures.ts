import { readdir, readFile } from 'node:fs/promises'

/** What a process holds. */
export interface ProcessFigures {
  /** Resident memory. */
  readonly bytes: number
  /** Open file descriptors. */
  readonly descriptors: number
}

/** @returns undefined where there is no /proc, and when the process is gone */
export async function figuresOf(pid: number): Promise<ProcessFigures | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    const descriptors = (await readdir(`/proc/${pid}/fd`)).length
    return { bytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1_024, descriptors }
  } catch {
    return undefined
  }
}

/** For people. */
export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MiB`
}
