/** Arbitrary drafts: whatever a caller may write into one, and how it is asked for on the wire. */
import fc from 'fast-check'

/** A recipient as it is written into a request. */
export interface AnyPerson {
  readonly name: string
  readonly address: string
}

export interface AnyFile {
  readonly kind: 'file'
  readonly name: string
  readonly contentType: string
  readonly bytes: Uint8Array
  readonly isInline: boolean
  readonly contentId: string | null
}

export interface AnyItem {
  readonly kind: 'item'
  readonly name: string
  readonly message: AnyMessage
}

/** What an attached message and a draft have in common. */
export interface AnyMessage {
  readonly subject: string
  readonly body: { readonly contentType: 'text' | 'html'; readonly content: string }
  readonly toRecipients: readonly AnyPerson[]
  readonly ccRecipients: readonly AnyPerson[]
  readonly bccRecipients: readonly AnyPerson[]
  readonly replyTo: readonly AnyPerson[]
  readonly importance: 'low' | 'normal' | 'high'
  readonly attachments: readonly (AnyFile | AnyItem)[]
}

export interface AnyDraft extends AnyMessage {
  readonly categories: readonly string[]
  readonly flag: { readonly flagStatus: string }
  readonly isRead: boolean
  readonly isReadReceiptRequested: boolean
  readonly internetMessageHeaders: readonly { readonly name: string; readonly value: string }[]
}

/** Texts that readers of mail have tripped over. */
const awkward = [
  '=?UTF-8?B?SGVsbG8=?=',
  '=?utf-8?Q?=41?= =?utf-8?Q?=42?=',
  'a  b',
  ' leading and trailing ',
  'Re: Fwd: AW: nested',
  '"quoted", (commented); <angled>',
  'back\\slash \\"',
  "it's 100 % & more",
  'مرحبا بالعالم',
  '👩‍👩‍👧‍👦 👍🏽',
  '𝒜𝒷𝒸 𠜎',
  'e\u0301 and é',
  'soft\u00adhyphen',
  'hard\u00a0blank\u202f\u2003',
  'right\u202eleft',
  'separators\u2028and\u2029more',
  'x'.repeat(1_200),
  '漢'.repeat(400),
]

/** One line of anything that is a character, mostly few; a byte order mark is none, and readers drop it. */
function lineOf(maxLength: number): fc.Arbitrary<string> {
  return fc
    .oneof(
      { weight: 4, arbitrary: fc.string({ unit: 'grapheme', maxLength }) },
      { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength }) },
      { weight: 2, arbitrary: fc.string({ maxLength }) },
      { weight: 2, arbitrary: fc.constantFrom(...awkward) },
    )
    .map((text) => text.replace(/[\p{Cc}\ufeff]/gu, ''))
}

const localPart = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[a-z0-9]{1,10}([.+_-][a-z0-9]{1,10}){0,2}$/) },
  {
    weight: 2,
    arbitrary: fc.constantFrom("o'brien", '!#$%&*+-/=?^_`{|}~', 'UPPER.case', '1', 'x'.repeat(64), 'a=?b?=c'),
  },
  { weight: 1, arbitrary: fc.constantFrom('"a b"', '"a@b"', '"a,b"', '"dot..dot"') },
)
const domain = fc.constantFrom(
  'example.com',
  'Example.ORG',
  'mail.example.net',
  'xn--bcher-kva.example',
  'bücher.example',
  '[192.0.2.1]',
)
const person = fc.record({
  name: lineOf(24),
  address: fc.tuple(localPart, domain).map((parts) => parts.join('@')),
})

/** Nobody twice, in any case. */
function people(maxLength: number): fc.Arbitrary<AnyPerson[]> {
  return fc.uniqueArray(person, { maxLength, selector: ({ address }) => address.toLowerCase() })
}

const bodyLine = fc.oneof(
  { weight: 5, arbitrary: lineOf(100) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '',
      '.',
      '..',
      '.leading dot',
      'From here on',
      '>From there',
      '--',
      '-- ',
      '----_=Part--',
      'trailing blanks   ',
      'tab\tand\ttab',
      'bell \u0007, form\ffeed, escape \u001b[1m, next\u0085line',
      'equals = signs =3D =\t',
      'x'.repeat(2_500),
      '😀'.repeat(600),
    ),
  },
)

/** Lines with line ends of all three kinds between them. */
const textContent = fc
  .array(fc.tuple(bodyLine, fc.constantFrom('\r\n', '\r\n', '\n', '\r')), { maxLength: 12 })
  .map((lines) => lines.flat().join(''))

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const htmlPart = fc.oneof(
  { weight: 5, arbitrary: bodyLine.map((text) => `<p>${escaped(text)}</p>`) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '<!-- a comment -->',
      '<style>p { color: red }</style>',
      '<img src="cid:picture" alt="a &gt; b">',
      '<a href="https://example.com/?a=1&amp;b=2">link</a>',
      '<script>alert(1)</script>',
      '<p onclick="go()">clickable</p>',
      '<ul><li>one<li>two</ul>',
      'a < b && c > d',
      '&nbsp;&eacute;&#128512;',
      '<b><i>crossed</b></i>',
      '<div',
    ),
  },
)
const htmlContent = fc
  .tuple(fc.array(htmlPart, { maxLength: 8 }), fc.constantFrom('', '\r\n', '\n'), fc.boolean())
  .map(([parts, between, isDocument]) =>
    isDocument ? `<html><head><title>t</title></head><body>${parts.join(between)}</body></html>` : parts.join(between),
  )

export const anyBody = fc.oneof(
  fc.record({ contentType: fc.constant('text' as const), content: textContent }),
  fc.record({ contentType: fc.constant('html' as const), content: htmlContent }),
)

/** Readers decode words in a file name, which RFC 2047 §5 forbids: no name here looks like one. */
const fileName = lineOf(30)
  .map((name) => name.replaceAll('=?', '=').trim())
  .filter((name) => name !== '')

const file: fc.Arbitrary<AnyFile> = fc
  .record({
    kind: fc.constant('file' as const),
    name: fileName,
    contentType: fc.constantFrom('application/pdf', 'image/png', 'application/x-thing', 'text/csv', 'text/plain'),
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 4_000 }),
      fc.string({ unit: 'grapheme', maxLength: 200 }).map((text) => new TextEncoder().encode(`${text}\r\n.\n\r`)),
    ),
    isInline: fc.boolean(),
    contentId: fc.option(fc.stringMatching(/^[a-z0-9][a-z0-9@._-]{0,20}$/)),
  })
  // Readers show text that is inline as part of the body, as RFC 2183 lets them.
  .map((any) => (any.contentType.startsWith('text/') ? { ...any, isInline: false } : any))

function message(attachment: fc.Arbitrary<AnyFile | AnyItem>, maxAttachments: number): fc.Arbitrary<AnyMessage> {
  return fc.record({
    subject: lineOf(120),
    body: anyBody,
    toRecipients: people(4),
    ccRecipients: people(3),
    bccRecipients: people(2),
    replyTo: people(2),
    importance: fc.constantFrom('low', 'normal', 'high'),
    attachments: fc.array(attachment, { maxLength: maxAttachments }),
  })
}

const item: fc.Arbitrary<AnyItem> = fc.record({
  kind: fc.constant('item' as const),
  name: fileName,
  message: message(file, 2),
})

const ownHeaders = fc.uniqueArray(
  fc.record({
    name: fc.stringMatching(/^[xX]-[a-zA-Z0-9_.-]{3,30}$/).filter((name) => !/^x-(ms|priority)/i.test(name)),
    value: lineOf(60),
  }),
  { maxLength: 5, selector: ({ name }) => name.toLowerCase() },
)

/** Properties that an update may change as well. */
const changeable = {
  categories: fc.array(lineOf(12), { maxLength: 3 }),
  flag: fc.constantFrom('notFlagged', 'flagged', 'complete').map((flagStatus) => ({ flagStatus })),
  isRead: fc.boolean(),
  isReadReceiptRequested: fc.boolean(),
}

/** Any draft that the server accepts. */
export const anyDraft: fc.Arbitrary<AnyDraft> = fc
  .tuple(
    message(fc.oneof({ weight: 3, arbitrary: file }, { weight: 1, arbitrary: item }), 3),
    fc.record({ ...changeable, internetMessageHeaders: ownHeaders }),
  )
  .map(([common, own]) => ({ ...common, ...own }))

/** Any update of a draft: each property it may name is there or not. */
export const anyChange: fc.Arbitrary<Partial<AnyDraft>> = fc.record(
  {
    subject: lineOf(60),
    body: anyBody,
    toRecipients: people(3),
    ccRecipients: people(3),
    bccRecipients: people(3),
    replyTo: people(2),
    importance: fc.constantFrom('low' as const, 'normal' as const, 'high' as const),
    ...changeable,
  },
  { requiredKeys: [] },
)

const recipientLists = ['toRecipients', 'ccRecipients', 'bccRecipients', 'replyTo'] as const

/** What a caller sends for it, whole or in part. */
export function jsonOf(said: Partial<AnyDraft>): Record<string, unknown> {
  const json: Record<string, unknown> = { ...said }
  for (const list of recipientLists) {
    const written = said[list]
    if (written !== undefined) {
      json[list] = written.map(({ name, address }) => ({ emailAddress: name === '' ? { address } : { name, address } }))
    }
  }
  // An empty list of own headers is refused.
  if (said.internetMessageHeaders?.length === 0) delete json.internetMessageHeaders
  if (said.attachments !== undefined) json.attachments = said.attachments.map(attachmentJson)
  return json
}

function attachmentJson(attachment: AnyFile | AnyItem): object {
  const { name } = attachment
  if (attachment.kind === 'item') {
    const item = { '@odata.type': '#microsoft.graph.message', ...jsonOf(attachment.message) }
    return { '@odata.type': '#microsoft.graph.itemAttachment', name, item }
  }
  const { contentType, isInline, contentId, bytes } = attachment
  return {
    '@odata.type': '#microsoft.graph.fileAttachment',
    name,
    contentType,
    isInline,
    contentId,
    contentBytes: Buffer.from(bytes).toString('base64'),
  }
}
