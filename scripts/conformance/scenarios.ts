import { answerScenarios } from './answer-scenarios.js'
import { attachmentScenarios } from './attachment-scenarios.js'
import { batchScenarios } from './batch-scenarios.js'
import { deltaScenarios } from './delta-scenarios.js'
import { draftScenarios } from './draft-scenarios.js'
import type { Exchange } from './exchange.js'
import { filterScenarios } from './filter-scenarios.js'
import { folderScenarios } from './folder-scenarios.js'
import { limitScenarios } from './limit-scenarios.js'
import { messageScenarios } from './message-scenarios.js'
import { readRefusalScenarios } from './read-refusal-scenarios.js'
import { parsePath, shapeOf } from './request-path.js'
import type { Candidate, Scenario } from './scenario.js'
import { sendMailScenarios } from './send-mail-scenarios.js'
import { settingsScenarios } from './settings-scenarios.js'
import { tokenScenarios } from './token-scenarios.js'
import { uploadScenarios } from './upload-scenarios.js'

/** Every way to replay an exchange, tried from top to bottom. An operation that comes to be served adds its rows here. */
export const scenarios: readonly Scenario[] = [
  ...tokenScenarios,
  ...limitScenarios,
  ...sendMailScenarios,
  ...draftScenarios,
  ...messageScenarios,
  ...filterScenarios,
  ...folderScenarios,
  ...deltaScenarios,
  ...attachmentScenarios,
  ...answerScenarios,
  ...uploadScenarios,
  ...settingsScenarios,
  ...batchScenarios,
  ...readRefusalScenarios,
]

/** The exchange as scenarios look at it. */
export function candidateOf(exchange: Exchange): Candidate {
  const path = parsePath(exchange.request.path)
  return { exchange, path, shape: shapeOf(path) }
}

/** The first row that takes the exchange; undefined: it is not covered yet. */
export function scenarioFor(candidate: Candidate): Scenario | undefined {
  return scenarios.find(({ matches }) => matches(candidate))
}
