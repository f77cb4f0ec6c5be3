/**
 * Most mail that programs send is plain: paragraphs and a little emphasis, without attributes, properly nested. What the
 * libraries that clean and lay out HTML make of such markup is known without asking them, and asking costs many times
 * what accepting the mail did.
 */

const inline = new Set(['b', 'i', 'u', 'em', 'strong', 'span', 'code'])
const empty = new Set(['br', 'hr'])
/** Elements whose content is text: a block inside ends them. */
const ofText = new Set(['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6'])
const blocks = new Set([...ofText, 'div', 'ul', 'ol', 'li', 'blockquote'])

/** Deeper than anybody nests by hand. */
const maxDepth = 50

const tagOrSpecial = /<(\/?)([a-z][a-z0-9]*)>|&(?:amp|lt|gt|nbsp);|[<>&\u00a0]/g

/**
 * Whether cleaning leaves the HTML as it is: known elements without attributes, each closed in its turn, and no character
 * that would be written in another way. When in doubt it is not.
 */
export function isPlainMarkup(html: string): boolean {
  const open: string[] = []
  for (const [whole, slash, name] of html.matchAll(tagOrSpecial)) {
    if (name === undefined) {
      if (whole.length === 1) return false
    } else if (slash === '/') {
      if (open.pop() !== name) return false
    } else if (!mayOpen(name, open)) {
      return false
    } else if (!empty.has(name)) {
      open.push(name)
    }
  }
  return open.length === 0
}

function mayOpen(name: string, open: readonly string[]): boolean {
  if (inline.has(name) || name === 'br') return open.length < maxDepth
  if (!blocks.has(name) && name !== 'hr') return false
  const parent = open.at(-1)
  if (open.length >= maxDepth || open.some((each) => ofText.has(each) || inline.has(each))) return false
  return (name === 'li') === (parent === 'ul' || parent === 'ol')
}

const paragraph = /<p>([^<]*)<\/p>/g
const characters: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&nbsp;': '\u00a0' }
/** What may stand in a paragraph beside words: references that are known, and nothing that could be markup. */
const unknownReference = /&(?!(?:amp|lt|gt|nbsp);)|>/

/**
 * The text of HTML that is nothing but paragraphs of text; undefined of any other. Blanks are one, paragraphs are an empty
 * line apart (LF), and it ends once `maxLength` characters are there.
 */
export function textOfParagraphs(html: string, maxLength = Number.POSITIVE_INFINITY): string | undefined {
  let text = ''
  let end = 0
  for (const match of html.matchAll(paragraph)) {
    if (!isBlank(html.slice(end, match.index))) return undefined
    end = match.index + match[0].length
    const words = wordsOf(match[1] ?? '', maxLength)
    if (words === undefined) return undefined
    text += text === '' ? words : `\n\n${words}`
    if (text.length > maxLength) return text
  }
  return end > 0 && isBlank(html.slice(end)) ? text : undefined
}

function isBlank(text: string): boolean {
  return /^[ \t\r\n\f]*$/.test(text)
}

/** undefined of a paragraph without words, and of one that needs a real reader. */
function wordsOf(content: string, maxLength: number): string | undefined {
  // Its beginning nearly always has as much as is wanted; a reference is not cut in two.
  const start = content.slice(0, 2 * maxLength).replace(/&[a-z]{0,4}$/, '')
  const words = laidOut(start)
  return content.length <= start.length || (words !== undefined && words.length >= maxLength) ? words : laidOut(content)
}

function laidOut(content: string): string | undefined {
  if (unknownReference.test(content)) return undefined
  const collapsed = content.replace(/[ \t\r\n\f\u200b]+/g, ' ').replace(/^ | $/g, '')
  const words = collapsed.replace(/&(?:amp|lt|gt|nbsp);/g, (reference) => characters[reference] ?? reference)
  return words.trim() === '' ? undefined : words.trimEnd()
}
