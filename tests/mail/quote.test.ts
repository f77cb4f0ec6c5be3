import assert from 'node:assert/strict'
import { test } from 'node:test'
import { normaliseHtml } from '../../src/mail/body.js'
import { quotedBody } from '../../src/mail/quote.js'
import { sanitizeHtml } from '../../src/mail/sanitize-html.js'
import { uniqueBodyOf } from '../../src/mail/unique-body.js'
import { to } from '../outbox/delivery-fixture.js'
import { sampleMessage } from './mime/sample-message.js'

const html = (content: string) => ({ contentType: 'html', content }) as const
const start = '<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
const sentAt = Date.UTC(2026, 2, 8, 0, 5, 9)

/** The block above the original, with the lines of its header. */
const frame = (lines: string) =>
  `<hr tabindex="-1" style="display:inline-block; width:98%"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif" color="#000000" style="font-size:11pt">${lines}</font> <div>&nbsp;</div></div>`
const usual = frame(
  '<b>From:</b> Ada King &lt;ada@example.com&gt;<br><b>Sent:</b> Sunday, March 8, 2026 12:05:09 AM<br><b>To:</b> Grace &lt;grace@example.org&gt;<br><b>Subject:</b> Lunch?',
)
const shown = (content: string) => normaliseHtml(sanitizeHtml(content))

test('the original stands below the rule, its head and body tag kept, and is shown as it is kept', () => {
  const original = sampleMessage(
    {
      body: html(
        '<html lang="de"><head><title>x</title><style>P{margin:0}</style></head><body dir="ltr" lang=EN-US><p class="a">One</p> two</body></html>',
      ),
    },
    { sentAt },
  )
  const { contentType, content } = quotedBody(original, 'Hello\nthere', 'UTC')
  assert.equal(contentType, 'html')
  assert.match(content, /^<html lang="de"><head>\r\n<meta [^>]+><title>x<\/title><style>\r\n<!--/)
  assert.ok(
    content.endsWith(
      `<body dir="ltr" lang=EN-US>Hello<br>there ${usual}<div><p class="a">One</p> two</div></body></html>`,
    ),
  )
  assert.ok(shown(content).endsWith(`Hello<br>there ${usual}<div><p class="a">One</p> two</div></body></html>`))
  assert.equal(shown(shown(content)), shown(content))
})

test('without a comment the rule comes first', () => {
  const { content } = quotedBody(sampleMessage({ body: html('<p>x</p>') }, { sentAt }), '', 'UTC')
  assert.equal(content, `${start}</head><body>${usual}<div><p>x</p></div></body></html>`)
})

test('a text is answered in HTML, its lines and angle brackets as they were', () => {
  const original = sampleMessage({ body: { contentType: 'text', content: 'a <b> & c\r\n  d' } }, { sentAt })
  const { content } = quotedBody(original, 'x', 'UTC')
  assert.equal(
    content,
    `${start}</head><body>x ${usual}<div><div class="PlainText">a &lt;b&gt; &amp; c<br>\r\n&nbsp; d</div></div></body></html>`,
  )
})

test('names, subject and comment are escaped; Cc has a line only when there is somebody', () => {
  const original = sampleMessage(
    {
      body: html('x'),
      from: { name: '<script>&"', address: 'a<b@example.com' },
      toRecipients: [{ address: 'plain@example.com' }, { name: 'Bob & Co', address: 'bob@example.com' }],
      ccRecipients: to('cy@example.com'),
    },
    { sentAt, subject: '</font><img src=x onerror=y>' },
  )
  const { content } = quotedBody(original, '<img src=x>\r\n1 < 2 & 3\rend', 'UTC')
  assert.ok(
    content.includes(
      frame(
        '<b>From:</b> &lt;script&gt;&amp;" &lt;a&lt;b@example.com&gt;<br><b>Sent:</b> Sunday, March 8, 2026 12:05:09 AM' +
          '<br><b>To:</b> plain@example.com &lt;plain@example.com&gt;; Bob &amp; Co &lt;bob@example.com&gt;' +
          '<br><b>Cc:</b> cy@example.com &lt;cy@example.com&gt;<br><b>Subject:</b> &lt;/font&gt;&lt;img src=x onerror=y&gt;',
      ),
    ),
  )
  assert.ok(content.includes('<body>&lt;img src=x&gt;<br>1 &lt; 2 &amp; 3<br>end <hr'))
})

test('who wrote it may be unknown, or known as sender alone', () => {
  const { from: _, sender: __, ...content } = sampleMessage({ body: html('x') }).content
  const message = sampleMessage({}, { subject: null })
  const nobody = quotedBody({ ...message, content }, '', 'UTC').content
  assert.match(nobody, /<b>From:<\/b> <br><b>Sent:.*<b>Subject:<\/b> <\/font>/)
  const sender = quotedBody(
    { ...message, content: { ...content, sender: { address: 's@example.com' } } },
    '',
    'UTC',
  ).content
  assert.match(sender, /<b>From:<\/b> s@example\.com &lt;s@example\.com&gt;<br>/)
})

test('the time is that of the zone, summer time and other days included', () => {
  const lineIn = (zone: string, at: number) =>
    /<b>Sent:<\/b> ([^<]+)</.exec(quotedBody(sampleMessage({}, { sentAt: at }), '', zone).content)?.[1]
  assert.equal(lineIn('America/Los_Angeles', sentAt), 'Saturday, March 7, 2026 4:05:09 PM')
  assert.equal(lineIn('America/Los_Angeles', Date.UTC(2026, 2, 8, 10, 0)), 'Sunday, March 8, 2026 3:00:00 AM')
  assert.equal(lineIn('Asia/Kolkata', Date.UTC(2026, 0, 1, 6, 30)), 'Thursday, January 1, 2026 12:00:00 PM')
  assert.equal(lineIn('UTC', 0), 'Thursday, January 1, 1970 12:00:00 AM')
})

test('an original that leaves elements open, or closes what it never opened, stays inside the document', () => {
  for (const body of [
    '<div><table><tr><td>x',
    '</div></body></html>after',
    '<!-- open',
    '<style>p{',
    '<div title="x',
    'a < b',
  ]) {
    const { content } = quotedBody(sampleMessage({ body: html(body) }, { sentAt }), 'mine', 'UTC')
    assert.ok(content.startsWith(`${start}`), body)
    assert.ok(content.endsWith('</body></html>'), body)
    assert.equal(content.split('</body>').length, 2, body)
    assert.ok(shown(content).includes(`mine ${usual}`), body)
    assert.equal(uniqueBodyOf({ contentType: 'html', content }).content.split('<body>')[1], 'mine ', body)
  }
})

test('a quote of a quote of a quote keeps every frame, and is unique above the first', () => {
  let body: { contentType: 'html' | 'text'; content: string } = { contentType: 'text', content: 'zero' }
  for (const word of ['one', 'two', 'three']) body = quotedBody(sampleMessage({ body }, { sentAt }), word, 'UTC')
  assert.equal(body.content.split(usual).length, 4)
  assert.equal(uniqueBodyOf(body).content, `${start}</head><body>three `)
})

test('originals of four megabytes are quoted: a quadratic pass would take hours', () => {
  const size = 4 * 1024 * 1024
  for (const piece of ['<b>', '<', '\n', '</body>', '<div title="', '<!--']) {
    const content = piece.repeat(size / piece.length)
    for (const contentType of ['html', 'text'] as const) {
      const quoted = quotedBody(sampleMessage({ body: { contentType, content } }), piece.repeat(1_000), 'UTC')
      assert.ok(quoted.content.endsWith('</body></html>'))
      uniqueBodyOf(quoted)
    }
  }
})
