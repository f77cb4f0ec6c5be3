/**
 * `npm test`: every test file on SQLite, then those that stand on a store once more on a real PostgreSQL. Fails when a
 * test fails, and when one of the two databases was not tested at all.
 *
 *     npm test                 everything
 *     npm test -- graph store  the files whose path has one of the words
 */
import { readdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join, relative, sep } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'
import { startPostgresCluster } from '../tests/support/postgres-cluster.js'

const testFolder = fileURLToPath(new URL('../tests', import.meta.url))

/** Folders whose tests open a store through `tests/support`: they must pass on both databases. */
const storeFolders = ['graph', 'notifications', 'oauth', 'store', 'outbox', 'sdk', 'smtp']

interface Count {
  passed: number
  failed: number
}

const words = process.argv.slice(2)
const all = (await testFiles()).filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
const onStore = all.filter((file) => storeFolders.some((folder) => relative(testFolder, file).startsWith(folder + sep)))

const cluster = await startPostgresCluster()
const sqlite = await runFiles('SQLite', all, { GRAPHPOST_TEST_STORE: 'sqlite', TEST_POSTGRES_URL: cluster.url })
const postgres = await runFiles('PostgreSQL', onStore, {
  GRAPHPOST_TEST_STORE: 'postgres',
  TEST_POSTGRES_URL: cluster.url,
})
await cluster.stop()

console.log(`\nSQLite:     ${sqlite.passed} passed, ${sqlite.failed} failed (${all.length} files)`)
console.log(`PostgreSQL: ${postgres.passed} passed, ${postgres.failed} failed (${onStore.length} files)`)
const missing = words.length === 0 && (sqlite.passed === 0 || postgres.passed === 0)
if (missing) console.log('One of the two databases was not tested.')
console.log(`${sqlite.passed + postgres.passed} passed, ${sqlite.failed + postgres.failed} failed`)
process.exitCode = missing || sqlite.failed + postgres.failed > 0 ? 1 : 0

async function testFiles(): Promise<string[]> {
  const names = await readdir(testFolder, { recursive: true })
  return names
    .filter((name) => name.endsWith('.test.js'))
    .sort()
    .map((name) => join(testFolder, name))
}

/** Each file runs in a process of its own, as many at once as there are processors. */
function runFiles(title: string, files: string[], environment: Record<string, string>): Promise<Count> {
  Object.assign(process.env, environment)
  console.log(`\n${title}: ${files.length} files`)
  const count: Count = { passed: 0, failed: 0 }
  if (files.length === 0) return Promise.resolve(count)
  return new Promise((resolve, reject) => {
    const stream = run({ files, concurrency: availableParallelism() })
    // A file and a suite are reported as tests too; only what has none inside is one.
    stream.on('test:pass', (event) => {
      if (isTest(event)) count.passed++
    })
    stream.on('test:fail', (event) => {
      if (isTest(event)) count.failed++
    })
    const report = stream.compose(new spec())
    report.on('end', () => resolve(count))
    report.on('error', reject)
    report.pipe(process.stdout, { end: false })
  })
}

function isTest({ name, details }: { name: string; details: { type?: string | undefined } }): boolean {
  return details.type !== 'suite' && !name.endsWith('.test.js')
}
