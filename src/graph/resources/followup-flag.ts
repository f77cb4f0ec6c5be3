import { MailError } from '../../mail/errors.js'
import type { DateTimeTimeZone, FollowupFlag } from '../../mail/message.js'
import {
  cannotConvert,
  hasControlCharacter,
  objectType,
  type Reading,
  readEnum,
  readMembers,
  readObject,
  readText,
} from './values.js'

type FlagFields = { -readonly [Field in keyof FollowupFlag]: FollowupFlag[Field] }

const flagStatuses = ['notFlagged', 'complete', 'flagged'] as const

const dateTimeTimeZoneType = objectType<{ dateTime: string; timeZone: string }>('microsoft.graph.dateTimeTimeZone', {
  dateTime: (into, value, { path }) => {
    into.dateTime = readDateTime(value, path)
  },
  timeZone: (into, value, { path }) => {
    into.timeZone = readTimeZone(value, path)
  },
})

const followupFlagType = objectType<FlagFields>('microsoft.graph.followupFlag', {
  flagStatus: (into, value, { path }) => {
    into.flagStatus = readEnum(value, flagStatuses, 'microsoft.graph.followupFlagStatus', path) ?? 'notFlagged'
  },
  startDateTime: (into, value, reading) => setMoment(into, 'startDateTime', value, reading),
  dueDateTime: (into, value, reading) => setMoment(into, 'dueDateTime', value, reading),
  completedDateTime: (into, value, reading) => setMoment(into, 'completedDateTime', value, reading),
})

/**
 * A follow-up flag; undefined for null.
 *
 * @throws MailError propertyInvalid for a due date without a start, as documented
 */
export function readFollowupFlag(value: unknown, reading: Reading): FollowupFlag | undefined {
  const members = readObject(value, reading.path)
  if (members === null) return undefined
  const flag = readMembers(members, followupFlagType, { flagStatus: 'notFlagged' }, reading)
  if (flag.dueDateTime !== undefined && flag.startDateTime === undefined) {
    throw new MailError('propertyInvalid', 'A flag with dueDateTime needs startDateTime too.', {
      property: 'flag/dueDateTime',
    })
  }
  return flag
}

function setMoment(
  flag: FlagFields,
  field: 'startDateTime' | 'dueDateTime' | 'completedDateTime',
  value: unknown,
  reading: Reading,
): void {
  const moment = readDateTimeTimeZone(value, reading)
  if (moment !== undefined) flag[field] = moment
}

/** A wall-clock time and the name of its zone, which is not looked up; undefined for null. */
export function readDateTimeTimeZone(value: unknown, reading: Reading): DateTimeTimeZone | undefined {
  const members = readObject(value, reading.path)
  if (members === null) return undefined
  const moment = readMembers(members, dateTimeTimeZoneType, { dateTime: '', timeZone: 'UTC' }, reading)
  if (moment.dateTime === '') throw cannotConvert('', 'Edm.DateTime', `${reading.path}/dateTime`)
  return moment
}

const wallClock = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?(\.\d{1,7})?Z?$/

/** A wall-clock time, in the form Graph answers: seconds with seven digits behind the point. */
function readDateTime(value: unknown, path: string): string {
  const text = readText(value, path)
  const [, minute, second = ':00', fraction = '.'] = wallClock.exec(text ?? '') ?? []
  if (minute === undefined || Number.isNaN(Date.parse(`${minute}Z`)) || second > ':59') {
    throw cannotConvert(text, 'Edm.DateTime', path)
  }
  return minute + second + fraction.padEnd(8, '0')
}

/** The name of a zone, of Windows or IANA; kept, not looked up. */
function readTimeZone(value: unknown, path: string): string {
  const name = readText(value, path)
  if (name === null || name === '') return 'UTC'
  if (name.length <= 100 && !hasControlCharacter(name)) return name
  throw new MailError('propertyInvalid', 'A time zone is named in one line of at most 100 characters.', {
    property: path,
  })
}
