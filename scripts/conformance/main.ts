/**
 * `npm run conformance -- DIR`: replays the recorded and documented exchanges of a data directory against a running
 * server and compares. The data is not part of this project, so the directory must be named.
 *
 * Exit code 0: everything covered passes and the list of what is not covered yet is right; 1: not so; 2: no data.
 */
import { DataMissing, type Exchange, readExchanges } from './exchange.js'
import { openWorld } from './live-world.js'
import { type MetadataCheck, readMetadataCheck } from './metadata-schema.js'
import { operationsMissing } from './model-operations.js'
import { listFaults, readNotYetList } from './not-yet-list.js'
import { compareWithPublished } from './published-model.js'
import { type Outcome, replay } from './replay.js'
import { countLines, failureLines, listLines, modelLines, uncoveredLines } from './report.js'

const listName = 'docs/conformance-not-yet.txt'
/** This file runs as dist/scripts/conformance/main.js. */
const listFile = new URL(`../../../${listName}`, import.meta.url)

async function main(directory: string | undefined): Promise<number> {
  if (directory === undefined) {
    throw new DataMissing('Name the directory that holds golden/recordings.jsonl and spec/examples.jsonl.')
  }
  const exchanges = await readExchanges(directory)
  const metadata = await readMetadataCheck(directory)
  const outcomes = await replayAll(exchanges, metadata)
  const notYet = outcomes.filter(({ kind }) => kind === 'notYet').map(({ exchange }) => exchange.name)
  const names = exchanges.map(({ name }) => name)
  const faults = listFaults(await readNotYetList(listFile), notYet, names)
  const missing = await operationsMissing(directory)
  const models = {
    'v1.0': await compareWithPublished(directory, 'v1.0'),
    beta: await compareWithPublished(directory, 'beta'),
  }
  const lines = [
    ...uncoveredLines(outcomes),
    ...failureLines(outcomes),
    ...listLines(faults, listName),
    ...missing.map((name) => `model: ${name} stands in no row of scripts/operations.ts`),
    ...Object.entries(models).flatMap(([version, comparison]) => modelLines(version, comparison)),
    ...countLines(outcomes),
  ]
  console.log(lines.join('\n'))
  const failed = outcomes.some(({ kind }) => kind === 'failed')
  const modelFails = Object.values(models).some((comparison) => comparison.faults.length > 0)
  return failed || modelFails || missing.length > 0 || faults.unlisted.length > 0 || faults.stale.length > 0 ? 1 : 0
}

/** One after another: each has a server of its own, and two at once would only share the processor. */
async function replayAll(exchanges: readonly Exchange[], metadata: MetadataCheck): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const exchange of exchanges) outcomes.push(await replay(exchange, openWorld, metadata))
  return outcomes
}

try {
  process.exitCode = await main(process.argv[2])
} catch (error) {
  if (!(error instanceof DataMissing)) throw error
  console.error(`There is nothing to replay. ${error.message}`)
  process.exitCode = 2
}
