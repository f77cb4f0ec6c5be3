/** The paths of the exchanges taken apart, so that a scenario can tell their shape and put its own keys in. */

/** One step of a path: a collection, an action or a property, with its key if one follows. */
interface Segment {
  /** As written. */
  readonly name: string
  readonly key: string | undefined
  /** `messages('id')` rather than `messages/id`. */
  readonly quoted: boolean
}

/** A path taken apart. */
export interface RequestPath {
  readonly segments: readonly Segment[]
  /** A slash before the question mark, as several clients write it. */
  readonly slashAtEnd: boolean
  /** As sent, without the question mark; empty when there is none. */
  readonly query: string
}

/** Collections whose next segment is a key, in lower case. */
const collections = new Set([
  'users',
  'messages',
  'mailfolders',
  'childfolders',
  'attachments',
  'events',
  'calendars',
  'groups',
  'mentions',
  'messagerules',
  'overrides',
  'mastercategories',
])

/** What the shape calls a key of each collection. */
const keyNames: Readonly<Record<string, string>> = {
  messages: '{message}',
  mailfolders: '{folder}',
  childfolders: '{folder}',
  attachments: '{attachment}',
}

/** Takes a path apart; both key spellings, any case, namespaced actions. */
export function parsePath(path: string): RequestPath {
  const mark = path.indexOf('?')
  const query = mark < 0 ? '' : path.slice(mark + 1)
  const bare = mark < 0 ? path : path.slice(0, mark)
  const parts = splitPath(bare)
  const segments: Segment[] = []
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] ?? ''
    const [, name, quotedKey] = /^([^(]+)\('(.*)'\)$/.exec(part) ?? []
    if (name !== undefined) {
      segments.push({ name, key: quotedKey, quoted: true })
      continue
    }
    const next = parts[i + 1]
    const hasKey = collections.has(part.toLowerCase()) && next !== undefined && !isOperation(next)
    segments.push({ name: part, key: hasKey ? next : undefined, quoted: false })
    if (hasKey) i++
  }
  return { segments, slashAtEnd: bare.endsWith('/'), query }
}

/** Splits at slashes that are not inside quotes: a key may hold one. */
function splitPath(path: string): string[] {
  return (path.match(/(?:[^/(]|\('[^']*'\)|\()+/g) ?? []).filter((part) => part !== '')
}

function isOperation(segment: string): boolean {
  return (
    segment.startsWith('$') || /^(delta\b|createUploadSession$)/i.test(segment) || /^microsoft\.graph\./i.test(segment)
  )
}

/**
 * The path without what varies: lower case, `{mailbox}` for `/me` and `/users/...`, keys by what they name, actions
 * without their namespace. `{mailbox}/messages/{message}/$value`.
 */
export function shapeOf({ segments }: RequestPath): string {
  return segments
    .map(({ name, key }, index) => {
      const lower = name.toLowerCase().replace(/^microsoft\.graph\./, '')
      if (index === 0 && (lower === 'me' || (lower === 'users' && key !== undefined))) return '{mailbox}'
      return key === undefined ? lower : `${lower}/${keyNames[lower] ?? '{key}'}`
    })
    .join('/')
}

/** Names of the query options in lower case, `$` included. */
export function queryOptions({ query }: RequestPath): string[] {
  return query
    .split('&')
    .filter((option) => option !== '')
    .map((option) => decodeURIComponent(option.split('=', 1)[0] ?? '').toLowerCase())
}

/** The value of a query option, decoded; undefined when it is not there. */
export function queryOption({ query }: RequestPath, name: string): string | undefined {
  const option = query.split('&').find((text) => decodeURIComponent(text.split('=', 1)[0] ?? '').toLowerCase() === name)
  return option === undefined ? undefined : decodeURIComponent(option.slice(option.indexOf('=') + 1))
}

/** The keys of a path in their order, the user's first; `/me` has none. */
export function keysOf({ segments }: RequestPath): string[] {
  return segments.flatMap(({ key }) => (key === undefined ? [] : [key]))
}

/** The path with other keys, in the order of {@link keysOf} and in its own spelling; blanks are escaped. */
export function withKeys({ segments, slashAtEnd, query }: RequestPath, keys: readonly string[]): string {
  const left = [...keys]
  const parts = segments.map(({ name, key, quoted }) => {
    if (key === undefined) return name
    const bound = left.shift() ?? key
    return quoted ? `${name}('${bound}')` : `${name}/${bound}`
  })
  const path = `/${parts.join('/')}${slashAtEnd ? '/' : ''}`
  return (query === '' ? path : `${path}?${query}`).replaceAll(' ', '%20')
}
