import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GraphError } from '../../../src/graph/errors.js'
import { presentAttachmentId } from '../../../src/graph/item-id.js'
import { noPreferences } from '../../../src/graph/preferences.js'
import {
  type AttachmentPresentation,
  presentAttachment,
  selectAttachmentProperties,
} from '../../../src/graph/resources/attachment.js'
import { readDraft } from '../../../src/graph/resources/draft.js'
import type { Attachment, NewAttachment } from '../../../src/mail/attachment.js'
import { kept, mailbox, messageWith } from './sample-message.js'

const message = messageWith()
const presentation: AttachmentPresentation = { mailbox, message, version: 'v1.0', immutableIds: false }

/** What was attached, as the store gives it back. */
function attached(json: Record<string, unknown>): Attachment {
  const [attachment] = readDraft({ attachments: [json] }, 'beta').attachments
  assert.ok(attachment)
  return kept(attachment)
}

const file = attached({
  '@odata.type': '#microsoft.graph.fileAttachment',
  name: 'notes.txt',
  contentType: 'text/plain',
  contentBytes: 'SGVsbG8=',
})
const link = attached({
  '@odata.type': '#microsoft.graph.referenceAttachment',
  name: 'Pictures',
  sourceUrl: 'https://files.example.com/pics',
  providerType: 'dropbox',
  permission: 'view',
})
const inner = attached({
  '@odata.type': '#microsoft.graph.itemAttachment',
  name: 'Inner',
  item: {
    '@odata.type': '#microsoft.graph.message',
    subject: 'Inner',
    body: { contentType: 'html', content: '<b>Hi</b><script>alert(1)</script>' },
    from: { emailAddress: { address: 'bob@example.com' } },
    toRecipients: [{ emailAddress: { address: 'ada@example.com' } }],
    attachments: [{ '@odata.type': '#microsoft.graph.fileAttachment', name: 'a.ics', contentBytes: 'SGk=' }],
  },
})

const common = ['id', 'lastModifiedDateTime', 'name', 'contentType', 'size', 'isInline']

test('a file shows its properties in the recorded order, null where nothing was said', () => {
  const shown = presentAttachment(file, presentation)
  assert.deepEqual(shown, {
    '@odata.type': '#microsoft.graph.fileAttachment',
    '@odata.mediaContentType': 'text/plain',
    id: presentAttachmentId(mailbox, message, file.id),
    lastModifiedDateTime: '2025-01-14T16:11:39Z',
    name: 'notes.txt',
    contentType: 'text/plain',
    size: 5,
    isInline: false,
    contentId: null,
    contentLocation: null,
    contentBytes: 'SGVsbG8=',
  })
  const own = ['contentId', 'contentLocation', 'contentBytes']
  assert.deepEqual(Object.keys(shown), ['@odata.type', '@odata.mediaContentType', ...common, ...own])
})

test('without its content read, a file is shown without contentBytes', () => {
  const { content: _, ...envelope } = file
  assert.equal('contentBytes' in presentAttachment(envelope, presentation), false)
})

test('bytes that are a part of a larger buffer are shown alone', () => {
  const content = new Uint8Array(Buffer.from('xxHelloxx')).subarray(2, 7)
  assert.equal(presentAttachment({ ...file, content }, presentation).contentBytes, 'SGVsbG8=')
})

test('an item shows what every attachment has, and the item only when expanded', () => {
  assert.deepEqual(Object.keys(presentAttachment(inner, presentation)), ['@odata.type', ...common])
  const expanded = presentAttachment(inner, { ...presentation, expandItem: true })
  assert.deepEqual(Object.keys(expanded), ['@odata.type', ...common, 'item'])
  assert.equal(expanded.contentType, null)
})

test('an expanded message has an empty id, no etag, a cleaned body and its own attachments', () => {
  const { item } = presentAttachment(inner, { ...presentation, expandItem: true }) as { item: Record<string, unknown> }
  const dates = ['createdDateTime', 'lastModifiedDateTime', 'receivedDateTime', 'sentDateTime']
  const flags = ['isDeliveryReceiptRequested', 'isReadReceiptRequested', 'isRead', 'isDraft']
  assert.deepEqual(Object.keys(item), [
    ...['@odata.type', 'id', ...dates, 'hasAttachments', 'subject', 'bodyPreview', 'importance', ...flags],
    ...['webLink', 'internetMessageHeaders', 'body', 'from', 'toRecipients', 'flag', 'attachments'],
  ])
  assert.equal(item.id, '')
  assert.equal(item.bodyPreview, 'Hi')
  assert.doesNotMatch(JSON.stringify(item.body), /script/)
  const [nested] = item.attachments as Record<string, unknown>[]
  assert.equal(nested?.['@odata.type'], '#microsoft.graph.fileAttachment')
  assert.equal(nested?.contentType, 'text/calendar')
  assert.equal(nested?.contentBytes, 'SGk=')
})

test('the body of an expanded message is text when the caller prefers it', () => {
  const preferences = { ...noPreferences, bodyContentType: 'text' as const }
  const { item } = presentAttachment(inner, { ...presentation, expandItem: true, preferences }) as {
    item: { body: unknown }
  }
  assert.deepEqual(item.body, { contentType: 'text', content: 'Hi' })
})

test('an expanded event shows its properties under our own type and id', () => {
  const event = attached({
    '@odata.type': '#microsoft.graph.itemAttachment',
    name: 'Holiday',
    item: { '@odata.type': 'microsoft.graph.event', id: 'theirs', 'x@odata.type': 'y', subject: 'Holiday' },
  })
  assert.deepEqual(presentAttachment(event, { ...presentation, expandItem: true }).item, {
    '@odata.type': '#microsoft.graph.event',
    id: '',
    subject: 'Holiday',
  })
})

test('v1.0 shows of a reference what every attachment has, beta where it leads', () => {
  assert.deepEqual(Object.keys(presentAttachment(link, presentation)), ['@odata.type', ...common])
  const shown = presentAttachment(link, { ...presentation, version: 'beta' })
  const own = ['sourceUrl', 'providerType', 'thumbnailUrl', 'previewUrl', 'permission', 'isFolder']
  assert.deepEqual(Object.keys(shown), ['@odata.type', ...common, ...own])
  assert.equal(shown.sourceUrl, 'https://files.example.com/pics')
  assert.equal(shown.permission, 'view')
})

test('$select keeps the order of the resource; type and id come with it', () => {
  const selection = selectAttachmentProperties(['Size', 'name', 'microsoft.graph.fileAttachment/contentId'], 'v1.0')
  assert.deepEqual(Object.keys(presentAttachment(file, { ...presentation, selection })), [
    ...['@odata.type', '@odata.mediaContentType', 'id', 'name', 'size', 'contentId'],
  ])
})

test('the bytes are read only when they are selected', () => {
  const needsContent = (names: string[] | undefined, version: 'v1.0' | 'beta' = 'v1.0') =>
    selectAttachmentProperties(names, version).needsContent
  assert.equal(needsContent(undefined), true)
  assert.equal(needsContent(['*']), true)
  assert.equal(needsContent(['id', 'name', 'microsoft.graph.fileAttachment/contentId']), false)
  assert.equal(needsContent(['microsoft.graph.fileAttachment/contentBytes']), true)
  assert.equal(needsContent(['microsoft.graph.referenceAttachment/sourceUrl'], 'beta'), true)
})

test('properties of one kind are selected through its type, as the service insists', () => {
  const names = ['contentId', 'contentBytes', 'x', 'constructor', 'microsoft.graph.itemAttachment/contentBytes']
  for (const name of [...names, 'microsoft.graph.referenceAttachment/sourceUrl']) {
    assert.throws(
      () => selectAttachmentProperties([name], 'v1.0'),
      (error) =>
        error instanceof GraphError &&
        error.code === 'RequestBroker--ParseUri' &&
        error.message === `Could not find a property named '${name}' on type 'microsoft.graph.attachment'.`,
      name,
    )
  }
})

test('a file without a content type has no media type either', () => {
  const untyped: NewAttachment = {
    kind: 'file',
    name: 'x',
    contentType: null,
    isInline: false,
    contentId: null,
    contentLocation: null,
    content: Buffer.alloc(0),
  }
  const shown = presentAttachment(kept(untyped), presentation)
  assert.equal('@odata.mediaContentType' in shown, false)
  assert.equal(shown.contentType, null)
})
