import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Authority } from './cert.js'
import { shellQuoted } from './shell-quoted.js'

/** How a Linux takes one more authority: a file in a folder, and a program that takes up what is in there. */
export interface SystemStore {
  readonly systems: string
  readonly folder: string
  readonly command: readonly [string, ...string[]]
}

/** The first whose folder is there. */
export const systemStores: readonly SystemStore[] = [
  {
    systems: 'Fedora, RHEL',
    folder: '/etc/pki/ca-trust/source/anchors',
    command: ['update-ca-trust'],
  },
  {
    systems: 'openSUSE',
    folder: '/etc/pki/trust/anchors',
    command: ['update-ca-certificates'],
  },
  {
    systems: 'Arch',
    folder: '/etc/ca-certificates/trust-source/anchors',
    command: ['update-ca-trust'],
  },
  {
    systems: 'Debian, Ubuntu, Alpine',
    folder: '/usr/local/share/ca-certificates',
    command: ['update-ca-certificates'],
  },
]

/** The one of this system; undefined when it is none that we know. */
export function findSystemStore(): SystemStore | undefined {
  return systemStores.find(({ folder }) => existsSync(folder))
}

/** One for each authority, so that those of two data folders do not replace each other. */
export function fileNameOf({ caPem }: Authority): string {
  const digits = new X509Certificate(caPem).fingerprint256.replaceAll(':', '').slice(0, 8).toLowerCase()
  return `graphpost-${digits}.crt`
}

/** What a person types for it. */
export function installCommands({ folder, command }: SystemStore, caPath: string, fileName: string): string[] {
  return [`sudo cp ${shellQuoted(caPath)} ${join(folder, fileName)}`, `sudo ${command.join(' ')}`]
}

/** What undoes it. */
export function removeCommands({ folder, command }: SystemStore, fileName: string): string[] {
  return [`sudo rm ${join(folder, fileName)}`, `sudo ${command.join(' ')}`]
}

/**
 * Makes this system trust an authority.
 *
 * @returns what was done, for people
 * @throws Error that says what to type when this user may not, or when the system's own program fails
 */
export async function installInto(store: SystemStore, authority: Authority): Promise<string> {
  const fileName = fileNameOf(authority)
  const path = join(store.folder, fileName)
  const byHand = installCommands(store, authority.caPath, fileName).join(' && ')
  try {
    await copyFile(authority.caPath, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(`${path} cannot be written (${code}). As an administrator: ${byHand}`)
  }
  const [command, ...argv] = store.command
  const child = spawn(command, argv, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'exit').catch((error: NodeJS.ErrnoException) => [error.code])
  if (code !== 0) throw new Error(`${store.command.join(' ')} failed (${code}). As an administrator: ${byHand}`)
  return [`This system trusts ${path}.`, 'Undone with:', ...removeCommands(store, fileName)].join('\n')
}
