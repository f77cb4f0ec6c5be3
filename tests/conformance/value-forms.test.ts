import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokenRelations, defaultFolderCounter, formOf, hasForm } from '../../scripts/conformance/value-forms.js'
import { presentFolderId } from '../../src/graph/item-id.js'
import type { FolderId } from '../../src/mail/ids.js'
import { messageOf } from './sample-exchange.js'

test('the members of a message have their forms', () => {
  const message = messageOf(7)
  for (const [name, value] of Object.entries(message)) {
    const form = formOf(name, message)
    if (form !== undefined) assert.ok(hasForm(form, String(value)), `${name}: ${value}`)
  }
  assert.deepEqual(brokenRelations(message), [])
})

test('an id of another alphabet, length or kind has not the form of a message id', () => {
  const { id, parentFolderId } = messageOf(7)
  assert.ok(!hasForm('message id', id.slice(0, -4)))
  assert.ok(!hasForm('message id', id.replace('AAMk', 'AAM/')))
  assert.ok(!hasForm('message id', parentFolderId))
  assert.ok(!hasForm('folder id', id))
})

test('default folders are told by the counter their ids end in', () => {
  const mailbox = { guid: '5a0f6a52-3f1a-4f0e-9d3c-0123456789ab' }
  assert.equal(defaultFolderCounter(presentFolderId(mailbox, 265 as FolderId)), 9)
  assert.equal(defaultFolderCounter(presentFolderId(mailbox, 70_000 as FolderId)), undefined)
  assert.equal(defaultFolderCounter('AAMk'), undefined)
})

test('each broken relation is told', () => {
  const message = messageOf(7)
  const wrong = { ...message, changeKey: messageOf(8).changeKey, attachments: [{ id: 'elsewhere' }] }
  assert.deepEqual(brokenRelations(wrong), [
    '@odata.etag is not that of changeKey',
    'an attachment id does not begin with that of its message',
  ])
})
