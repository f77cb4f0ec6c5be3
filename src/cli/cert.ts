import { resolve } from 'node:path'
import { UsageError } from '../config.js'
import type { Command, Invocation } from './command.js'

/** The certificate of our authority, and where it is kept. */
export interface Authority {
  readonly caPem: string
  readonly caPath: string
}

/** `graphpost cert path|export|trust`: the certificate of our authority, for what must trust it. */
export const cert: Command = {
  name: 'cert',
  usage: 'cert (path | export [--format pem|der|jks|bundle] [--out FILE] | trust [--install])',
  meaning: "Show our authority's certificate: its path, a copy in another form, or how to trust it on this system.",
  takes: 'every',
  options: [
    {
      name: 'format',
      placeholder: 'WORD',
      meaning:
        'Of export: pem (the default) or der, the certificate alone; bundle (PEM) or jks (for Java), with the public authorities.',
    },
    { name: 'out', placeholder: 'FILE', meaning: 'Of export: the file to write; standard output unless given.' },
    { name: 'install', placeholder: '', meaning: 'Of trust: do it, on Linux, for the whole system.' },
  ],
  run: async (invocation) => {
    const [action = '', ...more] = invocation.positionals
    if (more.length > 0) throw new UsageError(`"${more[0]}" is one word too many.`)
    const perform = Object.hasOwn(actions, action) ? actions[action] : undefined
    if (perform === undefined) {
      throw new UsageError('Say what to do with the certificate: cert path, cert export or cert trust.')
    }
    for (const name of invocation.options.keys()) {
      if (perform.options.includes(name)) continue
      throw new UsageError(`The option --${name} is not one of cert ${action}.`)
    }
    // Slow to load, and main.ts loads this file for every command.
    const { localAuthority } = await import('../http/certificate.js')
    await perform.run(await localAuthority(invocation.settings.data), invocation)
  },
}

interface Action {
  readonly options: readonly string[]
  run(authority: Authority, invocation: Invocation): Promise<void>
}

const actions: Readonly<Record<string, Action>> = {
  path: { options: [], run: async ({ caPath }, { terminal }) => terminal.print(caPath) },
  export: { options: ['format', 'out'], run: exportAuthority },
  trust: { options: ['install'], run: trustAuthority },
}

async function exportAuthority({ caPem }: Authority, { options, terminal }: Invocation): Promise<void> {
  const format = options.get('format')?.at(-1) ?? 'pem'
  const out = options.get('out')?.at(-1)
  const content = await inFormat(format, caPem)
  if (out !== undefined) {
    const { writeShared } = await import('../http/certificate.js')
    await writeShared(resolve(terminal.cwd, out), content)
  } else if (typeof content === 'string') {
    terminal.print(content.trimEnd())
  } else {
    throw new UsageError(`The format ${format} is not text: name a file with --out FILE.`)
  }
}

/** PEM as text, anything else as bytes. */
async function inFormat(format: string, caPem: string): Promise<string | Buffer> {
  const { certificatesIn, javaTrustStore, pemOf, trustedAuthorities } = await import('../http/trust-store.js')
  if (format === 'pem') return caPem
  if (format === 'der') return Buffer.concat(certificatesIn(caPem))
  if (format === 'bundle') return pemOf(await trustedAuthorities(caPem))
  if (format === 'jks') return javaTrustStore(await trustedAuthorities(caPem))
  throw new UsageError(`"${format}" cannot be used for --format: it must be one of pem, der, jks, bundle.`)
}

async function trustAuthority(authority: Authority, { options, terminal }: Invocation): Promise<void> {
  const { fileNameOf, findSystemStore, installInto } = await import('./system-trust.js')
  const { trustAdvice } = await import('./trust-advice.js')
  const store = process.platform === 'linux' ? findSystemStore() : undefined
  if (options.get('install')?.at(-1) !== 'on') {
    terminal.print(trustAdvice({ ...authority, platform: process.platform, store, fileName: fileNameOf(authority) }))
  } else if (store === undefined) {
    throw new UsageError('Nothing is installed on this system: do what graphpost cert trust prints.')
  } else {
    terminal.print(await installInto(store, authority))
  }
}
