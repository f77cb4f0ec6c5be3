import type { Clock } from '../../src/mail/mail.js'

/** The real time, moved by as much as a test says. */
export interface MovableClock extends Clock {
  /** Moves it forward, or back when negative. */
  advance(ms: number): void
}

export function movableClock(): MovableClock {
  let offset = 0
  return {
    now: () => Date.now() + offset,
    advance: (ms) => {
      offset += ms
    },
  }
}
