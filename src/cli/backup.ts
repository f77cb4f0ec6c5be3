import { resolve } from 'node:path'
import { backup as backupTo } from '../app.js'
import { UsageError } from '../config.js'
import type { Command } from './command.js'

/** `graphpost backup DIR`: a copy of the data folder, while a server works on it. */
export const backup: Command = {
  name: 'backup',
  usage: 'backup FOLDER [--data DIR]',
  meaning:
    'Copy the data folder while the server runs: mail, attachments, keys and certificates, as of one moment. To restore, start a server with the copy as its --data.',
  takes: 'every',
  options: [],
  run: async ({ settings, positionals, terminal }) => {
    const [folder, ...more] = positionals
    if (folder === undefined || more.length > 0)
      throw new UsageError('backup takes one folder, which is not there yet.')
    const { messages, blobs, databaseBytes } = await backupTo(settings, resolve(terminal.cwd, folder))
    terminal.print(`${folder}: ${messages} messages, ${blobs} blobs, a database of ${databaseBytes} bytes; checked.`)
  },
}
