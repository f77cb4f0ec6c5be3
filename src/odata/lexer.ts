import { ODataError } from './odata-error.js'

/**
 * Cuts a list at `separator`, but not inside parentheses or quoted strings (a doubled quote is a quote within one).
 *
 * @throws ODataError naming `option`, when a parenthesis or quote is left open or closed too often
 */
export function splitList(text: string, separator: ',' | ';', option: string): string[] {
  const items: string[] = []
  let depth = 0
  let quoted = false
  let start = 0
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    // A doubled quote closes and opens again, which comes to the same.
    if (char === "'") quoted = !quoted
    else if (quoted) continue
    else if (char === '(') depth++
    else if (char === ')') {
      if (--depth < 0) break
    } else if (char === separator && depth === 0) {
      items.push(text.slice(start, i))
      start = i + 1
    }
  }
  if (quoted)
    throw new ODataError(option, `There is an unterminated string literal at position ${text.length} in '${text}'.`)
  if (depth !== 0) throw new ODataError(option, 'Found an unbalanced bracket expression.')
  items.push(text.slice(start))
  return items
}
