import { generateKeyPair } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { dkimFileName, dkimRecord, readDkimKeys } from '../app.js'
import { UsageError } from '../config.js'
import type { Command, Invocation } from './command.js'

/** RFC 8301 §3.2: what every verifier takes, and the DNS carries. */
const modulusLength = 2_048

const defaultSelector = 'graphpost'

/** `graphpost dkim new|list`: keys that mail is signed with, and what goes into the DNS for them. */
export const dkim: Command = {
  name: 'dkim',
  usage: 'dkim (new DOMAIN [SELECTOR] | list)',
  meaning: 'Make a DKIM key for a domain, or list the keys there are, each with the record that the DNS must have.',
  takes: 'every',
  also: ['dkim'],
  options: [],
  run: async (invocation) => {
    const [action = 'list', ...words] = invocation.positionals
    const folder = folderOf(invocation)
    if (action === 'new') await makeKey(invocation, folder, words)
    else if (action !== 'list') throw new UsageError(`There is no "dkim ${action}": there are new and list.`)
    else if (words.length > 0) throw new UsageError(`"${words[0]}" is one word too many.`)
    for (const key of await readDkimKeys(folder)) {
      const { name, value } = dkimRecord(key)
      invocation.terminal.print(`${name}. IN TXT (\n${chunksOf(value)}\n)`)
    }
    invocation.terminal.hint(`Servers sign with these keys when started with --dkim ${folder}`)
  },
}

function folderOf({ settings }: Invocation): string {
  return settings.dkim === '' ? join(settings.data, 'dkim') : settings.dkim
}

async function makeKey({ terminal }: Invocation, folder: string, words: readonly string[]): Promise<void> {
  const [domain = '', selector = defaultSelector, ...more] = words
  if (more.length > 0) throw new UsageError(`"${more[0]}" is one word too many.`)
  for (const name of [domain, selector]) {
    if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(name)) {
      throw new UsageError('A DKIM key is made for a domain and a selector: dkim new contoso.com graphpost.')
    }
  }
  const { privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const path = join(folder, dkimFileName({ domain: domain.toLowerCase(), selector }))
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeFile(path, privateKey, { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST')
      throw new UsageError(`There is a key already: ${path}. A new one has another selector.`)
    throw error
  })
  terminal.hint(`The key is in ${path}`)
}

/** Strings of a TXT record have 255 characters at most. */
function chunksOf(value: string): string {
  return (value.match(/.{1,255}/g) ?? []).map((part) => `  "${part}"`).join('\n')
}
