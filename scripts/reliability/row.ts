/** What a row of the table of promises is, and what running one comes to. */

/** How much of a row is done: `short` in `npm test`, `middle` unless asked otherwise, `full` for a release. */
export type Form = 'short' | 'middle' | 'full'

/** What a row works with. */
export interface Scope {
  readonly form: Form
  /** For the rows that last as long as one likes; undefined: as the form says. */
  readonly minutes: number | undefined
  /** Of the first sample user, good in every {@link Scope.folder}. */
  readonly token: string
  /** A data folder of its own, with users and keys and without mail. */
  folder(name: string): Promise<string>
  /** A path below the folder of the run, which goes with it. */
  scratch(name: string): string
  /** Says how far it is. */
  progress(text: string): void
  /** The one of the three that the form asks for. */
  pick<Value>(short: Value, middle: Value, full: Value): Value
}

/** What running a row came to. */
export interface Finding {
  /** How much of what: `20 kills, concurrency 8 and 64`. */
  readonly did: string
  /** What was counted and measured. */
  readonly figure: string
  /** What must not happen on any machine. */
  readonly faults: readonly string[]
  /** Times out of bounds: a matter of the machine too, so no test fails of them. */
  readonly slow?: readonly string[]
  /** Why the row cannot be reached here, or not wholly. */
  readonly obstacle?: string
}

/** One row of the table of promises. */
export interface Row {
  /** `R1`. */
  readonly id: string
  readonly promise: string
  /** A row without a short form is left to the script. */
  readonly inTests: boolean
  run(scope: Scope): Promise<Finding>
}

/** A row that is not run here. */
export function notReached(obstacle: string): Finding {
  return { did: 'nothing', figure: '', faults: [], obstacle }
}
