import type { OutboxClaim, OutboxClaimed } from '../mail/store.js'

/** Entries claimed at once. Many more than transactions at once: mail for us must not wait behind a slow relay. */
const maxClaimed = 1_000
/** Of one destination. */
const maxOfOne = 500
/** The part of what room is left that one destination gets at once. */
const share = 1 / 4

/** What a claim is asked to take of each destination. */
type Asked = Pick<OutboxClaim, 'each' | 'free'>

interface Flight {
  /** Claimed, and not settled. */
  claimed: number
  /** Settled since the last claim. */
  landed: number
  /** How many were settled between two claims of late. */
  pace: number
  /** There was more than could be claimed. */
  hasMore: boolean
}

/**
 * How much of each destination is claimed. As many as may be under way at once, and twice what the destination got
 * through between the last two claims: so a fast one never waits for the next claim, and a slow one, however much of it
 * is queued, takes up no room that others need.
 */
export class Flights {
  readonly #base: number
  readonly #flights = new Map<string, Flight>()
  #claimed = 0

  constructor(base: number) {
    this.#base = base
  }

  /** How many more entries may be claimed. */
  get room(): number {
    return maxClaimed - this.#claimed
  }

  ask(): Asked {
    const most = Math.max(1, Math.floor(this.room * share))
    const free = new Map<string, number>()
    for (const [destination, flight] of this.#flights) {
      flight.pace = flight.landed >= flight.pace ? flight.landed : (flight.landed + flight.pace) / 2
      flight.landed = 0
      if (flight.claimed === 0 && flight.pace < 1) this.#flights.delete(destination)
      else free.set(destination, Math.max(0, Math.min(this.#widthOf(flight) - flight.claimed, most)))
    }
    return { each: Math.min(this.#base, most), free }
  }

  /** Takes in what the claim came to. @param cutAt the destination in the middle of which it ended for want of room */
  note({ each, free }: Asked, { entries, destinations }: OutboxClaimed, cutAt: string | undefined): void {
    const counts = new Map<string, number>()
    for (const { destination } of entries) counts.set(destination, (counts.get(destination) ?? 0) + 1)
    for (const destination of destinations) {
      const count = counts.get(destination) ?? 0
      const flight = this.#flights.get(destination) ?? { claimed: 0, landed: 0, pace: 0, hasMore: false }
      flight.claimed += count
      flight.hasMore = count >= (free.get(destination) ?? each) || destination === cutAt
      this.#claimed += count
      if (flight.claimed > 0) this.#flights.set(destination, flight)
    }
  }

  /** One is settled. @returns whether it is time to claim more of its destination */
  landed(destination: string): boolean {
    const flight = this.#flights.get(destination)
    if (flight === undefined) return false
    flight.claimed--
    flight.landed++
    this.#claimed--
    const isWanted = flight.hasMore && flight.claimed <= this.#widthOf(flight) / 2
    // Once is enough: the claim says anew whether there is more.
    if (isWanted) flight.hasMore = false
    return isWanted
  }

  #widthOf({ pace }: Flight): number {
    return Math.min(this.#base + 2 * Math.ceil(pace), maxOfOne)
  }
}
