/** The wait for a slot was ended by {@link Slots.close}: the task never began. */
export class SlotsClosed extends Error {
  override readonly name = 'SlotsClosed'
}

/** A bound on how many tasks run at once; the others wait in the order in which they came. */
export class Slots {
  #free: number
  #waiting: { begin: () => void; refuse: () => void }[] = []
  #closed = false

  constructor(count: number) {
    this.#free = count
  }

  /**
   * Runs the task once there is a slot for it.
   *
   * @throws SlotsClosed when closed before the task began; whatever the task throws
   */
  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    await this.#take()
    try {
      return await task()
    } finally {
      this.#give()
    }
  }

  /** Refuses everyone who waits or comes later. Tasks that run go on. */
  close(): void {
    this.#closed = true
    const waiting = this.#waiting
    this.#waiting = []
    for (const { refuse } of waiting) refuse()
  }

  #take(): Promise<void> {
    if (this.#closed) return Promise.reject(new SlotsClosed())
    if (this.#free > 0) {
      this.#free--
      return Promise.resolve()
    }
    return new Promise((begin, reject) => {
      this.#waiting.push({ begin, refuse: () => reject(new SlotsClosed()) })
    })
  }

  #give(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next.begin()
  }
}
