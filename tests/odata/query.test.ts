import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ODataError } from '../../src/odata/odata-error.js'
import { nextLink, parseQuery, selectedContext } from '../../src/odata/query.js'

/** Asserts that the query is refused for that option, and answers with the text of the refusal. */
function refusal(rawQuery: string, option: string): string {
  try {
    parseQuery(rawQuery)
  } catch (error) {
    assert.ok(error instanceof ODataError, String(error))
    assert.equal(error.option, option)
    return error.message
  }
  assert.fail(`${rawQuery} was accepted`)
}

test('no query asks for nothing', () => {
  assert.deepEqual(parseQuery(''), { count: false, other: {}, unknown: [], asWritten: [] })
  assert.deepEqual(parseQuery('&&').asWritten, [])
})

test('$select keeps the names and their order as written', () => {
  assert.deepEqual(parseQuery('$select=Subject,id').select, ['Subject', 'id'])
  assert.deepEqual(parseQuery('$select=%20subject%20,+from/emailAddress').select, ['subject', 'from/emailAddress'])
  assert.deepEqual(parseQuery('$select=microsoft.graph.eventMessage/meetingMessageType').select, [
    'microsoft.graph.eventMessage/meetingMessageType',
  ])
  assert.deepEqual(parseQuery('$select=*').select, ['*'])
})

test('a term of $select that is no name is refused', () => {
  assert.equal(
    refusal('$select=id,@odata.type', '$select'),
    "Parsing OData Select and Expand failed: Term '@odata.type' is not valid in a $select or $expand expression.",
  )
  for (const text of ['id,,subject', 'id,', ',', 'a b', '1a', 'a/', 'a(b)', "'a'"]) {
    assert.match(refusal(`$select=${text}`, '$select'), /is not valid/)
  }
})

test('$top is 1 to 1000, or to the bound of the resource', () => {
  assert.equal(parseQuery('$top=1').top, 1)
  assert.equal(parseQuery('$top=1000').top, 1000)
  assert.equal(parseQuery('$top=9999', 9999).top, 9999)
  assert.equal(
    refusal('$top=1001', '$top'),
    "The limit of '1000' for Top query has been exceeded. The value from the incoming request is '1001'.",
  )
  assert.match(refusal('$top=0', '$top'), /^Invalid value '0' for \$top query option found\./)
  for (const text of ['', '-1', 'ten', '1.5', '1e2', '0x10', '1,0']) {
    assert.equal(
      refusal(`$top=${text}`, '$top'),
      `Invalid value '${text}' for $top query option found. The $top query option requires a non-negative integer value.`,
    )
  }
})

test('$skip is 0 or more', () => {
  assert.equal(parseQuery('$skip=0').skip, 0)
  assert.equal(parseQuery('$skip=2147483647').skip, 2147483647)
  assert.equal(
    refusal('$skip=-1', '$skip'),
    "Invalid value '-1' for $skip query option found. The $skip query option requires a non-negative integer value.",
  )
  assert.match(refusal('$skip=2147483648', '$skip'), /^The limit of '2147483647' for Skip query/)
})

test('$count is true or false in any case', () => {
  assert.equal(parseQuery('$count=true').count, true)
  assert.equal(parseQuery('$count=False').count, false)
  assert.equal(
    refusal('$count=1', '$count'),
    "Invalid value '1' for $count query option found. Valid values are 'true, false'.",
  )
  refusal('$count', '$count')
})

test('$orderby is a list of properties with their direction in any case', () => {
  assert.deepEqual(parseQuery('$orderby=receivedDateTime%20DESC,from/emailAddress/name+Asc,%20subject').orderBy, [
    { path: 'receivedDateTime', descending: true },
    { path: 'from/emailAddress/name', descending: false },
    { path: 'subject', descending: false },
  ])
})

test('an $orderby that is no such list is refused', () => {
  assert.equal(refusal('$orderby=', '$orderby'), "The value for OData query '$orderby' cannot be empty.")
  assert.equal(refusal('$orderby=subject down', '$orderby'), "Syntax error at position 12 in 'subject down'.")
  assert.equal(refusal('$orderby=id,subject asc x', '$orderby'), "Syntax error at position 16 in 'id,subject asc x'.")
  for (const text of ['id,', ',id', 'desc desc desc', 'length(subject)', '1', 'a//b']) {
    assert.match(refusal(`$orderby=${text}`, '$orderby'), /^Syntax error/)
  }
})

test('$expand is a list of names with options of their own', () => {
  const { expand } = parseQuery(
    "$expand=attachments($select=id,name;$top=2),singleValueExtendedProperties($filter=id eq 'String {0} Name a,b;c)(')",
  )
  assert.equal(expand?.length, 2)
  assert.equal(expand[0]?.name, 'attachments')
  assert.equal(expand[0].options, '$select=id,name;$top=2')
  assert.deepEqual(expand[0].query.select, ['id', 'name'])
  assert.equal(expand[0].query.top, 2)
  assert.equal(expand[1]?.name, 'singleValueExtendedProperties')
  assert.equal(expand[1].query.other.$filter, "id eq 'String {0} Name a,b;c)('")
})

test('$expand nests, and names a derived type', () => {
  const { expand } = parseQuery('$expand=attachments($expand=microsoft.graph.itemAttachment/item)')
  assert.equal(expand?.[0]?.query.expand?.[0]?.name, 'microsoft.graph.itemAttachment/item')
  assert.equal(parseQuery('$expand=childFolders( )').expand?.[0]?.query.count, false)
})

test('a malformed $expand is refused', () => {
  assert.equal(refusal('$expand=attachments(', '$expand'), 'Found an unbalanced bracket expression.')
  assert.equal(refusal('$expand=attachments)', '$expand'), 'Found an unbalanced bracket expression.')
  assert.match(refusal("$expand=a($filter=b eq 'c)", '$expand'), /unterminated string literal/)
  for (const text of ['a,,b', 'a()b', '(a)', 'a b', "a'b'"])
    assert.match(refusal(`$expand=${text}`, '$expand'), /Term '/)
  assert.match(refusal('$expand=a($top=0)', '$top'), /^Invalid value/)
  assert.match(refusal('$expand=a($levels=2)', '$levels'), /not supported/)
  assert.match(refusal(`$expand=${'a($expand='.repeat(5)}a${')'.repeat(5)}`, '$expand'), /too deep/)
})

test('the options without a grammar here are handed on as decoded text', () => {
  const query = parseQuery(
    '$filter=subject%20eq+%27a%26b%27&$search=%22from:x%22&$skiptoken=s%2Bt&$deltatoken=d%3D&$format=json',
  )
  assert.deepEqual(query.other, {
    $filter: "subject eq 'a&b'",
    $search: '"from:x"',
    $skiptoken: 's+t',
    $deltatoken: 'd=',
    $format: 'json',
  })
  assert.deepEqual(query.unknown, [])
})

test('an empty option is refused', () => {
  for (const option of ['$select', '$expand', '$orderby', '$filter', '$search', '$skiptoken', '$format']) {
    assert.equal(refusal(`${option}=`, option), `The value for OData query '${option}' cannot be empty.`)
    refusal(`${option}=%20`, option)
    refusal(option, option)
  }
  // Where a delta query is to begin anew.
  assert.equal(parseQuery('$deltatoken=').other.$deltatoken, '')
})

test('the $ may be left out or escaped, and names are read in any case', () => {
  for (const name of ['$top', 'top', '%24top', '$Top', 'TOP']) {
    const query = parseQuery(`${name}=5`)
    assert.equal(query.top, 5)
    assert.deepEqual(query.asWritten, [[decodeURIComponent(name), '5']])
  }
  assert.equal(parseQuery('$orderBy=subject').orderBy?.length, 1)
})

test('an option may be given once, however it is spelled', () => {
  const text = "Query option '$top' was specified more than once, but it must be specified at most once."
  assert.equal(refusal('$top=1&$top=1', '$top'), text)
  assert.equal(refusal('$top=1&TOP=2', '$top'), text)
  assert.match(refusal('$filter=a eq 1&$filter=b eq 2', '$filter'), /more than once/)
})

test('an unknown parameter is kept, an unknown option refused', () => {
  const query = parseQuery('include_hidden_folders=True&a=1&a=2&constructor=x')
  assert.deepEqual(query.unknown, [
    ['include_hidden_folders', 'True'],
    ['a', '1'],
    ['a', '2'],
    ['constructor', 'x'],
  ])
  assert.deepEqual(query.asWritten, query.unknown)
  assert.equal(refusal('$Apply=x', '$apply'), "The query parameter '$Apply' is not supported.")
  assert.match(refusal('$constructor=x', '$constructor'), /not supported/)
})

test('a malformed escape stands for itself', () => {
  assert.equal(parseQuery("$filter=subject eq '100%'").other.$filter, "subject eq '100%'")
})

test('nextLink repeats what was asked in the form of the service, $skip last', () => {
  const link = (rawQuery: string, skip = 10) =>
    nextLink('https://mail.example.com', '/v1.0/me/messages', parseQuery(rawQuery).asWritten, skip)

  assert.equal(link(''), 'https://mail.example.com/v1.0/me/messages?%24skip=10')
  assert.equal(
    link('$select=id,subject&$skip=10&$top=5&x_y=A%20b', 15),
    'https://mail.example.com/v1.0/me/messages?%24select=id%2csubject&%24top=5&x_y=A+b&%24skip=15',
  )
  assert.equal(
    link("$filter=displayName eq 'Ä/~'&skip=1"),
    'https://mail.example.com/v1.0/me/messages?%24filter=displayName+eq+%27%c3%84%2f%7e%27&%24skip=10',
  )
  assert.equal(link('top=5&SKIPTOKEN=a'), 'https://mail.example.com/v1.0/me/messages?top=5&%24skip=10')
})

test('nextLink keeps the path as it was sent', () => {
  const path = "/beta/users('a%40b')//mailFolders/AA=/"
  assert.equal(nextLink('http://127.0.0.1:80', path, [], 1), `http://127.0.0.1:80${path}?%24skip=1`)
})

test('following a nextLink asks for the same, further on', () => {
  const value = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value)), fc.integer({ min: 0, max: 1000 }), (pairs, skip) => {
      const custom = pairs.map(([name, value]) => [`x${name}`, value] as const)
      const url = new URL(nextLink('http://localhost', '/v1.0/me/messages', [...custom, ['$top', '3']], skip))
      const query = parseQuery(url.search)
      assert.deepEqual(query.unknown, custom)
      assert.deepEqual([query.top, query.skip], [3, skip])
    }),
  )
})

test('the context names what was selected, then what was expanded', () => {
  const context = (rawQuery: string) => {
    const { select, expand } = parseQuery(rawQuery)
    return selectedContext(select, expand)
  }
  assert.equal(context(''), '')
  assert.equal(context('$select=subject,from,id'), '(subject,from,id)')
  assert.equal(context('$expand=attachments'), '(attachments())')
  assert.equal(context('$expand=attachments($top=1)&$select=body'), '(body,attachments())')
  assert.equal(context('$expand=attachments($select=id,name),extensions'), '(attachments(id,name),extensions())')
})

test('no query makes the parser throw anything but an ODataError', () => {
  const piece = fc.constantFrom(
    '$select=',
    '$expand=',
    '$orderby=',
    '$top=',
    'a',
    '(',
    ')',
    "'",
    ',',
    ';',
    '&',
    '%',
    ' ',
    '=',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(piece).map((pieces) => pieces.join('')),
        fc.string(),
      ),
      (rawQuery) => {
        try {
          parseQuery(rawQuery)
        } catch (error) {
          assert.ok(error instanceof ODataError)
        }
      },
    ),
  )
})
