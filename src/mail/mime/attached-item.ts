import { createHash } from 'node:crypto'
import type { AttachedItem } from '../attachment.js'
import { textOf } from '../body.js'

/** An attached event or contact in the format its kind is exchanged in. */
export interface RenderedItem {
  readonly contentType: string
  /** With the dot. */
  readonly extension: string
  readonly content: Buffer
}

type Properties = Readonly<Record<string, unknown>>

/** An event as iCalendar (RFC 5545), a contact as vCard (RFC 2426): what people look at, not every property there is. */
export function renderEventOrContact(item: Exclude<AttachedItem, { type: 'message' }>): RenderedItem {
  return item.type === 'event'
    ? {
        contentType: 'text/calendar; charset=utf-8; method=PUBLISH',
        extension: '.ics',
        content: calendar(item.properties),
      }
    : { contentType: 'text/vcard; charset=utf-8', extension: '.vcf', content: card(item.properties) }
}

function calendar(event: Properties): Buffer {
  const uid = createHash('sha256').update(JSON.stringify(event)).digest('hex').slice(0, 32)
  const start = moment('DTSTART', object(event.start))
  return lines([
    'BEGIN:VCALENDAR',
    'METHOD:PUBLISH',
    'PRODID:Graphpost',
    'VERSION:2.0',
    'BEGIN:VEVENT',
    `UID:${uid}`,
    // The moment of writing would make every rendering another message.
    'DTSTAMP:19700101T000000Z',
    ...property('SUMMARY', text(event.subject)),
    ...start,
    ...moment('DTEND', object(event.end)),
    ...property('LOCATION', text(object(event.location).displayName)),
    ...property('DESCRIPTION', description(object(event.body))),
    'END:VEVENT',
    'END:VCALENDAR',
  ])
}

function description(body: Properties): string {
  const contentType = text(body.contentType).toLowerCase() === 'html' ? 'html' : 'text'
  return textOf({ contentType, content: text(body.content) })
}

/** Graph's `dateTimeTimeZone`; a zone other than UTC by its name, which Windows and Outlook know. */
function moment(name: string, { dateTime, timeZone }: Properties): string[] {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)/.exec(text(dateTime)) ?? []
  if (second === undefined) return []
  const value = `${year}${month}${day}T${hour}${minute}${second}`
  const zone = text(timeZone).replace(/[^\w +\-/().]/g, '')
  return [zone === '' || zone.toUpperCase() === 'UTC' ? `${name}:${value}Z` : `${name};TZID="${zone}":${value}`]
}

function card(contact: Properties): Buffer {
  const surname = text(contact.surname)
  const given = text(contact.givenName)
  const name = text(contact.displayName) || `${given} ${surname}`.trim()
  return lines([
    'BEGIN:VCARD',
    'VERSION:3.0',
    `FN:${escaped(name)}`,
    `N:${escaped(surname)};${escaped(given)};;;`,
    ...property('ORG', text(contact.companyName)),
    ...property('TITLE', text(contact.jobTitle)),
    ...list(contact.emailAddresses).flatMap((entry) => property('EMAIL', text(object(entry).address))),
    ...list(contact.businessPhones).flatMap((phone) => property('TEL;TYPE=WORK', text(phone))),
    ...property('TEL;TYPE=CELL', text(contact.mobilePhone)),
    ...property('NOTE', text(contact.personalNotes)),
    'END:VCARD',
  ])
}

function property(name: string, value: string): string[] {
  return value === '' ? [] : [`${name}:${escaped(value)}`]
}

/** RFC 5545 §3.3.11 and RFC 2426 §4 agree on it. */
function escaped(value: string): string {
  return value
    .replace(/[\\;,]/g, '\\$&')
    .replace(/\r\n?|\n/g, '\\n')
    .replace(/\p{Cc}/gu, ' ')
}

function lines(all: readonly string[]): Buffer {
  return Buffer.from(`${all.join('\r\n')}\r\n`)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function object(value: unknown): Properties {
  return typeof value === 'object' && value !== null ? (value as Properties) : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
