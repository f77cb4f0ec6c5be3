import { type HtmlToken, holdsNoMarkup, htmlTokens } from './html-tokens.js'
import type { ItemBody } from './message.js'
import { textOfParagraphs } from './plain-markup.js'
import { plainTextOf, plainTextStartOf } from './plain-text.js'

/**
 * The forms a body is shown in. A body is kept as it was written: all of this happens when it is read or rendered,
 * never while a message is being accepted.
 */

/** Graph's bound of `bodyPreview`, in UTF-16 units as it counts. */
const maxPreviewLength = 255
/** How much markup is looked at for a preview: enough for its 255 characters, and the same for a body of 4 MB. */
const previewMarkupLength = 16_384

/**
 * The first 255 characters of the body as plain text, line ends CRLF, no character cut in two. Of HTML only the
 * beginning is converted, so a large body costs no more than a short one.
 */
export function bodyPreviewOf(body: ItemBody): string {
  const text = body.contentType === 'text' ? body.content : startOfHtml(body.content)
  // A line end grows by one at most, so twice the length is enough to look at.
  const lines = withCrlf(text.slice(0, 2 * maxPreviewLength)).replaceAll('\u00a0', ' ')
  return cutAt(lines, maxPreviewLength)
}

function startOfHtml(html: string): string {
  const wanted = maxPreviewLength + 1
  return textOfParagraphs(html, wanted) ?? plainTextStartOf(html, previewMarkupLength, wanted)
}

function cutAt(text: string, length: number): string {
  if (text.length <= length) return text
  const last = text.charCodeAt(length - 1)
  const cutsPair = (last >= 0xd800 && last <= 0xdbff) || last === 0x0d
  return text.slice(0, cutsPair ? length - 1 : length)
}

/** The body as plain text: a text body as it is, HTML converted, with line ends CRLF and links as `text <address>`. */
export function textOf(body: ItemBody): string {
  if (body.contentType === 'text') return body.content
  return withCrlf(textOfParagraphs(body.content) ?? plainTextOf(body.content))
}

function withCrlf(text: string): string {
  return text.replace(/\r\n?|\n/g, '\r\n')
}

/** The body as HTML: HTML as it is, text wrapped as Exchange does, each of its lines on its own. */
export function htmlOf(body: ItemBody): string {
  if (body.contentType === 'html') return body.content
  const lines = withCrlf(escapeHtml(body.content))
    .replaceAll('\r\n', '<br>\r\n')
    // Two blanks in a row would be shown as one.
    .replace(/ (?= )|^ /gm, '&nbsp;')
  return `${documentStart()}</head><body><div class="PlainText">${lines}</div></body></html>`
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

const contentTypeMeta = '<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'

function documentStart(htmlTag = '<html>'): string {
  return `${htmlTag}<head>\r\n${contentTypeMeta}`
}

/** What a document is taken apart into. */
interface HtmlDocument {
  htmlTag: string
  head: string
  bodyTag: string
  body: string
}

const headElements = new Set(['meta', 'title', 'style', 'link', 'base', 'script'])

/**
 * The document Graph answers for an HTML body, as recorded: one `meta` with the charset, style blocks on lines of their
 * own, no comments, and `<html>`, `<head>`, `<body>` around a fragment. Markup is arranged, not cleaned: see
 * `sanitizeHtml`. Applied twice, it changes nothing more.
 */
export function normaliseHtml(content: string): string {
  const document: HtmlDocument = { htmlTag: '<html>', head: '', bodyTag: '<body>', body: '' }
  let inBody = false
  let openRaw = ''
  for (const token of htmlTokens(content)) {
    const { kind, name, text } = token
    if (kind === 'comment' || kind === 'declaration') continue
    if (name === 'html' || name === 'head') {
      if (kind === 'open' && name === 'html' && !inBody) document.htmlTag = text
      continue
    }
    if (name === 'body') {
      if (kind === 'open' && !inBody) document.bodyTag = text
      inBody = true
      continue
    }
    inBody ||= !belongsToHead(token)
    openRaw = kind === 'raw' || (kind === 'open' && holdsNoMarkup(name)) ? `</${name}>` : ''
    if (inBody) document.body += bodyText(token)
    else document.head += headText(token)
  }
  // What is left open here would swallow the end of the document.
  if (inBody) document.body += openRaw
  else document.head += openRaw
  const { htmlTag, head, bodyTag, body } = document
  return `${documentStart(htmlTag)}${head}</head>${bodyTag}${body.trimEnd()}</body></html>`
}

function belongsToHead({ kind, name, text }: HtmlToken): boolean {
  return kind === 'text' ? text.trim() === '' : headElements.has(name)
}

function headText({ kind, name, text }: HtmlToken): string {
  if (kind === 'text') return ''
  if (kind === 'raw' && name === 'style') return styleText(text)
  const saysCharset = name === 'meta' && /\bcharset\b|http-equiv\s*=\s*["']?content-type/i.test(text)
  return saysCharset ? '' : text
}

/** A `<` that begins nothing is escaped, lest it begin something once its neighbours are gone. */
function bodyText({ kind, name, text }: HtmlToken): string {
  if (kind === 'text') return text.replaceAll('<', '&lt;')
  return kind === 'raw' && name === 'style' ? styleText(text) : text
}

/** Rules as Exchange writes them: selector, then each declaration on a line of its own, hidden in a comment. */
function styleText(css: string): string {
  const rules = withCrlf(css.replaceAll('<!--', '').replaceAll('-->', '').trim())
  return `\r\n<!--\r\n${rules.includes('@') ? rules : arrangedRules(rules)}\r\n-->\r\n`
}

function arrangedRules(rules: string): string {
  const arranged: string[] = []
  for (const rule of rules.split('}')) {
    const [selector = '', declarations] = rule.split('{')
    if (declarations === undefined) continue
    const name = selector.trim().replace(/\s+/g, ' ')
    arranged.push(
      `${/^[A-Z][A-Z0-9]*$/.test(name) ? name.toLowerCase() : name}\r\n\t{${styleDeclarations(declarations).join(';\r\n\t')}}`,
    )
  }
  return arranged.join('\r\n')
}

const declarationSeparator = /;|"[^"]*"|'[^']*'|\([^()]*\)/g

/** The declarations of a style: `name:value` without blanks around the colon. */
export function styleDeclarations(style: string): string[] {
  const declarations: string[] = []
  let start = 0
  for (const match of style.matchAll(declarationSeparator)) {
    if (match[0] !== ';') continue
    declarations.push(style.slice(start, match.index))
    start = match.index + 1
  }
  declarations.push(style.slice(start))
  return declarations.map(withoutBlanks).filter((text) => text !== '')
}

function withoutBlanks(declaration: string): string {
  const colon = declaration.indexOf(':')
  if (colon === -1) return declaration.trim()
  return `${declaration.slice(0, colon).trim()}:${declaration.slice(colon + 1).trim()}`
}
