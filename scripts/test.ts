/**
 * `npm test`: every test file on SQLite, then those that stand on a store once more on a real PostgreSQL. Fails when a
 * test fails, when one of the two databases was not tested at all, and when a test that docs/compatibility.md names as the
 * witness of an operation did not call it.
 *
 *     npm test                 everything
 *     npm test -- graph store  the files whose path has one of the words
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'
import { routes } from '../src/graph/routes.js'
import { startPostgresCluster } from '../tests/support/postgres-cluster.js'
import { operationOf, operationsCalledIn } from '../tests/support/witnesses.js'
import { witnessOf } from './compatibility-page.js'

const testFolder = process.env.GRAPHPOST_TESTS ?? fileURLToPath(new URL('../tests', import.meta.url))

/** Folders whose tests open a store through `tests/support`: they must pass on both databases. */
const storeFolders = ['graph', 'notifications', 'oauth', 'store', 'outbox', 'sdk', 'smtp']

interface Count {
  passed: number
  failed: number
}

const words = process.argv.slice(2)
const all = (await testFiles()).filter(
  (file) => words.length === 0 || words.some((word) => relative(testFolder, file).includes(word)),
)
const onStore = all.filter((file) => storeFolders.some((folder) => relative(testFolder, file).startsWith(folder + sep)))

const cluster = await startPostgresCluster()
const witnesses = await mkdtemp(join(tmpdir(), 'graphpost-witnesses-'))
const sqlite = await runFiles('SQLite', all, {
  GRAPHPOST_TEST_STORE: 'sqlite',
  TEST_POSTGRES_URL: cluster.url,
  TEST_WITNESSES: witnesses,
})
const postgres = await runFiles('PostgreSQL', onStore, {
  GRAPHPOST_TEST_STORE: 'postgres',
  TEST_POSTGRES_URL: cluster.url,
})
await cluster.stop()
const unwitnessed = await operationsWithoutWitness()
await rm(witnesses, { recursive: true })

console.log(`\nSQLite:     ${sqlite.passed} passed, ${sqlite.failed} failed (${all.length} files)`)
console.log(`PostgreSQL: ${postgres.passed} passed, ${postgres.failed} failed (${onStore.length} files)`)
const missing = words.length === 0 && (sqlite.passed === 0 || postgres.passed === 0)
if (missing) console.log('One of the two databases was not tested.')
for (const line of unwitnessed) console.log(line)
console.log(`${sqlite.passed + postgres.passed} passed, ${sqlite.failed + postgres.failed} failed`)
const isFailed = missing || unwitnessed.length > 0 || sqlite.failed + postgres.failed > 0
// Said outright: the exit hooks of what starts PostgreSQL end the process with 0, whatever the exit code is by then.
process.exit(isFailed ? 1 : 0)

/** Operations whose witness was run and did not call them, one sentence each. */
async function operationsWithoutWitness(): Promise<string[]> {
  const lines: string[] = []
  for (const { method, path } of routes) {
    const witness = witnessOf(method, path)
    const file = all.find((each) => each.endsWith(witness.replace(/^tests\//, sep).replace(/\.ts$/, '.js')))
    if (file === undefined) continue
    const called = await operationsCalledIn(witnesses, file)
    if (!called.has(operationOf(method, path)))
      lines.push(`${witness} is no witness of ${method} ${path}: no test calls it.`)
  }
  return lines
}

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
