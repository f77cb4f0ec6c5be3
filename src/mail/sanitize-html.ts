import { createRequire } from 'node:module'
import type sanitize from 'sanitize-html'
import { styleDeclarations } from './body.js'
import { attributesOf, type HtmlToken, htmlTokens, withBoundedDepth } from './html-tokens.js'
import { isPlainMarkup } from './plain-markup.js'

/** Beyond the library's defaults: the elements of a document, and those that Outlook and newsletters write. */
const documentElements = 'html head title meta style body'
const mailElements =
  'img map area picture source font center big strike tt del ins acronym nobr dir details summary fieldset legend label o:p'

const optionsWith = ({ defaults }: typeof sanitize): sanitize.IOptions => ({
  allowedTags: [...defaults.allowedTags, ...documentElements.split(' '), ...mailElements.split(' ')],
  // Style sheets run nothing in a browser of today; without them most mail falls apart.
  allowVulnerableTags: true,
  // Classes, ids and data of the author survive; `cleanAttributes` removes what could run.
  allowedAttributes: false,
  allowedSchemes: ['http', 'https', 'mailto', 'tel', 'sip', 'callto', 'ftp', 'cid'],
  allowedSchemesByTag: { img: ['http', 'https', 'cid', 'data'] },
  parseStyleAttributes: false,
  transformTags: { '*': (tagName, attributes) => ({ tagName, attribs: cleanAttributes(attributes) }) },
})

let clean: ((html: string) => string) | undefined

/** Loaded with the first HTML: a server that only accepts mail starts without it. */
function loadCleaner(): (html: string) => string {
  const library: typeof sanitize = createRequire(import.meta.url)('sanitize-html')
  const options = optionsWith(library)
  return (html) => library(html, options)
}

/**
 * The HTML without anything that could run: scripts, event handlers, `javascript:` addresses, frames, forms, embedded
 * objects. Markup of Outlook stays. It is what Graph answers unless the caller prefers `outlook.allow-unsafe-html`, and
 * written as recorded: `style` as the last attribute, hard blanks as `&nbsp;`. Elements deeper than `maxHtmlDepth` are
 * taken out, what they hold is kept.
 */
export function sanitizeHtml(content: string): string {
  if (isPlainMarkup(content)) return content
  let html = ''
  for (const token of withBoundedDepth(htmlTokens(content.replaceAll(lineBreak, '')))) html += rewritten(token)
  clean ??= loadCleaner()
  return clean(html).replaceAll(' />', '>').replaceAll('\u00a0', '&nbsp;').replaceAll(lineBreak, '<br>')
}

/**
 * What a line break is while the library looks at the rest: a character that no text holds, since NUL is taken out of it.
 * As a tag it costs 5 µs, and the quote of a long text has one on every line.
 */
const lineBreak = '\0'
const plainBreak = /^<br\s*\/?>$/i

/** Elements that are left out with all they hold. */
const removed = new Set(['script', 'textarea', 'xmp', 'iframe', 'noembed', 'noframes'])
const elementName = /^[a-z][a-z0-9:-]*$/

/**
 * The token written so that there is one way to read it. Otherwise markup that we and the library take apart differently
 * would get past the bound on depth.
 */
function rewritten({ kind, name, text }: HtmlToken): string {
  if (kind === 'text') return text.replaceAll('<', '&lt;')
  if (kind === 'open' && name === 'br' && plainBreak.test(text)) return lineBreak
  if (kind === 'raw') return rewrittenRaw(name, text)
  if ((kind !== 'open' && kind !== 'close') || removed.has(name) || !elementName.test(name)) return ''
  return kind === 'close' ? `</${name}>` : `<${name}${rewrittenAttributes(text.slice(1 + name.length, -1))}>`
}

function rewrittenAttributes(text: string): string {
  let attributes = ''
  for (const { name, value } of attributesOf(text)) {
    attributes += value === undefined ? ` ${name}` : ` ${name}="${value.replaceAll('"', '&quot;')}"`
  }
  return attributes
}

function rewrittenRaw(name: string, text: string): string {
  if (name === 'title') return text.replaceAll('<', '&lt;')
  return name === 'style' && !couldRun(text) ? text : ''
}

function cleanAttributes(attributes: sanitize.Attributes): sanitize.Attributes {
  const { style, ...others } = attributes
  const isRefresh = 'http-equiv' in others && others['http-equiv']?.trim().toLowerCase() !== 'content-type'
  const kept: sanitize.Attributes = {}
  for (const [name, value] of Object.entries(others)) {
    if (name.startsWith('on') || name === 'srcdoc') continue
    if (isRefresh && (name === 'http-equiv' || name === 'content')) continue
    kept[name] = value
  }
  const declarations = styleDeclarations(style ?? '').filter((declaration) => !couldRun(declaration))
  if (declarations.length > 0) kept.style = declarations.join('; ')
  return kept
}

const runningCss = /expression\s*\(|javascript:|vbscript:|-moz-binding|(?:^|[\s;{])behavior\s*:|@import/i

/** What old browsers ran out of CSS, and what loads more of it; comments and escapes do not hide it. */
function couldRun(css: string): boolean {
  return runningCss.test(withoutComments(css).replaceAll('\\', ''))
}

function withoutComments(css: string): string {
  const [start = '', ...comments] = css.split('/*')
  const rests = comments.map((comment) => (comment.includes('*/') ? comment.slice(comment.indexOf('*/') + 2) : ''))
  return start + rests.join('')
}
