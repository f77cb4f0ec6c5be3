/**
 * Writes the pages of `docs/` that come from the code's own tables; with `--check` it only says which are stale, and
 * fails when one is.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { directorySchema } from '../src/admin/directory-file.js'
import { routesSchema } from '../src/outbox/routes-file.js'
import { compatibilityPage, countOfOperations } from './compatibility-page.js'
import { settingsPage } from './settings-page.js'

const pages: Readonly<Record<string, () => string>> = {
  'compatibility.md': compatibilityPage,
  'directory.schema.json': () => `${JSON.stringify(directorySchema, null, 2)}\n`,
  'routes.schema.json': () => `${JSON.stringify(routesSchema, null, 2)}\n`,
  'settings.md': settingsPage,
}

const folder = fileURLToPath(new URL('../../docs/', import.meta.url))
const check = process.argv.includes('--check')

for (const [name, write] of Object.entries(pages)) {
  const wanted = write()
  if (wanted === readOrNothing(folder + name)) continue
  if (check) {
    console.log(`docs/${name} is stale: run \`npm run docs\`.`)
    process.exitCode = 1
  } else {
    writeFileSync(folder + name, wanted)
    console.log(`docs/${name} written.`)
  }
}

console.log(countOfOperations())

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
