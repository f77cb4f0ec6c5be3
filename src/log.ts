/**
 * Log lines: JSON for machines, one short readable line each on a terminal. Every line passes {@link redact} on its way
 * out, so that no body, token or password is ever written, whoever logs it and however deep it sits.
 */
import { type Logger, pino } from 'pino'

/** What the parts of the server log to. */
export type Log = Logger

/** Where lines go. */
export interface LogStream {
  readonly isTTY?: boolean
  write(text: string): unknown
}

export interface LogOptions {
  readonly level: string
  /** `auto`: pretty on a terminal, JSON otherwise. */
  readonly format: 'auto' | 'pretty' | 'json'
  /** stderr unless given: stdout belongs to what a command prints. */
  readonly stream?: LogStream
  readonly colour?: boolean
}

/** Opens a log. Lines are written at once, none waits in memory. */
export function openLog({ level, format, stream = process.stderr, colour = false }: LogOptions): Log {
  const pretty = format === 'pretty' || (format === 'auto' && stream.isTTY === true)
  const write = (line: string) => {
    const record = redact(JSON.parse(line)) as Record<string, unknown>
    stream.write(pretty ? prettyLine(record, colour) : `${JSON.stringify(record)}\n`)
  }
  const options = {
    level,
    base: null,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: presentError },
  }
  return pino(options, { write })
}

const masked = '***'

/** Members that are never written, whatever their case and without `-` and `_`. */
const hiddenNames = new Set([
  ...['authorization', 'proxyauthorization', 'cookie', 'setcookie'],
  ...['password', 'pass', 'passwd', 'secret', 'clientsecret', 'clientassertion', 'assertion', 'apikey'],
  ...['token', 'accesstoken', 'refreshtoken', 'idtoken', 'privatejwk', 'privatekey', 'keypem'],
  ...['body', 'bodypreview', 'uniquebody', 'content', 'contentbytes', 'mime'],
])

/** A value of JSON without what must not be written: hidden members, tokens and passwords inside texts. */
export function redact(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value)
  if (Array.isArray(value)) return value.map(redact)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, isHidden(name) ? masked : redact(member)]),
  )
}

function isHidden(name: string): boolean {
  return hiddenNames.has(name.replace(/[-_]/g, '').toLowerCase())
}

/** A text without JSON web tokens, `Bearer` values and passwords in URLs. */
export function redactText(text: string): string {
  return maskPasswords(text)
    .replace(/\beyJ[\w-]+\.[\w-]+(\.[\w-]*)*/g, masked)
    .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, `$1 ${masked}`)
}

/** `smtp://user:password@host` → `smtp://user:***@host`, wherever in the text such URLs stand. */
export function maskPasswords(text: string): string {
  // Greedy up to the last @: a password may hold one that nobody escaped.
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:@/]*):[^\s/?#]*@/gi, `$1:${masked}@`)
}

/** What is worth keeping of an error; its other members could hold anything. */
function presentError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? { code: String(error.code) } : {}
  return { type: error.name, message: error.message, ...code, stack: error.stack }
}

const colours: Readonly<Record<string, number>> = { trace: 90, debug: 90, info: 36, warn: 33, error: 31, fatal: 31 }

/** `12:34:56 info  listening port=3650`, and below it the stack of an error. */
function prettyLine(record: Record<string, unknown>, colour: boolean): string {
  const { level, time, msg, err, ...rest } = record
  const name = String(level)
  const clock = new Date(Number(time)).toTimeString().slice(0, 8)
  const label = colour ? `\x1b[${colours[name] ?? 0}m${name.padEnd(5)}\x1b[0m` : name.padEnd(5)
  const members = Object.entries(rest).map(([key, value]) => `${key}=${prettyValue(value)}`)
  const line = [clock, label, ...(msg === undefined ? [] : [printable(String(msg))]), ...members].join(' ')
  return `${line}\n${prettyError(err)}`
}

function prettyValue(value: unknown): string {
  const plain = typeof value === 'string' && /^[^\s"=]+$/.test(value)
  return printable(plain ? value : JSON.stringify(value))
}

function prettyError(err: unknown): string {
  if (typeof err !== 'object' || err === null) return err === undefined ? '' : `  ${printable(String(err))}\n`
  const { stack, message } = err as { stack?: string; message?: string }
  const lines = (stack ?? message ?? '').split('\n')
  return lines.map((line) => `  ${printable(line)}\n`).join('')
}

/** Text from outside without control characters: those could forge lines or steer the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
