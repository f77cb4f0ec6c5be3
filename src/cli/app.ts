import { readFile } from 'node:fs/promises'
import { type Directory, openDirectory } from '../app.js'
import { UsageError } from '../config.js'
import type { Application } from '../identity/application.js'
import type { Command, Invocation } from './command.js'
import { table } from './table.js'

/** `graphpost app ...`: the applications that may sign in. */
export const app: Command = {
  name: 'app',
  usage:
    'app (list | show CLIENT_ID | add [CLIENT_ID] | set CLIENT_ID | secret CLIENT_ID [--days N] | certificate CLIENT_ID --file FILE | policy CLIENT_ID [--restrict MEMBER]... [--deny MEMBER]... | remove CLIENT_ID)',
  meaning:
    'List, register and change applications; give one a secret or a certificate, or bound the mailboxes it reaches.',
  takes: 'every',
  options: [
    { name: 'name', placeholder: 'NAME', meaning: 'Name that is shown.' },
    { name: 'public', placeholder: '', meaning: 'May sign users in without a credential of its own.' },
    { name: 'redirect-uri', placeholder: 'URL', meaning: 'Where codes may be sent; may be repeated.' },
    {
      name: 'identifier-uri',
      placeholder: 'URI',
      meaning: 'Name of the API it offers, as api://...; may be repeated.',
    },
    {
      name: 'scope',
      placeholder: 'NAME',
      meaning: 'Delegated permission consented to for all users; may be repeated.',
    },
    { name: 'role', placeholder: 'NAME', meaning: 'Permission it has without a user, as Mail.Send; may be repeated.' },
    { name: 'days', placeholder: 'N', meaning: 'Days until the secret expires; never unless given.' },
    { name: 'file', placeholder: 'FILE', meaning: 'Certificate in PEM.' },
    { name: 'restrict', placeholder: 'MEMBER', meaning: 'Only this mailbox or group is open to it; may be repeated.' },
    { name: 'deny', placeholder: 'MEMBER', meaning: 'This mailbox or group is closed to it; may be repeated.' },
    { name: 'json', placeholder: '', meaning: 'Print JSON.' },
  ],
  run: async (invocation) => {
    const [action = 'list', id, ...more] = invocation.positionals
    if (more.length > 0) throw new UsageError(`"${more[0]}" is one word too many.`)
    const act = Object.hasOwn(actions, action) ? actions[action] : undefined
    if (act === undefined) {
      throw new UsageError(`There is no "app ${action}": there are ${Object.keys(actions).join(', ')}.`)
    }
    const directory = await openDirectory(invocation.settings)
    try {
      await act(directory, invocation, id)
    } finally {
      await directory.close()
    }
  },
}

type Action = (directory: Directory, invocation: Invocation, id: string | undefined) => Promise<void>

const actions: Readonly<Record<string, Action>> = {
  list: async (directory, { options, terminal }) => {
    const applications = (await directory.listApplications()).map(shown)
    const rows = applications.map(({ clientId, displayName, secrets, certificates, delegated, application }) => ({
      clientId,
      displayName,
      secrets: secrets.length,
      certificates: certificates.length,
      delegated: delegated.length,
      application: application.join(' '),
    }))
    terminal.print(options.has('json') ? JSON.stringify(applications, null, 2) : table(rows))
  },

  show: async (directory, { terminal }, id) => {
    terminal.print(JSON.stringify(shown(await applicationNamed(directory, id)), null, 2))
  },

  add: async (directory, { options, terminal }, id) => {
    if (id !== undefined && (await directory.findApplication(id)) !== undefined) {
      throw new UsageError(`There is an application ${id} already: change it with "app set".`)
    }
    const added = await directory.putApplication({
      ...(id === undefined ? {} : { clientId: readId(id) }),
      ...said(options),
    })
    terminal.print(`Added ${added.displayName} (client id ${added.id}, tenant ${added.tenant}).`)
  },

  set: async (directory, { options, terminal }, id) => {
    const { id: clientId } = await applicationNamed(directory, id)
    const changed = await directory.putApplication({ clientId, ...said(options) })
    terminal.print(`Changed ${changed.displayName} (client id ${changed.id}).`)
  },

  secret: async (directory, { options, terminal }, id) => {
    const application = await applicationNamed(directory, id)
    const days = options.get('days')?.[0]
    if (days !== undefined && !/^[1-9]\d{0,4}$/.test(days)) throw new UsageError(`"${days}" is no number of days.`)
    const expiresAt = days === undefined ? undefined : Date.now() + Number(days) * 86_400_000
    // Alone on standard output, for scripts; it is shown this once.
    terminal.print(await directory.addSecret(application, expiresAt))
  },

  certificate: async (directory, { options, terminal }, id) => {
    const { id: clientId, certificates } = await applicationNamed(directory, id)
    const file = options.get('file')?.[0]
    if (file === undefined) throw new UsageError('Name the certificate with --file.')
    const pem = await readFile(file, 'utf8').catch((error: Error) => {
      throw new UsageError(`${file} cannot be read: ${error.message}`)
    })
    const changed = await directory.putApplication({
      clientId,
      certificates: [...certificates.map((known) => known.pem), pem],
    })
    const added = changed.certificates.at(-1)
    terminal.print(`Added the certificate ${added?.thumbprint}, valid until ${isoDay(added?.notAfter)}.`)
  },

  policy: async (directory, { options, terminal }, id) => {
    const { id: clientId } = await applicationNamed(directory, id)
    const policies = (['restrict', 'deny'] as const).flatMap((access) => {
      const members = options.get(access)
      return members === undefined ? [] : [{ access, members }]
    })
    const changed = await directory.putApplication({ clientId, mailboxPolicies: policies })
    terminal.print(
      policies.length === 0
        ? `${changed.displayName} may use its permissions in every mailbox.`
        : `${changed.displayName}: ${policies.map(({ access, members }) => `${access} ${members.join(', ')}`).join('; ')}.`,
    )
  },

  remove: async (directory, { terminal }, id) => {
    const { id: clientId, displayName } = await applicationNamed(directory, id)
    await directory.removeApplication(clientId)
    terminal.print(`Removed ${displayName} (client id ${clientId}).`)
  },
}

/** What the options say of an application; what they do not say stays. */
function said(options: Invocation['options']) {
  const one = <Name extends string>(name: Name, option: string) => {
    const value = options.get(option)?.[0]
    return value === undefined ? {} : ({ [name]: value } as Record<Name, string>)
  }
  const many = <Name extends string>(name: Name, option: string) => {
    const values = options.get(option)?.flatMap((given) => given.split(/[\s,]+/).filter((part) => part !== ''))
    return values === undefined ? {} : ({ [name]: values } as Record<Name, string[]>)
  }
  const isPublic = options.get('public')?.[0]
  return {
    ...one('displayName', 'name'),
    ...(isPublic === undefined ? {} : { publicClient: isPublic === 'on' }),
    ...many('redirectUris', 'redirect-uri'),
    ...many('identifierUris', 'identifier-uri'),
    ...many('delegatedPermissions', 'scope'),
    ...many('applicationPermissions', 'role'),
  }
}

async function applicationNamed(directory: Directory, id: string | undefined): Promise<Application> {
  const found = await directory.findApplication(readId(id))
  if (found === undefined) throw new Error(`There is no application ${id}.`)
  return found
}

function readId(id: string | undefined): string {
  if (id !== undefined && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return id
  throw new UsageError('An application is named by its client id, a GUID; "graphpost app list" shows them.')
}

/** Everything but hashes. */
function shown(application: Application) {
  return {
    clientId: application.id,
    objectId: application.objectId,
    displayName: application.displayName,
    publicClient: application.isPublicClient,
    redirectUris: application.redirectUris,
    identifierUris: application.identifierUris,
    secrets: application.secrets.map(({ id, hint, expiresAt }) => ({ id, hint, expires: isoDay(expiresAt) })),
    certificates: application.certificates.map(({ thumbprint, notAfter }) => ({
      thumbprint,
      expires: isoDay(notAfter),
    })),
    delegated: application.delegatedPermissions,
    application: application.applicationPermissions,
    mailboxPolicies: application.mailboxPolicies,
    scopedPermissions: application.scopedPermissions,
  }
}

function isoDay(at: number | undefined): string {
  return at === undefined ? 'never' : new Date(at).toISOString().slice(0, 10)
}
