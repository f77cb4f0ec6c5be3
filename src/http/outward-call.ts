/**
 * Calls addresses that strangers name. A server that does so for everybody can be made to call what only it can reach
 * (SSRF, OWASP API7:2023), so: the name is resolved once, every address it has must be a public one, and the connection
 * goes to that very address; no redirect is followed, the answer is bounded, and all of it takes no longer than it may.
 */
import { lookup } from 'node:dns/promises'
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isLoopbackAddress, isPublicAddress } from './reachable-address.js'

/** `loopback`: this machine and nothing else. `public`: the internet, by https and nothing else. */
export type Reach = 'loopback' | 'public'

/** Why there is no answer. */
export type CallFault =
  /** The address may not be called; nothing was sent. */
  | 'refused'
  /** No whole answer in time. */
  | 'timeout'
  /** No connection, a broken one, or an answer that is none or too long. */
  | 'failed'

export class CallFailed extends Error {
  readonly fault: CallFault

  constructor(fault: CallFault, message: string) {
    super(message)
    this.name = 'CallFailed'
    this.fault = fault
  }
}

export interface OutwardCall {
  readonly headers: Readonly<Record<string, string>>
  /** What is POSTed; without it the call is a GET. */
  readonly body?: string
  readonly timeoutMs: number
  /** Of the answer's body; a longer one is a failure. */
  readonly maxAnswerBytes: number
  readonly signal?: AbortSignal
}

export interface OutwardAnswer {
  readonly status: number
  readonly contentType: string | undefined
  readonly body: string
}

/** What an address must be for its reach. @returns why it is not to be called; undefined when it is */
export function refusalOfUrl(text: string, reach: Reach): string | undefined {
  if (!URL.canParse(text)) return 'it is not a URL'
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') return 'it holds a user or a password'
  const host = hostOf(url)
  if (reach === 'loopback') {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'it is neither http nor https'
    const isHere = isIP(host) === 0 ? isLocalName(host) : isLoopbackAddress(host)
    return isHere ? undefined : 'nothing but this machine is called until a relay is set'
  }
  if (url.protocol !== 'https:') return 'it is not https'
  if (isIP(host) !== 0 && !isPublicAddress(host)) return 'it is not a public address'
  return isIP(host) === 0 && isLocalName(host) ? 'it is this machine' : undefined
}

/**
 * Makes the call.
 *
 * @throws CallFailed
 */
export async function callOutward(text: string, reach: Reach, call: OutwardCall): Promise<OutwardAnswer> {
  const refusal = refusalOfUrl(text, reach)
  if (refusal !== undefined) throw new CallFailed('refused', refusal)
  const url = new URL(text)
  const timeout = AbortSignal.timeout(call.timeoutMs)
  const signal = call.signal === undefined ? timeout : AbortSignal.any([timeout, call.signal])
  try {
    const address = await beforeEnd(signal, addressOf(url, reach))
    return await make(url, address, signal, call)
  } catch (error) {
    if (error instanceof CallFailed) throw error
    if (timeout.aborted) throw new CallFailed('timeout', `no answer within ${call.timeoutMs} ms`)
    throw new CallFailed('failed', error instanceof Error ? error.message : String(error))
  }
}

/** Resolving cannot be called off; nobody waits for it longer than for the rest. */
function beforeEnd<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    work.then(resolve, reject)
  })
}

interface Address {
  readonly address: string
  readonly family: number
}

async function addressOf(url: URL, reach: Reach): Promise<Address> {
  const host = hostOf(url)
  if (isIP(host) !== 0) return { address: host, family: isIP(host) }
  const addresses = await lookup(host, { all: true })
  const isAllowed = reach === 'loopback' ? isLoopbackAddress : isPublicAddress
  // One that may not be called is enough: who answers with both wants it tried until it works.
  const [first] = addresses
  if (first === undefined || !addresses.every(({ address }) => isAllowed(address))) {
    throw new CallFailed('refused', `${host} has an address that is not ${reach}`)
  }
  return first
}

function make(url: URL, address: Address, signal: AbortSignal, call: OutwardCall): Promise<OutwardAnswer> {
  const lookupPinned: LookupFunction = (_, options, answer) => {
    if (options.all === true) answer(null, [address])
    else answer(null, address.address, address.family)
  }
  return new Promise((resolve, reject) => {
    const body = call.body === undefined ? undefined : Buffer.from(call.body)
    const length = body === undefined ? {} : { 'Content-Length': String(body.byteLength) }
    const start = url.protocol === 'https:' ? httpsRequest : httpRequest
    const request: ClientRequest = start(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...call.headers, ...length },
      lookup: lookupPinned,
      signal,
      // A connection of its own: one that is kept was checked for another name.
      agent: false,
    })
    request.on('error', reject)
    request.on('response', (response) => readAnswer(response, call.maxAnswerBytes).then(resolve, reject))
    request.end(body)
  })
}

async function readAnswer(response: IncomingMessage, maxBytes: number): Promise<OutwardAnswer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) {
      response.destroy()
      throw new CallFailed('failed', `the answer is longer than ${maxBytes} bytes`)
    }
    chunks.push(chunk)
  }
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers['content-type'],
    body: Buffer.concat(chunks).toString(),
  }
}

/** Without the brackets of IPv6. */
function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}

/** RFC 6761 §6.3, also with the dot at the end. */
function isLocalName(host: string): boolean {
  return /(?:^|\.)localhost\.?$/i.test(host)
}
