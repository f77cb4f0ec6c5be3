/**
 * Who may begin a transaction. Each destination has a lane; a free connection goes to the lane that has the fewest, so that
 * a slow destination holds up nobody but itself. As in Postfix's queue manager (its SCHEDULER_README), a lane begins
 * narrow, widens with each transaction that the server answered and narrows with each that it did not; when it has not
 * answered for as many in a row as the lane is wide, the destination counts as dead: for a while nothing is tried, and
 * then one transaction, on which it depends whether the others follow.
 */
import type { Clock } from '../mail/mail.js'

export interface LanesOptions {
  /** Transactions at once, to everybody. */
  readonly total: number
  /** Transactions at once to one destination. The last quarter of `total` is never one destination's. */
  readonly perDestination: number
  /** Transactions a minute to one destination; 0 for no bound. */
  readonly perMinute: number
  /** How long nothing is tried at a dead destination. */
  readonly deadForMs: () => number
  readonly clock: Clock
}

/** What became of a task: it ran, or its destination is dead and it did not. */
export type Ran<Result> = { readonly result: Result } | { readonly suspended: string }

/** The wait was ended by {@link Lanes.close}: the task never began. */
export class LanesClosed extends Error {
  override readonly name = 'LanesClosed'
}

interface Waiting {
  readonly begin: () => void
  readonly suspend: (reason: string) => void
  readonly refuse: () => void
}

interface Dead {
  /** ms since 1970 */
  readonly since: number
  readonly forMs: number
  readonly reason: string
}

interface Lane {
  running: number
  /** Transactions at once, for now. */
  width: number
  /** Begun and not answered, each as a share of the width it had; from 1 on the destination is dead. */
  unanswered: number
  waiting: Waiting[]
  /** Not before this moment, for the bound by the minute; by a clock that is never set. */
  nextAt: number
  dead: Dead | undefined
}

/** Width of a lane at first. */
const firstWidth = 5
/** Lanes remembered at most: those of destinations that nothing is known of are forgotten. */
const maxRemembered = 10_000

export class Lanes {
  readonly #options: LanesOptions
  readonly #widest: number
  readonly #lanes = new Map<string, Lane>()
  /** Lanes in which somebody waits. */
  readonly #wanting = new Set<Lane>()
  #free: number
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: LanesOptions) {
    this.#options = options
    this.#free = options.total
    this.#widest = Math.max(1, Math.min(options.perDestination, options.total - Math.floor(options.total / 4)))
  }

  /** Why nothing is tried at the destination now; undefined when it may be. */
  suspension(destination: string): string | undefined {
    const dead = this.#lanes.get(destination)?.dead
    return dead !== undefined && this.#isStill(dead) ? dead.reason : undefined
  }

  /**
   * Runs the task once there is room for it in the lane of its destination.
   *
   * @param troubleOf why a result says that the destination did not answer; undefined when it did
   * @throws LanesClosed when closed before the task began; whatever the task throws
   */
  async run<Result>(
    destination: string,
    task: () => Promise<Result>,
    troubleOf: (result: Result) => string | undefined,
  ): Promise<Ran<Result>> {
    const reason = this.suspension(destination)
    if (reason !== undefined) return { suspended: reason }
    const lane = this.#laneOf(destination)
    const suspended = await this.#begin(lane)
    if (suspended !== undefined) return { suspended }
    try {
      const result = await task()
      this.#learn(lane, troubleOf(result))
      return { result }
    } finally {
      lane.running--
      this.#free++
      this.#pump()
    }
  }

  /** A clock that was set back ends it too. */
  #isStill({ since, forMs }: Dead): boolean {
    const now = this.#options.clock.now()
    return now >= since && now - since < forMs
  }

  /** Refuses everyone who waits or comes later. Tasks that run go on. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const lane of this.#wanting) {
      for (const { refuse } of lane.waiting) refuse()
      lane.waiting = []
    }
    this.#wanting.clear()
  }

  #laneOf(destination: string): Lane {
    const known = this.#lanes.get(destination)
    if (known !== undefined) return known
    if (this.#lanes.size >= maxRemembered) this.#forget()
    const width = Math.min(firstWidth, this.#widest)
    const lane: Lane = { running: 0, width, unanswered: 0, waiting: [], nextAt: 0, dead: undefined }
    this.#lanes.set(destination, lane)
    return lane
  }

  /** Lanes that nobody is in; of dead ones, those whose time is over. */
  #forget(): void {
    for (const [destination, { running, waiting, dead }] of this.#lanes) {
      const isDead = dead !== undefined && this.#isStill(dead)
      if (running === 0 && waiting.length === 0 && !isDead) this.#lanes.delete(destination)
    }
  }

  /** Resolves when a transaction of the lane may begin, to the reason when it may not. */
  #begin(lane: Lane): Promise<string | undefined> {
    if (this.#closed) return Promise.reject(new LanesClosed())
    return new Promise((resolve, reject) => {
      lane.waiting.push({
        begin: () => resolve(undefined),
        suspend: resolve,
        refuse: () => reject(new LanesClosed()),
      })
      this.#wanting.add(lane)
      this.#pump()
    })
  }

  #pump(): void {
    while (this.#free > 0) {
      const lane = this.#nextLane()
      if (lane === undefined) return
      const first = lane.waiting.shift()
      // Behind the others of as many connections.
      this.#wanting.delete(lane)
      if (lane.waiting.length > 0) this.#wanting.add(lane)
      this.#free--
      lane.running++
      if (this.#options.perMinute > 0) {
        lane.nextAt = Math.max(performance.now(), lane.nextAt) + 60_000 / this.#options.perMinute
      }
      first?.begin()
    }
  }

  /** Of the lanes in which somebody may begin, the one with the fewest transactions. */
  #nextLane(): Lane | undefined {
    let next: Lane | undefined
    let soonest = Number.POSITIVE_INFINITY
    const now = this.#options.perMinute > 0 ? performance.now() : 0
    for (const lane of this.#wanting) {
      if (lane.running >= lane.width) continue
      if (lane.nextAt > now) soonest = Math.min(soonest, lane.nextAt)
      else if (next === undefined || lane.running < next.running) next = lane
      if (next?.running === 0) break
    }
    if (next === undefined && soonest !== Number.POSITIVE_INFINITY) this.#pumpIn(soonest - now)
    return next
  }

  #pumpIn(ms: number): void {
    clearTimeout(this.#timer)
    // Waiting for a turn keeps no process alive.
    this.#timer = setTimeout(() => this.#pump(), Math.ceil(ms)).unref()
  }

  #learn(lane: Lane, trouble: string | undefined): void {
    if (trouble === undefined) {
      lane.dead = undefined
      lane.unanswered = 0
      lane.width = Math.min(lane.width + 1, this.#widest)
      return
    }
    lane.unanswered += 1 / lane.width
    lane.width = Math.max(1, lane.width - 1)
    if (lane.dead === undefined && lane.unanswered < 1) return
    const { clock, deadForMs } = this.#options
    lane.dead = { since: clock.now(), forMs: deadForMs(), reason: trouble }
    // Afterwards one transaction asks on behalf of the others, which wait for its end.
    lane.width = 1
    const { waiting } = lane
    lane.waiting = []
    this.#wanting.delete(lane)
    for (const { suspend } of waiting) suspend(trouble)
  }
}
