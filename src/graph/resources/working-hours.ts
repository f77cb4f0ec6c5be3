import type { DayOfWeek, WorkingHours, WorkingZone, ZoneTransition } from '../../mail/mailbox-settings.js'
import { GraphError } from '../errors.js'
import {
  cannotConvert,
  inside,
  type MemberReader,
  objectType,
  quotable,
  type Reading,
  readArray,
  readMembers,
  readObject,
  readText,
} from './values.js'

type HourFields = { -readonly [Name in keyof WorkingHours]?: WorkingHours[Name] }
type TransitionFields = { -readonly [Name in keyof ZoneTransition]: ZoneTransition[Name] }
type Custom = NonNullable<WorkingZone['custom']>
type CustomFields = { -readonly [Name in keyof Custom]?: Custom[Name] }
type ZoneFields = { name: string; custom: CustomFields }

const days = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const

const transitionReaders: Readonly<Record<string, MemberReader<TransitionFields>>> = {
  time: (into, value, { path }) => {
    into.time = readTimeOfDay(value, path)
  },
  dayOccurrence: integer('dayOccurrence', 0, 5),
  dayOfWeek: (into, value, { path }) => {
    into.dayOfWeek = readDay(value, path)
  },
  month: integer('month', 0, 12),
  year: integer('year', 0, 9999),
}

const standardType = objectType('microsoft.graph.standardTimeZoneOffset', transitionReaders)
const daylightType = objectType('microsoft.graph.daylightTimeZoneOffset', {
  ...transitionReaders,
  daylightBias: integer('daylightBias', -1_440, 1_440),
})

const zoneType = objectType<ZoneFields>('microsoft.graph.customTimeZone', {
  name: (into, value, { path }) => {
    into.name = (readText(value, path) ?? '').slice(0, 200)
  },
  bias: (into, value, { path }) => {
    into.custom.bias = readInteger(value, path, -1_440, 1_440)
  },
  standardOffset: (into, value, reading) => {
    const transition = readTransition(value, reading, standardType)
    if (transition !== undefined) into.custom.standardOffset = transition
  },
  daylightOffset: (into, value, reading) => {
    const transition = readTransition(value, reading, daylightType)
    if (transition !== undefined) into.custom.daylightOffset = transition
  },
})

const hoursType = objectType<HourFields>('microsoft.graph.workingHours', {
  daysOfWeek: (into, value, reading) => {
    const named = readArray(value, reading.path).map((day, index) => readDay(day, inside(reading, index).path))
    into.daysOfWeek = days.filter((day) => named.includes(day))
  },
  startTime: (into, value, { path }) => {
    into.startTime = readTimeOfDay(value, path)
  },
  endTime: (into, value, { path }) => {
    into.endTime = readTimeOfDay(value, path)
  },
  timeZone: (into, value, reading) => {
    const members = readObject(value, reading.path)
    if (members === null) return
    const { name, custom } = readMembers<ZoneFields>(members, zoneType, { name: '', custom: {} }, reading)
    const isCustom = Object.keys(custom).length > 0 || /customTimeZone$/i.test(String(members['@odata.type'] ?? ''))
    into.timeZone = isCustom ? { name, custom: { bias: 0, ...custom } } : { name }
  },
})

/**
 * Working hours, or a part of them.
 *
 * @throws GraphError RequestBodyRead for what is no time of day, InvalidArguments for what is no day
 */
export function readWorkingHours(value: unknown, reading: Reading): Partial<WorkingHours> {
  const members = readObject(value, reading.path)
  return members === null ? {} : readMembers<HourFields>(members, hoursType, {}, reading)
}

/** Days, times and zone, as Graph writes them. */
export function presentWorkingHours({ daysOfWeek, startTime, endTime, timeZone }: WorkingHours): object {
  const { name, custom } = timeZone
  return {
    daysOfWeek,
    startTime,
    endTime,
    timeZone:
      custom === undefined
        ? { name }
        : { '@odata.type': '#microsoft.graph.customTimeZone', bias: custom.bias, name, ...offsetsOf(custom) },
  }
}

function offsetsOf({ standardOffset, daylightOffset }: Custom): object {
  return {
    ...(standardOffset === undefined ? {} : { standardOffset }),
    ...(daylightOffset === undefined ? {} : { daylightOffset }),
  }
}

function readTransition(value: unknown, reading: Reading, type: typeof standardType): ZoneTransition | undefined {
  const members = readObject(value, reading.path)
  if (members === null) return undefined
  const none: TransitionFields = { time: '00:00:00.0000000', dayOccurrence: 1, dayOfWeek: 'sunday', month: 1, year: 0 }
  return readMembers(members, type, none, reading)
}

function integer<Name extends 'dayOccurrence' | 'month' | 'year' | 'daylightBias'>(
  name: Name,
  min: number,
  max: number,
): MemberReader<TransitionFields> {
  return (into, value, { path }) => {
    into[name] = readInteger(value, path, min, max)
  }
}

function readInteger(value: unknown, path: string, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  throw cannotConvert(value, 'Edm.Int32', path)
}

const timeOfDay = /^((?:[01]\d|2[0-3]):[0-5]\d)(:[0-5]\d)?(\.\d{1,7})?$/

/** `08:00:00.0000000`, all of it. */
function readTimeOfDay(value: unknown, path: string): string {
  const [, minute, second = ':00', fraction = '.'] = timeOfDay.exec(String(value)) ?? []
  if (typeof value !== 'string' || minute === undefined) throw cannotConvert(value, 'Edm.TimeOfDay', path)
  return minute + second + fraction.padEnd(8, '0')
}

/** In the words that are documented for a day that there is not. */
function readDay(value: unknown, path: string): DayOfWeek {
  const day = days.find((each) => typeof value === 'string' && each === value.toLowerCase())
  if (day !== undefined) return day
  if (typeof value !== 'string') throw cannotConvert(value, 'microsoft.graph.dayOfWeek', path)
  throw new GraphError(400, 'InvalidArguments', `Requested value '${quotable(value)}' was not found.`, { target: path })
}
