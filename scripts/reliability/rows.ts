import { backlog } from './backlog.js'
import { diskFull, syncFails } from './disk-faults.js'
import { fuzz, hostile, secretsInLog } from './hostile.js'
import { kills, killsBesideFaultyPeer, stops } from './kills.js'
import { deadDestination, smtpFaults } from './other-scripts.js'
import { powerCut } from './power-cut.js'
import { oneDraft, oneKey } from './races.js'
import type { Row } from './row.js'
import { slowConnections } from './slow-connections.js'
import { soak } from './soak.js'
import { backup, dependencies } from './supply.js'
import { syncBeforeAnswer } from './sync-before-answer.js'
import { clocks } from './waiting.js'

/** Every row, in the order of the table of promises; docs/reliability.md says what each is about. */
export const rows: readonly Row[] = [
  kills,
  killsBesideFaultyPeer,
  stops,
  syncBeforeAnswer,
  powerCut,
  diskFull,
  syncFails,
  smtpFaults,
  deadDestination,
  clocks,
  oneDraft,
  oneKey,
  soak,
  backlog,
  hostile,
  fuzz,
  slowConnections,
  secretsInLog,
  backup,
  dependencies,
]
