/**
 * OData spells one path in many ways; the route table knows one. `/users('a@b')/microsoft.graph.sendMail` is
 * `/users/a@b/sendMail`, `delta()` is `delta`, `MailFolders` is `mailFolders` (OData URL Conventions 4.01 §4).
 *
 * A row's path is made of API segments and `{parameters}`:
 *
 *     {mailbox}/mailFolders/{folder}/messages/{message}/$value
 *
 * `{mailbox}` is `me` or `users/{key}`; `mailFolders/{folder}` may be followed by any depth of `childFolders/{folder}`.
 * An API segment is preferred to a parameter, and there is no way back: no key is spelled like a segment beside it.
 */

export type ApiVersion = 'v1.0' | 'beta'

/** One segment of a path, percent-decoded. Whether it is a key or names something is for the table to say. */
export interface PathSegment {
  /** The whole of it: what it is when it stands where a key does. */
  readonly text: string
  /** Without parentheses. */
  readonly name: string
  /** The key in parentheses, its quotes undone. */
  readonly key: string | undefined
  /** What a function is called with, as written: `changeType='created'`. */
  readonly functionArguments: string | undefined
}

export interface ParsedPath {
  readonly version: ApiVersion
  readonly segments: readonly PathSegment[]
}

/**
 * Splits the path of a URL (no query) into its segments. Empty segments are skipped.
 * undefined: it does not begin with a version of the API, or a percent-escape is none.
 */
export function parsePath(rawUrlPath: string): ParsedPath | undefined {
  let version: ApiVersion | undefined
  const segments: PathSegment[] = []
  for (const part of rawUrlPath.split('/')) {
    if (part === '') continue
    if (version === undefined) {
      version = readVersion(part)
      if (version === undefined) return undefined
      continue
    }
    // After splitting: an escaped slash is part of a key.
    const text = part.includes('%') ? decode(part) : part
    if (text === undefined) return undefined
    segments.push(parseSegment(text))
  }
  return version === undefined ? undefined : { version, segments }
}

function readVersion(part: string): ApiVersion | undefined {
  if (part === 'v1.0' || part === 'beta') return part
  const lower = part.toLowerCase()
  return lower === 'v1.0' || lower === 'beta' ? lower : undefined
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}

function parseSegment(text: string): PathSegment {
  const open = text.indexOf('(')
  if (open <= 0 || !text.endsWith(')')) return { text, name: text, key: undefined, functionArguments: undefined }
  return parseParentheses(text, text.slice(0, open), text.slice(open + 1, -1))
}

/** `('key')`, `(id='key')`, `(key)`, `(name=value)` or `()`. Anything else is plain text, such as a key that holds a parenthesis. */
function parseParentheses(text: string, name: string, inner: string): PathSegment {
  const quoted = /^(?:id=)?'((?:[^']|'')*)'$/i.exec(inner)?.[1]
  if (quoted !== undefined) return { text, name, key: quoted.replaceAll("''", "'"), functionArguments: undefined }
  // A bare key may end in the padding of base64, which is no value.
  if (/^\w+=[^=]/.test(inner)) return { text, name, key: undefined, functionArguments: inner }
  if (inner.includes("'")) return { text, name: text, key: undefined, functionArguments: undefined }
  return { text, name, key: inner === '' ? undefined : inner, functionArguments: undefined }
}

/** What the table needs to know of a row; all else in it is the table's owner's. */
export interface RoutePattern {
  readonly method: string
  readonly path: string
}

export interface RouteFound<Row> {
  readonly kind: 'found'
  readonly row: Row
  readonly version: ApiVersion
  /** Object id or user principal name; undefined for `me`, and where the row has no `{mailbox}`. */
  readonly mailboxKey: string | undefined
  /** `me` or the key as written; undefined where the row has no `{mailbox}`. */
  readonly mailboxAsWritten: string | undefined
  /** By the names in the row, `mailbox` left out. `folder` is the innermost. */
  readonly params: Readonly<Record<string, string>>
  /** Every folder of the path, outermost first. */
  readonly folderPath: readonly string[]
  /** Arguments of the function at the end, as written. */
  readonly functionArguments: string | undefined
  /** The derived type that the path asks for, as the model spells it: `fileAttachment`. */
  readonly cast: string | undefined
}

/** The path is one of ours, under other methods. */
export interface MethodNotAllowed {
  readonly kind: 'methodNotAllowed'
  /** In the order of the table. */
  readonly allowed: readonly string[]
}

/** No row has such a path. */
export interface RouteNotFound {
  readonly kind: 'notFound'
  /** The first segment that leads nowhere, decoded, without parentheses; '' when the path ends before it names anything. */
  readonly unknownSegment: string
}

export type RouteMatch<Row> = RouteFound<Row> | MethodNotAllowed | RouteNotFound

export interface RouteTable<Row> {
  /** `method` in upper case. */
  match(method: string, path: ParsedPath): RouteMatch<Row>
}

interface Node<Row> {
  /** By name in lower case. */
  readonly literals: Map<string, Node<Row>>
  readonly rows: Map<string, Row>
  parameter: { readonly name: string; readonly node: Node<Row>; readonly admits: KeyTest | undefined } | undefined
}

/** Whether a parameter takes a text as its key. */
type KeyTest = (key: string) => boolean

/** Types that a path may ask for behind a collection or one of its items. */
interface Casts {
  /** What is there anyway. */
  readonly declared: string
  readonly derived: readonly string[]
}

const messageCasts: Casts = { declared: 'message', derived: ['eventMessage'] }
const attachmentCasts: Casts = {
  declared: 'attachment',
  derived: ['fileAttachment', 'itemAttachment', 'referenceAttachment'],
}

/** By the name of the segment or parameter in front. */
const castsBehind: ReadonlyMap<string, Casts> = new Map([
  ['messages', messageCasts],
  ['message', messageCasts],
  ['attachments', attachmentCasts],
  ['attachment', attachmentCasts],
])

/**
 * Makes a table of rows ready for matching. `keyTests`, by name: parameters that take some keys only.
 *
 * @throws Error when two rows have the same method and path, or give one place in the path two names
 */
export function compileRoutes<Row extends RoutePattern>(
  rows: readonly Row[],
  keyTests: Readonly<Record<string, KeyTest>> = {},
): RouteTable<Row> {
  const root = newNode<Row>()
  const mailbox = newNode<Row>()
  root.literals.set('me', mailbox)
  literalUnder(root, 'users').parameter = { name: 'mailbox', node: mailbox, admits: undefined }
  for (const row of rows) {
    const node = nodeOf(row.path, root, mailbox, keyTests)
    if (node.rows.has(row.method)) throw new Error(`two routes for ${row.method} ${row.path}`)
    node.rows.set(row.method, row)
  }
  return { match: (method, path) => match(root, mailbox, method, path) }
}

function newNode<Row>(): Node<Row> {
  return { literals: new Map(), rows: new Map(), parameter: undefined }
}

function nodeOf<Row>(
  path: string,
  root: Node<Row>,
  mailbox: Node<Row>,
  keyTests: Readonly<Record<string, KeyTest>>,
): Node<Row> {
  let node = root
  let previous = ''
  for (const part of path.split('/')) {
    if (part === '') continue
    const name = /^\{(\w+)\}$/.exec(part)?.[1]
    if (name === undefined) node = literalUnder(node, part)
    else if (node === root && name === 'mailbox') node = mailbox
    else node = parameterUnder(node, { name, admits: keyTests[name] }, previous.toLowerCase() === 'mailfolders', path)
    previous = part
  }
  return node
}

function literalUnder<Row>(node: Node<Row>, part: string): Node<Row> {
  const key = part.toLowerCase()
  const existing = node.literals.get(key)
  if (existing !== undefined) return existing
  const made = newNode<Row>()
  node.literals.set(key, made)
  return made
}

function parameterUnder<Row>(
  node: Node<Row>,
  { name, admits }: { name: string; admits: KeyTest | undefined },
  isFolder: boolean,
  path: string,
): Node<Row> {
  if (node.parameter === undefined) {
    const made = newNode<Row>()
    node.parameter = { name, node: made, admits }
    // A child folder is where its parent is in the table: all that can follow the one can follow the other.
    if (isFolder) literalUnder(made, 'childFolders').parameter = { name, node: made, admits }
  }
  if (node.parameter.name !== name) throw new Error(`{${name}} in ${path} is {${node.parameter.name}} in another route`)
  return node.parameter.node
}

function match<Row>(root: Node<Row>, mailbox: Node<Row>, method: string, path: ParsedPath): RouteMatch<Row> {
  let node = root
  let mailboxAsWritten: string | undefined
  let mailboxKey: string | undefined
  let functionArguments: string | undefined
  let cast: string | undefined
  let inFront = ''
  const params: Record<string, string> = {}
  const folderPath: string[] = []

  for (const segment of path.segments) {
    // A function's result has no parts here: arguments are for the last segment.
    if (functionArguments !== undefined) return notFound(segment)
    const literal = literalNamed(node, segment.name)
    if (literal === undefined) {
      const asked = castNamed(inFront, segment.text)
      if (asked !== undefined) {
        if (cast !== undefined) return notFound(segment)
        if (!asked.isDeclared) cast = asked.type
        continue
      }
    }
    const key = literal === undefined ? keyOf(segment) : segment.key
    functionArguments = literal === undefined ? undefined : segment.functionArguments
    if (key === undefined) {
      if (literal === undefined) return notFound(segment)
      if (literal === mailbox) mailboxAsWritten = 'me'
      node = literal
      inFront = segment.name
      continue
    }
    const parameter = (literal ?? node).parameter
    if (parameter === undefined || parameter.admits?.(key) === false) return notFound(segment)
    if (parameter.node === mailbox) mailboxKey = mailboxAsWritten = key
    else params[parameter.name] = key
    if (parameter.name === 'folder') folderPath.push(key)
    node = parameter.node
    inFront = parameter.name
  }

  const row = node.rows.get(method)
  const version = path.version
  if (row !== undefined) {
    return { kind: 'found', row, version, mailboxKey, mailboxAsWritten, params, folderPath, functionArguments, cast }
  }
  if (node.rows.size > 0) return { kind: 'methodNotAllowed', allowed: [...node.rows.keys()] }
  return notFound(path.segments.at(-1))
}

/** `$count` and the like are never keys; a key that begins with `$` needs parentheses. */
function keyOf(segment: PathSegment): string | undefined {
  return segment.text.startsWith('$') ? undefined : segment.text
}

function notFound(segment: PathSegment | undefined): RouteNotFound {
  return { kind: 'notFound', unknownSegment: segment?.name ?? '' }
}

const namespace = 'microsoft.graph.'
/** The alias that the published metadata gives the namespace. */
const namespaceAlias = 'graph.'

/** The API segment of that name in any case, with or without the namespace. A row that spells the namespace out needs it. */
function literalNamed<Row>(node: Node<Row>, name: string): Node<Row> | undefined {
  const { literals } = node
  if (literals.size === 0) return undefined
  const lower = name.toLowerCase()
  const found = literals.get(lower)
  if (found !== undefined) return found
  const short = withoutNamespace(lower)
  return short === undefined ? undefined : (literals.get(short) ?? literals.get(namespace + short))
}

function withoutNamespace(lower: string): string | undefined {
  if (lower.startsWith(namespace)) return lower.slice(namespace.length)
  return lower.startsWith(namespaceAlias) ? lower.slice(namespaceAlias.length) : undefined
}

interface CastAsked {
  readonly type: string
  readonly isDeclared: boolean
}

/** A type of the model that can stand where it stands. */
function castNamed(inFront: string, text: string): CastAsked | undefined {
  const type = text.includes('.') ? withoutNamespace(text.toLowerCase()) : undefined
  const casts = type === undefined ? undefined : castsBehind.get(inFront.toLowerCase())
  if (type === undefined || casts === undefined) return undefined
  if (type === casts.declared) return { type, isDeclared: true }
  const derived = casts.derived.find((each) => each.toLowerCase() === type)
  return derived === undefined ? undefined : { type: derived, isDeclared: false }
}
