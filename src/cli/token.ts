import { openDirectory } from '../app.js'
import { UsageError } from '../config.js'
import type { Command } from './command.js'

/** A year. */
const maxLifetimeSeconds = 365 * 86_400

/** `graphpost token`: an access token for a user or an application, alone on standard output. */
export const token: Command = {
  name: 'token',
  usage: 'token (--user UPN | --app CLIENT_ID) [--scope NAME]... [--lifetime SECONDS]',
  meaning: 'Print an access token for the server on the same data.',
  takes: 'every',
  options: [
    { name: 'user', placeholder: 'UPN', meaning: 'The user who is signed in, as adele@contoso.com.' },
    { name: 'app', placeholder: 'CLIENT_ID', meaning: 'An application that acts without a user.' },
    {
      name: 'scope',
      placeholder: 'NAME',
      meaning: 'A permission, as Mail.Send; may be repeated. Without: Mail.ReadWrite, Mail.Send and User.Read.',
    },
    { name: 'lifetime', placeholder: 'SECONDS', meaning: 'How long the token is valid; 12 hours unless given.' },
  ],
  run: async ({ settings, options, terminal }) => {
    const [user] = options.get('user') ?? []
    const [app] = options.get('app') ?? []
    if ((user === undefined) === (app === undefined)) {
      throw new UsageError('A token is for a user or for an application: give --user UPN or --app CLIENT_ID.')
    }
    const scopes = (options.get('scope') ?? []).flatMap((given) => given.split(/[\s,]+/)).filter((name) => name !== '')
    const lifetime = options.get('lifetime')?.[0]
    const wanted = {
      ...(scopes.length === 0 ? {} : { scopes }),
      ...(lifetime === undefined ? {} : { lifetimeSeconds: readLifetime(lifetime) }),
    }
    const directory = await openDirectory(settings)
    try {
      terminal.print(
        await directory.issueToken(user === undefined ? { app: app ?? '', ...wanted } : { user, ...wanted }),
      )
    } finally {
      await directory.close()
    }
  },
}

function readLifetime(text: string): number {
  const seconds = Number(text)
  if (Number.isInteger(seconds) && seconds > 0 && seconds <= maxLifetimeSeconds) return seconds
  throw new UsageError(`"${text}" cannot be used for --lifetime: it must be a number of seconds, a year at most.`)
}
