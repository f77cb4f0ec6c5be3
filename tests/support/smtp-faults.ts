/**
 * The fault suite of SMTP: every misdeed of a peer, and the fate each recipient must come to. The cases are one table,
 * which a test runs in its short form and a script at length, printing what came of each.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { localCertificate } from '../../src/http/certificate.js'
import { fateOf } from '../../src/outbox/fate.js'
import type { Outcome } from '../../src/outbox/outcome.js'
import type { RelayAddress } from '../../src/outbox/relay-url.js'
import { openPeer, type RecipientReply, type SmtpTimeouts } from '../../src/outbox/smtp.js'
import { type FaultScript, type FaultyPeer, type Misdeed, type Point, startFaultyPeer } from './faulty-peer.js'

/** Certificates of the peers. */
export interface Certificates {
  /** PEM of the authority that the client trusts. */
  readonly ca: string
  readonly good: { readonly cert: string; readonly key: string }
  readonly ofStranger: { readonly cert: string; readonly key: string }
  readonly expired: { readonly cert: string; readonly key: string }
}

/** Made once for a run. */
export async function faultCertificates(): Promise<Certificates> {
  const trusted = await localCertificate(undefined)
  const stranger = await localCertificate(undefined)
  const expired = await localCertificate(undefined, { now: Date.now() - 3 * 365 * 86_400_000 })
  return {
    ca: trusted.caPem + expired.caPem,
    good: { cert: trusted.certPem, key: trusted.keyPem },
    ofStranger: { cert: stranger.certPem, key: stranger.keyPem },
    expired: { cert: expired.certPem, key: expired.keyPem },
  }
}

/** One misdeed, and what must come of it. */
export interface FaultCase {
  readonly name: string
  readonly script: FaultScript
  /** Nobody listens. */
  readonly isDown?: true
  /** The peer keeps us waiting: we wait a short time only. */
  readonly isSlow?: true
  /** How the client was told to connect; opportunistic TLS, without a password, unless given. */
  readonly relay?: Partial<RelayAddress>
  readonly content?: Buffer
  readonly recipients?: readonly string[]
  /**
   * The fate of each recipient, in their order; one for all when it is one. `as answered`: relayed when the whole of 250
   * went out, delayed when not.
   */
  readonly fate: Outcome | readonly Outcome[] | 'as answered'
  /** What the record of the first recipient must say. */
  readonly says?: RegExp
  /** What must be true of the peer's side afterwards. @returns what is wrong; undefined when nothing is */
  readonly also?: (peer: FaultyPeer) => string | undefined
}

export const [ada, ben] = ['ada@fabrikam.example', 'ben@fabrikam.example'] as const

const content = Buffer.from('From: me@contoso.example\r\nSubject: hello\r\n\r\nhow are you?\r\n')

const bare: RelayAddress = { host: 'localhost', port: 0, tls: 'opportunistic', verify: true }
const password = { user: 'me', password: 'pa55word' } as const

/** Every case but those at each byte. */
export function faultCases(certificates: Certificates): FaultCase[] {
  return [
    ...connecting(),
    ...refusals(certificates),
    ...breaks(certificates),
    ...slowness(),
    ...floods(),
    ...tlsFaults(certificates),
    ...partial(),
    ...extensions(),
  ]
}

function connecting(): FaultCase[] {
  return [
    { name: 'nothing is wrong', script: {}, fate: 'relayed', says: /^250 2\.0\.0/ },
    { name: 'nobody listens', script: {}, isDown: true, fate: 'delayed', says: /ECONNREFUSED/ },
    { name: 'no banner', script: { at: { greeting: 'stall' } }, isSlow: true, fate: 'delayed' },
    {
      name: 'banner 421',
      script: { at: { greeting: { say: '421 4.3.2 busy' } } },
      fate: 'delayed',
      says: /^421 4\.3\.2/,
    },
    // RFC 5321 §3.1: the server takes no mail now; it says nothing about any address.
    {
      name: 'banner 554',
      script: { at: { greeting: { say: '554 5.3.2 closed' } } },
      fate: 'delayed',
      says: /^554 5\.3\.2/,
    },
    { name: 'banner of another protocol', script: { at: { greeting: { say: 'SSH-2.0-x' } } }, fate: 'delayed' },
  ]
}

const verbs = ['MAIL', 'RCPT', 'DATA', 'dot'] as const

function refusals({ good }: Certificates): FaultCase[] {
  const about = verbs.flatMap((verb): FaultCase[] => [
    {
      name: `${verb} 451`,
      script: { at: { [verb]: { say: '451 4.7.1 later' } } },
      fate: 'delayed',
      says: /^451 4\.7\.1/,
    },
    { name: `${verb} 421`, script: { at: { [verb]: { say: '421 4.3.2 closing' } } }, fate: 'delayed' },
    {
      name: `${verb} 550`,
      script: { at: { [verb]: { say: '550 5.7.1 never' } } },
      fate: 'failed',
      says: /^550 5\.7\.1/,
    },
    { name: `${verb} nonsense`, script: { at: { [verb]: { say: 'what?' } } }, fate: 'delayed' },
    { name: `${verb} 999`, script: { at: { [verb]: { say: '999 what?' } } }, fate: 'delayed' },
    {
      name: `${verb} refused in three lines`,
      script: { at: { [verb]: { say: '554-5.7.1 never\r\n554-5.7.1 ever\r\n554 5.7.1 again' } } },
      fate: 'failed',
      says: /^554 5\.7\.1 never ever again$/,
    },
  ])
  const login = { tls: { mode: 'none' }, credentials: password } as const
  const both = (say: string): FaultScript => ({ at: { EHLO: { say }, HELO: { say } } })
  return [
    ...about,
    { name: 'EHLO 451 and HELO 451', script: both('451 4.7.1 later'), fate: 'delayed', says: /^451 4\.7\.1/ },
    { name: 'EHLO 550 and HELO 550', script: both('550 5.7.1 never'), fate: 'failed', says: /^550 5\.7\.1/ },
    { name: 'EHLO 421', script: { at: { EHLO: { say: '421 4.3.2 busy' } } }, fate: 'delayed', says: /^421/ },
    { name: 'EHLO 502, HELO does', script: { at: { EHLO: { say: '502 5.5.1 what?' } } }, fate: 'relayed' },
    {
      name: 'STARTTLS 454',
      script: { tls: good, at: { STARTTLS: { say: '454 4.7.0 not now' } } },
      fate: 'delayed',
      says: /454/,
    },
    {
      name: 'STARTTLS 502',
      script: { tls: good, at: { STARTTLS: { say: '502 5.5.1 what?' } } },
      fate: 'delayed',
      says: /502/,
    },
    ...['454 4.7.0 later', '535 5.7.8 wrong'].map(
      (say): FaultCase => ({
        name: `AUTH ${say.slice(0, 3)}`,
        script: { auth: ['PLAIN'], at: { AUTH: { say } } },
        relay: login.credentials && { tls: 'none', credentials: login.credentials },
        fate: 'delayed',
        says: new RegExp(say),
        also: noMail,
      }),
    ),
    {
      name: 'AUTH 535 that says the password back',
      script: {
        auth: ['PLAIN'],
        at: { AUTH: { say: `535 5.7.8 not ${Buffer.from('\0me\0pa55word').toString('base64')} nor pa55word` } },
      },
      relay: { tls: 'none', credentials: password },
      fate: 'delayed',
      says: /^AUTH PLAIN: 535 5\.7\.8 not \*\*\* nor \*\*\*$/,
    },
    {
      name: 'AUTH PLAIN taken',
      script: { auth: ['PLAIN'] },
      relay: { tls: 'none', credentials: password },
      fate: 'relayed',
      also: heard(/^AUTH PLAIN /),
    },
    {
      name: 'AUTH LOGIN taken',
      script: { auth: ['LOGIN'] },
      relay: { tls: 'none', credentials: password },
      fate: 'relayed',
      also: heard(/^AUTH LOGIN/),
    },
    {
      name: 'AUTH XOAUTH2 taken',
      script: { auth: ['XOAUTH2'] },
      relay: { tls: 'none', credentials: { ...password, method: 'xoauth2' } },
      fate: 'relayed',
      also: heard(/^AUTH XOAUTH2 /),
    },
  ]
}

/** Closed around each answer; what stands after the final dot is the one place where the peer may hold a copy unknown to us. */
function breaks({ good }: Certificates): FaultCase[] {
  const points: Point[] = ['greeting', 'EHLO', 'STARTTLS', 'AUTH', 'MAIL', 'RCPT', 'DATA', 'dot']
  return points.flatMap((point) =>
    (['before', 'within', 'after'] as const).map(
      (close): FaultCase => ({
        name: `${point}: closes ${close} the answer`,
        script: {
          at: { [point]: { close } },
          ...(point === 'STARTTLS' ? { tls: good } : {}),
          ...(point === 'AUTH' ? { auth: ['PLAIN'] } : {}),
        },
        ...(point === 'AUTH' ? { relay: { tls: 'none', credentials: password } } : {}),
        fate: point === 'dot' && close === 'after' ? 'relayed' : 'delayed',
      }),
    ),
  )
}

function slowness(): FaultCase[] {
  const points: Point[] = ['EHLO', 'MAIL', 'RCPT', 'DATA', 'dot']
  const each = (name: string, misdeed: Misdeed): FaultCase[] =>
    points.map((point) => ({
      name: `${point}: ${name}`,
      script: { at: { [point]: misdeed } },
      isSlow: true,
      fate: 'delayed',
    }))
  return [
    ...each('stalls', 'stall'),
    ...each('answers after our patience', { lateMs: 600 }),
    ...(['greeting', ...points] as Point[]).map(
      (point): FaultCase => ({
        name: `${point}: a byte every 200 ms`,
        script: { at: { [point]: { byteEveryMs: 200 } } },
        isSlow: true,
        fate: 'delayed',
      }),
    ),
  ]
}

function floods(): FaultCase[] {
  const isBounded = (peer: FaultyPeer) =>
    peer.sentBytes > 9_000_000 * Math.max(1, peer.connections) ? `took ${peer.sentBytes} bytes` : undefined
  return (['greeting', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'dot'] as Point[]).flatMap((point): FaultCase[] => [
    {
      name: `${point}: a line of 10 MB`,
      script: { at: { [point]: { lineOfBytes: 10_000_000 } } },
      fate: 'delayed',
      also: isBounded,
    },
    { name: `${point}: an endless reply`, script: { at: { [point]: 'endless' } }, fate: 'delayed', also: isBounded },
  ])
}

function tlsFaults({ good, ofStranger, expired }: Certificates): FaultCase[] {
  const wasSecure = (peer: FaultyPeer) =>
    peer.taken.every(({ secure }) => secure) ? undefined : 'went out in the clear'
  const implicit = { tls: 'implicit' } as const
  const required = { tls: 'required' } as const
  return [
    { name: 'TLS offered and good', script: { tls: good }, fate: 'relayed', also: wasSecure },
    {
      name: 'TLS from the first byte',
      script: { tls: good, implicitTls: true },
      relay: implicit,
      fate: 'relayed',
      also: wasSecure,
    },
    { name: 'TLS offered, and we were told not to', script: { tls: good }, relay: { tls: 'none' }, fate: 'relayed' },
    { name: 'TLS stripped, not required', script: {}, fate: 'relayed' },
    { name: 'TLS stripped, required', script: {}, relay: required, fate: 'delayed', also: noMail },
    {
      name: 'TLS stripped, required, with a password',
      script: { auth: ['PLAIN'] },
      relay: { ...required, credentials: password },
      fate: 'delayed',
      also: (peer) =>
        noMail(peer) ?? (peer.heard.some((line) => line.startsWith('AUTH')) ? 'the password was sent' : undefined),
    },
    {
      name: 'TLS that is none',
      script: { tls: good, at: { STARTTLS: 'no handshake' } },
      isSlow: true,
      fate: 'delayed',
      also: noMail,
    },
    { name: 'implicit TLS that is none', script: {}, relay: implicit, fate: 'delayed', also: noMail },
    {
      name: 'certificate of a stranger',
      script: { tls: ofStranger },
      fate: 'delayed',
      says: /certificate|signature/i,
      also: noMail,
    },
    {
      name: 'certificate of a stranger, verify=no',
      script: { tls: ofStranger },
      relay: { verify: false },
      fate: 'relayed',
      also: wasSecure,
    },
    { name: 'certificate that is over', script: { tls: expired }, fate: 'delayed', says: /expired/i, also: noMail },
    {
      name: 'certificate for another name',
      script: { tls: good },
      relay: { servername: 'mx.fabrikam.example' },
      fate: 'delayed',
      says: /altnames|does not match/i,
      also: noMail,
    },
    {
      // The injected EHLO answer would make every message too large, and the recipients fail.
      name: 'replies injected before TLS',
      script: { tls: good, at: { STARTTLS: { inject: '250-evil\r\n250 SIZE 1' } } },
      fate: 'relayed',
      also: wasSecure,
    },
  ]
}

function partial(): FaultCase[] {
  const half = Array.from({ length: 20 }, (_, index) => `r${index}@fabrikam.example`)
  const isRefused = (address: string) => Number(address.slice(1, address.indexOf('@'))) % 2 === 1
  const reached = (peer: FaultyPeer) => {
    const wrong = peer.taken.find(({ rcptTo }) => rcptTo.length !== 10 || rcptTo.some(isRefused))
    return wrong === undefined ? undefined : `taken for ${wrong.rcptTo.join(' ')}`
  }
  return [true, false].flatMap((pipelining): FaultCase[] => {
    const script: FaultScript = { extensions: pipelining ? ['PIPELINING'] : [] }
    const how = pipelining ? 'with PIPELINING' : 'one at a time'
    return [
      {
        name: `half of the recipients refused, ${how}`,
        script: { ...script, rcpt: (address) => (isRefused(address) ? '550 5.1.1 unknown' : undefined) },
        recipients: half,
        fate: half.map((address) => (isRefused(address) ? 'failed' : 'relayed')),
        also: reached,
      },
      {
        name: `half of the recipients put off, ${how}`,
        script: { ...script, rcpt: (address) => (isRefused(address) ? '450 4.2.0 greylisted' : undefined) },
        recipients: half,
        fate: half.map((address) => (isRefused(address) ? 'delayed' : 'relayed')),
        also: reached,
      },
      {
        name: `one refused, and 421 in the middle, ${how}`,
        script: { ...script, rcpt: (address) => (address === ada ? '550 5.1.1 unknown' : '421 4.3.2 closing') },
        fate: ['failed', 'delayed'],
      },
      {
        name: `452 too many recipients, ${how}`,
        script: { ...script, rcpt: (address) => (address === ben ? '452 4.5.3 too many' : undefined) },
        fate: ['relayed', 'delayed'],
      },
    ]
  })
}

const eightBit = Buffer.from(
  'From: me@contoso.example\r\nSubject: hello\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n',
)

/** All sixteen combinations of what a peer may offer, for a message and an address that are not ASCII, and for one that is. */
function extensions(): FaultCase[] {
  const names = ['8BITMIME', 'SMTPUTF8', 'SIZE 1000', 'PIPELINING']
  const cases: FaultCase[] = [
    { name: 'SIZE too small', script: { extensions: ['SIZE 20'] }, fate: 'failed', says: /5\.3\.4/, also: noMail },
  ]
  for (let choice = 0; choice < 16; choice++) {
    const offered = names.filter((_, index) => (choice & (1 << index)) !== 0)
    const label = offered.length === 0 ? 'offers nothing' : `offers ${offered.join(' ')}`
    const offers = (name: string) => offered.some((one) => one.startsWith(name))
    cases.push(
      { name: `${label}: plain message`, script: { extensions: offered }, fate: 'relayed', also: has(offers, []) },
      {
        name: `${label}: 8-bit message`,
        script: { extensions: offered },
        content: eightBit,
        fate: 'relayed',
        also: has(offers, ['8BITMIME']),
      },
      {
        name: `${label}: address that is not ASCII`,
        script: { extensions: offered },
        recipients: ['grüße@fabrikam.example', ben],
        fate: offers('SMTPUTF8') ? 'relayed' : ['failed', 'relayed'],
        ...(offers('SMTPUTF8') ? {} : { says: /^553 5\.6\.7/ }),
        also: has(offers, ['SMTPUTF8']),
      },
    )
  }
  return cases
}

/** RFC 6152, 6531 and 1870: nothing is asked for that was not offered, and what is used was asked for. */
function has(offers: (name: string) => boolean, wanted: readonly string[]): (peer: FaultyPeer) => string | undefined {
  return ({ taken }) => {
    for (const { mailParameters, wire } of taken) {
      const asked = (name: string) => new RegExp(`\\b${name}\\b`).test(mailParameters)
      for (const name of ['8BITMIME', 'SMTPUTF8']) {
        if (asked(name) !== (offers(name) && wanted.includes(name))) return `${name}: asked with "${mailParameters}"`
      }
      if (asked('SIZE') !== offers('SIZE')) return `SIZE: asked with "${mailParameters}"`
      if (!asked('8BITMIME') && wire.some((byte) => byte > 127)) return '8-bit bytes were sent to a peer of 7 bits'
    }
    return undefined
  }
}

function noMail({ taken }: FaultyPeer): string | undefined {
  return taken.length === 0 ? undefined : 'a message was taken'
}

function heard(pattern: RegExp): (peer: FaultyPeer) => string | undefined {
  return (peer) => (peer.heard.some((line) => pattern.test(line)) ? undefined : `nobody said ${pattern}`)
}

/**
 * Connections that close after every byte of either side's words, up to the end of the dialogue.
 *
 * @param step every so manieth byte
 */
export function cutCases(step: number): FaultCase[] {
  const cases: FaultCase[] = []
  for (const pipelining of [true, false]) {
    const script: FaultScript = { extensions: pipelining ? ['PIPELINING'] : [] }
    const how = pipelining ? 'with PIPELINING' : 'one at a time'
    for (let bytes = 1; bytes <= (pipelining ? 225 : 209); bytes += step) {
      cases.push({
        name: `closes after ${bytes} bytes said, ${how}`,
        script: { ...script, closeAfterSent: bytes },
        fate: 'as answered',
      })
    }
    for (let bytes = 1; bytes <= 200; bytes += step) {
      cases.push({
        name: `closes after ${bytes} bytes heard, ${how}`,
        script: { ...script, closeAfterHeard: bytes },
        fate: 'as answered',
      })
    }
  }
  return cases
}

/** What came of a case. */
export interface FaultResult {
  readonly name: string
  readonly fates: string
  readonly said: string
  readonly mails: number
  readonly connections: number
  /** Copies that the peer holds beyond the one that each recipient may have. */
  readonly extraCopies: number
  readonly tookMs: number
  /** What is wrong, each a sentence; none when all is as it must be. */
  readonly faults: readonly string[]
}

/** Long enough for a busy machine; no case waits it out. */
const patience: SmtpTimeouts = { setupMs: 30_000, replyMs: 30_000, transactionMs: 60_000 }

/** Bounds that make a stalling peer quick to test. */
const shortPatience: SmtpTimeouts = { setupMs: 400, replyMs: 300, transactionMs: 1_500 }

/** Runs one case with that many mails at once. */
export async function runFaultCase(one: FaultCase, certificates: Certificates, mails = 1): Promise<FaultResult> {
  const peer = await startFaultyPeer(one.script)
  if (one.isDown) await peer.close()
  const startedAt = performance.now()
  const address: RelayAddress = { ...bare, ca: certificates.ca, ...one.relay, port: peer.port }
  const relay = openPeer(address, {
    hostname: 'mail.contoso.example',
    connections: 4,
    timeouts: one.isSlow ? shortPatience : patience,
  })
  const recipients = one.recipients ?? [ada, ben]
  try {
    const answers = await Promise.all(
      Array.from({ length: mails }, () =>
        relay.send({ mailFrom: 'me@contoso.example', recipients }, one.content ?? content),
      ),
    )
    relay.close()
    const tookMs = Math.round(performance.now() - startedAt)
    const isQuiet = await settles(() => peer.openSockets === 0)
    const [first = []] = answers
    return {
      name: one.name,
      fates: fatesOf(first).join(' '),
      said: first[0]?.remark ?? '',
      mails,
      connections: peer.connections,
      extraCopies: Math.max(0, peer.taken.length - mails),
      tookMs,
      faults: [
        ...answers.flatMap((replies) => faultsOf(one, recipients, replies)),
        ...(isQuiet ? [] : [`${peer.openSockets} connections were left open`]),
        ...(peer.taken.length > mails ? [`${peer.taken.length} copies of ${mails} mails`] : []),
        ...contradictions(peer, answers),
        ...[one.also?.(peer)].filter((fault) => fault !== undefined),
      ],
    }
  } finally {
    relay.close({ force: true })
    await peer.close().catch(() => {})
  }
}

function fatesOf(replies: readonly RecipientReply[]): string[] {
  return replies.map((reply) => fateOf(reply, 1).state)
}

function faultsOf(one: FaultCase, recipients: readonly string[], replies: readonly RecipientReply[]): string[] {
  const got = fatesOf(replies)
  const wanted = recipients.map((_, index) => wantedFate(one, index, got[index]))
  const said = replies[0]?.remark ?? ''
  return [
    ...(got.join() === wanted.join() ? [] : [`is ${got.join(' ')}, must be ${wanted.join(' ')} (${said})`]),
    ...(one.says === undefined || one.says.test(said) ? [] : [`says "${said}"`]),
    ...(said.length <= 500 && !/\p{Cc}/u.test(said) ? [] : ['says too much']),
  ]
}

/** Whether the peer answered is compared in {@link contradictions}; nothing about a cut connection is final. */
function wantedFate({ fate }: FaultCase, index: number, got: string | undefined): string | undefined {
  if (fate === 'as answered') return got === 'failed' ? 'delayed' : got
  return typeof fate === 'string' ? fate : fate[index]
}

/** Whoever is told that a mail was relayed must have it, and whoever got no 250 must not be told so. */
function contradictions(peer: FaultyPeer, answers: readonly (readonly RecipientReply[])[]): string[] {
  const acknowledged = peer.taken.filter((message) => message.acknowledged).length
  const believed = answers.filter((replies) => fatesOf(replies).includes('relayed')).length
  return believed === acknowledged ? [] : [`the peer said 250 for ${acknowledged} mails, we believe ${believed}`]
}

async function settles(isSettled: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 400 && !isSettled(); tries++) await sleep(25)
  return isSettled()
}

/** Runs the cases, so many at once, in their order. */
export async function runFaultCases(
  cases: readonly FaultCase[],
  certificates: Certificates,
  { mails = 1, atOnce = 24 }: { mails?: number; atOnce?: number } = {},
): Promise<FaultResult[]> {
  const results: FaultResult[] = []
  let next = 0
  const lane = async () => {
    while (next < cases.length) {
      const index = next++
      const one = cases[index]
      if (one !== undefined) results[index] = await runFaultCase(one, certificates, mails)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  return results
}
