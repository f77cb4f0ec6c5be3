import { openDirectory } from '../app.js'
import { UsageError } from '../config.js'
import type { Command } from './command.js'
import { table } from './table.js'

/** `graphpost key list|rotate|remove`: the keys that sign tokens. */
export const key: Command = {
  name: 'key',
  usage: 'key (list | rotate | remove KEY_ID)',
  meaning: 'List the keys that sign tokens, let a new one follow, or remove one with all it signed.',
  takes: 'every',
  options: [],
  run: async ({ settings, positionals, terminal }) => {
    const [action = 'list', id, ...more] = positionals
    if (more.length > 0) throw new UsageError(`"${more[0]}" is one word too many.`)
    if (!['list', 'rotate', 'remove'].includes(action)) {
      throw new UsageError(`There is no "key ${action}": there are list, rotate and remove.`)
    }
    const directory = await openDirectory(settings)
    try {
      const keys = await directory.listKeys()
      if (action === 'list') {
        const rows = keys.map((known, place) => ({
          id: known.id,
          since: new Date(known.createdAt).toISOString(),
          use: place === 0 ? 'signs' : 'verifies',
        }))
        terminal.print(table(rows))
      } else if (action === 'rotate') {
        terminal.print(`${(await directory.rotateKey()).id} signs from now on; what the others signed stays good.`)
      } else {
        if (!keys.some((known) => known.id === id)) throw new UsageError(`There is no key ${id ?? ''}: see "key list".`)
        if (keys[0]?.id === id) throw new UsageError('That key signs: let a new one follow with "key rotate" first.')
        await directory.removeKey(id ?? '')
        terminal.print(`Removed ${id}: a running server refuses what it signed within five seconds.`)
      }
    } finally {
      await directory.close()
    }
  },
}
