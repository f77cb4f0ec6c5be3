import { createRequire } from 'node:module'
import type { SelectorDefinition } from 'html-to-text'
import { type HtmlToken, holdsNoMarkup, hrefOf, htmlTokens, withBoundedDepth } from './html-tokens.js'

/** HTML laid out as plain text, as the recorded `bodyPreview`s are. Linear in the size, however the markup is built. */

const block = { leadingLineBreaks: 1, trailingLineBreaks: 1 }
const layout: SelectorDefinition[] = [
  ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
  { selector: 'tr', format: 'block', options: block },
  { selector: 'td', format: 'inlineSurround', options: { suffix: ' ' } },
  { selector: 'th', format: 'inlineSurround', options: { suffix: ' ' } },
  { selector: 'img', format: 'skip' },
]

type Converter = (html: string) => string

let loaded: { readonly whole: Converter; readonly withoutLinks: Converter } | undefined

/** Loaded with the first HTML, and compiled once: that costs as much as a conversion. */
function converters() {
  if (loaded !== undefined) return loaded
  const { compile } = createRequire(import.meta.url)('html-to-text') as typeof import('html-to-text')
  loaded = {
    whole: compile({
      wordwrap: false,
      selectors: [...layout, { selector: 'a', options: { linkBrackets: ['<', '>'], hideLinkHrefIfSameAsText: true } }],
    }),
    withoutLinks: compile({
      wordwrap: false,
      selectors: [
        ...layout,
        { selector: 'a', options: { ignoreHref: true } },
        { selector: 'hr', format: 'block', options: block },
      ],
    }),
  }
  return loaded
}

/** The whole of it, with links as `text <address>`. Line ends are LF. */
export function plainTextOf(html: string): string {
  return withoutTrailingBlanks(converters().whole(plainMarkup(html)))
}

/**
 * Its beginning, without links: as much as `maxMarkupLength` characters of bare markup come to, and no more than
 * `maxLength` characters beside blanks. Line ends are LF.
 */
export function plainTextStartOf(html: string, maxMarkupLength: number, maxLength: number): string {
  return withoutTrailingBlanks(converters().withoutLinks(plainMarkup(html, maxMarkupLength, maxLength)))
}

const blank = /[\s\u200b]/
const ampersand = 38
/** Longest reference to a character that is looked for: `&CounterClockwiseContourIntegral;` */
const maxReference = 40

/** Where `limit` characters of the text are over, blanks not counted, and how many there were; a reference is one. */
function cutAfter(text: string, limit: number): { end: number; shown: number } {
  let shown = 0
  let at = 0
  while (at < text.length && shown < limit) {
    const code = text.charCodeAt(at)
    const reference = code === ampersand ? text.slice(at, at + maxReference).indexOf(';') : -1
    if (!isBlank(code)) shown += 1
    at += reference === -1 ? 1 : reference + 1
  }
  return { end: at, shown }
}

function isBlank(code: number): boolean {
  // Asking the expression takes many times as long, and nearly all text is ASCII.
  return code < 128 ? code === 32 || (code >= 9 && code <= 13) : blank.test(String.fromCharCode(code))
}

function withoutTrailingBlanks(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd()
}

/** The markup that decides how text is laid out: tags without attributes, but for where a link leads. */
function plainMarkup(html: string, maxLength = Number.POSITIVE_INFINITY, maxShown = Number.POSITIVE_INFINITY): string {
  let markup = ''
  let shown = 0
  for (const token of withoutLastBreaks(withBoundedDepth(withBoundedIndents(htmlTokens(html))))) {
    if (token.kind === 'text' && shown < maxShown) {
      const cut = cutAfter(token.text, maxShown - shown)
      markup += plainToken({ ...token, text: token.text.slice(0, cut.end) })
      shown += cut.shown
    } else {
      markup += plainToken(token)
    }
    if (markup.length > maxLength) return markup.slice(0, maxLength)
    if (shown >= maxShown) return markup
  }
  return markup
}

function plainToken({ kind, name, text }: HtmlToken): string {
  if (kind === 'text') return text.replaceAll('<', '&lt;')
  if (kind !== 'open' && kind !== 'close') return ''
  // What such an element holds is no text of the message.
  if (holdsNoMarkup(name) || !/^[a-z][a-z0-9]*$/.test(name)) return ''
  // What was appended after the end of a page, as disclaimers are, belongs to it: HTML says so, the library does not.
  if (name === 'html' || name === 'body') return ''
  if (kind === 'close') return `</${name}>`
  const href = name === 'a' ? hrefOf(text) : undefined
  return href !== undefined && /^(?:https?|mailto):/i.test(href)
    ? `<a href="${href.replaceAll('"', '&quot;')}">`
    : `<${name}>`
}

/** Elements that indent the lines inside them. Each level writes those lines anew, so only so many levels are shown. */
const indenting = new Set(['ul', 'ol', 'blockquote'])
const maxIndents = 10

function* withBoundedIndents(tokens: Iterable<HtmlToken>): Generator<HtmlToken> {
  let indents = 0
  for (const token of tokens) {
    const { kind, name } = token
    const indent = indenting.has(name)
    if (kind === 'open' && indent) indents += 1
    yield indents > maxIndents && (indent || name === 'li') ? { ...token, name: 'div' } : token
    if (kind === 'close' && indent) indents = Math.max(0, indents - 1)
  }
}

const blocks = new Set(
  'address article aside blockquote body center dd div dl dt footer form header li main p section td th'.split(' '),
)

/**
 * A line break at the end of a block makes no line of its own; only a block that holds nothing else is an empty line.
 * Outlook writes every empty line as `<div><br></div>`.
 */
function* withoutLastBreaks(tokens: Iterable<HtmlToken>): Generator<HtmlToken> {
  let held: HtmlToken | undefined
  let isEmpty = true
  for (const token of tokens) {
    const isBreak = token.kind === 'open' && token.name === 'br'
    const isBlank = token.kind === 'text' && token.text.trim() === ''
    if (held !== undefined && !isBlank) {
      const endsBlock = token.kind === 'close' && blocks.has(token.name)
      if (!endsBlock) yield held
      else if (isEmpty) yield { kind: 'text', name: '', text: '&nbsp;' }
      if (!endsBlock) isEmpty = false
      held = undefined
    }
    if (isBreak) held = token
    else yield token
    if (token.kind === 'open' && blocks.has(token.name)) isEmpty = true
    else if (token.kind === 'text' && !isBlank) isEmpty = false
  }
  if (held !== undefined) yield held
}
