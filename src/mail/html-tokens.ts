/**
 * HTML cut into tokens, in one pass and in linear time. The libraries that convert and clean HTML keep a stack of open
 * elements that they search at every tag: 200 KB of `<b>x` took them 1.7 s, ten times that a hundred times as long.
 * What they are given has therefore been through {@link withBoundedDepth}, or been put together from these tokens.
 */
export interface HtmlToken {
  /** `raw` is what stands inside an element that holds no markup, such as `style`. */
  readonly kind: 'text' | 'open' | 'close' | 'comment' | 'declaration' | 'raw'
  /** Of the element, lower case; empty for text, comments and declarations. */
  readonly name: string
  /** As it stands in the source. */
  readonly text: string
}

/** HTML Living Standard §13.1.2: elements whose content is text up to their end tag. */
const rawTextEnd: Readonly<Record<string, RegExp>> = Object.fromEntries(
  ['script', 'style', 'textarea', 'title', 'xmp', 'iframe', 'noembed', 'noframes'].map((name) => [
    name,
    new RegExp(`</${name}(?=[\\s/>])`, 'gi'),
  ]),
)

/** True for an element whose content is text up to its end tag, such as `style`. */
export function holdsNoMarkup(name: string): boolean {
  return Object.hasOwn(rawTextEnd, name)
}

const tagStart = /<(\/?)([a-z][^\s/>]*)/giy

/** The tokens of `html`, in order; put together again they are `html`. What a browser ignores is a `declaration`. */
export function* htmlTokens(html: string): Generator<HtmlToken> {
  let at = 0
  while (at < html.length) {
    const markup = nextMarkup(html, at)
    if (markup > at) yield { kind: 'text', name: '', text: html.slice(at, markup) }
    if (markup === html.length) return
    const token = markupToken(html, markup)
    yield token
    at = markup + token.text.length
    if (token.kind !== 'open') continue
    const raw = rawText(html, at, token.name)
    if (raw !== '') yield { kind: 'raw', name: token.name, text: raw }
    at += raw.length
  }
}

/** Where the next `<` stands that begins markup; the length of the text when there is none. */
function nextMarkup(html: string, from: number): number {
  let at = html.indexOf('<', from)
  while (at !== -1 && !/[a-z/!?]/i.test(html.charAt(at + 1))) at = html.indexOf('<', at + 1)
  return at === -1 ? html.length : at
}

function markupToken(html: string, at: number): HtmlToken {
  if (html.startsWith('<!--', at)) {
    // From the second character on: `<!-->` is a whole comment.
    return { kind: 'comment', name: '', text: html.slice(at, endAfter(html, '-->', at + 2)) }
  }
  tagStart.lastIndex = at
  const match = tagStart.exec(html)
  if (match === null) return { kind: 'declaration', name: '', text: html.slice(at, endAfter(html, '>', at)) }
  const [start, slash, name = ''] = match
  const end = tagEnd(html, at + start.length)
  // A tag that never ends takes the rest with it and is none, as in a browser.
  if (end === undefined) return { kind: 'declaration', name: '', text: html.slice(at) }
  return { kind: slash === '/' ? 'close' : 'open', name: name.toLowerCase(), text: html.slice(at, end) }
}

function endAfter(html: string, mark: string, from: number): number {
  const at = html.indexOf(mark, from)
  return at === -1 ? html.length : at + mark.length
}

const valueStart = /=\s*(["'])|>/g

/** A `>` ends a tag unless it stands in a quoted value; undefined when none does. */
function tagEnd(html: string, from: number): number | undefined {
  valueStart.lastIndex = from
  for (let match = valueStart.exec(html); match !== null; match = valueStart.exec(html)) {
    const [, quote] = match
    if (quote === undefined) return valueStart.lastIndex
    const close = html.indexOf(quote, valueStart.lastIndex)
    if (close === -1) return undefined
    valueStart.lastIndex = close + 1
  }
  return undefined
}

function rawText(html: string, from: number, name: string): string {
  const end = holdsNoMarkup(name) ? rawTextEnd[name] : undefined
  if (end === undefined) return ''
  end.lastIndex = from
  return html.slice(from, end.exec(html)?.index ?? html.length)
}

/** Elements that may be open at once. Mail written by people stays far below. */
export const maxHtmlDepth = 128

const voidElements = new Set(
  'area base basefont br col embed frame hr img input link meta param source track wbr'.split(' '),
)

/** Open elements that the start of another one ends (HTML Living Standard §13.1.2.4), as far as old mail leaves out end tags. */
const endedBy: Readonly<Record<string, readonly string[]>> = {
  p: ['p'],
  li: ['li'],
  dt: ['dt', 'dd'],
  dd: ['dt', 'dd'],
  td: ['td', 'th'],
  th: ['td', 'th'],
  tr: ['td', 'th', 'tr'],
  option: ['option'],
}

/**
 * The same tokens without the elements that stand deeper than {@link maxHtmlDepth}; what is inside those stays. End tags
 * that were left out are put in, so that whoever reads on counts the same depth.
 */
export function* withBoundedDepth(tokens: Iterable<HtmlToken>): Generator<HtmlToken> {
  const open: string[] = []
  const left = new Map<string, number>()
  for (const token of tokens) {
    if (token.kind === 'open' && !voidElements.has(token.name)) {
      const ended = Object.hasOwn(endedBy, token.name) ? endedBy[token.name] : undefined
      while (ended?.includes(open.at(-1) ?? '')) yield endTag(open.pop() ?? '')
      if (open.length >= maxHtmlDepth) {
        left.set(token.name, (left.get(token.name) ?? 0) + 1)
        continue
      }
      open.push(token.name)
    } else if (token.kind === 'close') {
      const missing = left.get(token.name) ?? 0
      if (missing > 0) {
        left.set(token.name, missing - 1)
        continue
      }
      const position = open.lastIndexOf(token.name)
      if (position !== -1) open.length = position
    }
    yield token
  }
}

function endTag(name: string): HtmlToken {
  return { kind: 'close', name, text: `</${name}>` }
}

const href = /[\s"'/]href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))/i

/** Where the start tag of a link leads, undecoded; undefined when it leads nowhere. */
export function hrefOf(tag: string): string | undefined {
  const match = href.exec(tag)
  return (match?.[1] ?? match?.[2] ?? match?.[3])?.trim()
}

const attribute = /([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g

/** The attributes in what stands between a tag's name and its end: values undecoded, undefined where none is given. */
export function* attributesOf(text: string): Generator<{ readonly name: string; readonly value: string | undefined }> {
  for (const [, name = '', double, single, bare] of text.matchAll(attribute)) {
    yield { name, value: double ?? single ?? bare }
  }
}
