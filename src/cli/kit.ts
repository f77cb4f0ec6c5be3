import { readFile } from 'node:fs/promises'
import { isDevelopment } from '../app.js'
import { notOpened, type Settings, UsageError } from '../config.js'
import { developmentApplication, developmentSecret, developmentTenant } from '../identity/development.js'
import { type ClientPage, clientPages } from './client-pages.js'
import type { Command } from './command.js'
import { shellQuoted } from './shell-quoted.js'
import { table } from './table.js'

/** `graphpost kit`: a program for a client, alone on standard output, and what it reads from the environment. */
export const kit: Command = {
  name: 'kit',
  usage: 'kit [CLIENT | env] [--https-port 3651]',
  meaning: 'Print a program that signs in here and sends a mail (kit CLIENT), or the variables it reads (kit env).',
  takes: 'every',
  also: ['httpsPort'],
  options: [],
  run: async ({ settings, positionals, terminal }) => {
    const [wanted, ...more] = positionals
    if (more.length > 0) throw new UsageError(`"${more[0]}" is one word too many.`)
    if (wanted === 'env') {
      terminal.print(shellLines(await environmentOf(settings)))
      if (!isDevelopment(settings)) {
        terminal.hint('This server refuses the development secret (setting development): set your own id and secret.')
      }
      return
    }
    const pages = clientPages()
    if (wanted === undefined) {
      terminal.print(listOf(pages))
      return
    }
    const page = pages.find(({ client }) => client === wanted)
    if (page === undefined) {
      const known = pages.map(({ client }) => client).join(', ')
      throw new UsageError(`There is no kit for "${wanted}": there are ${known}, and env.`)
    }
    // Without its last line end, which printing adds.
    terminal.print(filledIn(page.program, settings).slice(0, -1))
    terminal.hint(`${page.file} reads the server's address and secrets from variables: eval "$(graphpost kit env)"`)
  },
}

function listOf(pages: readonly ClientPage[]): string {
  return [
    table(pages.map(({ client, file, title }) => ({ client, file, 'made with': title }))),
    '',
    'eval "$(graphpost kit env)"                    the variables that the programs read',
    'graphpost kit javascript > send.mjs            one of the programs',
  ].join('\n')
}

/** The address in the pages, and the domain of their people: defaults, but not of every server. */
const pageUrl = 'https://localhost:3651'
const pageDomain = '@contoso.com'

function filledIn(program: string, settings: Settings): string {
  return program.replaceAll(pageUrl, urlOf(settings)).replaceAll(pageDomain, `@${settings.domain}`)
}

/** @throws UsageError for a server whose address is not known from its settings */
function urlOf({ httpsPort }: Settings): string {
  if (httpsPort === notOpened || httpsPort === 0) {
    throw new UsageError('Clients sign in over https at a port that is known: give the --https-port of the server.')
  }
  return `https://localhost:${httpsPort}`
}

/**
 * What the programs read: who they are, where the server is, and whom to trust. Node adds its variable to the roots it has;
 * the other two replace theirs.
 */
async function environmentOf(settings: Settings): Promise<Record<string, string>> {
  const url = urlOf(settings)
  // Slow to load, and main.ts loads this file for every command.
  const [{ authorityPath }, { writeTrustStores }] = await Promise.all([
    import('../http/certificate.js'),
    import('../http/trust-store.js'),
  ])
  const authority = authorityPath(settings.data)
  const caPem = await readFile(authority, 'utf8').catch(() => {
    throw new UsageError(`There is no certificate in ${authority}: start the server first, on the same --data folder.`)
  })
  const { bundlePath: bundle } = await writeTrustStores(authority, caPem, [])
  return {
    AZURE_TENANT_ID: developmentTenant,
    AZURE_CLIENT_ID: developmentApplication,
    AZURE_CLIENT_SECRET: developmentSecret,
    AZURE_AUTHORITY_HOST: url,
    GRAPH_URL: url,
    NODE_EXTRA_CA_CERTS: authority,
    REQUESTS_CA_BUNDLE: bundle,
    SSL_CERT_FILE: bundle,
  }
}

function shellLines(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}=${shellQuoted(value)}`)
    .join('\n')
}
