import { MailError } from './errors.js'
import type { MailboxId, MessageId } from './ids.js'
import type { SingleValueExtendedProperty } from './message.js'

/** A draft that is sent at a time; deleting the draft is what cancels it. */
export interface ScheduledSend {
  readonly mailbox: MailboxId
  readonly message: MessageId
  /** ms since 1970 */
  readonly dueAt: number
  /** Whose rights it is sent with. */
  readonly actor: MailboxId
  readonly forOthers: boolean
  readonly saveToSentItems: boolean
}

const deferredSendTime = 'systemtime 0x3fef'
const deferredSendNumber = new Set(['integer 0x3feb', 'long 0x3feb'])
const deferredSendUnits = new Set(['integer 0x3fec', 'long 0x3fec'])

/** MS-OXOMSG, PidTagDeferredSendUnits: minutes, hours, days, weeks. */
const unitsMs = [60_000, 3_600_000, 86_400_000, 7 * 86_400_000]
/** MS-OXOMSG, PidTagDeferredSendNumber. */
const maxNumber = 999

/**
 * When a message asks to be sent, ms since 1970; undefined when that is now. PidTagDeferredSendNumber and its units, counted
 * from now, win over PidTagDeferredSendTime.
 *
 * @throws MailError propertyInvalid for a time, number or unit that is none
 */
export function deferredUntil(properties: readonly SingleValueExtendedProperty[], now: number): number | undefined {
  if (properties.length === 0) return undefined
  const values = new Map(properties.map(({ id, value }) => [id.toLowerCase(), { id, value }]))
  const number = wholeNumber(writtenAs(values, deferredSendNumber), maxNumber)
  const unit = wholeNumber(writtenAs(values, deferredSendUnits), unitsMs.length - 1)
  if (number !== undefined && unit !== undefined) return after(now, now + number * (unitsMs[unit] ?? 0))
  return after(now, moment(values.get(deferredSendTime)))
}

/**
 * When a message that is scheduled asks to be sent by now, ms since 1970, which may be over; undefined when it does not say:
 * what is counted from its sending was counted then.
 */
export function rescheduledAt(properties: readonly SingleValueExtendedProperty[]): number | undefined {
  if (properties.some(({ id }) => deferredSendNumber.has(id.toLowerCase()))) return undefined
  return moment(properties.find(({ id }) => id.toLowerCase() === deferredSendTime))
}

type Written = Pick<SingleValueExtendedProperty, 'id' | 'value'>

function writtenAs(values: ReadonlyMap<string, Written>, ids: ReadonlySet<string>): Written | undefined {
  for (const id of ids) if (values.has(id)) return values.get(id)
  return undefined
}

function wholeNumber(written: Written | undefined, max: number): number | undefined {
  if (written === undefined) return undefined
  const number = /^\d{1,9}$/.test(written.value) ? Number(written.value) : Number.NaN
  if (number <= max) return number
  throw invalid(written.id)
}

function moment(written: Written | undefined): number | undefined {
  if (written === undefined) return undefined
  const at = Date.parse(written.value)
  if (Number.isNaN(at)) throw invalid(written.id)
  return at
}

function after(now: number, at: number | undefined): number | undefined {
  return at !== undefined && at > now ? at : undefined
}

function invalid(id: string): MailError {
  return new MailError('propertyInvalid', `The value does not fit the type of ${id}.`, {
    property: 'singleValueExtendedProperties',
  })
}
