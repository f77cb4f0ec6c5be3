import { MailError } from './errors.js'
import type { FolderId, MailboxId } from './ids.js'
import { supportedZone } from './local-time.js'
import { type LocaleInfo, languageNamed } from './locale.js'
import type { Mail } from './mail.js'
import { folderId } from './mail-folder.js'

export type AutomaticRepliesStatus = 'disabled' | 'alwaysEnabled' | 'scheduled'
/** Which senders from outside get an answer. */
export type ExternalAudience = 'none' | 'contactsOnly' | 'all'

/** What the owner has sent back to who writes while they are away. */
export interface AutomaticReplies {
  readonly status: AutomaticRepliesStatus
  readonly externalAudience: ExternalAudience
  /** ms since 1970; they count while the status is `scheduled`. */
  readonly startAt: number
  readonly endAt: number
  /** HTML; to senders of the same organisation. */
  readonly internalReplyMessage: string
  /** HTML; to everybody else. */
  readonly externalReplyMessage: string
  /**
   * Drawn from the id sequence whenever the replies are switched on: a sender is answered once in each period.
   */
  readonly period: number
}

export type DayOfWeek = 'sunday' | 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday'

/** When a zone of its owner's own making goes over to its standard time, or to daylight time. */
export interface ZoneTransition {
  readonly time: string
  readonly dayOccurrence: number
  readonly dayOfWeek: DayOfWeek
  readonly month: number
  readonly year: number
  /** Minutes; of daylight time alone. */
  readonly daylightBias?: number
}

/** A zone by its name, or one that is described (Graph `customTimeZone`). */
export interface WorkingZone {
  readonly name: string
  readonly custom?: {
    /** Minutes from UTC. */
    readonly bias: number
    readonly standardOffset?: ZoneTransition
    readonly daylightOffset?: ZoneTransition
  }
}

export interface WorkingHours {
  readonly daysOfWeek: readonly DayOfWeek[]
  /** `08:00:00.0000000` */
  readonly startTime: string
  readonly endTime: string
  readonly timeZone: WorkingZone
}

export const delegateMeetingOptions = [
  'sendToDelegateAndInformationToPrincipal',
  'sendToDelegateAndPrincipal',
  'sendToDelegateOnly',
] as const
export type DelegateMeetingOption = (typeof delegateMeetingOptions)[number]

/** How a mailbox is set up (Graph `mailboxSettings`). */
export interface MailboxSettings {
  readonly archiveFolder: FolderId
  /** As written: a name of Windows or of the IANA database. */
  readonly timeZone: string
  readonly delegateMeetingMessageDeliveryOptions: DelegateMeetingOption
  /** .NET patterns. */
  readonly dateFormat: string
  readonly timeFormat: string
  readonly userPurpose: 'user'
  readonly automaticReplies: AutomaticReplies
  readonly language: LocaleInfo
  readonly workingHours: WorkingHours
}

/** What an owner can set; of the two composed ones also a part. */
export type SettingsChanges = Partial<
  Omit<MailboxSettings, 'archiveFolder' | 'userPurpose' | 'automaticReplies' | 'workingHours' | 'language'>
> & {
  readonly language?: string
  readonly automaticReplies?: Partial<Omit<AutomaticReplies, 'period'>>
  readonly workingHours?: Partial<WorkingHours>
}

/** What was set, and what writers of the same settings tell each other apart by: 0 before anything was. */
export interface StoredSettings {
  readonly settings: Partial<Omit<MailboxSettings, 'archiveFolder' | 'userPurpose'>>
  readonly change: number
}

export const noSettings: StoredSettings = { settings: {}, change: 0 }

const dayMs = 24 * 60 * 60 * 1_000

/** The settings of a mailbox: those that were set, and for the rest what a new mailbox has. */
export function settingsFrom({ settings }: StoredSettings, now: number): MailboxSettings {
  // Of replies that were never scheduled the service shows a day that begins with the next hour.
  const nextHour = Math.ceil(now / 3_600_000) * 3_600_000
  return {
    timeZone: 'UTC',
    delegateMeetingMessageDeliveryOptions: 'sendToDelegateOnly',
    dateFormat: 'M/d/yyyy',
    timeFormat: 'h:mm tt',
    automaticReplies: {
      status: 'disabled',
      externalAudience: 'all',
      startAt: nextHour,
      endAt: nextHour + dayMs,
      internalReplyMessage: '',
      externalReplyMessage: '',
      period: 0,
    },
    language: { locale: 'en-US', displayName: 'English (United States)' },
    workingHours: {
      daysOfWeek: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'],
      startTime: '08:00:00.0000000',
      endTime: '17:00:00.0000000',
      timeZone: { name: 'Pacific Standard Time' },
    },
    ...settings,
    archiveFolder: folderId('archive'),
    userPurpose: 'user',
  }
}

/** Whether replies are sent at this moment. */
export function repliesAreOn({ status, startAt, endAt }: AutomaticReplies, now: number): boolean {
  return status === 'alwaysEnabled' || (status === 'scheduled' && now >= startAt && now < endAt)
}

/** Writers of the settings of one mailbox that may come first, before this one gives up. */
const maxTries = 16

/**
 * Changes settings of a mailbox; answers with all of them.
 *
 * @throws MailError timeZoneUnknown, languageUnknown, workingHoursInvalid, scheduleInvalid; conflict, storeUnavailable
 * @see https://learn.microsoft.com/graph/api/user-update-mailboxsettings
 */
export async function updateSettings(
  mail: Pick<Mail, 'store' | 'clock' | 'ids'>,
  mailbox: MailboxId,
  changes: SettingsChanges,
): Promise<MailboxSettings> {
  for (let tries = 1; ; tries++) {
    const stored = await mail.store.settings.find(mailbox)
    const settings = changedSettings(mail, stored, changes)
    try {
      await mail.store.write((tx) => {
        tx.putSettings(mailbox, { settings, change: mail.ids.next() }, stored.change)
        const { automaticReplies } = settings
        if (automaticReplies === undefined || automaticReplies.period === stored.settings.automaticReplies?.period)
          return
        tx.forgetReplies(mailbox, automaticReplies.period)
        tx.mindArrivals(mailbox)
      })
      return settingsFrom({ settings, change: stored.change }, mail.clock.now())
    } catch (error) {
      if (!(error instanceof MailError) || error.code !== 'conflict' || tries === maxTries) throw error
    }
  }
}

function changedSettings(
  mail: Pick<Mail, 'clock' | 'ids'>,
  stored: StoredSettings,
  { language, automaticReplies, workingHours, ...plain }: SettingsChanges,
): StoredSettings['settings'] {
  const current = settingsFrom(stored, mail.clock.now())
  if (plain.timeZone !== undefined) requireZone(plain.timeZone, 'timeZone')
  return {
    ...stored.settings,
    ...plain,
    ...(language === undefined ? {} : { language: requireLanguage(language) }),
    ...(workingHours === undefined ? {} : { workingHours: changedHours(current.workingHours, workingHours) }),
    ...(automaticReplies === undefined
      ? {}
      : { automaticReplies: changedReplies(mail, current.automaticReplies, automaticReplies) }),
  }
}

function requireZone(name: string, property: string): void {
  if (supportedZone(name) !== undefined) return
  throw new MailError(
    'timeZoneUnknown',
    `No time zone is called ${name}, neither in Windows nor in the IANA database.`,
    {
      property,
      value: name,
    },
  )
}

function requireLanguage(name: string): LocaleInfo {
  const language = languageNamed(name)
  if (language !== undefined) return language
  throw new MailError('languageUnknown', 'outlook/supportedLanguages lists those a mailbox can be set to.', {
    property: 'language/locale',
    value: name,
  })
}

function changedHours(current: WorkingHours, changes: Partial<WorkingHours>): WorkingHours {
  const hours = { ...current, ...changes }
  if (hours.timeZone.custom === undefined) requireZone(hours.timeZone.name, 'workingHours/timeZone/name')
  // One form with the same number of digits: texts compare as times do.
  if (hours.startTime < hours.endTime) return hours
  throw new MailError('workingHoursInvalid', 'The working day ends before it begins.', {
    property: 'workingHours/startTime',
  })
}

/** The replies as they are to be; switching them on, or to another schedule, begins a new period. */
function changedReplies(
  mail: Pick<Mail, 'ids'>,
  current: AutomaticReplies,
  changes: Partial<Omit<AutomaticReplies, 'period'>>,
): AutomaticReplies {
  const replies = { ...current, ...changes }
  if (replies.status === 'scheduled' && replies.startAt >= replies.endAt) {
    throw new MailError('scheduleInvalid', 'The replies would end before they begin.', {
      property: 'automaticRepliesSetting/scheduledStartDateTime',
    })
  }
  if (replies.status === 'disabled') return replies
  const isSame =
    current.status === replies.status &&
    (replies.status === 'alwaysEnabled' || (current.startAt === replies.startAt && current.endAt === replies.endAt))
  return isSame ? replies : { ...replies, period: mail.ids.next() }
}
