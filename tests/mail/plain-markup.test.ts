/** The short ways through plain markup end where the long ones do. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import fc from 'fast-check'
import type sanitize from 'sanitize-html'
import { isPlainMarkup, textOfParagraphs } from '../../src/mail/plain-markup.js'
import { plainTextOf, plainTextStartOf } from '../../src/mail/plain-text.js'
import { sanitizeHtml } from '../../src/mail/sanitize-html.js'
import { wordsOf } from '../../src/mail/search-words.js'

const strange = [' ', '\n', '\t', '  ', '&amp;', '&lt;', '&gt;', '&nbsp;', '"', "'", '\u200b', 'word', 'x'.repeat(300)]
const word = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replace(/[<>&\u00a0\0\r]/g, ''))
const words = fc.array(fc.oneof(word, fc.constantFrom(...strange)), { maxLength: 8 }).map((parts) => parts.join(''))

const element = (names: readonly string[], inner: fc.Arbitrary<string>) =>
  fc.tuple(fc.constantFrom(...names), inner).map(([name, text]) => `<${name}>${text}</${name}>`)
const joined = (part: fc.Arbitrary<string>, maxLength: number) =>
  fc.array(part, { maxLength }).map((parts) => parts.join(''))

const emphasis = element(['b', 'i', 'em', 'strong', 'span', 'u', 'code'], words)
const inline = joined(fc.oneof(words, emphasis, fc.constant('<br>')), 4)
const list = element(['ul', 'ol'], joined(element(['li'], inline), 3))
const { markup } = fc.letrec<{ markup: string }>((tie) => ({
  markup: joined(
    fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      inline,
      element(['p', 'h1', 'h3'], inline),
      element(['div', 'blockquote'], tie('markup')),
      list,
      fc.constant('<hr>'),
    ),
    4,
  ),
}))

/** The library without our short way; plain markup has no attributes and no styles to be cleaned of. */
const library: typeof sanitize = createRequire(import.meta.url)('sanitize-html')
const options = { allowedTags: false, allowedAttributes: false, allowVulnerableTags: true } as const
const longWay = (html: string) => library(html, options).replaceAll(' />', '>').replaceAll('\u00a0', '&nbsp;')

test('what counts as plain comes out of cleaning as it went in', () => {
  let plain = 0
  fc.assert(
    fc.property(markup, (html) => {
      if (!isPlainMarkup(html)) return
      plain += 1
      assert.equal(longWay(html), html)
      assert.equal(sanitizeHtml(html), html)
    }),
    { numRuns: 2_000 },
  )
  assert.ok(plain > 1_500, `only ${plain} of 2,000 were plain`)
})

test('what is not plain is told', () => {
  for (const html of [
    '<p class="x">a</p>',
    '<p>a',
    'a</p>',
    '<b><i>a</b></i>',
    '<p><div>a</div></p>',
    '<p><p>a</p></p>',
    '<li>a</li>',
    '<ul>a<p>b</p></ul>',
    '<script>a</script>',
    '<a>a</a>',
    '<P>a</P>',
    '<p>a & b</p>',
    '<p>a > b</p>',
    '<p>a\u00a0b</p>',
    '<p>&copy;</p>',
    '<!-- a -->',
    '<br/>',
    '<p onclick=alert(1)>a</p>',
    '<b><p>a</p></b>',
    '<div>'.repeat(60) + '</div>'.repeat(60),
  ]) {
    assert.equal(isPlainMarkup(html), false, html)
  }
})

const shown = (text: string) => text.replaceAll('\u00a0', ' ').slice(0, 255).trimEnd()

test('paragraphs are laid out as by the library', () => {
  let short = 0
  const paragraph = fc.tuple(words, fc.constantFrom('', '\n', ' ')).map(([text, after]) => `<p>${text}</p>${after}`)
  fc.assert(
    fc.property(joined(paragraph, 5), (html) => {
      const text = textOfParagraphs(html, 256)
      if (text === undefined) return
      short += 1
      assert.equal(shown(text), shown(plainTextStartOf(html, 16_384, 256)))
      assert.equal(textOfParagraphs(html) ?? plainTextOf(html), plainTextOf(html))
      // What the index takes of it: the same words, whichever way they were found.
      const whole = textOfParagraphs(html, 400_000)
      if (whole !== undefined) assert.deepEqual(wordsOf(whole), wordsOf(plainTextStartOf(html, 400_000, 400_000)))
    }),
    { numRuns: 2_000 },
  )
  assert.ok(short > 500, `only ${short} of 2,000 took the short way`)
  for (const html of ['', 'a', '<p>a</p>b', '<p>a<br>b</p>', '<p></p>', '<p>a</p><div>b</div>', '<p>&copy;</p>']) {
    assert.equal(textOfParagraphs(html, 256), undefined, html)
  }
})
