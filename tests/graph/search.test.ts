import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, startServer, type TestServer } from '../support/start-server.js'

const person = (name: string, address = `${name.toLowerCase()}@example.org`) => ({ emailAddress: { name, address } })

/** Puts a message into the mailbox that was sent at this time; answers with its id. */
async function imported(client: Client, given: Record<string, unknown>): Promise<string> {
  const answer = await client.post('/me/messages', given)
  assert.equal(answer.status, 201, answer.text)
  return answer.json.id
}

const searchPath = (search: string, options = '', list = '/me/messages') =>
  `${list}?$search=${encodeURIComponent(search)}${options}`

async function subjects(client: Client, search: string, list?: string): Promise<string[]> {
  const answer = await client.get(searchPath(search, '', list))
  assert.equal(answer.status, 200, `${search}: ${answer.text}`)
  return answer.json.value.map(({ subject }: { subject: string }) => subject)
}

async function refused(client: Client, path: string): Promise<{ status: number; code: string; message: string }> {
  const answer = await client.get(path)
  return { status: answer.status, code: answer.json?.error?.code, message: answer.json?.error?.message }
}

test('a mail is found by its words as soon as it was accepted', async (t) => {
  const server = await startServer(t)
  const ada = await server.user('ada@example.com')
  const sent = await ada.post('/me/sendMail', {
    message: {
      subject: 'Quarterly Report',
      body: { contentType: 'html', content: '<p>Gr&uuml;&szlig;e aus <b>Zürich</b> am See</p>' },
      toRecipients: [person('Bob Builder', 'bob@example.org')],
      ccRecipients: [person('Carla')],
      bccRecipients: [person('Dora')],
      attachments: [{ '@odata.type': '#microsoft.graph.fileAttachment', name: 'api-catalog.md', contentBytes: 'AAAA' }],
    },
  })
  assert.equal(sent.status, 202)
  const hits = [
    'report',
    'zurich',
    '"report"',
    '"QUARTERLY zürich"',
    '"rep*"',
    '"\\"quarterly report\\""',
    '"subject:quarterly"',
    '"subject:\\"quarterly report\\""',
    '"body:see AND from:ada"',
    '"from:ada@example.com"',
    '"to:bob"',
    '"to:\\"Bob Builder\\" report"',
    '"cc:carla@example.org"',
    '"bcc:dora"',
    '"recipients:(bob carla dora)"',
    '"participants:ada participants:dora"',
    '"attachment:api-catalog.md"',
    '"hasAttachments:true"',
    '"hasattachment=true kind:email"',
    '"importance:normal"',
    '"importance:medium NOT importance:high"',
    '"received:today OR received:yesterday"',
    '"sent>=2020-01-01"',
    '"sent:01/01/2020.."',
    '"size>10"',
    '"size:1..500000"',
    '"pizza OR report"',
    '"NOT pizza"',
    '"from:ada" AND "to:bob"',
    '"see & report"',
  ]
  for (const search of hits) assert.deepEqual(await subjects(ada, search), ['Quarterly Report'], search)
  const misses = [
    'pizza',
    '"report pizza"',
    '"\\"report quarterly\\""',
    // Whom it went to is looked through when it is asked for alone.
    'builder',
    'catalog',
    '"to:carla"',
    '"body:report"',
    '"subject:rep"',
    '"from:\\"com ada\\""',
    '"hasAttachments:false"',
    '"importance:high"',
    '"kind:meetings"',
    '"sent<2020-01-01"',
    '"received:2019-01-01..12/31/2019"',
    '"size<10"',
    '"NOT report"',
    '"report NOT zurich"',
    '"&"',
  ]
  for (const search of misses) assert.deepEqual(await subjects(ada, search), [], search)
  const bob = await server.user('bob@example.org')
  assert.deepEqual(await subjects(bob, 'report'), [])
})

test('a copy that is delivered here is found by its new owner', async (t) => {
  const server = await startServer(t)
  const ada = await server.user('ada@example.com')
  const lee = await server.user('lee@example.com')
  await ada.post('/me/sendMail', {
    message: {
      subject: 'Hello Lee',
      toRecipients: [person('Lee', 'lee@example.com')],
      bccRecipients: [person('Dora')],
    },
    saveToSentItems: false,
  })
  await server.graphpost.drainOutbox(10_000)
  assert.deepEqual(await subjects(lee, '"from:ada hello"'), ['Hello Lee'])
  assert.deepEqual(await subjects(lee, '"bcc:dora"'), [])
  assert.deepEqual(await subjects(ada, 'hello'), [])
})

test('drafts are found by what they say now, and nothing that is gone is found', async (t) => {
  const server = await startServer(t)
  const ada = await server.user('ada@example.com')
  const id = await imported(ada, { subject: 'First thoughts', body: { contentType: 'text', content: 'apple' } })
  const first = `/me/messages/${id}`
  const patch = (path: string, body: unknown) =>
    ada.call('PATCH', path, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
  assert.deepEqual(await subjects(ada, 'apple'), ['First thoughts'])

  await patch(first, { subject: 'Second thoughts', toRecipients: [person('Bob')] })
  assert.deepEqual(await subjects(ada, 'first'), [])
  assert.deepEqual(await subjects(ada, '"second to:bob"'), ['Second thoughts'])

  await ada.post(`${first}/attachments`, {
    '@odata.type': '#microsoft.graph.fileAttachment',
    name: 'empty.txt',
    contentBytes: '',
  })
  assert.deepEqual(await subjects(ada, '"attachment:empty"'), ['Second thoughts'])

  const copy = await ada.post(`${first}/copy`, { destinationId: 'archive' })
  assert.equal(copy.status, 201, copy.text)
  assert.deepEqual(await subjects(ada, 'apple'), ['Second thoughts', 'Second thoughts'])
  assert.deepEqual(await subjects(ada, 'apple', '/me/mailFolders/archive/messages'), ['Second thoughts'])
  assert.deepEqual(await subjects(ada, 'apple', '/me/mailFolders/sentitems/messages'), [])

  assert.equal((await ada.call('POST', `${first}/send`)).status, 202)
  assert.deepEqual(await subjects(ada, '"apple from:ada"', '/me/mailFolders/sentitems/messages'), ['Second thoughts'])

  const moved = await ada.post(`/me/messages/${copy.json.id}/move`, { destinationId: 'inbox' })
  assert.deepEqual(await subjects(ada, 'apple', '/me/mailFolders/archive/messages'), [])
  assert.deepEqual(await subjects(ada, 'apple', '/me/mailFolders/inbox/messages'), ['Second thoughts'])
  assert.equal((await ada.call('POST', `/me/messages/${moved.json.id}/permanentDelete`)).status, 204)
  assert.deepEqual(await subjects(ada, 'apple'), ['Second thoughts'])
})

async function filled(
  t: Parameters<typeof startServer>[0],
  count: number,
): Promise<{ server: TestServer; ada: Client }> {
  const server = await startServer(t)
  const ada = await server.user('ada@example.com')
  for (let n = 0; n < count; n++) {
    server.clock.advance(1_000)
    await imported(ada, { subject: `Report ${n}`, body: { contentType: 'text', content: `number${n % 2}` } })
  }
  return { server, ada }
}

test('results come newest sent first, in pages by $skiptoken, with the options of the request', async (t) => {
  const { ada } = await filled(t, 7)
  const first = await ada.get(searchPath('report', '&$top=3&$select=subject&$skip=1&$count=true'))
  assert.equal(first.status, 200, first.text)
  assert.deepEqual(Object.keys(first.json), ['@odata.context', 'value', '@odata.nextLink'])
  assert.match(first.json['@odata.context'], /\/messages\(subject\)$/)
  const seen: string[] = []
  let page = first
  for (let pages = 1; ; pages++) {
    for (const message of page.json.value) {
      assert.deepEqual(Object.keys(message), ['@odata.etag', 'id', 'subject'])
      seen.push(message.subject)
    }
    const next: string | undefined = page.json['@odata.nextLink']
    if (next === undefined) break
    assert.match(next, /\?%24search=report&%24top=3&%24select=subject&%24count=true&%24skiptoken=[\w-]+$/)
    // What arrives meanwhile moves nothing.
    if (pages === 1) await imported(ada, { subject: 'Report late' })
    page = await ada.get(new URL(next).pathname + new URL(next).search)
    assert.equal(page.status, 200, page.text)
  }
  assert.deepEqual(
    seen,
    [6, 5, 4, 3, 2, 1, 0].map((n) => `Report ${n}`),
  )
  const expanded = await ada.get(searchPath('number1', '&$expand=attachments&$top=1'))
  assert.deepEqual(expanded.json.value[0].attachments, [])
})

test('a search answers 1,000 results and no more', async (t) => {
  const { ada } = await filled(t, 3)
  const token = Buffer.from(`998.${Date.now() + 86_400_000}.1`).toString('base64url')
  const answer = await ada.get(searchPath('report', `&$skiptoken=${token}`))
  assert.equal(answer.json.value.length, 2)
  assert.equal('@odata.nextLink' in answer.json, false)
})

test('what does not go with $search, or is no search, is refused', async (t) => {
  const server = await startServer(t)
  const ada = await server.user('ada@example.com')
  assert.deepEqual(await refused(ada, searchPath('a', '&$filter=isRead eq false')), {
    status: 400,
    code: 'SearchWithFilter',
    message: "The query parameter '$filter' is not supported with '$search'.",
  })
  assert.deepEqual(await refused(ada, searchPath('a', '&$orderby=subject')), {
    status: 400,
    code: 'SearchWithOrderBy',
    message: "The query parameter '$orderBy' is not supported with '$search'.",
  })
  for (const token of [
    'x',
    Buffer.from('1.2').toString('base64url'),
    Buffer.from(`1.${'9'.repeat(16)}.1`).toString('base64url'),
  ]) {
    const stale = await refused(ada, searchPath('a', `&$skiptoken=${token}`))
    assert.deepEqual([stale.status, stale.code], [400, 'ErrorExecuteSearchStaleData'])
  }
  const wrong: readonly [string, string][] = [
    ['from:alex', "Syntax error: character ':' is not valid at position 4 in 'from:alex'."],
    ['"some text (and more"', "Syntax error: character '(' is not valid at position 10 in 'some text (and more'."],
    ['"received:soon"', "Syntax error: character 's' is not valid at position 9 in 'received:soon'."],
    ['"received:02/30/2024"', "Syntax error: character '0' is not valid at position 9 in 'received:02/30/2024'."],
    ['"size:big"', "Syntax error: character 'b' is not valid at position 5 in 'size:big'."],
    ['"size:.."', "Syntax error: character '.' is not valid at position 5 in 'size:..'."],
    ['"hasAttachments:maybe"', "Syntax error: character 'm' is not valid at position 15 in 'hasAttachments:maybe'."],
    ['"importance:urgent"', "Syntax error: character 'u' is not valid at position 11 in 'importance:urgent'."],
    ['"subject>a"', "Syntax error: character '>' is not valid at position 7 in 'subject>a'."],
    ['"a OR"', "Expression expected at position 4 in 'a OR'."],
  ]
  for (const [search, message] of wrong) {
    assert.deepEqual(await refused(ada, searchPath(search)), { status: 400, code: 'BadRequest', message })
  }
  const long = await refused(ada, searchPath(`"${'a '.repeat(101)}"`))
  assert.deepEqual([long.status, long.code], [400, 'BadRequest'])
  const phrase = (words: number) => searchPath(`"subject:b \\"${'a-a '.repeat(words / 2)}\\""`)
  assert.equal((await ada.get(phrase(98))).status, 200)
  assert.deepEqual(await refused(ada, phrase(100)), {
    status: 400,
    code: 'BadRequest',
    message: 'The search has more than 100 words.',
  })
})

test('$search needs Mail.Read; Mail.ReadBasic lists and does not search', async (t) => {
  const server = await startServer(t)
  const basic = await server.user('ada@example.com', ['Mail.ReadBasic'])
  assert.equal((await basic.get('/me/messages')).status, 200)
  assert.deepEqual(await refused(basic, searchPath('a')), {
    status: 403,
    code: 'ErrorAccessDenied',
    message: 'Access is denied. Check credentials and try again.',
  })
  const application = await server.application(['Mail.ReadBasic.All'])
  const answer = await refused(application, searchPath('a', '', '/users/ada@example.com/messages'))
  assert.equal(answer.status, 403)
  const reader = await server.user('ada@example.com', ['Mail.Read'])
  assert.deepEqual(await subjects(reader, 'a'), [])
})

test('another’s mailbox is searched by whom it is open to, and by no one else', async (t) => {
  const server = await startServer(t)
  const ada = await server.user('ada@example.com', ['Mail.ReadWrite', 'Mail.ReadWrite.Shared'])
  await imported(ada, { subject: 'Report of Ada' })
  const support = 'support@example.com'
  await server.graphpost.directory.putSharedMailbox({
    userPrincipalName: support,
    displayName: 'Support',
    fullAccess: ['ada@example.com'],
  })
  const theirs = `/users/${support}/messages`
  assert.equal((await ada.post(theirs, { subject: 'Report of Support' })).status, 201)
  assert.deepEqual(await subjects(ada, 'report', theirs), ['Report of Support'])
  assert.deepEqual(await subjects(ada, 'report'), ['Report of Ada'])
  // Where a page begins says nothing of whose it is: it shows the caller's own mail.
  const first = await ada.get(searchPath('report', '&$top=1', theirs))
  const token = new URL(first.json['@odata.nextLink']).searchParams.get('$skiptoken')

  const bob = await server.user('bob@example.com', ['Mail.Read', 'Mail.Read.Shared'])
  for (const list of [
    theirs,
    '/users/ada@example.com/messages',
    '/users/ada@example.com/mailFolders/drafts/messages',
  ]) {
    const { status, code } = await refused(bob, searchPath('report', '', list))
    assert.deepEqual([status, code], [403, 'ErrorAccessDenied'], list)
  }
  assert.deepEqual((await bob.get(searchPath('report', `&$skiptoken=${token}`))).json.value, [])
  const unshared = await server.user('ada@example.com', ['Mail.Read'])
  assert.equal((await refused(unshared, searchPath('report', '', theirs))).status, 403)
  assert.deepEqual(await subjects(await server.application(['Mail.Read']), 'report', theirs), ['Report of Support'])
})

test('what stands elsewhere than in a list of messages takes no $search', async (t) => {
  const server = await startServer(t)
  const ada = await server.user('ada@example.com')
  const { status, code } = await refused(ada, searchPath('a', '', '/me/messages/$count'))
  assert.deepEqual([status, code], [400, 'ErrorInvalidUrlQuery'])
  for (const empty of ['', ' ', '""', '" "', '"']) {
    const answer = await refused(ada, searchPath(empty))
    assert.deepEqual([answer.status, answer.code], [400, 'BadRequest'], empty)
  }
})

test('no text of a search reaches the database as anything but text', async (t) => {
  const { ada } = await filled(t, 1)
  for (const text of [
    "'",
    "''",
    "a' OR '1'='1",
    'a\\',
    '\\',
    "' :* | !",
    '^a',
    'NEAR(a b)',
    'words:a',
    'a + b',
    '-',
    '{a}',
    '\0',
    '%',
    '::tsquery',
  ]) {
    const quoted = text.replaceAll('\\', '\\\\')
    const answer = await ada.get(searchPath(`"subject:zz ${quoted} number0"`))
    assert.ok(answer.status === 200 || answer.json.error.code === 'BadRequest', `${text}: ${answer.text}`)
    if (answer.status === 200) assert.deepEqual(answer.json.value, [], text)
  }
})
