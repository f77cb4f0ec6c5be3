/**
 * Text as words, the same for what is kept and what is asked, and the same on every database: lower case, without
 * diacritics, no stemming. Scripts that put no blanks between words are cut into characters, so that a word is found as a
 * phrase of them.
 */

/** Longer ones are cut: what is that long is no word, but encoded bytes. UTF-16 units. */
const maxWordLength = 64

const letters = String.raw`\p{L}\p{N}\p{M}`
const unspaced = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}`
const anyWord = new RegExp(`(?=[${letters}])[${unspaced}]|(?:(?![${unspaced}])[${letters}])+`, 'gu')
const asciiWord = /[a-z0-9]+/g
const diacritics = /[\u0300-\u036f]+/g

/** The words of a text, in their order. */
export function wordsOf(text: string): string[] {
  // Most mail is ASCII, for which the plain way takes a tenth of the time.
  const isAscii = /^\p{ASCII}*$/u.test(text)
  // After the decomposition, which makes capitals of letters that have no lower case.
  const plain = isAscii ? text.toLowerCase() : text.normalize('NFKD').toLowerCase().replace(diacritics, '')
  const words = plain.match(isAscii ? asciiWord : anyWord) ?? []
  return words.map((word) => (word.length > maxWordLength ? cut(word) : word))
}

/** Not between the two halves of a character. */
function cut(word: string): string {
  const short = word.slice(0, maxWordLength)
  return /[\ud800-\udbff]$/.test(short) ? short.slice(0, -1) : short
}
