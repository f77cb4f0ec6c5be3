import { openDirectory } from '../app.js'
import { UsageError } from '../config.js'
import type { Command } from './command.js'
import { table } from './table.js'

/** `graphpost user add|list`: the users of the tenant and their mailboxes. */
export const user: Command = {
  name: 'user',
  usage: 'user (list | add UPN [--name NAME])',
  meaning: 'List the users, or add one with a mailbox; a running server sees the change.',
  takes: 'every',
  options: [
    { name: 'name', placeholder: 'NAME', meaning: 'Name that is shown; the part of UPN before the @ unless given.' },
    { name: 'json', placeholder: '', meaning: 'Print JSON.' },
  ],
  run: async ({ settings, options, positionals, terminal }) => {
    const [action = 'list', upn, ...more] = positionals
    if (more.length > 0) throw new UsageError(`"${more[0]}" is one word too many.`)
    const directory = await openDirectory(settings)
    try {
      if (action === 'add') {
        const added = await directory.addUser(readUser(upn, options.get('name')?.[0]))
        terminal.print(`Added ${added.userPrincipalName} (object id ${added.owner}).`)
      } else if (action === 'list') {
        const users = (await directory.listUsers()).map(({ userPrincipalName, displayName, owner }) => ({
          userPrincipalName,
          displayName,
          id: owner,
        }))
        terminal.print(options.has('json') ? JSON.stringify(users, null, 2) : table(users))
      } else {
        throw new UsageError(`There is no "user ${action}": list the users or add one.`)
      }
    } finally {
      await directory.close()
    }
  },
}

function readUser(upn: string | undefined, name: string | undefined) {
  const [local, domain] = upn?.split('@') ?? []
  if (upn === undefined || !local || !domain) {
    throw new UsageError('A user is added by name, as in: graphpost user add someone@contoso.com.')
  }
  return { userPrincipalName: upn, displayName: name ?? local }
}
