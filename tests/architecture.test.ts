import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const sources = join(fileURLToPath(new URL('.', import.meta.url)), '..', '..', 'src')

/**
 * Folder → the folders of ours it may import; type-only imports count too. `main.ts`, `app.ts` and what is in `app/` wire everything and
 * may import anything; `config.ts` and `log.ts` are free to all. `docs/architecture.md` draws the same picture.
 */
const allowed: Readonly<Record<string, readonly string[]>> = {
  mail: [],
  identity: [],
  odata: [],
  http: [],
  proxy: [],
  graph: ['mail', 'identity', 'odata', 'http'],
  oauth: ['identity', 'http'],
  admin: ['mail', 'identity', 'http'],
  notifications: ['mail', 'http'],
  outbox: ['mail', 'http'],
  smtp: ['mail'],
  store: ['mail', 'identity'],
  telemetry: ['mail'],
  app: [],
  cli: ['app.ts', 'mail', 'identity', 'http', 'proxy'],
}

const wiring = new Set(['main.ts', 'app.ts'])
const freeToAll = new Set(['config.ts', 'log.ts'])

/** Every source file, as a path from `src/` with forward slashes. */
const files = readdirSync(sources, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.split(sep).join(posix.sep))

/** What a file imports of ours, as paths from `src/`. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(sources, file), 'utf8')
  const found = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map((match) => match[1] ?? '')
  const urls = [...text.matchAll(/new URL\('(\.{1,2}\/[^']+\.js)'/g)].map((match) => match[1] ?? '')
  return [...found, ...urls].map((path) =>
    relative(sources, join(sources, dirname(file), path))
      .split(sep)
      .join(posix.sep)
      .replace(/\.js$/, '.ts'),
  )
}

const folderOf = (file: string) => file.split('/')[0] ?? ''

test('every folder of src is in the table, and every row of the table has a folder', () => {
  const folders = new Set(files.filter((file) => file.includes('/')).map(folderOf))
  assert.deepEqual(
    [...folders].filter((folder) => !(folder in allowed)),
    [],
  )
})

test('no file imports from a folder that its own may not import from', () => {
  const broken: string[] = []
  for (const file of files) {
    const own = folderOf(file)
    if (wiring.has(file) || own === 'app') continue
    for (const imported of importsOf(file)) {
      const target = folderOf(imported)
      if (target === own || freeToAll.has(target) || allowed[own]?.includes(target)) continue
      broken.push(`${file} imports ${imported}`)
    }
  }
  assert.deepEqual(broken, [])
})

test('every import leads to a file', () => {
  const known = new Set(files)
  const missing = files.flatMap((file) => importsOf(file).filter((imported) => !known.has(imported)))
  assert.deepEqual(missing, [])
})

test('no imports run in a circle between files', () => {
  const done = new Set<string>()
  const circle = files.map((file) => findCircle(file, [], done)).find((path) => path !== undefined)
  assert.equal(circle?.join(' → '), undefined)
})

function findCircle(file: string, path: readonly string[], done: Set<string>): string[] | undefined {
  if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
  if (done.has(file)) return undefined
  for (const imported of valueImportsOf(file)) {
    const circle = findCircle(imported, [...path, file], done)
    if (circle !== undefined) return circle
  }
  done.add(file)
  return undefined
}

test('values of Kysely come from store/kysely.ts: another import would load all of it a second time', () => {
  const loads = /^import (?!type )[^']*from 'kysely'/m
  const others = files.filter((file) => loads.test(readFileSync(join(sources, file), 'utf8')))
  assert.deepEqual(others, [])
})

/** Types vanish when compiled, so a circle of types alone is no circle at run time. */
function valueImportsOf(file: string): string[] {
  const text = readFileSync(join(sources, file), 'utf8')
  const types = new Set(
    [...text.matchAll(/import type [^;]*?from '(\.{1,2}\/[^']+)'/g)].map((match) =>
      relative(sources, join(sources, dirname(file), match[1] ?? ''))
        .split(sep)
        .join(posix.sep)
        .replace(/\.js$/, '.ts'),
    ),
  )
  return importsOf(file).filter((imported) => !types.has(imported))
}
