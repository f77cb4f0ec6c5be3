import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freshFolder } from '../support/start-server.js'

const script = fileURLToPath(new URL('../../scripts/test.js', import.meta.url))

/** The exit code of `npm test` on these files alone. */
async function codeOf(t: TestContext, files: Readonly<Record<string, string>>): Promise<number> {
  const folder = await freshFolder(t)
  for (const [name, assertion] of Object.entries(files)) {
    const file = join(folder, name)
    await mkdir(join(file, '..'), { recursive: true })
    await writeFile(file, `require('node:test').test('it', () => require('node:assert').ok(${assertion}))`)
  }
  // Without what the runner of this test tells its files: then it would be another's file, not a runner.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, [script], { env: { ...env, GRAPHPOST_TESTS: folder }, stdio: 'ignore' })
  const [code] = await once(child, 'exit')
  return code
}

test('npm test fails when a test fails, on either database, and when one of them was not tested', async (t) => {
  assert.equal(await codeOf(t, { 'graph/a.test.js': 'true' }), 0)
  assert.equal(await codeOf(t, { 'graph/a.test.js': 'true', 'b.test.js': 'false' }), 1)
  assert.equal(await codeOf(t, { 'graph/a.test.js': "process.env.GRAPHPOST_TEST_STORE === 'sqlite'" }), 1)
  assert.equal(await codeOf(t, { 'b.test.js': 'true' }), 1)
})
