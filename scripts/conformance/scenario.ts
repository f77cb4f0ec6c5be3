import type { SettingKey } from '../../src/config.js'
import type { Exchange } from './exchange.js'
import type { Facts } from './facts.js'
import type { Answer, Call } from './http-call.js'
import type { RequestPath } from './request-path.js'
import type { World } from './world.js'

/** An exchange with its path taken apart: what a scenario looks at. */
export interface Candidate {
  readonly exchange: Exchange
  readonly path: RequestPath
  /** {@link shapeOf} its path. */
  readonly shape: string
}

/** A way to bring the server into the state that an exchange needs: one row of the table. */
export interface Scenario {
  /** What is shown, as the title of a test would say it. */
  readonly name: string
  /** Whether the exchange is one of these; the first row of the table that says so takes it. */
  readonly matches: (candidate: Candidate) => boolean
  /** Settings of the server beside the usual ones. */
  readonly settings?: Partial<Record<SettingKey, string>>
  readonly prepare: (candidate: Candidate, world: World) => Promise<Preparation>
}

/** A request that is ready to be sent, and what is known of its answer. */
export interface Preparation {
  readonly call: Call
  readonly facts: Facts
  /** More than the answer alone can show: what differs, one sentence each. */
  readonly afterwards?: (answer: Answer) => Promise<string[]>
}
