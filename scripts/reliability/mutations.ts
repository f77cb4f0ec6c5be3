/** Good requests, changed by chance; the same seed makes the same ones. */
import { requestBytes } from './raw-call.js'

const mail = {
  subject: 'Lunch?',
  importance: 'high',
  body: { contentType: 'html', content: '<p>Noon &amp; sharp</p>' },
  toRecipients: [{ emailAddress: { address: 'ben@fabrikam.example', name: 'Ben' } }],
  internetMessageHeaders: [{ name: 'x-a', value: 'b' }],
  attachments: [{ '@odata.type': '#microsoft.graph.fileAttachment', name: 'a.txt', contentBytes: 'aGVsbG8=' }],
  flag: { flagStatus: 'flagged', dueDateTime: { dateTime: '2030-01-01T00:00:00', timeZone: 'UTC' } },
}

const requests: readonly (readonly [method: string, path: string, body?: object])[] = [
  ['POST', '/v1.0/me/sendMail', { message: mail, saveToSentItems: true }],
  ['POST', '/v1.0/me/messages', mail],
  ['PATCH', '/v1.0/me/messages/AAMkADk', { subject: 'b', isRead: true, categories: ['a'] }],
  [
    'GET',
    "/v1.0/me/messages?$filter=isRead eq false and startswith(subject,'a')&$orderby=receivedDateTime desc&$top=5",
  ],
  ['GET', '/v1.0/me/messages?$search="from:adele subject:lunch"&$select=subject,from&$expand=attachments'],
  ['GET', '/v1.0/me/mailFolders/inbox/messages?$count=true&$skip=3'],
  ['GET', '/beta/users/adele@contoso.com/mailFolders?includeHiddenFolders=true'],
  ['POST', '/v1.0/me/mailFolders', { displayName: 'Plans', isHidden: false }],
  [
    'POST',
    '/v1.0/me/mailFolders/inbox/messageRules',
    { displayName: 'a', sequence: 1, conditions: { subjectContains: ['a'] }, actions: { markAsRead: true } },
  ],
  ['PATCH', '/v1.0/me/mailboxSettings', { timeZone: 'UTC', automaticRepliesSetting: { status: 'disabled' } }],
  [
    'POST',
    '/v1.0/$batch',
    {
      requests: [
        { id: '1', method: 'GET', url: '/me/messages?$top=1' },
        {
          id: '2',
          dependsOn: ['1'],
          method: 'POST',
          url: '/me/messages',
          headers: { 'Content-Type': 'application/json' },
          body: mail,
        },
      ],
    },
  ],
  [
    'POST',
    '/v1.0/me/messages/AAMkADk/createUploadSession',
    { AttachmentItem: { attachmentType: 'file', name: 'a', size: 5_000_000 } },
  ],
  ['POST', '/v1.0/me/getMailTips', { EmailAddresses: ['a@b.example'], MailTipsOptions: 'automaticReplies' }],
  ['POST', '/v1.0/me/translateExchangeIds', { inputIds: ['AAMk'], sourceIdType: 'entryId', targetIdType: 'restId' }],
  ['GET', "/v1.0/me/messages('AAMkADk')/attachments('x')/$value"],
  ['DELETE', '/v1.0/me/messages/AAMkADk'],
]

/** Put in where chance says so. */
const morsels = [
  ...[
    "'",
    '"',
    '\\',
    '\0',
    '\r\n',
    '%00',
    '%',
    '..',
    '/',
    '(',
    ')',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    'null',
    'true',
    '-1',
  ],
  ...[
    '1e999',
    '$filter=',
    '__proto__',
    '\u202e',
    '\ud800',
    '💩',
    'A'.repeat(1_000),
    '='.repeat(50),
    '<script>',
    '@odata.type',
  ],
]

/** Whole requests. @param seed the same makes the same */
export function mutations(token: string, count: number, seed: number): Buffer[] {
  const chance = randomOf(seed)
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(chance() * items.length)] as Item
  return Array.from({ length: count }, () => {
    const [method, path, body] = pick(requests)
    const headers: Record<string, string> = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
    let text = body === undefined ? '' : JSON.stringify(body)
    let target = path.replaceAll(' ', '%20').replaceAll('"', '%22')
    const changes = 1 + Math.floor(chance() * 2)
    for (let change = 0; change < changes; change++) {
      const what = chance()
      if (what < 0.35 && body !== undefined) text = withValue(text, pick)
      else if (what < 0.5 && body !== undefined) text = changed(text, chance, pick)
      else if (what < 0.85) target = changed(target, chance, pick).replace(/[\r\n ]/g, '%20') || '/'
      else
        headers[pick(['Prefer', 'Accept', 'If-Match', 'Content-Type', 'ConsistencyLevel', 'client-request-id'])] =
          changed('return=minimal', chance, pick).replace(/[\r\n\0]/g, '')
    }
    const whole = requestBytes(
      chance() < 0.03 ? pick(['PUT', 'HEAD', 'OPTIONS', 'PATCH', 'BREW']) : method,
      target,
      headers,
      text,
    )
    // Now and then the bytes themselves, the framing too.
    return chance() < 0.1 ? Buffer.from(changed(whole.toString('latin1'), chance, pick), 'latin1') : whole
  })
}

/** Put where any value of a body stood. */
const values: readonly unknown[] = [
  ...[
    null,
    true,
    -1,
    0.5,
    1e308,
    '',
    ' ',
    'A'.repeat(1_000),
    '2030-02-30T25:61:61Z',
    'a@b',
    '\u0000',
    '\ud800',
    '=?utf-8?q??=',
  ],
  ...[
    [],
    {},
    [[]],
    [null],
    [{}],
    { '@odata.type': '#microsoft.graph.event' },
    { emailAddress: null },
    Array(300).fill('a'),
  ],
]

/** JSON with one value changed; as it was when it is none any more. */
function withValue(text: string, pick: <Item>(items: readonly Item[]) => Item): string {
  let tree: unknown
  try {
    tree = JSON.parse(text)
  } catch {
    return text
  }
  const places: [holder: Record<string, unknown>, name: string][] = []
  const walk = (value: unknown) => {
    if (typeof value !== 'object' || value === null) return
    for (const [name, member] of Object.entries(value)) {
      places.push([value as Record<string, unknown>, name])
      walk(member)
    }
  }
  walk(tree)
  if (places.length === 0) return text
  const [holder, name] = pick(places)
  holder[name] = pick(values)
  return JSON.stringify(tree)
}

function changed(text: string, chance: () => number, pick: <Item>(items: readonly Item[]) => Item): string {
  const at = Math.floor(chance() * (text.length + 1))
  const length = Math.floor(chance() * 12)
  const way = chance()
  if (way < 0.3) return text.slice(0, at) + pick(morsels) + text.slice(at)
  if (way < 0.5) return text.slice(0, at) + text.slice(at + length)
  if (way < 0.65)
    return text.slice(0, at) + text.slice(at, at + length).repeat(1 + Math.floor(chance() * 5)) + text.slice(at)
  if (way < 0.85) return text.slice(0, at) + String.fromCharCode(Math.floor(chance() * 256)) + text.slice(at + 1)
  return text.slice(0, at) + pick(morsels) + text.slice(at + length)
}

/** Small and good enough: Mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
