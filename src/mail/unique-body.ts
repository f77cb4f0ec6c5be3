import { type HtmlToken, htmlTokens } from './html-tokens.js'
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

/** How clients mark what they quote: Outlook and the service, its header in desktop mail, Gmail, Yahoo, Apple, Thunderbird. */
const quoteMarks =
  /\b(?:id|class)\s*=\s*["']?(?:x_)*(?:divRplyFwdMsg|appendonsend|gmail_quote|yahoo_quoted|moz-cite-prefix)/i
const citeMark = /\btype\s*=\s*["']?cite\b/i
/** The line above the header that Outlook for Windows writes. */
const topRule = /border:\s*none;\s*border-top:\s*solid\s+#(?:B5C4DF|E1E1E1)/i
const longestMark = 2_000

function beginsQuote({ kind, name, text }: HtmlToken): boolean {
  if (kind !== 'open') return false
  const tag = text.slice(0, longestMark)
  if (name === 'blockquote') return citeMark.test(tag) || quoteMarks.test(tag)
  return name === 'div' && (quoteMarks.test(tag) || topRule.test(tag))
}

const separators = [/^-{2,}\s?Original Message\s?-{2,}$/i, /^_{20,}$/]

/** The lines before a separator, a header of a quoted message, or `On ... wrote:` and what follows it. */
function withoutTextQuote(text: string): string {
  const lines = text.split('\n')
  const first = lines.findIndex((_, index) => startsTextQuote(lines, index))
  return first === -1 ? text : lines.slice(0, first).join('\n').trimEnd()
}

function startsTextQuote(lines: readonly string[], index: number): boolean {
  const line = (lines[index] ?? '').trim()
  const next = (lines[index + 1] ?? '').trim()
  if (line.length > longestMark) return false
  if (separators.some((separator) => separator.test(line))) return true
  if (line.startsWith('From: ') && /^(?:Sent|Date): /.test(next)) return true
  return line.startsWith('On ') && line.endsWith(' wrote:') && nextWords(lines, index + 1).startsWith('>')
}

/** The next line that is not empty. */
function nextWords(lines: readonly string[], from: number): string {
  for (let index = from; index < Math.min(from + 3, lines.length); index++) {
    const line = (lines[index] ?? '').trim()
    if (line !== '') return line
  }
  return ''
}
