import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyRules } from '../../src/mail/apply-rules.js'
import type { FolderId, MailboxId, MessageId } from '../../src/mail/ids.js'
import { folderId } from '../../src/mail/mail-folder.js'
import type { InternetMessageHeader, Message, MessageContent } from '../../src/mail/message.js'
import { applies, hasError, type MessageRule, type RulePredicates, type RuleSaid } from '../../src/mail/message-rule.js'

const me = new Set(['ada@contoso.example', 'countess@contoso.example'])

function arriving(content: Partial<MessageContent>, envelope: Partial<Message> = {}): Message {
  return {
    mailbox: 1 as MailboxId,
    id: 2 as MessageId,
    folder: folderId('inbox'),
    moves: 0,
    change: 3,
    createdAt: 0,
    modifiedAt: 0,
    receivedAt: 0,
    sentAt: 0,
    isRead: false,
    isDraft: false,
    hasAttachments: false,
    importance: 'normal',
    subject: 'Lunch at noon',
    internetMessageId: '<one@contoso.example>',
    conversation: { id: '00', index: '' },
    sizeBytes: 10 * 1_024,
    ...envelope,
    content: {
      body: { contentType: 'html', content: '<p>The <b>soup</b> is ready.</p>' },
      from: { name: 'Ben Brown', address: 'ben@fabrikam.example' },
      toRecipients: [{ name: 'Ada', address: 'Ada@contoso.example' }],
      ccRecipients: [],
      bccRecipients: [],
      replyTo: [],
      categories: [],
      flag: { flagStatus: 'notFlagged' },
      inferenceClassification: 'focused',
      isDeliveryReceiptRequested: null,
      isReadReceiptRequested: null,
      internetMessageHeaders: [],
      singleValueExtendedProperties: [],
      multiValueExtendedProperties: [],
      ...content,
    },
  }
}

function headers(...fields: readonly string[]): { internetMessageHeaders: InternetMessageHeader[] } {
  return {
    internetMessageHeaders: fields.map((field) => {
      const colon = field.indexOf(':')
      return { name: field.slice(0, colon), value: field.slice(colon + 1).trim() }
    }),
  }
}

function rule(said: Partial<RuleSaid>, id = 1): MessageRule {
  return { id, change: 1, displayName: 'rule', sequence: id, isEnabled: true, actions: { markAsRead: true }, ...said }
}

const others = [{ address: 'cy@contoso.example' }]
const toAda = [{ address: 'countess@contoso.example' }]

/** A predicate, a message it holds for, and one it does not hold for. */
const predicates: readonly (readonly [RulePredicates, holds: Message, fails: Message])[] = [
  [{ bodyContains: ['x', 'SOUP'] }, arriving({}), arriving({ body: { contentType: 'text', content: 'bread' } })],
  [{ bodyOrSubjectContains: ['noon'] }, arriving({}), arriving({}, { subject: null })],
  [{ categories: ['food'] }, arriving({ categories: ['Food'] }), arriving({})],
  [
    { fromAddresses: [{ address: 'BEN@fabrikam.example' }] },
    arriving({}),
    arriving({ from: { address: 'notben@fabrikam.example' } }),
  ],
  [{ hasAttachments: false }, arriving({}), arriving({}, { hasAttachments: true })],
  [{ headerContains: ['x-lunch: s'] }, arriving(headers('X-Lunch: soup')), arriving(headers('X-Lunch: bread'))],
  [{ importance: 'high' }, arriving({}, { importance: 'high' }), arriving({})],
  [{ isAutomaticForward: true }, arriving(headers('AutoForwarded: TRUE')), arriving({})],
  [{ isAutomaticReply: true }, arriving(headers('Auto-Submitted: auto-replied')), arriving({})],
  [{ isAutomaticReply: false }, arriving({}), arriving(headers('Auto-Submitted: auto-replied'))],
  [
    { isEncrypted: true },
    arriving(headers('Content-Type: application/pkcs7-mime; smime-type=enveloped-data')),
    arriving({}),
  ],
  [{ isSigned: true }, arriving(headers('Content-Type: multipart/signed; boundary=b')), arriving({})],
  [{ isMeetingRequest: true }, arriving(headers('Content-Type: text/calendar; method=REQUEST')), arriving({})],
  [{ isMeetingResponse: true }, arriving(headers('Content-Type: text/calendar; method="REPLY"')), arriving({})],
  [
    { isNonDeliveryReport: true },
    arriving(headers('Content-Type: multipart/report; report-type=delivery-status')),
    arriving({}),
  ],
  [
    { isReadReceipt: true },
    arriving(headers('Content-Type: multipart/report; report-type=disposition-notification')),
    arriving({}),
  ],
  [{ isVoicemail: true }, arriving(headers('Message-Context: voice-message')), arriving({})],
  [{ isPermissionControlled: true }, arriving(headers('Content-Class: rpmsg.message')), arriving({})],
  [{ isApprovalRequest: false }, arriving({}), arriving(headers('Content-Class: IPM.Note.Microsoft.Approval.Request'))],
  [{ messageActionFlag: 'followUp' }, arriving(headers('X-Message-Flag: Follow up')), arriving({})],
  [{ messageActionFlag: 'any' }, arriving(headers('X-Message-Flag: Call')), arriving({})],
  [{ notSentToMe: true }, arriving({ toRecipients: others }), arriving({ toRecipients: others, ccRecipients: toAda })],
  [{ recipientContains: ['countess@'] }, arriving({ ccRecipients: toAda }), arriving({})],
  [{ senderContains: ['BROWN'] }, arriving({}), arriving({ from: { address: 'cy@contoso.example' } })],
  [{ sensitivity: 'confidential' }, arriving(headers('Sensitivity: Company-Confidential')), arriving({})],
  [{ sensitivity: 'normal' }, arriving({}), arriving(headers('Sensitivity: Private'))],
  [{ sentCcMe: true }, arriving({ toRecipients: others, ccRecipients: toAda }), arriving({})],
  [{ sentOnlyToMe: true }, arriving({}), arriving({ ccRecipients: others })],
  [{ sentToAddresses: others }, arriving({ ccRecipients: others }), arriving({})],
  [
    { sentToMe: true },
    arriving({ toRecipients: [...others, ...toAda] }),
    arriving({ toRecipients: others, ccRecipients: toAda }),
  ],
  [{ sentToOrCcMe: true }, arriving({ toRecipients: others, ccRecipients: toAda }), arriving({ toRecipients: others })],
  [{ subjectContains: ['LUNCH'] }, arriving({}), arriving({}, { subject: 'Dinner' })],
  [{ withinSizeRange: { minimumSize: 10, maximumSize: 20 } }, arriving({}), arriving({}, { sizeBytes: 21 * 1_024 })],
]

test('each predicate holds for what it says, as a condition and as an exception', () => {
  for (const [conditions, holds, fails] of predicates) {
    const what = JSON.stringify(conditions)
    assert.equal(applies(rule({ conditions }), { message: holds, addresses: me }), true, what)
    assert.equal(applies(rule({ conditions }), { message: fails, addresses: me }), false, what)
    assert.equal(applies(rule({ exceptions: conditions }), { message: holds, addresses: me }), false, what)
    assert.equal(applies(rule({ exceptions: conditions }), { message: fails, addresses: me }), true, what)
  }
})

test('all conditions must hold, and no exception', () => {
  const subject = { message: arriving({}), addresses: me }
  const conditions = { subjectContains: ['lunch'], sentToMe: true }
  assert.equal(applies(rule({ conditions }), subject), true)
  assert.equal(applies(rule({ conditions: { ...conditions, importance: 'low' } }), subject), false)
  assert.equal(applies(rule({ conditions, exceptions: { importance: 'low', bodyContains: ['soup'] } }), subject), false)
})

test('a rule whose folder is gone is in error and passed over; the others are applied', () => {
  const gone = 0x9999 as FolderId
  const folders = new Set([folderId('inbox'), folderId('archive')])
  const broken = rule({ actions: { moveToFolder: gone, stopProcessingRules: true } }, 1)
  assert.equal(hasError(broken, folders), true)
  assert.equal(hasError(rule({ actions: { copyToFolder: folderId('archive') } }), folders), false)
  const { message } = applyRules(
    [broken, rule({ actions: { moveToFolder: folderId('archive') } }, 2)],
    arriving({}),
    folders,
    me,
  )
  assert.equal(message?.folder, folderId('archive'))
})

test('what rules send of one message has a bound, and nobody gets it twice in the same way', () => {
  const many = Array.from({ length: 400 }, (_, index) => ({ address: `a${index}@example.com` }))
  const more = Array.from({ length: 400 }, (_, index) => ({ address: `B${index}@example.com` }))
  const { onward } = applyRules(
    [
      rule({ actions: { redirectTo: [...many, ...many] } }, 1),
      rule({ actions: { redirectTo: more, forwardTo: many } }, 2),
    ],
    arriving({}),
    new Set(),
    me,
  )
  assert.equal(
    onward.reduce((sum, { recipients }) => sum + recipients.length, 0),
    500,
  )
})
