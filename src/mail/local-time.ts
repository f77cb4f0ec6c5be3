import { timeZoneNamed } from './time-zone.js'

/** The IANA name of a zone that Windows or the IANA database has; undefined for any other text, offsets such as `+02:00` too. */
export function supportedZone(name: string): string | undefined {
  return /^[+-]/.test(name) || name.length > 100 ? undefined : timeZoneNamed(name)
}

/** How far a zone is ahead of UTC at a moment, ms. */
export function offsetAt(at: number, zone: string): number {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0
  const wall = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
  return wall - Math.floor(at / 1_000) * 1_000
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
}

/**
 * The moment, ms since 1970, at which clocks of a zone show a time.
 *
 * @param dateTime `2016-03-07T09:00:00.0000000`, with or without a fraction
 * @param zone IANA name
 */
export function momentOf(dateTime: string, zone: string): number {
  const wall = Date.parse(`${dateTime.slice(0, 23)}Z`)
  // Twice: the first guess can be on the other side of a change of clocks.
  const guess = wall - offsetAt(wall, zone)
  return wall - offsetAt(guess, zone)
}

/** What clocks of a zone (IANA name) show at a moment, as Graph writes it: `2016-03-07T09:00:00.0000000`. */
export function wallClockOf(at: number, zone: string): string {
  return `${new Date(at + offsetAt(at, zone)).toISOString().slice(0, 23)}0000`
}
