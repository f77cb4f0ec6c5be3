import type { IdSequence } from '../mail/ids.js'
import { firstFreeId } from '../mail/mail-folder.js'
import type { Database } from './database.js'
import { sql } from './kysely.js'
import { statementOf } from './statement.js'

/** Numbers reserved at once. A process that ends leaves the rest of its block unused: 48 bits hold 2^28 such blocks. */
const blockSize = 2 ** 20

/**
 * A sequence of numbers that no other process hands out too. Each process reserves a block in the database and counts
 * through it in memory, so that taking a number costs nothing; the next block is reserved long before the last is used up.
 */
export async function openIdSequence(database: Database): Promise<IdSequence> {
  let next = await reserveBlock(database)
  let end = next + blockSize
  let following: number | undefined
  let reserving = false

  const reserveFollowing = () => {
    reserving = true
    reserveBlock(database)
      .then((start) => {
        following = start
      })
      // Tried again at the next number: half a block is left for the database to come back.
      .catch(() => {})
      .finally(() => {
        reserving = false
      })
  }

  return {
    next: () => {
      if (next === end) {
        if (following === undefined) throw new Error('no numbers left: the store could not reserve a block')
        next = following
        end = next + blockSize
        following = undefined
      }
      if (following === undefined && !reserving && end - next < blockSize / 2) reserveFollowing()
      return next++
    },
  }
}

async function reserveBlock(database: Database): Promise<number> {
  const query = database.read
    .insertInto('sequences')
    .values({ name: 'ids', next: firstFreeId + blockSize })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({ next: sql<number>`sequences.next + ${sql.lit(blockSize)}` }),
    )
    .returning('next')
    .compile()
  const rows = await database.write([statementOf(query, { returnsRows: true })])
  return Number(rows.get(0)?.[0]?.next) - blockSize
}
