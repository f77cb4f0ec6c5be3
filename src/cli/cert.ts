import { UsageError } from '../config.js'
import type { Command } from './command.js'

/** `graphpost cert path`: where the certificate of our authority is. */
export const cert: Command = {
  name: 'cert',
  usage: 'cert path',
  meaning: 'Show the certificate that clients must trust.',
  takes: 'every',
  options: [],
  run: async ({ settings, positionals, terminal }) => {
    const [action, ...more] = positionals
    if (action !== 'path' || more.length > 0) throw new UsageError('Say what to do with the certificate: cert path.')
    const { localAuthority } = await import('../http/certificate.js')
    terminal.print((await localAuthority(settings.data)).caPath)
  },
}
