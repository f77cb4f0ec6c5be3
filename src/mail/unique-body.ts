import { attributesOf, type HtmlToken, htmlTokens } from './html-tokens.js'
import type { ItemBody } from './message.js'

/** The part of a body that its author wrote: what stands before the first message it quotes. Linear in the size. */
export function uniqueBodyOf(body: ItemBody): ItemBody {
  const content = body.contentType === 'html' ? withoutQuote(body.content) : withoutTextQuote(body.content)
  return { contentType: body.contentType, content }
}

/** The markup up to where the history begins; elements left open are closed by whoever shows it. */
function withoutQuote(html: string): string {
  let kept = ''
  let rule: string | undefined
  for (const token of htmlTokens(html)) {
    if (beginsQuote(token)) return kept
    const isBlank = token.kind === 'text' && token.text.trim() === ''
    // The rule above the header of a quote belongs to it; any other one to the text.
    if (token.kind === 'open' && token.name === 'hr') {
      kept += rule ?? ''
      rule = token.text
    } else if (rule !== undefined && isBlank) {
      rule += token.text
    } else {
      kept += (rule ?? '') + token.text
      rule = undefined
    }
  }
  return kept + (rule ?? '')
}

/** How clients mark what they quote: Outlook and the service, Gmail, Yahoo, Thunderbird; with `x_` where it was quoted again. */
const quoteIds = new Set(['divRplyFwdMsg', 'appendonsend', 'mail-editor-reference-message-container'])
const quoteClasses = new Set(['gmail_quote', 'yahoo_quoted', 'moz-cite-prefix', 'moz-forward-container'])
/** The line above the header that Outlook for Windows writes. */
const topRule = /border:\s*none;\s*border-top:\s*solid\s+#(?:B5C4DF|E1E1E1)/i
const longestMark = 2_000

function beginsQuote({ kind, name, text }: HtmlToken): boolean {
  if (kind !== 'open' || (name !== 'div' && name !== 'blockquote')) return false
  const tag = text.slice(0, longestMark)
  for (const attribute of attributesOf(tag.slice(1 + name.length))) {
    if (isQuoteMark(name, attribute.name.toLowerCase(), attribute.value ?? '')) return true
  }
  return name === 'div' && topRule.test(tag)
}

function isQuoteMark(element: string, attributeName: string, value: string): boolean {
  // Apple, Thunderbird
  if (attributeName === 'type') return element === 'blockquote' && value.toLowerCase() === 'cite'
  const marks = attributeName === 'id' ? quoteIds : attributeName === 'class' ? quoteClasses : undefined
  return marks !== undefined && value.split(/\s+/).some((word) => marks.has(word.replace(/^(?:x_)+/, '')))
}

/** Lines that stand above a message quoted as text: of Outlook, Gmail and Apple. */
const separator = /^(?:-{2,}\s?(?:Original|Forwarded) Message\s?-{2,}|Begin forwarded message:)$/i
/** The rule that Outlook draws above the header; a line of the author's may look the same. */
const textRule = /^_{20,}$/
/** Lines that `On ... wrote:` is broken into, and empty ones before what was written. */
const attributionLines = 3

/** The lines before a separator, a header of a quoted message, or `On ... wrote:` and what follows it. */
function withoutTextQuote(text: string): string {
  const lines = text.split('\n')
  const first = lines.findIndex((_, index) => startsTextQuote(lines, index))
  return first === -1 ? text : lines.slice(0, first).join('\n').trimEnd()
}

function startsTextQuote(lines: readonly string[], index: number): boolean {
  const line = lineAt(lines, index)
  if (separator.test(line)) return true
  if (textRule.test(line)) return startsHeader(lines, filledLine(lines, index + 1))
  return startsHeader(lines, index) || startsAttribution(lines, index)
}

function startsHeader(lines: readonly string[], index: number): boolean {
  return /^\*?From:\*? /.test(lineAt(lines, index)) && /^\*?(?:Sent|Date):/.test(lineAt(lines, index + 1))
}

function startsAttribution(lines: readonly string[], index: number): boolean {
  if (!lineAt(lines, index).startsWith('On ')) return false
  for (let last = index; last < index + attributionLines; last++) {
    if (/(?:^| )wrote:$/.test(lineAt(lines, last))) return lineAt(lines, filledLine(lines, last + 1)).startsWith('>')
  }
  return false
}

/** Where the next line stands that is not empty, if it is near. */
function filledLine(lines: readonly string[], from: number): number {
  let index = from
  while (index < from + attributionLines && lineAt(lines, index) === '') index++
  return index
}

/** Of a line longer than any mark its beginning; empty beyond the last. */
function lineAt(lines: readonly string[], index: number): string {
  return (lines[index] ?? '').slice(0, longestMark).trim()
}
