import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  keysOf,
  parsePath,
  queryOption,
  queryOptions,
  shapeOf,
  withKeys,
} from '../../scripts/conformance/request-path.js'

test('paths of every spelling have one shape', () => {
  const shapes = (paths: string[]) => new Set(paths.map((path) => shapeOf(parsePath(path))))
  assert.deepEqual(
    shapes(['/me/sendMail', '/users/ada@example.com/sendmail', "/Users('x')/microsoft.graph.sendMail"]),
    new Set(['{mailbox}/sendmail']),
  )
  assert.deepEqual(
    shapes(["/me/messages('AA=')/attachments/{id}/$value", '/users/{id}/Messages/AA=/attachments/BB=/$value']),
    new Set(['{mailbox}/messages/{message}/attachments/{attachment}/$value']),
  )
  assert.deepEqual(shapes(['/me/messages/?$top=1', '/me/messages']), new Set(['{mailbox}/messages']))
  assert.deepEqual(
    shapes(['/me/mailFolders/inbox/messages/delta']),
    new Set(['{mailbox}/mailfolders/{folder}/messages/delta']),
  )
})

test('keys are found, and put back in the spelling of the path', () => {
  const path = parsePath("/users/a@b/messages('AA=')/attachments/BB=/?$select=id, name")
  assert.deepEqual(keysOf(path), ['a@b', 'AA=', 'BB='])
  assert.equal(withKeys(path, ['x', 'y', 'z']), "/users/x/messages('y')/attachments/z/?$select=id,%20name")
  assert.equal(withKeys(parsePath('/me/messages/{id}/$value'), ['1']), '/me/messages/1/$value')
})

test('a key in quotes may hold a slash', () => {
  assert.deepEqual(keysOf(parsePath("/me/messages('a/b')/attachments")), ['a/b'])
})

test('query options are read by name', () => {
  const path = parsePath('/me/messages?%24top=5&$Select=id')
  assert.deepEqual(queryOptions(path), ['$top', '$select'])
  assert.equal(queryOption(path, '$top'), '5')
  assert.equal(queryOption(path, '$skip'), undefined)
})
