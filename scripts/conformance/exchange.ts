/**
 * Recorded and documented exchanges as they lie in a data directory: `golden/recordings.jsonl` and
 * `spec/examples.jsonl`, one JSON object a line. Their meaning is told in `golden/README.md` and in section 8 of
 * `spec/messages.md` of that directory.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isArray, isObject, type Json, type JsonObject, textMember } from './json.js'

/** How far an exchange is to be trusted, best first. */
export type Evidence = 'recorded' | 'fixture' | 'pasted' | 'documented'

/** Header name as written → its value, or its values where it was sent more than once. */
export type HeaderFields = Readonly<Record<string, string | readonly string[]>>

/** What was asked and what was answered. */
export interface Exchange {
  /** `recording {id}` or `example {version} {page#section}`. */
  readonly name: string
  readonly source: 'recording' | 'example'
  readonly evidence: Evidence
  /** Date of the capture or its beginning (`2025-01-14`, `2018-09`); empty where unknown. Compares as text. */
  readonly captured: string
  readonly version: string
  readonly request: {
    readonly method: string
    /** Without the version: begins with `/me`, `/users/...`. Absolute for upload sessions. */
    readonly path: string
    readonly headers: HeaderFields
    readonly body: Json
  }
  /** undefined where the page shows none. */
  readonly response: ExpectedAnswer | undefined
  /** Parts that the source does not show: not to be asserted. */
  readonly inferred: readonly string[]
  readonly notes: string
}

/** The answer as the source shows it. */
export interface ExpectedAnswer {
  readonly status: number
  /** undefined: the source shows no headers at all. */
  readonly headers: HeaderFields | undefined
  /** undefined: not shown. */
  readonly body: Json | undefined
  /** The source shortened the body: only what is there can be compared. */
  readonly truncated: boolean
}

/** The data directory, or a file in it, is not there or not readable. */
export class DataMissing extends Error {}

/** All exchanges of a data directory, recordings first. @throws DataMissing */
export async function readExchanges(directory: string): Promise<Exchange[]> {
  const recordings = await readLines(join(directory, 'golden', 'recordings.jsonl'))
  const examples = await readLines(join(directory, 'spec', 'examples.jsonl'))
  return [...recordings.map(readRecording), ...examples.map(readExample)]
}

async function readLines(file: string): Promise<JsonObject[]> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new DataMissing(`${file} cannot be read: ${error.message}`)
  })
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, index) => {
      const value = JSON.parse(line) as Json
      if (!isObject(value)) throw new DataMissing(`${file}: line ${index + 1} is not a JSON object`)
      return value
    })
}

/** One line of `golden/recordings.jsonl`. */
export function readRecording(line: JsonObject): Exchange {
  const path = textMember(line, 'request', 'path') ?? ''
  const [, version = 'v1.0', rest = path] = /^\/(v1\.0|beta)(\/.*)$/.exec(path) ?? []
  return {
    name: `recording ${textMember(line, 'id')}`,
    source: 'recording',
    evidence: evidenceOf(textMember(line, 'confidence')),
    captured: textMember(line, 'captured') ?? '',
    version,
    request: { ...requestOf(line), path: rest },
    response: answerOf(line),
    inferred: textsOf(line.inferred),
    notes: textMember(line, 'notes') ?? '',
  }
}

/** One line of `spec/examples.jsonl`. */
export function readExample(line: JsonObject): Exchange {
  const version = textMember(line, 'version') ?? 'v1.0'
  return {
    name: `example ${version} ${textMember(line, 'source')}`,
    source: 'example',
    evidence: 'documented',
    captured: '',
    version,
    request: requestOf(line),
    response: answerOf(line),
    inferred: [],
    notes: textMember(line, 'note') ?? '',
  }
}

function evidenceOf(text: string | undefined): Evidence {
  return text === 'recorded' || text === 'fixture' ? text : 'pasted'
}

function requestOf(line: JsonObject): Exchange['request'] {
  const request = isObject(line.request) ? line.request : {}
  return {
    method: textMember(request, 'method') ?? 'GET',
    path: textMember(request, 'path') ?? '',
    headers: headersOf(request.headers) ?? {},
    body: request.body ?? null,
  }
}

function answerOf(line: JsonObject): ExpectedAnswer | undefined {
  const { response } = line
  if (!isObject(response) || typeof response.status !== 'number') return undefined
  return {
    status: response.status,
    headers: headersOf(response.headers),
    body: response.body ?? undefined,
    truncated: response.truncated === true,
  }
}

function headersOf(value: Json | undefined): HeaderFields | undefined {
  if (!isObject(value)) return undefined
  const fields = Object.entries(value).map(([name, field]) => [name, isArray(field) ? textsOf(field) : String(field)])
  return Object.fromEntries(fields)
}

function textsOf(value: Json | undefined): string[] {
  return isArray(value) ? value.filter((text) => typeof text === 'string') : []
}
