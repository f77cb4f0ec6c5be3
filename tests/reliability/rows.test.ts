/** The short form of every row of docs/reliability.md; `npm run reliability` has the others. */
import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { after, test } from 'node:test'
import { rows } from '../../scripts/reliability/rows.js'
import { openRun } from '../../scripts/reliability/scope.js'

const run = await openRun({ form: 'short', directory: tmpdir(), progress: () => {} })
after(() => run.close())

for (const row of rows.filter(({ inTests }) => inTests)) {
  test(`${row.id}: ${row.promise}`, async (t) => {
    const { did, figure, faults, slow = [], obstacle } = await row.run(run.scope(row.id))
    t.diagnostic(`${row.id}  ${did}: ${[figure, ...slow].join('; ')}`)
    assert.deepEqual(faults, [])
    // Times are figures, not judged here; what this machine does not have is said.
    if (obstacle !== undefined) t.skip(obstacle)
  })
}

test('every row has a name of its own', () => {
  assert.equal(new Set(rows.map(({ id }) => id)).size, rows.length)
})
