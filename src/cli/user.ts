import { type Directory, openDirectory } from '../app.js'
import { UsageError } from '../config.js'
import { type MailboxRight, mailboxRights } from '../mail/mailbox.js'
import type { Command, Invocation } from './command.js'
import { readSecretLine } from './secret-line.js'
import { table } from './table.js'

/** `graphpost user ...`: the users and shared mailboxes of the tenant. */
export const user: Command = {
  name: 'user',
  usage:
    'user (list | add UPN [--name NAME] [--alias ADDRESS]... [--shared] | password UPN | grant UPN --to UPN --right RIGHT | revoke UPN --to UPN --right RIGHT)',
  meaning: 'List the users, add or change one with a mailbox, set a password, or let one into the mailbox of another.',
  takes: 'every',
  options: [
    { name: 'name', placeholder: 'NAME', meaning: 'Name that is shown; the part of UPN before the @ unless given.' },
    { name: 'alias', placeholder: 'ADDRESS', meaning: 'One more address of the mailbox; may be repeated.' },
    { name: 'shared', placeholder: '', meaning: 'A shared mailbox: nobody signs in to it.' },
    { name: 'to', placeholder: 'UPN', meaning: 'Who gets the right, or loses it.' },
    { name: 'right', placeholder: 'RIGHT', meaning: `One of ${mailboxRights.join(', ')}; may be repeated.` },
    { name: 'json', placeholder: '', meaning: 'Print JSON.' },
  ],
  run: async (invocation) => {
    const [action = 'list', upn, ...more] = invocation.positionals
    if (more.length > 0) throw new UsageError(`"${more[0]}" is one word too many.`)
    const act = Object.hasOwn(actions, action) ? actions[action] : undefined
    if (act === undefined) {
      throw new UsageError(`There is no "user ${action}": there are ${Object.keys(actions).join(', ')}.`)
    }
    const directory = await openDirectory(invocation.settings)
    try {
      await act(directory, invocation, upn)
    } finally {
      await directory.close()
    }
  },
}

type Action = (directory: Directory, invocation: Invocation, upn: string | undefined) => Promise<void>

const actions: Readonly<Record<string, Action>> = {
  list: async (directory, { options, terminal }) => {
    const users = (await directory.listAccounts()).map(
      ({ userPrincipalName, displayName, id, kind, passwordHash }) => ({
        userPrincipalName,
        displayName,
        id,
        kind,
        password: passwordHash === undefined ? 'none' : 'set',
      }),
    )
    terminal.print(options.has('json') ? JSON.stringify(users, null, 2) : table(users))
  },

  add: async (directory, { options, terminal }, upn) => {
    const userPrincipalName = readName(upn)
    const displayName = options.get('name')?.[0]
    const aliases = options.get('alias')
    const entry = {
      userPrincipalName,
      ...(displayName === undefined ? {} : { displayName }),
      ...(aliases === undefined ? {} : { aliases: aliases.map((alias) => readName(alias)) }),
    }
    const put = options.get('shared')?.[0] === 'on' ? directory.putSharedMailbox : directory.putUser
    const added = await put(entry)
    terminal.print(`Added ${added.userPrincipalName} (object id ${added.owner}).`)
  },

  password: async (directory, { terminal }, upn) => {
    const userPrincipalName = readName(upn)
    await requireUser(directory, userPrincipalName)
    const password = await readSecretLine(`Password of ${userPrincipalName}: `)
    if (password === '') throw new UsageError('A password must not be empty.')
    await directory.putUser({ userPrincipalName, password })
    terminal.print(`The password of ${userPrincipalName} is set.`)
  },

  grant: (directory, invocation, upn) => changeRights(directory, invocation, upn, true),
  revoke: (directory, invocation, upn) => changeRights(directory, invocation, upn, false),
}

async function changeRights(
  directory: Directory,
  { options, terminal }: Invocation,
  upn: string | undefined,
  isGranted: boolean,
): Promise<void> {
  const owner = readName(upn)
  const to = readName(options.get('to')?.[0])
  const rights = (options.get('right') ?? []).map(readRight)
  if (rights.length === 0) throw new UsageError(`Say which with --right: ${mailboxRights.join(', ')}.`)
  await directory.changeRights(owner, to, rights, isGranted)
  const verb = isGranted ? 'has' : 'no longer has'
  terminal.print(`${to} ${verb} ${rights.join(', ')} in the mailbox of ${owner}.`)
}

function readRight(given: string): MailboxRight {
  const right = mailboxRights.find((known) => known.toLowerCase() === given.toLowerCase())
  if (right === undefined) throw new UsageError(`"${given}" is no right: there are ${mailboxRights.join(', ')}.`)
  return right
}

async function requireUser(directory: Directory, upn: string): Promise<void> {
  const users = await directory.listAccounts()
  if (!users.some(({ userPrincipalName }) => userPrincipalName.toLowerCase() === upn.toLowerCase())) {
    throw new Error(`There is no user ${upn}.`)
  }
}

function readName(upn: string | undefined): string {
  const [local, domain] = upn?.split('@') ?? []
  if (upn === undefined || !local || !domain) {
    throw new UsageError('A user is named as in: graphpost user add someone@contoso.com.')
  }
  return upn
}
