import { offsetAt } from './local-time.js'
import { windowsZones } from './time-zone.js'

/** A zone as people are offered it (Graph `timeZoneInformation`). */
export interface TimeZoneInformation {
  /** What settings and requests name it by. */
  readonly alias: string
  readonly displayName: string
}

/** The zones of Windows, west to east; each is shown with its distance from UTC in winter and its place. */
export function windowsTimeZones(now: number): TimeZoneInformation[] {
  const year = new Date(now).getUTCFullYear()
  const seasons = [Date.UTC(year, 0, 1), Date.UTC(year, 6, 1)]
  return Object.entries(windowsZones).map(([alias, zone]) => {
    if (alias === 'UTC') return { alias, displayName: '(UTC) Coordinated Universal Time' }
    const offset = signed(Math.min(...seasons.map((at) => offsetAt(at, zone))) / 60_000)
    const isPlaceless = zone.startsWith('Etc/')
    const place = isPlaceless ? `Coordinated Universal Time${alias.slice(3)}` : placeOf(zone)
    return { alias, displayName: `(UTC${offset}) ${place}` }
  })
}

/** The zones of the IANA database, by name. */
export function ianaTimeZones(): TimeZoneInformation[] {
  const names = new Set([...Intl.supportedValuesOf('timeZone'), ...Object.values(windowsZones)])
  return [...names].sort().map((name) => ({ alias: name, displayName: name }))
}

function placeOf(zone: string): string {
  return zone.slice(zone.lastIndexOf('/') + 1).replaceAll('_', ' ')
}

/** `+05:30` */
function signed(minutes: number): string {
  const [hour, minute] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
  return `${minutes < 0 ? '-' : '+'}${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`
}
