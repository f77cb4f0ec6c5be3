import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { graphpostToken } from '../../bench/graphpost.js'
import type { Form, Scope } from './row.js'

/** A run's folder, and what each of its rows gets. */
export interface Run {
  scope(row: string): Scope
  close(): Promise<void>
}

export interface RunOptions {
  readonly form: Form
  readonly minutes?: number | undefined
  /** Parent of the run's own folder: the disk that is tried. */
  readonly directory: string
  progress(text: string): void
}

/** Makes the folder of a run, and in it the data folder that all others are copies of. */
export async function openRun({ form, minutes, directory, progress }: RunOptions): Promise<Run> {
  const root = await mkdtemp(join(directory, 'graphpost-reliability-'))
  const template = join(root, 'template')
  const token = await graphpostToken(template, 'adele@contoso.com')
  let folders = 0
  return {
    scope: (row) => ({
      form,
      minutes,
      token,
      folder: async (name) => {
        const path = join(root, `${row}-${++folders}-${name}`)
        await mkdir(path)
        await cp(template, path, { recursive: true })
        return path
      },
      scratch: (name) => join(root, `${row}-${++folders}-${name}`),
      progress: (text) => progress(`${row}  ${text}`),
      pick: (short, middle, full) => (form === 'short' ? short : form === 'middle' ? middle : full),
    }),
    close: () => rm(root, { recursive: true, force: true, maxRetries: 3 }),
  }
}
