import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { composed } from '../../../src/mail/mime/render.js'
import { textEntity } from '../../../src/mail/mime/text-entity.js'

const boundary = '0123456789abcdef0123456789abcdef'
const plain = 'text/plain; charset=utf-8'
const html = 'text/html; charset=utf-8'

/** Lines as they come: short and long, of words, umlauts, emoji, control characters, what quoted-printable turns on. */
const line = fc.oneof(
  fc.string({ maxLength: 120 }),
  fc.string({ unit: 'grapheme', maxLength: 90 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom('a', 'b', 'é', 'ß', ' ', '=', '.', ',', '\t', '<', '>', '漢', '😀', '\x7f'),
    maxLength: 300,
  }),
  fc.integer({ min: 70, max: 80 }).map((length) => 'x'.repeat(length)),
)
const text = fc
  .array(line, { maxLength: 12 })
  .map((lines) => lines.map((one) => one.replace(/[\r\n\0]/g, '')).join('\r\n'))

test('the parts of a message are, byte for byte, what the composer of the library makes of them', async () => {
  let direct = 0
  await fc.assert(
    fc.asyncProperty(text, fc.option(text, { nil: undefined }), async (first, second) => {
      const parts = [
        { contentType: plain, content: first },
        ...(second === undefined ? [] : [{ contentType: html, content: second }]),
      ]
      const ours = textEntity(parts, boundary)
      if (ours === undefined) return
      direct++
      assert.equal(ours.toString('latin1'), (await composed(parts, [], boundary)).toString('latin1'))
    }),
    { numRuns: 2_000 },
  )
  assert.ok(direct > 200, `${direct} were made without the composer`)
})

test('usual mail needs no composer; what would be base64 and what is long is left to it', () => {
  const paragraph = '<p>The quarterly figures are in the shared folder; please read them — naïvely.</p>\r\n'
  const isDirect = (content: string) => textEntity([{ contentType: html, content }], boundary) !== undefined
  assert.equal(isDirect(paragraph.repeat(100)), true)
  assert.equal(isDirect('漢字'), false)
  assert.equal(isDirect(paragraph.repeat(1_000)), false)
  assert.equal(isDirect(''), false)
})
