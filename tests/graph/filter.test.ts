/** `$filter`, its rule of order and its pages, through the front door. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Answer, type Client, startServer, type TestServer } from '../support/start-server.js'

const second = 1_000
const color = 'String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Color'

/** Drafts of one mailbox, a second apart, in the order given. */
async function drafts(server: TestServer, client: Client, given: readonly object[]): Promise<Answer['json'][]> {
  const created = []
  for (const draft of given) {
    const answer = await client.post('/me/messages', draft)
    assert.equal(answer.status, 201, answer.text)
    created.push(answer.json)
    server.clock.advance(second)
  }
  return created
}

async function adeleWith(t: TestContext, given: readonly object[]) {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  return { server, adele, created: await drafts(server, adele, given) }
}

function list(client: Client, filter: string, more = '', path = '/me/messages'): Promise<Answer> {
  return client.get(`${path}?$select=subject&$top=100&$filter=${encodeURIComponent(filter)}${more}`)
}

/** The subjects that a filter leaves, oldest first. */
async function subjects(client: Client, filter: string): Promise<(string | null)[]> {
  const { status, json, text } = await list(client, filter)
  assert.equal(status, 200, `${filter}: ${text}`)
  return json.value.map(({ subject }: { subject: string | null }) => subject).reverse()
}

async function assertSubjects(client: Client, expected: Readonly<Record<string, readonly (string | null)[]>>) {
  for (const [filter, found] of Object.entries(expected))
    assert.deepEqual(await subjects(client, filter), found, filter)
}

const address = (given: string, name?: string) => ({ emailAddress: { address: given, ...(name ? { name } : {}) } })

test('text is compared without case, and wildcards of SQL are letters like others', async (t) => {
  const given = ['Lunch', 'LUNCH?', '100%', '100 percent', 'a_b', 'axb', "it's", 'Grüße', 'GRÜSSE', 'back\\slash!']
  const { adele } = await adeleWith(
    t,
    given.map((subject) => ({ subject })),
  )
  await assertSubjects(adele, {
    "subject eq 'lunch'": ['Lunch'],
    "'lunch' eq subject": ['Lunch'],
    "startswith(subject,'lun')": ['Lunch', 'LUNCH?'],
    "endswith(subject,'CH?')": ['LUNCH?'],
    "contains(subject,'0%')": ['100%'],
    "contains(subject,'a_b')": ['a_b'],
    "contains(subject,'\\')": ['back\\slash!'],
    "contains(subject,'H!')": ['back\\slash!'],
    "subject eq 'it''s'": ["it's"],
    "contains(subject,'GRÜ')": ['Grüße', 'GRÜSSE'],
    "subject eq 'grüsse'": ['GRÜSSE'],
    "subject in ('GRÜßE','lunch')": ['Lunch', 'Grüße'],
    "subject ge 'lunch' and subject le 'lunch?'": ['Lunch', 'LUNCH?'],
    "contains(subject,'lunch') eq true and not endswith(subject,'?')": ['Lunch'],
    "contains(subject,'')": given,
  })
})

test('what is missing equals null alone, and nothing is known of what it contains', async (t) => {
  const { adele } = await adeleWith(t, [{ subject: 'some' }, {}])
  const [missing] = (await list(adele, 'subject eq null')).json.value
  await assertSubjects(adele, {
    'subject eq null': [missing.subject],
    'subject ne null': ['some'],
    "subject ne 'some'": [null],
    "not (subject eq 'some')": [null],
    "subject gt 'a'": ['some'],
    "not (subject gt 'zzz')": ['some', null],
    "contains(subject,'x')": [],
    "not contains(subject,'x')": ['some'],
    "contains(subject,'x') eq false": ['some'],
    "not (contains(subject,'x') eq true)": ['some', null],
    "not (subject in ('some'))": [null],
    'from/emailAddress/address eq null': ['some', null],
    "not contains(from/emailAddress/address,'x')": [],
    true: ['some', null],
    'false or subject eq null': [null],
  })
})

test('every property that can be filtered by', async (t) => {
  const { adele, created } = await adeleWith(t, [
    {
      subject: 'one',
      importance: 'high',
      categories: ['Red', 'Blue category'],
      flag: {
        flagStatus: 'flagged',
        startDateTime: { dateTime: '2026-01-01T00:00:00', timeZone: 'UTC' },
        dueDateTime: { dateTime: '2026-01-02T00:00:00', timeZone: 'UTC' },
      },
      inferenceClassification: 'other',
      isReadReceiptRequested: true,
      isRead: false,
      body: { contentType: 'html', content: '<p>Seven <b>hills</b></p>' },
      from: address('adele@contoso.com', 'Adele V.'),
      internetMessageId: '<one@example.com>',
      singleValueExtendedProperties: [
        { id: color.toUpperCase().replace('NAME COLOR', 'Name Color').replace('STRING', 'String'), value: 'Green' },
      ],
      multiValueExtendedProperties: [
        { id: 'StringArray {66f5a359-4659-4830-9070-00047ec6ac6e} Name Palette', value: ['Green', 'Aqua'] },
      ],
      attachments: [{ '@odata.type': '#microsoft.graph.fileAttachment', name: 'a.txt', contentBytes: 'aGk=' }],
    },
    {
      subject: 'two',
      importance: 'low',
      singleValueExtendedProperties: [
        { id: 'Integer {66f5a359-4659-4830-9070-00047ec6ac6e} Name Pallete', value: '12' },
      ],
    },
  ])
  const [one, two] = created
  const palette = 'StringArray {66f5a359-4659-4830-9070-00047ec6ac6e} Name Palette'
  const pallete = 'Integer {66f5a359-4659-4830-9070-00047ec6ac6e} Name Pallete'
  await assertSubjects(adele, {
    "importance eq 'high'": ['one'],
    "importance eq microsoft.graph.importance'HIGH'": ['one'],
    "importance lt 'normal'": ['two'],
    "importance in ('low','high')": ['one', 'two'],
    "categories/any(c:c eq 'red')": ['one'],
    "categories/any(c:startswith(c,'Blue'))": ['one'],
    "not categories/any(c:c eq 'Red')": ['two'],
    'not categories/any()': ['two'],
    "flag/flagStatus eq 'flagged'": ['one'],
    "flag/flagStatus ne 'flagged'": ['two'],
    "flag/dueDateTime/dateTime ge '2026-01-02'": ['one'],
    "inferenceClassification eq 'focused'": ['two'],
    "inferenceClassification ne 'focused'": ['one'],
    'isReadReceiptRequested eq true': ['one'],
    'isDeliveryReceiptRequested ne true': ['one', 'two'],
    'isRead eq false': ['one'],
    'not isRead': ['one'],
    isRead: ['two'],
    'isDraft eq true and hasAttachments eq true': ['one'],
    "contains(body/content,'HILLS')": ['one'],
    "body/contentType eq 'html' and isRead eq false": ['one'],
    "from/emailAddress/address eq 'Adele@Contoso.com'": ['one'],
    "from/emailAddress/name eq 'adele v.'": ['one'],
    "startswith(sender/emailAddress/name,'adele')": ['one'],
    "contains(sender/emailAddress/address,'contoso')": ['one'],
    "internetMessageId eq '<one@example.com>'": ['one'],
    [`id eq '${one.id}'`]: ['one'],
    [`id ne '${one.id}'`]: ['two'],
    [`id in ('${one.id}','${two.id}')`]: ['one', 'two'],
    [`conversationId eq '${two.conversationId}'`]: ['two'],
    "conversationId eq 'nonsense'": [],
    [`parentFolderId eq '${one.parentFolderId}'`]: ['one', 'two'],
    "parentFolderId eq 'Inbox'": [],
    "parentFolderId ne 'inbox'": ['one', 'two'],
    [`receivedDateTime eq ${one.receivedDateTime}`]: ['one'],
    [`receivedDateTime ne ${one.receivedDateTime}`]: ['two'],
    [`receivedDateTime ge ${two.receivedDateTime}`]: ['two'],
    [`sentDateTime lt ${two.sentDateTime} and createdDateTime gt 1900-01-01`]: ['one'],
    [`lastModifiedDateTime in (${two.lastModifiedDateTime})`]: ['two'],
    [`singleValueExtendedProperties/Any(ep: ep/id eq '${color}' and ep/value eq 'Green')`]: ['one'],
    [`singleValueExtendedProperties/any(ep:ep/Id eq '${color}' and contains(ep/Value, 'green'))`]: ['one'],
    [`singleValueExtendedProperties/any(ep:ep/id eq '${pallete}' and cast(ep/value, Edm.Int32) eq 12)`]: ['two'],
    [`singleValueExtendedProperties/any(ep:ep/id eq '${color}' and cast(ep/value, Edm.Int32) ne 12)`]: ['one'],
    [`singleValueExtendedProperties/any(ep:ep/id eq '${color}' and cast(ep/value, Edm.Guid) eq (b9cf8971-7d55-4b73-9ffa-a584611b600b))`]:
      [],
    "singleValueExtendedProperties/any(ep:ep/id eq 'LONG 0x0E08' and cast(ep/value, Edm.Int64) gt 0)": ['one', 'two'],
    "singleValueExtendedProperties/any(ep:ep/id eq 'Integer 0xE07' and ep/value eq '9')": ['two'],
    "singleValueExtendedProperties/any(ep:ep/id eq 'String 0x001A' and startswith(ep/value,'IPM.Note'))": [
      'one',
      'two',
    ],
    [`multiValueExtendedProperties/any(ep:ep/id eq '${palette}' and ep/value/any(v:v eq 'aqua'))`]: ['one'],
    [`multiValueExtendedProperties/any(ep:ep/id eq '${palette}' and ep/value/any(v:v eq 'red'))`]: [],
    [`not multiValueExtendedProperties/any(ep:ep/id eq '${palette}')`]: ['two'],
  })
})

test('what mail cannot be filtered by, and what means nothing, is refused by name', async (t) => {
  const { adele } = await adeleWith(t, [])
  const invalid = 'The query filter contains one or more invalid nodes.'
  const mismatch = (left: string, right: string, kind: string) =>
    `A binary operator with incompatible types was detected. Found operand types '${left}' and '${right}' for operator kind '${kind}'.`
  const refusals: readonly (readonly [string, string, string])[] = [
    ["toRecipients/any(r:r/emailAddress/address eq 'a@b.c')", 'ErrorInvalidUrlQueryFilter', invalid],
    ["internetMessageHeaders/any(h:h/name eq 'x')", 'ErrorInvalidUrlQueryFilter', invalid],
    ["attachments/any(a:a/name eq 'x')", 'ErrorInvalidUrlQueryFilter', invalid],
    ["categories/all(c:c eq 'x')", 'ErrorInvalidUrlQueryFilter', invalid],
    ["tolower(subject) eq 'x'", 'ErrorInvalidUrlQueryFilter', invalid],
    ['year(receivedDateTime) eq 2020', 'ErrorInvalidUrlQueryFilter', invalid],
    ["length(subject) add 1 eq 'x'", 'ErrorInvalidUrlQueryFilter', invalid],
    ['subject eq internetMessageId', 'ErrorInvalidUrlQueryFilter', invalid],
    ["categories eq 'Red'", 'ErrorInvalidUrlQueryFilter', invalid],
    ["subject/any(s:s eq 'x')", 'ErrorInvalidUrlQueryFilter', invalid],
    ["bodyPreview eq 'x'", 'ErrorInvalidUrlQueryFilter', invalid],
    ["categories/any(c:subject eq 'x')", 'ErrorInvalidUrlQueryFilter', invalid],
    ["contains(isRead,'x')", 'ErrorInvalidUrlQueryFilter', invalid],
    ["singleValueExtendedProperties/any(e:e/id eq 'nonsense')", 'ErrorInvalidUrlQueryFilter', invalid],
    ['isRead gt false', 'ErrorInvalidUrlQueryFilter', invalid],
    [
      'isJunk eq true',
      'RequestBroker--ParseUri',
      "Could not find a property named 'isJunk' on type 'microsoft.graph.message'.",
    ],
    [
      'mentionsPreview/isMentioned eq true',
      'RequestBroker--ParseUri',
      "Could not find a property named 'mentionsPreview' on type 'microsoft.graph.message'.",
    ],
    [
      "constructor eq 'x'",
      'RequestBroker--ParseUri',
      "Could not find a property named 'constructor' on type 'microsoft.graph.message'.",
    ],
    [
      "receivedDateTime ge '2017-01-01'",
      'BadRequest',
      mismatch('Edm.DateTimeOffset', 'Edm.String', 'GreaterThanOrEqual'),
    ],
    ["isRead eq 'true'", 'BadRequest', mismatch('Edm.Boolean', 'Edm.String', 'Equal')],
    ['subject eq 5', 'BadRequest', mismatch('Edm.String', 'Edm.Int32', 'Equal')],
    ["importance eq 'huge'", 'BadRequest', "The string 'huge' is not a valid enumeration type constant."],
    ['subject eq hello world', 'BadRequest', "Syntax error at position 17 in 'subject eq hello world'."],
    ["'x'", 'BadRequest', 'The $filter expression must evaluate to a single boolean value.'],
    ["parentFolderId eq 'nonsense'", 'ErrorInvalidIdMalformed', 'Id is malformed.'],
    ["id eq 'nonsense'", 'ErrorInvalidIdMalformed', 'Id is malformed.'],
  ]
  for (const [filter, code, message] of refusals) {
    const answer = await list(adele, filter)
    assert.equal(answer.status, 400, filter)
    assert.deepEqual([answer.json.error.code, answer.json.error.message], [code, message], filter)
    const counted = await adele.get(`/me/messages/$count?$filter=${encodeURIComponent(filter)}`)
    assert.equal(counted.json.error.code, code, filter)
  }
})

test('what is ordered by leads the filter, or the filter is inefficient', async (t) => {
  const { adele } = await adeleWith(t, [{ subject: 'b' }, { subject: 'a' }])
  const allowed = [
    ["receivedDateTime ge 1900-01-01 and contains(subject,'')", 'receivedDateTime desc'],
    ["receivedDateTime ge 1900-01-01 and subject ge 'a' and isRead eq true", 'receivedDateTime,subject'],
    ["from/emailAddress/address eq 'a@b.c' and subject ne 'x'", 'from/emailAddress/address'],
    // Recorded.
    ["isRead eq false and parentFolderId eq 'inbox'", 'receivedDateTime ASC'],
    ['isRead eq false and receivedDateTime ge 1900-01-01', 'receivedDateTime'],
    ["(subject ge 'a' or subject eq null)", 'SUBJECT desc'],
  ]
  for (const [filter = '', order] of allowed) {
    assert.equal((await list(adele, filter, `&$orderby=${order}`)).status, 200, `${filter} by ${order}`)
  }
  const refused = [
    ["from/emailAddress/address eq 'adelev@contoso.com'", 'receivedDateTime desc'],
    ["inferenceClassification eq 'focused'", 'receivedDateTime desc'],
    ["contains(subject,'x')", 'receivedDateTime desc'],
    ["contains(subject,'x') and receivedDateTime ge 1900-01-01", 'receivedDateTime desc'],
    ["receivedDateTime ge 1900-01-01 and subject ge 'a'", 'subject,receivedDateTime'],
    ["receivedDateTime ge 1900-01-01 and importance eq 'low' and subject ge 'a'", 'receivedDateTime,subject'],
    ["categories/any(c:c eq 'x')", 'subject'],
  ]
  for (const [filter = '', order] of refused) {
    const answer = await list(adele, filter, `&$orderby=${order}`)
    assert.equal(answer.status, 400, `${filter} by ${order}`)
    assert.deepEqual(answer.json, {
      error: {
        code: 'InefficientFilter',
        message: 'The restriction or sort order is too complex for this operation.',
      },
    })
  }
  const ordered = await list(adele, "subject ge 'a'", '&$orderby=subject')
  assert.deepEqual(
    ordered.json.value.map(({ subject }: { subject: string }) => subject),
    ['a', 'b'],
  )
})

test('counts are those of the filter, on every page, and of the folder', async (t) => {
  const { adele } = await adeleWith(t, [{ subject: 'a' }, { subject: 'b' }, { subject: 'ab' }])
  const filter = encodeURIComponent("contains(subject,'a')")
  const first = await adele.get(`/me/messages?$count=true&$top=1&$filter=${filter}`)
  assert.equal(first.json['@odata.count'], 2)
  const second = await adele.get(
    new URL(first.json['@odata.nextLink']).pathname + new URL(first.json['@odata.nextLink']).search,
  )
  assert.equal(second.json['@odata.count'], 2)
  assert.equal((await adele.get(`/me/messages/$count?$filter=${filter}`)).text, '2')
  assert.equal((await adele.get(`/me/mailFolders/drafts/messages/$count?$filter=${filter}`)).text, '2')
  assert.equal((await adele.get(`/me/mailFolders/inbox/messages/$count?$filter=${filter}`)).text, '0')
  const none = await adele.get(`/me/mailFolders/inbox/messages?$count=true&$filter=${filter}`)
  assert.deepEqual([none.json['@odata.count'], none.json.value], [0, []])
})

test('Mail.ReadBasic learns nothing by filters that it may not read', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com', ['Mail.ReadBasic'])
  for (const filter of [
    "contains(body/content,'secret')",
    "isRead eq true or body/contentType eq 'text'",
    `singleValueExtendedProperties/any(e:e/id eq '${color}')`,
    'not multiValueExtendedProperties/any()',
  ]) {
    const answer = await list(adele, filter)
    assert.equal(answer.status, 403, filter)
    assert.equal(answer.json.error.code, 'ErrorAccessDenied')
    assert.equal((await adele.get(`/me/messages/$count?$filter=${encodeURIComponent(filter)}`)).status, 403)
  }
  assert.equal((await list(adele, "contains(subject,'x')")).status, 200)
})

test('mentionsPreview is filtered by in beta', async (t) => {
  const mention = (of: string) => ({ mentions: [{ mentioned: { address: of } }] })
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com')
  for (const draft of [
    { subject: 'me', ...mention('Adele@contoso.com') },
    { subject: 'other', ...mention('x@y.z') },
    { subject: 'none' },
  ]) {
    assert.equal((await adele.post('/beta/me/messages', draft)).status, 201)
    server.clock.advance(second)
  }
  const found = async (filter: string) => {
    const { json } = await list(adele, filter, '', '/beta/me/messages')
    return json.value.map(({ subject }: { subject: string }) => subject)
  }
  assert.deepEqual(await found('MentionsPreview/IsMentioned eq true'), ['me'])
  assert.deepEqual(await found('mentionsPreview/isMentioned eq false'), ['other'])
  assert.deepEqual(await found('mentionsPreview/isMentioned ne true'), ['none', 'other'])
  assert.deepEqual(await found('mentionsPreview/isMentioned eq null'), ['none'])
})

test('nobody reads another mailbox by a filter, not even with its ids', async (t) => {
  const { server, created } = await adeleWith(t, [{ subject: 'secret' }])
  const alex = await server.user('alex@contoso.com')
  const [{ id, parentFolderId, conversationId }] = created
  for (const filter of [
    `id eq '${id}'`,
    `parentFolderId eq '${parentFolderId}'`,
    `conversationId eq '${conversationId}'`,
    'true',
  ]) {
    assert.deepEqual((await list(alex, filter)).json.value, [], filter)
    assert.equal((await alex.get(`/me/messages/$count?$filter=${encodeURIComponent(filter)}`)).text, '0')
  }
})

/** Follows nextLinks to the end. */
async function pages(client: Client, path: string, between: () => Promise<void> = async () => {}): Promise<string[][]> {
  const found: string[][] = []
  for (let next: string | undefined = path; next !== undefined; ) {
    const { status, json, text } = await client.get(next)
    assert.equal(status, 200, text)
    found.push(json.value.map(({ subject }: { subject: string }) => subject))
    const link: string | undefined = json['@odata.nextLink']
    if (link !== undefined) await between()
    next = link === undefined ? undefined : link.slice(new URL(link).origin.length)
  }
  return found
}

test('pages neither overlap nor leave out, in any order, also while mail comes in', async (t) => {
  const { server, adele } = await adeleWith(
    t,
    [...'gfedcba'].map((letter) => ({
      subject: letter,
      ...('ace'.includes(letter) ? { from: address('adele@contoso.com') } : {}),
    })),
  )
  assert.deepEqual(await pages(adele, '/me/messages?$top=3'), [['a', 'b', 'c'], ['d', 'e', 'f'], ['g']])
  assert.deepEqual(await pages(adele, '/me/messages?$top=2&$skip=2&$orderby=subject desc'), [
    ['e', 'd'],
    ['c', 'b'],
    ['a'],
  ])
  // Missing values are the least; ties go by age, in the direction of the field.
  const bySender = '/me/messages?$top=2&$orderby=from/emailAddress/address'
  assert.deepEqual(await pages(adele, bySender), [['g', 'f'], ['d', 'b'], ['e', 'c'], ['a']])
  assert.deepEqual(await pages(adele, `${bySender} desc`), [['a', 'c'], ['e', 'b'], ['d', 'f'], ['g']])
  assert.deepEqual(await pages(adele, '/me/messages?$top=3&$orderby=isRead desc,receivedDateTime asc'), [
    ['g', 'f', 'e'],
    ['d', 'c', 'b'],
    ['a'],
  ])
  const filtered = `/me/mailFolders/drafts/messages?$top=1&$filter=${encodeURIComponent("subject lt 'd'")}`
  assert.deepEqual(await pages(adele, filtered), [['a'], ['b'], ['c'], []])
  const arriving = async () => {
    await drafts(server, adele, [{ subject: 'new' }])
  }
  assert.deepEqual(await pages(adele, '/me/messages?$top=3', arriving), [['a', 'b', 'c'], ['d', 'e', 'f'], ['g']])
})

test('a $skiptoken is taken as given out, for the list it was given out for', async (t) => {
  const { server, adele } = await adeleWith(t, [{ subject: 'c' }, { subject: 'b' }, { subject: 'a' }])
  const { json } = await adele.get('/me/messages?$top=1&$orderby=subject')
  const link = new URL(json['@odata.nextLink'])
  assert.match(link.search, /^\?%24top=1&%24orderby=subject&%24skiptoken=[\w-]+&%24skip=1$/)
  const token = link.searchParams.get('$skiptoken') ?? ''
  const got = async (client: Client, query: string) => {
    const answer = await client.get(`/me/messages?$top=1&${query}`)
    return answer.status === 200
      ? answer.json.value.map(({ subject }: { subject: string }) => subject)
      : answer.json.error.code
  }
  assert.deepEqual(await got(adele, `$orderby=subject&$skiptoken=${token}`), ['b'])
  assert.deepEqual(await got(adele, `$orderby=subject&$skip=1&$skiptoken=${token}`), ['b'])
  // A caller that changes $skip is taken at its word.
  assert.deepEqual(await got(adele, `$orderby=subject&$skip=2&$skiptoken=${token}`), ['c'])
  const alex = await server.user('alex@contoso.com')
  const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const [digest] = JSON.parse(Buffer.from(token, 'base64url').toString())
  for (const [client, query] of [
    [adele, `$skiptoken=${token}`],
    [adele, `$orderby=subject desc&$skiptoken=${token}`],
    [adele, `$orderby=subject&$filter=subject ge 'a'&$skiptoken=${token}`],
    [alex, `$orderby=subject&$skiptoken=${token}`],
    [adele, `$orderby=subject&$skiptoken=${token.slice(1)}`],
    [adele, '$orderby=subject&$skiptoken=x'],
    [adele, `$orderby=subject&$skiptoken=${'A'.repeat(5_000)}`],
    ...[
      null,
      5,
      [],
      [digest],
      [digest, 1, 'a'],
      [digest, 1, 5, 6],
      [digest, 1, 'a\0', 6],
      [digest, 1, 'a', 1.5],
      [digest, '1', 'a', 6],
      [digest, 1, 'a', 6, 7],
      [digest, 1, {}, 6],
    ].map((value) => [adele, `$orderby=subject&$skiptoken=${forged(value)}`] as const),
  ] as const) {
    assert.equal(await got(client, query), 'BadRequest', query)
  }
})
