import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GraphError } from '../../../src/graph/errors.js'
import {
  presentAttachmentId,
  presentChangeKey,
  presentConversationId,
  presentFolderId,
  presentImmutableAttachmentId,
  presentImmutableId,
  presentMessageId,
  webLink,
} from '../../../src/graph/item-id.js'
import { noPreferences } from '../../../src/graph/preferences.js'
import {
  type MessagePresentation,
  orderFields,
  presentMessage,
  selectProperties,
} from '../../../src/graph/resources/message.js'
import type { NewFileAttachment } from '../../../src/mail/attachment.js'
import { kept, mailbox, messageWith } from './sample-message.js'

const wholeMessage: MessagePresentation = {
  mailbox,
  version: 'v1.0',
  selection: selectProperties(undefined, 'v1.0'),
  preferences: noPreferences,
  readsBodies: true,
}

function selecting(names: string[], version: 'v1.0' | 'beta' = 'v1.0'): MessagePresentation {
  return { ...wholeMessage, version, selection: selectProperties(names, version) }
}

/** Golden rule of the recordings: this order, and nothing else unasked. */
const documentedOrder = [
  ...['@odata.etag', 'id', 'createdDateTime', 'lastModifiedDateTime', 'changeKey', 'categories', 'receivedDateTime'],
  ...['sentDateTime', 'hasAttachments', 'internetMessageId', 'subject', 'bodyPreview', 'importance', 'parentFolderId'],
  ...['conversationId', 'conversationIndex', 'isDeliveryReceiptRequested', 'isReadReceiptRequested', 'isRead'],
  ...['isDraft', 'webLink', 'inferenceClassification', 'body', 'sender', 'from', 'toRecipients', 'ccRecipients'],
  ...['bccRecipients', 'replyTo', 'flag'],
]

const ada = { name: 'Ada', address: 'ada@example.com' }
const logo: NewFileAttachment = {
  kind: 'file',
  name: 'logo.png',
  contentType: 'image/png',
  isInline: true,
  contentId: 'logo',
  contentLocation: null,
  content: Buffer.from('png'),
}

test('a message shows its default properties in the recorded order', () => {
  const shown = presentMessage(messageWith({}, { from: ada, sender: ada }), wholeMessage)
  assert.deepEqual(Object.keys(shown), documentedOrder)
})

test('each property is shown in the recorded form', () => {
  const message = messageWith({}, { from: ada, sender: ada })
  const id = presentMessageId(mailbox, message)
  assert.deepEqual(presentMessage(message, wholeMessage), {
    '@odata.etag': `W/"${presentChangeKey(mailbox, message.change)}"`,
    id,
    createdDateTime: '2025-01-14T16:11:39Z',
    lastModifiedDateTime: '2025-01-14T16:11:40Z',
    changeKey: presentChangeKey(mailbox, message.change),
    categories: [],
    receivedDateTime: '2025-01-14T16:11:41Z',
    sentDateTime: '2025-01-14T16:11:42Z',
    hasAttachments: false,
    internetMessageId: '<1@example.com>',
    subject: 'Lunch?',
    bodyPreview: 'Test email',
    importance: 'normal',
    parentFolderId: presentFolderId(mailbox, message.folder),
    conversationId: presentConversationId(mailbox, message.conversation.id),
    conversationIndex: 'AQHbZp7+zUHPJxfdGEW9zJmSzNQV6w==',
    isDeliveryReceiptRequested: false,
    isReadReceiptRequested: false,
    isRead: true,
    isDraft: false,
    webLink: webLink(id),
    inferenceClassification: 'focused',
    body: { contentType: 'text', content: 'Test email' },
    sender: { emailAddress: { name: 'Ada', address: 'ada@example.com' } },
    from: { emailAddress: { name: 'Ada', address: 'ada@example.com' } },
    toRecipients: [{ emailAddress: { name: 'bob@example.com', address: 'bob@example.com' } }],
    ccRecipients: [],
    bccRecipients: [],
    replyTo: [],
    flag: { flagStatus: 'notFlagged' },
  })
})

test('a draft made without from has neither sender nor from', () => {
  const shown = presentMessage(messageWith({ isDraft: true }), wholeMessage)
  assert.deepEqual(
    Object.keys(shown),
    documentedOrder.filter((name) => name !== 'sender' && name !== 'from'),
  )
})

test('a delivery receipt that was not spoken of is null', () => {
  const shown = presentMessage(messageWith({}, { isDeliveryReceiptRequested: null }), wholeMessage)
  assert.equal(shown.isDeliveryReceiptRequested, null)
})

test('beta has its own properties, between those of v1.0', () => {
  const presentation: MessagePresentation = {
    ...wholeMessage,
    version: 'beta',
    selection: selectProperties(undefined, 'beta'),
  }
  const names = Object.keys(presentMessage(messageWith({}, { from: ada, sender: ada }), presentation))
  const own = ['unsubscribeData', 'unsubscribeEnabled', 'mentionsPreview']
  assert.deepEqual(
    names.filter((name) => own.includes(name)),
    own,
  )
  assert.deepEqual(
    names.filter((name) => !own.includes(name)),
    documentedOrder,
  )
})

test('$select takes names in any case and keeps the order of the resource; etag and id come with it', () => {
  const shown = presentMessage(messageWith(), selecting(['SUBJECT', 'toRecipients', 'ReceivedDateTime', 'subject']))
  assert.deepEqual(Object.keys(shown), ['@odata.etag', 'id', 'receivedDateTime', 'subject', 'toRecipients'])
  assert.deepEqual(Object.keys(presentMessage(messageWith(), selecting(['id']))), ['@odata.etag', 'id'])
})

test('$select=* is the default set', () => {
  assert.equal(selectProperties(['*'], 'v1.0'), selectProperties(undefined, 'v1.0'))
})

test('of a path the whole property is selected; what comes only by $expand may be named, to no effect', () => {
  const names = ['body/content', 'microsoft.graph.message/isRead', 'microsoft.graph.eventMessage/meetingMessageType']
  const shown = presentMessage(messageWith(), selecting([...names, 'attachments', 'singleValueExtendedProperties']))
  assert.deepEqual(Object.keys(shown), ['@odata.etag', 'id', 'isRead', 'body'])
})

test('a name that the resource does not have, or not in this version, is refused', () => {
  for (const name of ['isJunk', 'mentionsPreview', 'constructor', '__proto__', 'microsoft.graph.message/x']) {
    assert.throws(
      () => selectProperties(['subject', name], 'v1.0'),
      (error) =>
        error instanceof GraphError &&
        error.status === 400 &&
        error.code === 'RequestBroker--ParseUri' &&
        error.message === `Could not find a property named '${name}' on type 'microsoft.graph.message'.`,
    )
  }
  assert.doesNotThrow(() => selectProperties(['mentionsPreview'], 'beta'))
})

test('the content is read only for what stands in it', () => {
  assert.equal(selectProperties(['subject', 'id', 'isRead', 'parentFolderId'], 'v1.0').needsContent, false)
  assert.equal(selectProperties(['subject', 'from'], 'v1.0').needsContent, true)
  const { content: _, ...listed } = messageWith()
  assert.equal(presentMessage(listed, selecting(['subject'])).subject, 'Lunch?')
})

test('internetMessageHeaders and uniqueBody come only when selected, and a draft has no headers to show', () => {
  const headers = [{ name: 'x-group', value: '1' }]
  const sent = messageWith({}, { internetMessageHeaders: headers })
  const presentation = selecting(['internetMessageHeaders', 'uniqueBody'])
  assert.deepEqual(presentMessage(sent, presentation).internetMessageHeaders, headers)
  assert.deepEqual(presentMessage(sent, presentation).uniqueBody, { contentType: 'text', content: 'Test email' })
  const draft = messageWith({ isDraft: true }, { internetMessageHeaders: headers })
  assert.equal('internetMessageHeaders' in presentMessage(draft, presentation), false)
})

test('Mail.ReadBasic shows no body, no preview, no attachment and no extended property, even when selected', () => {
  const message = messageWith({ bodyPreview: 'secret' })
  const basic = {
    readsBodies: false,
    attachments: [kept(logo)],
    singleValueIds: ['Long 0xe08'],
  }
  const whole = presentMessage(message, { ...wholeMessage, ...basic })
  const selected = presentMessage(message, { ...selecting(['body', 'bodyPreview', 'uniqueBody', 'subject']), ...basic })
  for (const name of ['body', 'bodyPreview', 'uniqueBody', 'attachments', 'singleValueExtendedProperties']) {
    assert.equal(name in whole, false, name)
    assert.equal(name in selected, false, name)
  }
  assert.equal(selected.subject, 'Lunch?')
})

test('a body is shown as text or HTML when the caller prefers it, else as it was written', () => {
  const bodyOf = (contentType: 'text' | 'html', content: string, bodyContentType?: 'text' | 'html') =>
    presentMessage(messageWith({}, { body: { contentType, content } }), {
      ...wholeMessage,
      preferences: { ...noPreferences, bodyContentType },
    }).body as { contentType: string; content: string }

  assert.deepEqual(bodyOf('text', 'a < b'), { contentType: 'text', content: 'a < b' })
  assert.deepEqual(bodyOf('html', '<p>a &lt; b</p>', 'text'), { contentType: 'text', content: 'a < b' })
  assert.match(bodyOf('text', 'a < b', 'html').content, /^<html>.*a &lt; b.*<\/html>$/s)
  assert.match(bodyOf('html', '<b>x</b>').content, /^<html><head>\r\n<meta .*<\/head><body><b>x<\/b><\/body><\/html>$/s)
})

test('a preview that was worked out before is not worked out again', () => {
  assert.equal(presentMessage(messageWith({ bodyPreview: 'kept' }), wholeMessage).bodyPreview, 'kept')
})

test('immutable ids are shown when the caller prefers them, of attachments too', () => {
  const message = messageWith()
  const attachment = kept(logo)
  const show = (immutableIds: boolean) =>
    presentMessage(message, {
      ...wholeMessage,
      preferences: { ...noPreferences, immutableIds },
      attachments: [attachment],
    }) as { id: string; attachments: { id: string }[] }

  assert.equal(show(true).id, presentImmutableId(mailbox, message.id))
  assert.equal(show(true).attachments[0]?.id, presentImmutableAttachmentId(mailbox, message.id, attachment.id))
  assert.equal(show(false).attachments[0]?.id, presentAttachmentId(mailbox, message, attachment.id))
})

test('expanded collections come last', () => {
  const message = messageWith(
    {},
    {
      singleValueExtendedProperties: [{ id: 'String 0x1045', value: 'x' }],
      multiValueExtendedProperties: [{ id: 'StringArray 0x1', value: ['y'] }],
    },
  )
  const shown = presentMessage(message, {
    ...selecting(['subject']),
    attachments: [kept(logo)],
    singleValueIds: ['String 0x1045'],
    multiValueIds: ['StringArray 0x1'],
  })
  const expanded = ['attachments', 'singleValueExtendedProperties', 'multiValueExtendedProperties']
  assert.deepEqual(Object.keys(shown), ['@odata.etag', 'id', 'subject', ...expanded])
  assert.deepEqual(shown.multiValueExtendedProperties, [{ id: 'StringArray 0x1', value: ['y'] }])
})

test('extended properties are found by any spelling of their id; size, flags and class every message has', () => {
  const message = messageWith(
    { isDraft: true },
    { singleValueExtendedProperties: [{ id: 'STRING 0x01045', value: 'x' }] },
  )
  const singleValueIds = ['Long 0xe08', 'String 0x1045', 'Integer 0xe07', 'String 0x1a', 'String 0x9999']
  assert.deepEqual(presentMessage(message, { ...selecting(['id']), singleValueIds }).singleValueExtendedProperties, [
    { id: 'Long 0xe08', value: '2722' },
    { id: 'String 0x1045', value: 'x' },
    { id: 'Integer 0xe07', value: '9' },
    { id: 'String 0x1a', value: 'IPM.Note' },
  ])
  const none = presentMessage(message, { ...selecting(['id']), singleValueIds: ['String 0x9999'] })
  assert.equal('singleValueExtendedProperties' in none, false)
})

test('$orderby names what lists can be ordered by, in any case', () => {
  const order = (path: string, descending = false) => orderFields([{ path, descending }])
  assert.deepEqual(order('ReceivedDateTime', true), [{ field: 'receivedAt', descending: true }])
  assert.deepEqual(order('from/emailAddress/address'), [{ field: 'fromAddress', descending: false }])
  assert.deepEqual(order('From/EmailAddress/Name'), [{ field: 'fromName', descending: false }])
  assert.deepEqual(orderFields(undefined), [])
})

test('$orderby by anything else is refused', () => {
  for (const path of ['body', 'x', 'constructor', '__proto__', 'from', 'sender/emailAddress/name', 'subject/x']) {
    assert.throws(
      () => orderFields([{ path, descending: false }]),
      (error) => error instanceof GraphError && error.status === 400 && error.message === 'OrderBy not supported.',
      path,
    )
  }
})
