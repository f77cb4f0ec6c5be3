import { MailError } from '../../mail/errors.js'
import { momentOf, supportedZone, wallClockOf } from '../../mail/local-time.js'
import type { Mailbox } from '../../mail/mailbox.js'
import {
  type AutomaticReplies,
  delegateMeetingOptions,
  type MailboxSettings,
  type SettingsChanges,
} from '../../mail/mailbox-settings.js'
import { type GraphError, requestBodyRead } from '../errors.js'
import { presentFolderId } from '../item-id.js'
import type { ApiVersion } from '../path.js'
import type { Preferences } from '../preferences.js'
import { readDateTimeTimeZone } from './followup-flag.js'
import {
  type JsonObject,
  type MemberReader,
  objectType,
  passOver,
  quotable,
  type Reading,
  readEnum,
  readMembers,
  readObject,
  readText,
} from './values.js'
import { presentWorkingHours, readWorkingHours } from './working-hours.js'

/** Names of the properties, in the order in which they are answered. */
export const settingNames = [
  'archiveFolder',
  'timeZone',
  'delegateMeetingMessageDeliveryOptions',
  'dateFormat',
  'timeFormat',
  'userPurpose',
  'automaticRepliesSetting',
  'language',
  'workingHours',
] as const

/** A property of `mailboxSettings`. */
export type SettingName = (typeof settingNames)[number]

/** How settings are to be shown. */
export interface SettingsPresentation {
  readonly mailbox: Mailbox
  readonly version: ApiVersion
  readonly preferences: Preferences
}

/** Properties of the settings, in the order of {@link settingNames}. */
export function presentSettings(
  settings: MailboxSettings,
  names: ReadonlySet<string>,
  presentation: SettingsPresentation,
): Record<string, unknown> {
  const shown = settingNames.filter((name) => names.has(name))
  return Object.fromEntries(shown.map((name) => [name, presentSetting(settings, name, presentation)]))
}

/** One property. */
export function presentSetting(
  settings: MailboxSettings,
  name: SettingName,
  { mailbox, version, preferences }: SettingsPresentation,
): unknown {
  switch (name) {
    case 'archiveFolder':
      return presentFolderId(mailbox, settings.archiveFolder)
    case 'automaticRepliesSetting':
      return presentReplies(settings.automaticReplies, preferences)
    case 'workingHours':
      return presentWorkingHours(settings.workingHours)
    case 'userPurpose':
      return version === 'beta' ? { value: settings.userPurpose } : settings.userPurpose
    default:
      return settings[name]
  }
}

/** A moment in the zone that the request prefers, UTC unless it says. */
export function presentDateTimeTimeZone(at: number, { timeZone }: Preferences): object {
  const zone = timeZone === undefined ? undefined : supportedZone(timeZone)
  return { dateTime: wallClockOf(at, zone ?? 'UTC'), timeZone: zone === undefined ? 'UTC' : timeZone }
}

function presentReplies(replies: AutomaticReplies, preferences: Preferences): object {
  return {
    status: replies.status,
    externalAudience: replies.externalAudience,
    internalReplyMessage: replies.internalReplyMessage,
    externalReplyMessage: replies.externalReplyMessage,
    scheduledStartDateTime: presentDateTimeTimeZone(replies.startAt, preferences),
    scheduledEndDateTime: presentDateTimeTimeZone(replies.endAt, preferences),
  }
}

type Changes = { -readonly [Name in keyof SettingsChanges]: SettingsChanges[Name] }
type ReplyFields = { -readonly [Name in keyof AutomaticReplies]?: AutomaticReplies[Name] }

const statuses = ['disabled', 'alwaysEnabled', 'scheduled'] as const
const audiences = ['none', 'contactsOnly', 'all'] as const
/** Characters of one reply; Exchange's own bound is of this size. */
const maxMessageLength = 128 * 1024

const repliesType = objectType<ReplyFields>('microsoft.graph.automaticRepliesSetting', {
  status: (into, value, { path }) => {
    into.status = readEnum(value, statuses, 'microsoft.graph.automaticRepliesStatus', path) ?? 'disabled'
  },
  externalAudience: (into, value, { path }) => {
    into.externalAudience = readEnum(value, audiences, 'microsoft.graph.externalAudienceScope', path) ?? 'none'
  },
  scheduledStartDateTime: (into, value, reading) => {
    const at = readMoment(value, reading)
    if (at !== undefined) into.startAt = at
  },
  scheduledEndDateTime: (into, value, reading) => {
    const at = readMoment(value, reading)
    if (at !== undefined) into.endAt = at
  },
  internalReplyMessage: (into, value, reading) => {
    into.internalReplyMessage = readMessage(value, reading)
  },
  externalReplyMessage: (into, value, reading) => {
    into.externalReplyMessage = readMessage(value, reading)
  },
})

const localeType = objectType<{ locale: string | undefined }>('microsoft.graph.localeInfo', {
  locale: (into, value, { path }) => {
    into.locale = readText(value, path) ?? undefined
  },
  // Follows from the locale.
  displayName: passOver,
})

/** .NET patterns of days and of times, with what may stand between. */
const patterns = { dateFormat: /^[dMyg/\-. ,']{1,40}$/, timeFormat: /^[hHmst:. ']{1,40}$/ }

const settingsType = objectType<Changes>('microsoft.graph.mailboxSettings', {
  // A client that sends back the whole of what it read does not mean to set these.
  archiveFolder: passOver,
  userPurpose: passOver,
  timeZone: (into, value, { path }) => {
    into.timeZone = readNonNullText(value, path)
  },
  dateFormat: patternReader('dateFormat'),
  timeFormat: patternReader('timeFormat'),
  delegateMeetingMessageDeliveryOptions: (into, value, { path }) => {
    const type = 'microsoft.graph.delegateMeetingMessageDeliveryOptions'
    const option = readEnum(value, delegateMeetingOptions, type, path)
    if (option !== null) into.delegateMeetingMessageDeliveryOptions = option
  },
  language: (into, value, reading) => {
    const members = readObject(value, reading.path)
    if (members === null) throw cannotBeNull(reading.path)
    const { locale } = readMembers(members, localeType, { locale: undefined }, reading)
    into.language = locale ?? ''
  },
  automaticRepliesSetting: (into, value, reading) => {
    const members = readObject(value, reading.path)
    if (members === null) throw cannotBeNull(reading.path)
    into.automaticReplies = readMembers<ReplyFields>(members, repliesType, {}, reading)
  },
  workingHours: (into, value, reading) => {
    into.workingHours = readWorkingHours(value, reading)
  },
})

/**
 * What a request wants set, and the names of the properties it mentions.
 *
 * @throws GraphError RequestBodyRead, InvalidArguments; MailError propertyInvalid, timeZoneUnknown
 */
export function readSettings(
  json: unknown,
  version: ApiVersion,
): { readonly changes: SettingsChanges; readonly names: ReadonlySet<string> } {
  const reading: Reading = { version, path: 'mailboxSettings', depth: 0 }
  const members: JsonObject | null = readObject(json ?? null, reading.path)
  if (members === null) throw cannotBeNull(reading.path)
  const changes = readMembers<Changes>(members, settingsType, {}, reading)
  return { changes, names: new Set(Object.keys(members)) }
}

function patternReader(name: keyof typeof patterns): MemberReader<Changes> {
  return (into, value, { path }) => {
    const pattern = readNonNullText(value, path)
    if (!patterns[name].test(pattern)) {
      throw new MailError('propertyInvalid', 'It is a pattern of .NET, such as M/d/yyyy or hh:mm tt.', {
        property: name,
      })
    }
    into[name] = pattern
  }
}

function readMoment(value: unknown, reading: Reading): number | undefined {
  const moment = readDateTimeTimeZone(value, reading)
  if (moment === undefined) return undefined
  const zone = supportedZone(moment.timeZone)
  if (zone === undefined) {
    throw new MailError('timeZoneUnknown', 'It is the name of no zone of Windows or the IANA database.', {
      property: `${reading.path}/timeZone`,
      value: moment.timeZone,
    })
  }
  return momentOf(moment.dateTime, zone)
}

function readMessage(value: unknown, { path }: Reading): string {
  const text = readText(value, path) ?? ''
  if (text.length <= maxMessageLength) return text
  throw new MailError('propertyInvalid', `A reply has ${maxMessageLength} characters at most.`, { property: path })
}

function readNonNullText(value: unknown, path: string): string {
  const text = readText(value, path)
  if (text === null || text === '') throw cannotBeNull(path)
  return text
}

function cannotBeNull(path: string): GraphError {
  return requestBodyRead(`A null or empty value was found for '${quotable(path)}', which must have one.`, path)
}
