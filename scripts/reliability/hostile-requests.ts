/** Requests of somebody who means harm, by threat; the rules of what must come of each stand with R18. */
import { gzipSync } from 'node:zlib'
import { requestBytes } from './raw-call.js'

/** What a hostile caller knows. */
export interface Attacker {
  readonly token: string
  /** Ids of a message and a folder in somebody else's mailbox. */
  readonly strangers: { readonly message: string; readonly folder: string; readonly user: string }
  /** In every mail the attacker writes. */
  readonly bodyMarker: string
  /** Where a password is sent. */
  readonly passwordMarker: string
  readonly tenant: string
}

export interface HostileRequest {
  readonly threat: string
  readonly bytes: Buffer
  /** `refused`: 400 to 499, or the connection closed. `harmless`: taken or refused, and nothing comes of it. */
  readonly must: 'refused' | 'harmless'
}

/** Put where a header or a command of SMTP could begin: none of it may show anywhere. */
export const injected = { header: 'X-Injected', recipient: 'evil@injected.example', subject: 'smuggled mail' } as const

type Send = (threat: string, must: HostileRequest['must'], method: string, path: string, body?: object | string) => void

export function hostileRequests(attacker: Attacker): HostileRequest[] {
  const found: HostileRequest[] = []
  const own = { Authorization: `Bearer ${attacker.token}` }
  const json = { ...own, 'Content-Type': 'application/json' }
  const send: Send = (threat, must, method, path, body) => {
    const text = typeof body === 'object' ? JSON.stringify(body) : body
    found.push({ threat, must, bytes: requestBytes(method, path, text === undefined ? own : json, text) })
  }
  otherMailboxes(send, attacker)
  forbiddenMembers(send, attacker)
  tooMuch(send, attacker)
  injections(send, attacker)
  strangeIds(send)
  queries(send)
  outwardUrls(send)
  secrets(send, attacker)
  for (const [threat, header] of badTokens(attacker)) {
    const headers = header === undefined ? {} : { Authorization: header }
    found.push({ threat, must: 'refused', bytes: requestBytes('GET', '/v1.0/me/messages', headers) })
    found.push({ threat, must: 'refused', bytes: requestBytes('POST', '/v1.0/me/sendMail', headers, '{}') })
  }
  found.push(...raw(attacker))
  return found
}

const draft = (attacker: Attacker, changes: object = {}) => ({
  subject: 'Lunch?',
  body: { contentType: 'text', content: attacker.bodyMarker },
  toRecipients: [{ emailAddress: { address: 'ben@fabrikam.example' } }],
  ...changes,
})

function otherMailboxes(send: Send, attacker: Attacker): void {
  const { message, folder, user } = attacker.strangers
  const threat = "another's mailbox"
  for (const base of ['/v1.0/me', `/v1.0/users/${user}`, `/beta/users/${user}`, `/v1.0/users('${user}')`]) {
    const isOwn = base === '/v1.0/me'
    for (const [method, path, body] of [
      ['GET', `/messages/${message}`],
      ['GET', `/messages/${message}/$value`],
      ['GET', `/messages/${message}/attachments`],
      ['PATCH', `/messages/${message}`, { subject: 'taken' }],
      ['DELETE', `/messages/${message}`],
      ['POST', `/messages/${message}/move`, { destinationId: 'deleteditems' }],
      ['POST', `/messages/${message}/forward`, { toRecipients: [] }],
      ['POST', `/messages/${message}/createReply`, {}],
      ['GET', `/mailFolders/${folder}`],
      ['GET', `/mailFolders/${folder}/messages`],
      ['DELETE', `/mailFolders/${folder}`],
    ] as const) {
      send(threat, 'refused', method, base + path, body)
    }
    if (isOwn) continue
    send(threat, 'refused', 'GET', `${base}/messages`)
    send(threat, 'refused', 'GET', `${base}/mailFolders/inbox/messages`)
    send(threat, 'refused', 'POST', `${base}/sendMail`, { message: draft(attacker) })
    send(threat, 'refused', 'GET', `${base}/mailboxSettings`)
  }
  const from = { from: { emailAddress: { address: user } } }
  send('sender not one\u2019s own', 'refused', 'POST', '/v1.0/me/sendMail', { message: draft(attacker, from) })
  for (const path of ['/admin/calls', '/admin/outbox', '/admin/users', '/admin/directory', '/metrics/../admin/calls']) {
    send('the operator\u2019s side', 'refused', 'GET', path)
  }
}

function forbiddenMembers(send: Send, attacker: Attacker): void {
  const threat = 'members one may not set'
  for (const changes of [
    { id: 'AAA' },
    { isDraft: false },
    { sentDateTime: '2001-01-01T00:00:00Z' },
    { receivedDateTime: '2001-01-01T00:00:00Z' },
    { createdDateTime: '2001-01-01T00:00:00Z' },
    { changeKey: 'x' },
    { parentFolderId: 'sentitems' },
    { hasAttachments: true },
    { webLink: 'javascript:alert(1)' },
    { conversationId: 'x' },
    { constructor: { prototype: { status: 1 } } },
    { toString: 'x' },
    { hasOwnProperty: 1 },
  ]) {
    send(threat, 'harmless', 'POST', '/v1.0/me/messages', draft(attacker, changes))
  }
  const polluted = JSON.stringify(draft(attacker)).slice(0, -1)
  for (const member of ['"__proto__":{"isAdmin":true}', '"constructor":{"prototype":{"a":1}}', '"prototype":{"a":1}']) {
    send(threat, 'refused', 'POST', '/v1.0/me/sendMail', `{"message":${polluted},${member}}}`)
    send(threat, 'refused', 'POST', '/v1.0/me/sendMail', `{${member}}`)
  }
}

function tooMuch(send: Send, attacker: Attacker): void {
  const threat = 'too much of it'
  const post = (message: object, must: HostileRequest['must'] = 'refused') =>
    send(threat, must, 'POST', '/v1.0/me/sendMail', { message: draft(attacker, message) })
  const people = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ emailAddress: { address: `a${n}@b.example` } }))
  post({ toRecipients: people(501) })
  post({ toRecipients: people(200), ccRecipients: people(200), bccRecipients: people(101) })
  post({ internetMessageHeaders: Array.from({ length: 6 }, (_, n) => ({ name: `x-${n}`, value: 'a' })) })
  post({ internetMessageHeaders: [{ name: `x-${'a'.repeat(5_000)}`, value: 'a' }] }, 'harmless')
  post({ internetMessageHeaders: [{ name: 'x-a', value: 'a'.repeat(200_000) }] }, 'harmless')
  post({ subject: 'a'.repeat(300_000) }, 'harmless')
  post({ categories: Array.from({ length: 50_000 }, (_, n) => `c${n}`) }, 'harmless')
  post({ body: { contentType: 'html', content: '<'.repeat(200_000) } }, 'harmless')
  post({ body: { contentType: 'html', content: '<div>'.repeat(40_000) } }, 'harmless')
  post({ body: { contentType: 'html', content: `<a href="${'&amp;'.repeat(40_000)}">` } }, 'harmless')
  post({ toRecipients: [{ emailAddress: { address: `${'a'.repeat(200_000)}@b.example` } }] })
  post({ toRecipients: [{ emailAddress: { address: `a@${'b.'.repeat(100_000)}example` } }] })
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    for (const depth of [65, 1_000, 100_000]) {
      const text = open.repeat(depth) + (open === '[' ? '' : '1') + close.repeat(depth)
      send(threat, 'refused', 'POST', '/v1.0/me/sendMail', `{"message":${text}}`)
    }
  }
  send(threat, 'refused', 'POST', '/v1.0/me/sendMail', `{"message":{"subject":"${'a'.repeat(5_000_000)}"}}`)
  const requests = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ id: `${n}`, method: 'GET', url: '/me' }))
  send(threat, 'refused', 'POST', '/v1.0/$batch', { requests: requests(21) })
  send(threat, 'refused', 'POST', '/v1.0/$batch', { requests: requests(5_000) })
  const nested = { id: '1', method: 'POST', url: '/$batch', body: { requests: requests(2) }, headers: {} }
  send(threat, 'harmless', 'POST', '/v1.0/$batch', { requests: [nested] })
}

const lineEnds = ['\r\n', '\n', '\r', '\0', '\u2028', '\u0085', '\r\n\r\n', '\u560d\u560a']

function injections(send: Send, attacker: Attacker): void {
  const { header, recipient, subject } = injected
  const post = (threat: string, message: object) =>
    send(threat, 'harmless', 'POST', '/v1.0/me/sendMail', { message: draft(attacker, message) })
  for (const end of lineEnds) {
    const tail = `${end}${header}: yes${end}Bcc: ${recipient}`
    const person = (address: string, name = 'Ben') => [{ emailAddress: { address, name } }]
    post('a header of one\u2019s own', { subject: `Lunch${tail}` })
    post('a header of one\u2019s own', { toRecipients: person('ben@fabrikam.example', `Ben${tail}`) })
    post('a header of one\u2019s own', { replyTo: person(`ben@fabrikam.example${tail}`) })
    post('a header of one\u2019s own', { internetMessageHeaders: [{ name: 'x-a', value: `a${tail}` }] })
    post('a header of one\u2019s own', { internetMessageHeaders: [{ name: `x-a${tail}`, value: 'a' }] })
    post('a header of one\u2019s own', { internetMessageId: `<a@b>${tail}` })
    const file = { '@odata.type': '#microsoft.graph.fileAttachment', contentBytes: 'AAAA' }
    post('a header of one\u2019s own', { attachments: [{ ...file, name: `a${tail}` }] })
    post('a header of one\u2019s own', { attachments: [{ ...file, name: 'a', contentType: `text/plain${tail}` }] })
    post('a header of one\u2019s own', { attachments: [{ ...file, name: 'a', isInline: true, contentId: `a${tail}` }] })
    const address = `ben@fabrikam.example>${end}RCPT TO:<${recipient}`
    post('another recipient', { toRecipients: person(address) })
  }
  const next = `MAIL FROM:<a@b.example>\r\nRCPT TO:<${recipient}>\r\nDATA\r\nSubject: ${subject}\r\n\r\nhello\r\n.\r\n`
  for (const dot of [
    '\r\n.\r\n',
    '\n.\n',
    '\r.\r',
    '\n.\r\n',
    '\r\n.\n',
    '\r\n.\r',
    '\r.\r\n',
    '\0\r\n.\r\n',
    '\r\r\n.\r\r\n',
  ]) {
    post('a second mail inside the first', {
      body: { contentType: 'text', content: `${attacker.bodyMarker}${dot}${next}` },
    })
    const mime = `From: adele@contoso.com\r\nTo: ben@fabrikam.example\r\nSubject: MIME\r\n\r\nhello${dot}${next}`
    found(send, 'a second mail inside the first', Buffer.from(mime).toString('base64'))
  }
  for (const address of [
    `"ben@fabrikam.example ${recipient}"@d.example`,
    `"${recipient}"@d.example`,
    `ben@fabrikam.example,${recipient}`,
    `ben@fabrikam.example;${recipient}`,
    `ben@fabrikam.example ${recipient}`,
    `<${recipient}>ben@fabrikam.example`,
    `ben@fabrikam.example@${recipient}`,
    `@injected.example:ben@fabrikam.example`,
    `ben%${recipient}`,
    `ben@[127.0.0.1]`,
    `ben@fabrikam.example\u0000${recipient}`,
    `(${recipient})ben@fabrikam.example`,
    `=?utf-8?q?evil=40injected=2Eexample?=`,
    'ben@',
    '@fabrikam.example',
    '',
  ]) {
    post('another recipient', { toRecipients: [{ emailAddress: { address } }] })
  }
}

/** A message in MIME goes as text. */
function found(send: Send, threat: string, base64: string): void {
  send(threat, 'harmless', 'POST', '/v1.0/me/sendMail', base64)
}

function strangeIds(send: Send): void {
  const threat = 'ids that are none'
  for (const id of [
    '..',
    '../../../../etc/passwd',
    '..%2f..%2f..%2fetc%2fpasswd',
    '..%5c..%5cwindows%5cwin.ini',
    '%2e%2e%2fgraphpost.sqlite',
    '%00',
    'a%00b',
    '%ff%fe',
    '%',
    '%zz',
    "1'%20or%20'1'='1",
    '1;drop%20table%20messages',
    "'%20union%20select%20*%20from%20signing_keys--",
    '-1',
    '9'.repeat(400),
    'A'.repeat(8_000),
    'AAAA==',
    '%F0%9F%92%A9',
    '$count%00',
    '__proto__',
    'constructor',
  ]) {
    send(threat, 'refused', 'GET', `/v1.0/me/messages/${id}`)
    send(threat, 'refused', 'DELETE', `/v1.0/me/mailFolders/${id}`)
    send(threat, 'refused', 'GET', `/v1.0/users/${id}/messages`)
  }
}

function queries(send: Send): void {
  const ask = (threat: string, query: string, must: HostileRequest['must'] = 'refused') =>
    send(threat, must, 'GET', `/v1.0/me/messages?${query}`)
  const encoded = (name: string, text: string) => `${name}=${encodeURIComponent(text)}`
  for (const text of [
    "subject eq 'a' or 1=1",
    "subject eq 'a'; drop table messages",
    "subject eq ''' union select private_jwk from signing_keys --'",
    "startswith(subject,'%') or password eq 'a'",
    'messages.mailbox_id eq 1',
    '"subject" eq \'a\'',
    `${'('.repeat(400)}isRead eq true${')'.repeat(400)}`,
    `${'not '.repeat(400)}isRead eq true`,
    Array(400).fill('isRead eq true').join(' or '),
    `subject eq '${'a'.repeat(7_000)}'`,
    `contains(subject,'${'%_'.repeat(2_000)}')`,
    "subject eq 'a\u0000b'",
    'cast(subject, Edm.String) eq 1',
    'subject eq',
    '\u0001',
  ]) {
    ask('the query language', encoded('$filter', text), 'harmless')
    ask('the query language', encoded('$search', text), 'harmless')
    ask('the query language', encoded('$orderby', text))
    ask('the query language', encoded('$select', text), 'harmless')
    ask('the query language', encoded('$expand', text))
  }
  for (const text of ['-1', '1e9', '99999999999999999999', 'NaN', '0x10', "1'", '1;select 1']) {
    ask('the query language', encoded('$top', text))
    ask('the query language', encoded('$skip', text))
  }
  for (const text of ['a', '....', 'A'.repeat(5_000), "' or 1=1 --"])
    ask('the query language', encoded('$skiptoken', text))
}

function outwardUrls(send: Send): void {
  for (const notificationUrl of [
    'http://example.com/hook',
    'https://127.0.0.1/hook',
    'https://127.1/hook',
    'https://2130706433/hook',
    'https://0x7f000001/hook',
    'https://0177.0.0.1/hook',
    'https://localhost/hook',
    'https://localhost./hook',
    'https://[::1]/hook',
    'https://[::ffff:127.0.0.1]/hook',
    'https://[::ffff:a9fe:a9fe]/hook',
    'https://169.254.169.254/latest/meta-data/',
    'https://10.0.0.1/hook',
    'https://172.16.0.1/hook',
    'https://192.168.0.1/hook',
    'https://100.64.0.1/hook',
    'https://0.0.0.0/hook',
    'https://[fe80::1]/hook',
    'https://[fc00::1]/hook',
    'https://[64:ff9b::7f00:1]/hook',
    'file:///etc/passwd',
    'gopher://127.0.0.1:25/_EHLO',
    'javascript:alert(1)',
    'https://user:password@127.0.0.1/',
    'https://',
    '//127.0.0.1',
  ]) {
    const expirationDateTime = new Date(Date.now() + 3_600_000).toISOString()
    const body = { changeType: 'created', resource: 'me/messages', notificationUrl, expirationDateTime }
    send('calls into our own network', 'refused', 'POST', '/v1.0/subscriptions', body)
  }
}

/** Secrets where a log could pick them up. */
function secrets(send: Send, { tenant, passwordMarker }: Attacker): void {
  const path = `/${tenant}/oauth2/v2.0/token`
  for (const grant of ['password', 'client_credentials', 'refresh_token', 'authorization_code', 'nonsense']) {
    const form = new URLSearchParams({
      grant_type: grant,
      client_id: 'nobody',
      client_secret: passwordMarker,
      username: 'adele@contoso.com',
      password: passwordMarker,
      code: passwordMarker,
      refresh_token: passwordMarker,
    })
    send('secrets', 'refused', 'POST', path, form.toString())
    send('secrets', 'refused', 'GET', `${path}?${form}`)
  }
}

function badTokens({ token }: Attacker): [threat: string, authorization: string | undefined][] {
  const [head = '', claims = '', signature = ''] = token.split('.')
  const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>
  const withHeader = (changes: object, sign = signature) =>
    `Bearer ${Buffer.from(JSON.stringify({ ...header, ...changes })).toString('base64url')}.${claims}.${sign}`
  const withClaims = (changes: object) => {
    const own = JSON.parse(Buffer.from(claims, 'base64url').toString()) as object
    return `Bearer ${head}.${Buffer.from(JSON.stringify({ ...own, ...changes })).toString('base64url')}.${signature}`
  }
  const threat = 'tokens'
  return [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    `Basic ${Buffer.from('adele:password').toString('base64')}`,
    `Bearer ${token} ${token}`,
    `Bearer ${token}x`,
    `Bearer ${token.slice(0, -5)}`,
    `Bearer ${head}.${claims}.`,
    `Bearer ${head}.${claims}`,
    `Bearer ${'a'.repeat(12_000)}`,
    'Bearer a.b.c',
    withHeader({ alg: 'none' }, ''),
    withHeader({ alg: 'None' }, ''),
    withHeader({ alg: 'HS256' }),
    withHeader({ alg: 'ES256' }),
    withHeader({ kid: '../../../../dev/null' }),
    withHeader({ kid: "' union select 'key" }),
    withHeader({ kid: 'a'.repeat(5_000) }),
    withHeader({ jwk: { kty: 'oct', k: 'AAAA' }, kid: undefined }),
    withHeader({ jku: 'https://127.0.0.1/keys', kid: undefined }),
    withHeader({ x5u: 'https://127.0.0.1/keys', crit: ['x5u'] }),
    withHeader({ crit: ['exp'] }),
    withClaims({ exp: 9_999_999_999 }),
    withClaims({ scp: 'Mail.ReadWrite Mail.Send Directory.ReadWrite.All' }),
    withClaims({ tid: '99999999-9999-4999-8999-999999999999' }),
    withClaims({ aud: 'https://elsewhere.example' }),
  ].map((authorization) => [threat, authorization])
}

/** Bytes that are no request, or two. */
function raw(attacker: Attacker): HostileRequest[] {
  const head = (...lines: string[]) =>
    `${['POST /v1.0/me/sendMail HTTP/1.1', 'Host: localhost', `Authorization: Bearer ${attacker.token}`, 'Content-Type: application/json', ...lines].join('\r\n')}\r\n\r\n`
  const hidden = requestBytes('GET', '/v1.0/me/messages', { Authorization: `Bearer ${attacker.token}` }).toString()
  const bomb = gzipSync(Buffer.alloc(60_000_000, 0x20))
  const gzip = requestBytes(
    'POST',
    '/v1.0/me/sendMail',
    { Authorization: `Bearer ${attacker.token}`, 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' },
    bomb,
  )
  const broken = [
    `${head('Content-Length: 6', 'Transfer-Encoding: chunked')}0\r\n\r\n${hidden}`,
    `${head('Transfer-Encoding: chunked', 'Content-Length: 6')}0\r\n\r\n${hidden}`,
    `${head('Transfer-Encoding : chunked')}0\r\n\r\n${hidden}`,
    `${head('Transfer-Encoding: xchunked')}0\r\n\r\n${hidden}`,
    `${head('Transfer-Encoding: chunked', 'Transfer-Encoding: identity')}0\r\n\r\n${hidden}`,
    `${head('Transfer-Encoding:\x0bchunked')}0\r\n\r\n${hidden}`,
    head('Content-Length: 0', 'Content-Length: 5') + hidden,
    head('Content-Length: -1'),
    head('Content-Length: 1e3'),
    head('Content-Length: 99999999999999999999'),
    head('X: y\rContent-Length: 5'),
    head('X\0: y', 'Content-Length: 0'),
    head(`X: ${'a'.repeat(20_000)}`),
    head(...Array.from({ length: 3_000 }, (_, n) => `X-${n}: y`)),
    'GET /v1.0/me HTTP/9.9\r\nHost: x\r\nConnection: close\r\n\r\n',
    'GET http://[::1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    '\x16\x03\x01\x00\x05hello\r\n\r\n',
    `${'A'.repeat(100_000)}\r\n\r\n`,
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\0'.repeat(1_000),
  ]
  return [
    { threat: 'too much of it', must: 'refused', bytes: gzip },
    ...broken.map(
      (text): HostileRequest => ({
        threat: 'HTTP as it should not be',
        must: 'refused',
        bytes: Buffer.from(text, 'latin1'),
      }),
    ),
  ]
}
