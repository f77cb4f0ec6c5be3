/**
 * Every setting, in one table. From a row come the type of the setting, its flag (`--https-port`), its variable
 * (`GRAPHPOST_HTTPS_PORT`), its key in the config file (`httpsPort`), its line in `--help` and in `docs/settings.md`.
 * A flag wins over a variable, a variable over the config file, the config file over the default.
 */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'

/** How a setting is written, and what comes of it. */
interface Kind<Value extends string | number | boolean> {
  /** Stands for the value in help; empty for a switch, which needs none. */
  readonly placeholder: string
  /** What a value must be: the end of the sentence that refuses one. */
  readonly expected: string
  /** The value, or undefined when the text is none. Relative paths are taken from `base`. */
  readonly read: (text: string, base: string) => Value | undefined
}

/** One row of the table. */
export interface Setting {
  readonly kind: Kind<string | number | boolean>
  /** As a person would write it. */
  readonly default: string
  /** One sentence. */
  readonly meaning: string
  /** Heading it stands under. */
  readonly group: 'What is kept' | 'Who signs in' | 'Where it listens' | 'Mail going out' | 'Limits' | 'Log'
  /** Which commands take it as a flag: only the server, or every command that opens what is kept. */
  readonly commands: 'start' | 'every'
  /** May hold a password: never printed. */
  readonly secret?: true
}

/** Value of a port that is not to be opened. */
export const notOpened = -1

const text: Kind<string> = {
  placeholder: 'TEXT',
  expected: 'must not be empty',
  read: (given) => (given === '' ? undefined : given),
}

const folder: Kind<string> = {
  placeholder: 'FOLDER',
  expected: 'must be the path of a folder',
  read: (given, base) => (given === '' ? undefined : resolve(base, given)),
}

const file: Kind<string> = {
  placeholder: 'FILE',
  expected: 'must be the path of a file',
  read: (given, base) => (given === '' ? '' : resolve(base, given)),
}

const onOff: Kind<boolean> = {
  placeholder: '',
  expected: 'must be on or off (or true, false, 1, 0)',
  read: (given) => {
    if (/^(on|true|yes|1)$/i.test(given)) return true
    return /^(off|false|no|0)$/i.test(given) ? false : undefined
  },
}

const port: Kind<number> = {
  placeholder: 'PORT',
  expected: 'must be a port from 1 to 65535, 0 for any free one, or off',
  read: (given) => (/^(off|-1)$/i.test(given) ? notOpened : readInteger(given, 0, 65_535)),
}

const domain: Kind<string> = {
  placeholder: 'DOMAIN',
  expected: 'must be a domain name',
  read: (given) =>
    given.length <= 253 && /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(given)
      ? given.toLowerCase()
      : undefined,
}

/** The address this server is reached at from outside, without the slash at its end. */
const baseUrl: Kind<string> = {
  placeholder: 'URL',
  expected: 'must be an http or https URL without query or fragment',
  read: (given) => {
    if (given === '') return ''
    const url = readUrl(given, ['http', 'https'])
    return url === undefined || url.search !== '' || url.hash !== '' ? undefined : url.href.replace(/\/+$/, '')
  },
}

/** The URL of another server, in one of the schemes; empty for none. */
function serverUrl(...schemes: string[]): Kind<string> {
  return {
    placeholder: 'URL',
    expected: `must be a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')} and names a host`,
    read: (given) => (given === '' || readUrl(given, schemes) !== undefined ? given : undefined),
  }
}

/** URLs of other servers, in one of the schemes, separated by blanks; empty for none. */
function serverUrls(...schemes: string[]): Kind<string> {
  const one = serverUrl(...schemes)
  return {
    placeholder: 'URLS',
    expected: `${one.expected}; several are separated by blanks`,
    read: (given) => (given.split(/\s+/).every((url) => one.read(url, '') !== undefined) ? given.trim() : undefined),
  }
}

/** Domains and addresses, separated by blanks or commas; empty for none. */
const recipients: Kind<string> = {
  placeholder: 'PATTERNS',
  expected: 'must be domains or addresses, such as contoso.com, *.contoso.com or ada@contoso.com',
  read: (given) =>
    given.split(/[\s,]+/).every((pattern) => /^(\*|all|(\*\.|[^\s@,*]+@)?[^\s@,*]+)?$/.test(pattern))
      ? given
      : undefined,
}

const address: Kind<string> = {
  placeholder: 'ADDRESS',
  expected: 'must be an address such as bounces@contoso.com',
  read: (given) => (given === '' || /^[^\s@<>]+@[^\s@<>]+$/.test(given) ? given : undefined),
}

function integer(min: number, max: number): Kind<number> {
  return {
    placeholder: 'NUMBER',
    expected: `must be a whole number from ${min} to ${max}`,
    read: (given) => readInteger(given, min, max),
  }
}

const unitMs: Record<string, number> = { '': 1, ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Longest duration: what a timer of Node can wait is a little more. */
const maxDurationMs = 24 * 86_400_000

/**
 * Reads `15s`, `1h`, `500ms`, or a number of milliseconds.
 *
 * @returns milliseconds; undefined when the text is no duration or out of bounds
 */
export function readDuration(given: string, minMs = 0, maxMs = maxDurationMs): number | undefined {
  return readWithUnit(given, unitMs, minMs, maxMs)
}

function duration(minMs: number): Kind<number> {
  return {
    placeholder: 'TIME',
    expected: `must be a duration such as 500ms, 15s, 2m or 1h, ${minMs === 0 ? '' : `at least ${minMs}ms and `}at most 24d`,
    read: (given) => readDuration(given, minMs),
  }
}

/** Waits one after the other, as `1s,1s,2s,5s`; empty for none. */
const durations: Kind<string> = {
  placeholder: 'TIMES',
  expected: 'must be durations separated by commas, such as 5m,10m,1h, each at least 1ms and at most 24d',
  read: (given) => (given === '' || readDurations(given) !== undefined ? given : undefined),
}

/** @returns milliseconds, in order; undefined when a part of the text is no duration */
export function readDurations(given: string): [number, ...number[]] | undefined {
  const [first, ...others] = given.split(',').map((part) => readDuration(part.trim(), 1))
  if (first === undefined || !others.every((each) => each !== undefined)) return undefined
  return [first, ...others]
}

/** Longest age of a key: ten years. */
const maxKeyDays = 3_650

/** Any text, also none. */
const optionalText: Kind<string> = {
  placeholder: 'TEXT',
  expected: 'must be a text',
  read: (given) => given,
}

const keyLifetime: Kind<number> = {
  placeholder: 'TIME',
  expected: `must be a duration such as 30d, from 1d to ${maxKeyDays}d`,
  read: (given) => readDuration(given, unitMs.d ?? 0, maxKeyDays * (unitMs.d ?? 0)),
}

/** Deliveries a minute; 0 for no bound. */
const rate: Kind<number> = {
  placeholder: 'NUMBER',
  expected: 'must be a whole number from 1 to 1000000, or off',
  read: (given) => (/^off$/i.test(given) ? 0 : readInteger(given, 1, 1_000_000)),
}

const unitBytes: Record<string, number> = {
  ...{ '': 1, b: 1, kib: 1_024, mib: 1_048_576, gib: 1_073_741_824, tib: 1_099_511_627_776 },
  ...{ kb: 1_000, mb: 1_000_000, gb: 1_000_000_000, tb: 1_000_000_000_000 },
}

function bytes(min: number, max: number): Kind<number> {
  return {
    placeholder: 'SIZE',
    expected: `must be a size in bytes such as 4194304 or 4MiB, from ${min} to ${max}`,
    read: (given) => readWithUnit(given, unitBytes, min, max),
  }
}

/** How long mail is kept; 0: for ever. */
const retentionAge: Kind<number> = {
  placeholder: 'TIME',
  expected: `must be a duration such as 30d, from 1d to ${maxKeyDays}d`,
  read: (given) => (given === '' ? 0 : readDuration(given, unitMs.d ?? 0, maxKeyDays * (unitMs.d ?? 0))),
}

/** How much mail is kept; 0: as much as fits. */
const retentionBytes: Kind<number> = {
  placeholder: 'SIZE',
  expected: 'must be a size such as 500MB or 10GiB, at least 1MiB',
  read: (given) => (given === '' ? 0 : readWithUnit(given, unitBytes, 1_048_576, Number.MAX_SAFE_INTEGER)),
}

/** Value of a limit that is left to the preset. */
const asPreset = -1

/** A limit that a preset has a value for; 0 is none. */
function limit(max: number): Kind<number> {
  return {
    placeholder: 'NUMBER',
    expected: `must be preset, or a whole number from 0 (no limit) to ${max}`,
    read: (given) => (given === 'preset' ? asPreset : readInteger(given, 0, max)),
  }
}

function choice<const Word extends string>(...words: Word[]): Kind<Word> {
  return {
    placeholder: 'WORD',
    expected: `must be one of ${words.join(', ')}`,
    read: (given) => words.find((word) => word === given),
  }
}

/** Every setting. A new one is a row here and nothing else. */
export const settingsTable = {
  config: {
    kind: file,
    default: '',
    group: 'What is kept',
    commands: 'every',
    meaning: 'JSON file with settings by their keys; it cannot name another.',
  },
  data: {
    kind: folder,
    default: '.graphpost',
    group: 'What is kept',
    commands: 'every',
    meaning: 'Folder for mail, keys and certificates; made when missing. In a config file relative to that file.',
  },
  memory: {
    kind: onOff,
    default: 'off',
    group: 'What is kept',
    commands: 'start',
    meaning: 'Keep everything in memory and nothing on disk: gone when the server stops.',
  },
  store: {
    kind: serverUrl('postgres', 'postgresql'),
    default: '',
    group: 'What is kept',
    commands: 'every',
    secret: true,
    meaning: 'PostgreSQL to keep mail in, as postgres://user:password@host/database; empty: SQLite in the data folder.',
  },
  domain: {
    kind: domain,
    default: 'contoso.com',
    group: 'What is kept',
    commands: 'every',
    meaning: 'Domain of the first tenant, made in an empty store.',
  },
  samples: {
    kind: onOff,
    default: 'on',
    group: 'What is kept',
    commands: 'every',
    meaning: 'Make sample mailboxes in an empty store.',
  },
  retention: {
    kind: retentionAge,
    default: '',
    group: 'What is kept',
    commands: 'start',
    meaning:
      'Age beyond which mail is deleted for good, drafts and what is being delivered aside; empty: it is kept for ever.',
  },
  retentionSize: {
    kind: retentionBytes,
    default: '',
    group: 'What is kept',
    commands: 'start',
    meaning: 'Size of all mail together beyond which the oldest is deleted for good; empty: as much as fits.',
  },
  directory: {
    kind: file,
    default: '',
    group: 'Who signs in',
    commands: 'start',
    meaning:
      'YAML or JSON file with tenants, users, shared mailboxes, groups and applications, brought into the store at each start; see docs/directory.md.',
  },
  development: {
    kind: choice('auto', 'on', 'off'),
    default: 'auto',
    group: 'Who signs in',
    commands: 'start',
    meaning:
      'Development identity: accounts are picked without a password, and the well-known application and password are good; auto: on while no mail can leave.',
  },
  trustedIssuers: {
    kind: optionalText,
    default: '',
    group: 'Who signs in',
    commands: 'start',
    meaning:
      'Issuers of OpenID Connect whose tokens are taken beside our own, separated by blanks or commas, as https://login.microsoftonline.com/{tenant id}/v2.0.',
  },
  trustedAudiences: {
    kind: optionalText,
    default: '',
    group: 'Who signs in',
    commands: 'start',
    meaning: "Audiences that mean this server in those issuers' tokens, beside Graph's own.",
  },
  keyRotation: {
    kind: keyLifetime,
    default: '90d',
    group: 'Who signs in',
    commands: 'start',
    meaning: 'Age at which the key that signs tokens is followed by a new one; what the old one signed stays good.',
  },
  host: {
    kind: text,
    default: '127.0.0.1',
    group: 'Where it listens',
    commands: 'start',
    meaning: 'Address to listen on; 0.0.0.0 or :: lets other machines in.',
  },
  port: {
    kind: port,
    default: '3650',
    group: 'Where it listens',
    commands: 'start',
    meaning: 'Port for http; 0 picks a free one, off opens none.',
  },
  httpsPort: {
    kind: port,
    default: '3651',
    group: 'Where it listens',
    commands: 'start',
    meaning: 'Port for https, with a certificate of our own authority; 0 picks a free one, off opens none.',
  },
  tlsCert: {
    kind: file,
    default: '',
    group: 'Where it listens',
    commands: 'start',
    meaning:
      'PEM file of your own https certificate and its chain, in place of one of our authority; read again when it changes and at SIGHUP.',
  },
  tlsKey: {
    kind: file,
    default: '',
    group: 'Where it listens',
    commands: 'start',
    meaning: 'PEM file of the private key of tlsCert, without a passphrase.',
  },
  smtpPort: {
    kind: port,
    default: '3625',
    group: 'Where it listens',
    commands: 'start',
    meaning: 'Port for SMTP; 0 picks a free one, off opens none.',
  },
  lmtpPort: {
    kind: port,
    default: 'off',
    group: 'Where it listens',
    commands: 'start',
    meaning: 'Port for LMTP, for a mail server before this one; 0 picks a free one, off opens none.',
  },
  metricsPort: {
    kind: port,
    default: 'off',
    group: 'Where it listens',
    commands: 'start',
    meaning:
      'Port for /metrics, for Prometheus, which needs no token there; 0 picks a free one, off opens none and counts nothing.',
  },
  metricsHost: {
    kind: text,
    default: '127.0.0.1',
    group: 'Where it listens',
    commands: 'start',
    meaning: 'Address that /metrics listens on.',
  },
  publicUrl: {
    kind: baseUrl,
    default: '',
    group: 'Where it listens',
    commands: 'start',
    meaning:
      'Base of the links in answers when clients come through a proxy; empty: as the client called us, which a name of the cloud always is.',
  },
  relay: {
    kind: serverUrls('smtp', 'smtps'),
    default: '',
    group: 'Mail going out',
    commands: 'start',
    secret: true,
    meaning:
      'SMTP server that mail leaves through, as smtp://user:password@host:587?tls=required; several, separated by blanks, are tried in order; empty: mail is captured, none leaves. See docs/delivery.md.',
  },
  deliver: {
    kind: choice('relay', 'mx', 'capture'),
    default: 'relay',
    group: 'Mail going out',
    commands: 'start',
    meaning:
      "How mail leaves that no route names: through the relay, straight to the servers of its recipients' domains (mx), or not at all (capture: whatever else is set).",
  },
  routes: {
    kind: file,
    default: '',
    group: 'Mail going out',
    commands: 'start',
    meaning: 'YAML or JSON file of relays and of who goes through which; see docs/delivery.md.',
  },
  allowRecipients: {
    kind: recipients,
    default: '',
    group: 'Mail going out',
    commands: 'start',
    meaning:
      'Domains and addresses that mail may leave for, as contoso.com,*.example.org; for all others it is captured. Empty: everybody.',
  },
  hold: {
    kind: recipients,
    default: '',
    group: 'Mail going out',
    commands: 'start',
    meaning: 'Domains and addresses whose mail waits until somebody releases it; all: every mail that would leave.',
  },
  bounceAddress: {
    kind: address,
    default: '',
    group: 'Mail going out',
    commands: 'start',
    meaning: 'Return path of mail that leaves, where bounces of other servers go; empty: its sender.',
  },
  dkim: {
    kind: file,
    default: '',
    group: 'Mail going out',
    commands: 'start',
    meaning: 'Folder of DKIM keys that mail is signed with, as the command dkim makes it; empty: none is signed.',
  },
  mxPrivate: {
    kind: onOff,
    default: 'off',
    group: 'Mail going out',
    commands: 'start',
    meaning: 'With deliver mx: servers in private networks and on this machine are good, too.',
  },
  dnsServers: {
    kind: optionalText,
    default: '',
    group: 'Mail going out',
    commands: 'start',
    meaning: "With deliver mx: DNS servers to ask, as 192.0.2.1,[2001:db8::1]:53; empty: the system's.",
  },
  hostname: {
    kind: domain,
    default: 'graphpost.localhost',
    group: 'Mail going out',
    commands: 'start',
    meaning: 'Our host name in Message-IDs and in EHLO.',
  },
  delayWarning: {
    kind: duration(0),
    default: '4h',
    group: 'Mail going out',
    commands: 'start',
    meaning: 'Age of a message that is not delivered at which its sender is told so, once; 0 tells nobody.',
  },
  deliveryConcurrency: {
    kind: integer(0, 1_000),
    default: '20',
    group: 'Mail going out',
    commands: 'start',
    meaning: 'How many deliveries run at once; 0 delivers nothing until the next start.',
  },
  retrySchedule: {
    kind: durations,
    default: '',
    group: 'Mail going out',
    commands: 'start',
    meaning:
      "Waits between the attempts for mail that could not be delivered, as 1s,1s,2s,5s; after the attempt that follows the last it is given up. Empty: Postfix's, 5 minutes doubling to 67, for five days.",
  },
  destinationConcurrency: {
    kind: integer(1, 1_000),
    default: '20',
    group: 'Mail going out',
    commands: 'start',
    meaning:
      'Deliveries at once to one destination domain. One domain never takes the last quarter of deliveryConcurrency.',
  },
  destinationRate: {
    kind: rate,
    default: 'off',
    group: 'Mail going out',
    commands: 'start',
    meaning: 'Deliveries a minute to one destination domain, or off.',
  },
  drainTimeout: {
    kind: duration(0),
    default: '30s',
    group: 'Mail going out',
    commands: 'start',
    meaning:
      'How long a stopping server waits for calls and deliveries under way; what is not done then is done after the next start.',
  },
  maxRequestBytes: {
    kind: bytes(1_024, 1_073_741_824),
    default: '4MiB',
    group: 'Limits',
    commands: 'start',
    meaning: 'Largest body of a call; Graph takes 4 MiB.',
  },
  maxMessageBytes: {
    kind: bytes(1_048_576, 2_147_483_648),
    default: '200MiB',
    group: 'Limits',
    commands: 'start',
    meaning: 'Largest message with its attachments. One file may have 150 MiB, as in Graph.',
  },
  maxRecipients: {
    kind: integer(1, 100_000),
    default: '500',
    group: 'Limits',
    commands: 'start',
    meaning: 'Recipients of one message, To, Cc and Bcc together; Graph takes 500.',
  },
  limits: {
    kind: choice('off', 'graph'),
    default: 'off',
    group: 'Limits',
    commands: 'start',
    meaning:
      'Whether calls and submissions are held to the limits that Graph documents: off for a gateway, graph to test what a client does about a 429. The five below change single ones of either.',
  },
  limitRequests: {
    kind: limit(1_000_000_000),
    default: 'preset',
    group: 'Limits',
    commands: 'start',
    meaning: 'Calls of one application in one mailbox within 10 minutes; Graph admits 10,000.',
  },
  limitConcurrency: {
    kind: limit(1_000_000),
    default: 'preset',
    group: 'Limits',
    commands: 'start',
    meaning: 'Calls of one application in one mailbox at the same time; Graph admits 4.',
  },
  limitUploadBytes: {
    kind: limit(1_000_000_000_000),
    default: 'preset',
    group: 'Limits',
    commands: 'start',
    meaning: 'Bytes that one application sends to one mailbox within 5 minutes; Graph admits 150 MB.',
  },
  limitRecipientsPerDay: {
    kind: limit(1_000_000_000),
    default: 'preset',
    group: 'Limits',
    commands: 'start',
    meaning: 'Recipients that a mailbox sends to within 24 hours; Exchange admits 10,000.',
  },
  limitMessagesPerMinute: {
    kind: limit(1_000_000),
    default: 'preset',
    group: 'Limits',
    commands: 'start',
    meaning: 'Messages that leave a mailbox within a minute, those beyond wait in the outbox; Exchange lets 30 go.',
  },
  smtpMaxBytes: {
    kind: bytes(65_536, 1_073_741_824),
    default: '35MiB',
    group: 'Limits',
    commands: 'start',
    meaning: 'Largest message taken over SMTP and LMTP; Exchange takes 35 MiB.',
  },
  smtpMaxRecipients: {
    kind: integer(100, 100_000),
    default: '500',
    group: 'Limits',
    commands: 'start',
    meaning:
      'Recipients of one message over SMTP and LMTP; more are put off with 452, and the peer sends them another one.',
  },
  smtpConnections: {
    kind: integer(1, 100_000),
    default: '100',
    group: 'Limits',
    commands: 'start',
    meaning: 'Connections of SMTP at once, and of LMTP; each can hold a message of smtpMaxBytes in memory.',
  },
  smtpTimeout: {
    kind: duration(100),
    default: '5m',
    group: 'Limits',
    commands: 'start',
    meaning: 'How long a peer may say nothing over SMTP and LMTP; RFC 5321 wants five minutes.',
  },
  headersTimeout: {
    kind: duration(1),
    default: '15s',
    group: 'Limits',
    commands: 'start',
    meaning: "How long a client may take to send a call's headers.",
  },
  requestTimeout: {
    kind: duration(1),
    default: '60s',
    group: 'Limits',
    commands: 'start',
    meaning: 'How long a client may take to send a whole call.',
  },
  keepAliveTimeout: {
    kind: duration(1),
    default: '65s',
    group: 'Limits',
    commands: 'start',
    meaning: 'How long a connection stays open without a call; longer than the 60 s of common load balancers.',
  },
  idempotency: {
    kind: choice('off', 'client-request-id', 'idempotency-key'),
    default: 'off',
    group: 'Limits',
    commands: 'start',
    meaning:
      'Header whose value makes a call that sends mail good for once in 24 hours: the same call with it is answered as before and sends nothing.',
  },
  callRecords: {
    kind: integer(0, 10_000_000),
    default: '10000',
    group: 'Limits',
    commands: 'start',
    meaning: 'How many call records are kept, the newest; 0 keeps none.',
  },
  logLevel: {
    kind: choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    default: 'info',
    group: 'Log',
    commands: 'every',
    meaning: 'Least weighty lines to log: trace, debug, info, warn, error, fatal or silent.',
  },
  otlp: {
    kind: baseUrl,
    default: '',
    group: 'Log',
    commands: 'start',
    meaning: 'Collector of OpenTelemetry that spans go to, as http://localhost:4318; empty: there are none.',
  },
  logFormat: {
    kind: choice('auto', 'pretty', 'json'),
    default: 'auto',
    group: 'Log',
    commands: 'every',
    meaning: 'Form of log lines: pretty, json, or auto (pretty on a terminal, json otherwise).',
  },
} as const satisfies Record<string, Setting>

/** Name of a setting; its key in the config file. */
export type SettingKey = keyof typeof settingsTable

type ValueOf<Row> = Row extends { readonly kind: Kind<infer Value> } ? Value : never

/** All settings, read: durations in ms, sizes in bytes, paths absolute, a port that is off {@link notOpened}, '' for none. */
export type Settings = { readonly [Key in SettingKey]: ValueOf<(typeof settingsTable)[Key]> }

/** A limit as it is to be kept: its own value, or that of the preset. @returns undefined when there is none */
export function limitOf(
  settings: Settings,
  key: 'limitRequests' | 'limitConcurrency' | 'limitUploadBytes' | 'limitRecipientsPerDay' | 'limitMessagesPerMinute',
  graph: number,
): number | undefined {
  const own = settings[key]
  if (own === asPreset) return settings.limits === 'graph' ? graph : undefined
  return own === 0 ? undefined : own
}

/** Every key, in the order of the table. */
export const settingKeys = Object.keys(settingsTable) as SettingKey[]

/** What was typed or configured cannot be used: one sentence that names what, and where it was set. Exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

/** `httpsPort` → `--https-port` */
export function flagOf(key: SettingKey): string {
  return `--${words(key).join('-')}`
}

/** `httpsPort` → `GRAPHPOST_HTTPS_PORT` */
export function variableOf(key: SettingKey): string {
  return `GRAPHPOST_${words(key).join('_').toUpperCase()}`
}

function words(key: SettingKey): string[] {
  return key.split(/(?=[A-Z])/).map((word) => word.toLowerCase())
}

/** A setting as the table has it, without the exact type of its row. */
export function settingOf(key: SettingKey): Setting {
  return settingsTable[key]
}

/** An option of one command that is not a setting. */
export interface CommandOption {
  /** Without the dashes. */
  readonly name: string
  /** Stands for the value in help; empty for a switch, which takes none. */
  readonly placeholder: string
  /** One sentence. */
  readonly meaning: string
}

/** A command line, taken apart. */
export interface Arguments {
  /** Settings given as flags, as text. */
  readonly flags: ReadonlyMap<SettingKey, string>
  /** The command's own options, each with what was given, in order; a switch is given as 'on'. */
  readonly options: ReadonlyMap<string, readonly string[]>
  readonly positionals: readonly string[]
  /** Those of them that stand after `--`. */
  readonly afterDashes: readonly string[]
}

/**
 * Takes a command line apart.
 *
 * @param keys the settings that may stand in it
 * @throws UsageError for an unknown option and for one without its value
 */
export function readArguments(
  argv: readonly string[],
  keys: readonly SettingKey[],
  own: readonly CommandOption[] = [],
): Arguments {
  const settings = new Map(keys.map((key) => [flagOf(key).slice(2), key]))
  const placeholders = new Map([
    ...keys.map((key): [string, string] => [flagOf(key).slice(2), settingOf(key).kind.placeholder]),
    ...own.map((option): [string, string] => [option.name, option.placeholder]),
  ])
  const flags = new Map<SettingKey, string>()
  const options = new Map<string, string[]>()
  const positionals: string[] = []
  let beforeDashes: number | undefined
  for (const token of tokensOf(argv, placeholders)) {
    if (token.kind === 'option-terminator') beforeDashes ??= positionals.length
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const { name, value } = readOption(token, placeholders)
    const key = settings.get(name)
    if (key === undefined) options.set(name, [...(options.get(name) ?? []), value])
    else flags.set(key, value)
  }
  return { flags, options, positionals, afterDashes: positionals.slice(beforeDashes ?? positionals.length) }
}

/** Not strict: what is wrong is said in our own words. */
function tokensOf(argv: readonly string[], placeholders: ReadonlyMap<string, string>) {
  const options = Object.fromEntries(
    [...placeholders].map(([name, placeholder]) => [
      name,
      { type: placeholder === '' ? ('boolean' as const) : ('string' as const) },
    ]),
  )
  return parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true }).tokens
}

type OptionToken = Extract<ReturnType<typeof tokensOf>[number], { kind: 'option' }>

function readOption(token: OptionToken, placeholders: ReadonlyMap<string, string>): { name: string; value: string } {
  const { rawName, value } = token
  const negated = token.name.startsWith('no-') && placeholders.get(token.name.slice(3)) === '' && value === undefined
  const name = negated ? token.name.slice(3) : token.name
  const placeholder = rawName.startsWith('--') ? placeholders.get(name) : undefined
  if (placeholder === undefined) throw new UsageError(`There is no option ${rawName} here.`)
  if (placeholder === '') return { name, value: negated ? 'off' : (value ?? 'on') }
  // "--data --memory" is a forgotten value; "-1" is a number.
  const forgotten = value === undefined || (!token.inlineValue && /^-./.test(value) && !/^-\d+$/.test(value))
  if (forgotten) throw new UsageError(`The option ${rawName} needs a value: ${rawName} ${placeholder}.`)
  return { name, value }
}

/** One value as it was found, and where. */
interface Given {
  readonly text: string
  /** For the sentence that refuses it: `--port`, `GRAPHPOST_PORT`, `"port" in graphpost.json`. */
  readonly place: string
  /** What a relative path is relative to. */
  readonly base: string
}

/** Where settings come from. */
export interface SettingSources {
  readonly flags: ReadonlyMap<SettingKey, string>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute path of the working directory. */
  readonly cwd: string
}

/**
 * Brings flags, variables, config file and defaults together.
 *
 * @throws UsageError for a value that cannot be used, an unknown key, a config file that cannot be read
 */
export function resolveSettings(sources: SettingSources): Settings {
  const given = (key: SettingKey) => fromFlag(key, sources) ?? fromVariable(key, sources)
  const config = readSetting('config', given('config') ?? fromDefault('config', sources))
  const inFile = config === '' ? new Map<SettingKey, Given>() : readConfigFile(String(config))
  const entries = settingKeys.map((key) => [
    key,
    readSetting(key, given(key) ?? inFile.get(key) ?? fromDefault(key, sources)),
  ])
  const settings = Object.fromEntries(entries) as Settings
  if (settings.memory && settings.store !== '') {
    throw new UsageError('The settings memory and store exclude each other: keep mail in memory or in PostgreSQL.')
  }
  if (settings.deliver === 'mx' && settings.relay !== '') {
    throw new UsageError(
      'The settings deliver=mx and relay exclude each other: mail for some through a relay is a route.',
    )
  }
  if ((settings.tlsCert === '') !== (settings.tlsKey === '')) {
    throw new UsageError('The settings tlsCert and tlsKey belong together: give both files or neither.')
  }
  return settings
}

function fromFlag(key: SettingKey, { flags, cwd }: SettingSources): Given | undefined {
  const text = flags.get(key)
  return text === undefined ? undefined : { text, place: flagOf(key), base: cwd }
}

/** An empty variable counts as not set: compose files pass those on for what nobody chose. */
function fromVariable(key: SettingKey, { env, cwd }: SettingSources): Given | undefined {
  const text = env[variableOf(key)] ?? ''
  return text === '' ? undefined : { text, place: variableOf(key), base: cwd }
}

function fromDefault(key: SettingKey, { cwd }: SettingSources): Given {
  return { text: settingOf(key).default, place: 'default', base: cwd }
}

function readSetting(key: SettingKey, { text, place, base }: Given): string | number | boolean {
  const { kind, secret } = settingOf(key)
  const value = kind.read(text, base)
  if (value === undefined) {
    const shown = secret === true ? 'The value' : `"${text}"`
    throw new UsageError(`${shown} cannot be used for the setting ${key}, given by ${place}: it ${kind.expected}.`)
  }
  return value
}

function readConfigFile(path: string): Map<SettingKey, Given> {
  const given = new Map<SettingKey, Given>()
  for (const [key, value] of Object.entries(parseConfigFile(path))) {
    // Lets an editor find the schema; not a setting.
    if (key === '$schema') continue
    if (key === 'config' || !Object.hasOwn(settingsTable, key)) {
      throw new UsageError(`The config file ${path} has an unknown key "${key}"; settings.md lists the known ones.`)
    }
    if (typeof value === 'object') {
      throw new UsageError(`The setting ${key}, given by "${key}" in ${path}, must be a text, a number, true or false.`)
    }
    given.set(key as SettingKey, { text: String(value), place: `"${key}" in ${path}`, base: dirname(path) })
  }
  return given
}

function parseConfigFile(path: string): object {
  const content = readText(path)
  try {
    const json: unknown = JSON.parse(content)
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json
  } catch {
    // The parser's own message quotes the file, which may hold a password.
    throw new UsageError(`The config file ${path} is not valid JSON.`)
  }
  throw new UsageError(`The config file ${path} must hold a JSON object of settings.`)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new UsageError(`The config file ${path} cannot be read (${code}).`)
  }
}

function readInteger(given: string, min: number, max: number): number | undefined {
  const value = /^\d{1,15}$/.test(given) ? Number(given) : Number.NaN
  return value >= min && value <= max ? value : undefined
}

function readWithUnit(given: string, units: Record<string, number>, min: number, max: number): number | undefined {
  const [, digits = '', unit = ''] = /^(\d{1,15})\s*([a-z]*)$/i.exec(given) ?? []
  const factor = Object.hasOwn(units, unit.toLowerCase()) ? units[unit.toLowerCase()] : undefined
  const value = digits === '' || factor === undefined ? Number.NaN : Number(digits) * factor
  return value >= min && value <= max ? value : undefined
}

function readUrl(given: string, schemes: readonly string[]): URL | undefined {
  if (!URL.canParse(given)) return undefined
  const url = new URL(given)
  return schemes.includes(url.protocol.slice(0, -1)) && url.hostname !== '' ? url : undefined
}
