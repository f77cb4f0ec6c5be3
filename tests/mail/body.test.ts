import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bodyPreviewOf, htmlOf, normaliseHtml, textOf } from '../../src/mail/body.js'
import type { ItemBody } from '../../src/mail/message.js'
import { sanitizeHtml } from '../../src/mail/sanitize-html.js'

const html = (content: string): ItemBody => ({ contentType: 'html', content })
const text = (content: string): ItemBody => ({ contentType: 'text', content })
const start = '<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'

test('the preview of a short text is the text, with line ends as Graph writes them', () => {
  assert.equal(bodyPreviewOf(text('draft message')), 'draft message')
  assert.equal(bodyPreviewOf(text('a\nb\r\nc\rd')), 'a\r\nb\r\nc\r\nd')
  assert.equal(bodyPreviewOf(text('')), '')
})

test('a preview ends after 255 characters, not in the middle of one', () => {
  assert.equal(bodyPreviewOf(text('x'.repeat(300))), 'x'.repeat(255))
  assert.equal(bodyPreviewOf(text(`${'x'.repeat(254)}🎉`)), 'x'.repeat(254))
  assert.equal(bodyPreviewOf(text(`${'x'.repeat(253)}🎉`)), `${'x'.repeat(253)}🎉`)
  assert.equal(bodyPreviewOf(text(`${'x'.repeat(254)}\nmore`)), 'x'.repeat(254))
})

test('the preview of HTML is what is read on the page', () => {
  const page = html(
    '<html><head><title>no</title><style>p{x:y}</style></head><body dir="ltr"><div>Caf&eacute;&nbsp;at <b>noon</b>?</div>' +
      '<div><br></div><!-- no --><div>Second &lt;line&gt;<br>third<br></div><script>no()</script>' +
      '<p><a href="https://example.com">a link</a><img src="x" alt="no"></p></body></html>',
  )
  assert.equal(bodyPreviewOf(page), 'Café at noon?\r\n\r\nSecond <line>\r\nthird\r\n\r\na link')
})

test('the preview of a large body looks at its beginning only', () => {
  assert.equal(
    bodyPreviewOf(html(`<style>${'x'.repeat(100_000)}</style><p>Hello</p>${'<p>x</p>'.repeat(100_000)}`)).slice(0, 5),
    'Hello',
  )
})

test('text of HTML names where links lead; text stays as it is', () => {
  assert.equal(textOf(text('as\nit is ')), 'as\nit is ')
  assert.equal(
    textOf(
      html(
        '<p>See <a href="https://example.com/x?a=1&amp;b=2">this</a>, <a href="javascript:x">that</a></p><ul><li>1</li><li>2</li></ul>',
      ),
    ),
    'See this <https://example.com/x?a=1&b=2>, that\r\n\r\n * 1\r\n * 2',
  )
  assert.equal(textOf(html('<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>')), 'a b\r\nc')
  assert.equal(textOf(html('<a href="https://example.com/">https://example.com/</a>')), 'https://example.com/')
})

test('a text shown as HTML keeps its characters, lines and blanks', () => {
  assert.equal(
    htmlOf(text('1 < 2 & "3"\n  two\nend')),
    `${start}</head><body><div class="PlainText">1 &lt; 2 &amp; &quot;3&quot;<br>\r\n&nbsp; two<br>\r\nend</div></body></html>`,
  )
  assert.equal(textOf(html(htmlOf(text('a <b> &amp;\nc')))), 'a <b> &amp;\r\nc')
  assert.equal(htmlOf(html('<p>x')), '<p>x')
})

test('a fragment gets a document around it', () => {
  assert.equal(normaliseHtml('They were <b>good</b>!'), `${start}</head><body>They were <b>good</b>!</body></html>`)
  assert.equal(normaliseHtml(''), `${start}</head><body></body></html>`)
})

test('a document is arranged as recorded', () => {
  const document =
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="iso-8859-1"><meta name="viewport" content="x">\n' +
    '<style type="text/css"> P {margin-top:0; margin-bottom: 0;} </style>\n</head>\n<body dir="ltr"><!-- gone -->\n' +
    '<p>x</p>\n</body>\n</html>\n'
  assert.equal(
    normaliseHtml(document),
    '<html lang="en"><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">' +
      '<meta name="viewport" content="x"><style type="text/css">\r\n<!--\r\np\r\n\t{margin-top:0;\r\n\tmargin-bottom:0}\r\n-->\r\n</style>' +
      '</head><body dir="ltr">\n<p>x</p></body></html>',
  )
})

test('arranging twice changes nothing more', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '<p>',
      '</p>',
      '<body class="x">',
      '</body>',
      '<style>',
      '</style>',
      'a{b:c}',
      '<!--',
      '-->',
      '<head>',
    ),
    fc.constantFrom(
      '<html lang=de>',
      '<title>',
      '</title>',
      '<meta name=x>',
      '<a href="',
      '">',
      ' ',
      '\n',
      'text',
      '<br/>',
      '<',
    ),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const once = normaliseHtml(pieces.join(''))
      assert.equal(normaliseHtml(once), once)
    }),
    { numRuns: 1_000 },
  )
})

test('what could run is removed', () => {
  const dirty = [
    '<script>alert(1)</script>',
    '<SCRIPT SRC=//example.com/x.js></SCRIPT>',
    '<img src=x onerror=alert(1)>',
    '<img src="x" OnError = "alert(1)">',
    '<a href="javascript:alert(1)">x</a>',
    '<a href=" java\nscript:alert(1)">x</a>',
    '<a href="&#106;avascript:alert(1)">x</a>',
    '<a href="vbscript:x">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<iframe src="https://example.com"></iframe>',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<object data="x"></object><embed src="x">',
    '<svg onload=alert(1)><script>alert(1)</script></svg>',
    '<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>',
    '<form action="https://example.com"><input name=x autofocus onfocus=alert(1)><button formaction="javascript:x">',
    '<meta http-equiv="refresh" content="0;url=https://example.com">',
    '<base href="https://example.com/"><link rel=stylesheet href=x>',
    '<p style="width: expression(alert(1))">x</p>',
    '<p style="background:url(java/**/script:alert(1))">x</p>',
    '<style>@import "https://example.com/x.css"; p{behavior:url(x)}</style>',
    '<body onload="alert(1)">x</body>',
    '<xmp><script>alert(1)</script></xmp>',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    '<textarea><script>alert(1)</script></textarea>',
    '<!--[if mso]><script>alert(1)</script><![endif]-->',
    '<title><script>alert(1)</script></title>',
    '<a title="x"onclick="alert(1)">x</a>',
    "<a title='\"><script>alert(1)</script>'>x</a>",
  ]
  for (const markup of dirty) {
    const clean = sanitizeHtml(`<p>before</p>${markup}`)
    assert.ok(clean.startsWith('<p>before</p>'), markup)
    assert.doesNotMatch(
      withoutStyles(clean).replaceAll(/="[^"]*"/g, ''),
      /<(?:script|iframe|object|embed|svg|math|form|input|button|base|link)\b| on\w+/i,
      markup,
    )
    assert.doesNotMatch(
      clean,
      /(?:href|src|content|data|action)="\s*(?:javascript|vbscript|data|0;url)|expression\(|@import|behavior/i,
      markup,
    )
  }
})

test('markup of Outlook and newsletters stays', () => {
  const page =
    '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style>p.x{margin:0}</style></head><body lang="EN-US">' +
    '<div class="WordSection1" id="a" data-ogsc="1"><p class="MsoNormal"><span style="font-size:11pt">Hi<o:p></o:p></span></p>' +
    '<table width="100%" cellpadding="0" bgcolor="#ffffff"><tbody><tr><td valign="top"><img src="cid:a@b" width="1">' +
    '<img src="data:image/png;base64,AA=="><font color="#000000" face="Arial">x</font></td></tr></tbody></table>' +
    '<a href="mailto:a@example.com">m</a><a href="https://example.com/?a=1&amp;b=2" target="_blank">w</a></div></body></html>'
  assert.equal(sanitizeHtml(page), page)
})

test('cleaned HTML is written as recorded', () => {
  assert.equal(
    sanitizeHtml('<hr style="display:inline-block;width:98%;" tabindex=-1><br/>a&nbsp;b'),
    '<hr tabindex="-1" style="display:inline-block; width:98%"><br>a&nbsp;b',
  )
})

const hostile = [
  ...[
    '<b>x',
    '<div>',
    '<ul><li>',
    '<p><li>',
    '<p>x',
    '</p>',
    '<table><tr><td>',
    '<a href=',
    '<a "',
    '<a ="',
    '<',
    '<!--',
  ],
  ...[
    '&',
    '<style>',
    '<style>/*',
    '<p style="(((;;">',
    '<body>',
    '<b></i>',
    '<a b          ',
    '<blockquote>x<br>',
    ' a=',
  ],
]

for (const unit of hostile) {
  test(`${JSON.stringify(unit)} again and again is shown in bounded time`, (t) => {
    const took: number[] = []
    for (const size of [20_000, 200_000]) {
      const content = unit.repeat(size / unit.length)
      const from = performance.now()
      textOf(html(content))
      bodyPreviewOf(html(content))
      normaliseHtml(sanitizeHtml(content))
      took.push(performance.now() - from)
    }
    const [small = 0, large = 0] = took
    t.diagnostic(`200 KB took ${(large / Math.max(small, 0.1)).toFixed(1)} times as long as 20 KB`)
  })
}

test('text in elements nested too deep to count is still read', () => {
  const content = `${'<div>'.repeat(5_000)}deep${'</div>'.repeat(5_000)}<p>after</p>`
  assert.equal(textOf(html(content)), 'deep\r\n\r\nafter')
  assert.match(sanitizeHtml(content), /^(?:<div>)+deep(?:<\/div>)+<p>after<\/p>$/)
})

/** What stands in a style sheet is no markup, whatever it looks like. */
function withoutStyles(markup: string): string {
  return markup.replaceAll(/<style>[\s\S]*?<\/style>/g, '')
}

test('line breaks come out of cleaning where they stood, and no NUL becomes one', () => {
  assert.equal(sanitizeHtml('a<br>b<BR/>c<br />d<br class="x">e'), 'a<br>b<br>c<br>d<br class="x">e')
  assert.equal(sanitizeHtml('<p title="a\0b">c\0d &#0;</p><style>p\0{}</style>').includes('<br>'), false)
  assert.equal(sanitizeHtml('<a title="<br>">x</a>').includes('<br>'), false)
})
