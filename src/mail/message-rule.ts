import { textOf } from './body.js'
import { MailError } from './errors.js'
import type { FolderId, MailboxId } from './ids.js'
import type { Mail } from './mail.js'
import type { EmailAddress, Importance, Message } from './message.js'
import { orGone } from './outlook-category.js'

/** What can be asked of a message that arrives (Graph `messageRulePredicates`). Of a list any one suffices. */
export interface RulePredicates {
  readonly bodyContains?: readonly string[]
  readonly bodyOrSubjectContains?: readonly string[]
  readonly categories?: readonly string[]
  readonly fromAddresses?: readonly EmailAddress[]
  readonly hasAttachments?: boolean
  readonly headerContains?: readonly string[]
  readonly importance?: Importance
  readonly isApprovalRequest?: boolean
  readonly isAutomaticForward?: boolean
  readonly isAutomaticReply?: boolean
  readonly isEncrypted?: boolean
  readonly isMeetingRequest?: boolean
  readonly isMeetingResponse?: boolean
  readonly isNonDeliveryReport?: boolean
  readonly isPermissionControlled?: boolean
  readonly isReadReceipt?: boolean
  readonly isSigned?: boolean
  readonly isVoicemail?: boolean
  readonly messageActionFlag?: string
  readonly notSentToMe?: boolean
  readonly recipientContains?: readonly string[]
  readonly senderContains?: readonly string[]
  readonly sensitivity?: string
  readonly sentCcMe?: boolean
  readonly sentOnlyToMe?: boolean
  readonly sentToAddresses?: readonly EmailAddress[]
  readonly sentToMe?: boolean
  readonly sentToOrCcMe?: boolean
  readonly subjectContains?: readonly string[]
  /** Kilobytes. */
  readonly withinSizeRange?: { readonly minimumSize: number; readonly maximumSize: number }
}

/** What is done with it (Graph `messageRuleActions`). */
export interface RuleActions {
  readonly assignCategories?: readonly string[]
  readonly copyToFolder?: FolderId
  /** To Deleted Items. */
  readonly delete?: boolean
  readonly forwardAsAttachmentTo?: readonly EmailAddress[]
  readonly forwardTo?: readonly EmailAddress[]
  readonly markAsRead?: boolean
  readonly markImportance?: Importance
  readonly moveToFolder?: FolderId
  readonly permanentDelete?: boolean
  readonly redirectTo?: readonly EmailAddress[]
  readonly stopProcessingRules?: boolean
}

/** What the owner of a mailbox says of a rule. */
export interface RuleSaid {
  readonly displayName: string
  /** Rules are applied in rising order. */
  readonly sequence: number
  readonly isEnabled: boolean
  readonly conditions?: RulePredicates
  readonly exceptions?: RulePredicates
  readonly actions: RuleActions
}

/** A rule of the Inbox. */
export interface MessageRule extends RuleSaid {
  readonly id: number
  /** Tells writers of the rule apart. */
  readonly change: number
}

/** What predicates look at. */
export interface RuleSubject {
  readonly message: Message
  /** The mailbox's own addresses, lower case. */
  readonly addresses: ReadonlySet<string>
}

/** Header that names, one line each, the mailboxes whose rules have sent a message on; Exchange's own name for it. */
export const loopHeader = 'X-MS-Exchange-Inbox-Rules-Loop'

/** Values of the header fields of that name. */
export function headerValues({ content }: Message, name: string): string[] {
  const key = name.toLowerCase()
  return content.internetMessageHeaders.filter((each) => each.name.toLowerCase() === key).map(({ value }) => value)
}

type Tests = {
  readonly [Name in keyof RulePredicates]-?: (
    wanted: NonNullable<RulePredicates[Name]>,
    subject: RuleSubject,
  ) => boolean
}

const tests: Tests = {
  bodyContains: (texts, { message }) => holdsAny(textOf(message.content.body), texts),
  bodyOrSubjectContains: (texts, { message }) =>
    holdsAny(`${message.subject ?? ''}\n${textOf(message.content.body)}`, texts),
  categories: (names, { message }) =>
    names.some((name) => message.content.categories.some((each) => each.toLowerCase() === name.toLowerCase())),
  fromAddresses: (wanted, { message }) => isAmong(message.content.from, wanted),
  hasAttachments: (wanted, { message }) => message.hasAttachments === wanted,
  headerContains: (texts, { message }) =>
    message.content.internetMessageHeaders.some(({ name, value }) => holdsAny(`${name}: ${value}`, texts)),
  importance: (wanted, { message }) => message.importance === wanted,
  isApprovalRequest: header('content-class', /approval/i),
  isAutomaticForward: (wanted, { message }) =>
    wanted === (headerValues(message, loopHeader).length > 0 || /true/i.test(headerText(message, 'autoforwarded'))),
  isAutomaticReply: header('auto-submitted', /^\s*auto-replied\b/i),
  isEncrypted: header('content-type', /multipart\/encrypted|pkcs7-mime(?!.*signed-data)/i),
  isMeetingRequest: header('content-type', /text\/calendar.*method\s*=\s*"?request/i),
  isMeetingResponse: header('content-type', /text\/calendar.*method\s*=\s*"?reply/i),
  isNonDeliveryReport: header('content-type', /multipart\/report.*delivery-status/i),
  isPermissionControlled: header('content-class', /rpmsg/i),
  isReadReceipt: header('content-type', /multipart\/report.*disposition-notification/i),
  isSigned: header('content-type', /multipart\/signed|pkcs7-mime.*signed-data/i),
  isVoicemail: header('message-context', /voice-message/i),
  messageActionFlag: (wanted, { message }) => {
    const flag = headerText(message, 'x-message-flag')
      .replace(/[^a-z]/gi, '')
      .toLowerCase()
    return wanted === 'any' ? flag !== '' : flag === wanted.toLowerCase()
  },
  notSentToMe: (wanted, subject) => wanted !== isToOrCc(subject),
  recipientContains: (texts, { message }) =>
    [...message.content.toRecipients, ...message.content.ccRecipients].some((each) => holdsAny(shown(each), texts)),
  senderContains: (texts, { message: { content } }) =>
    content.from !== undefined && holdsAny(shown(content.from), texts),
  sensitivity: (wanted, { message }) => sensitivityOf(message) === wanted,
  sentCcMe: (wanted, { message, addresses }) => wanted === names(message.content.ccRecipients, addresses),
  sentOnlyToMe: (wanted, { message: { content }, addresses }) => {
    const all = [...content.toRecipients, ...content.ccRecipients]
    return wanted === (content.toRecipients.length === 1 && all.length === 1 && names(all, addresses))
  },
  sentToAddresses: (wanted, { message: { content } }) =>
    [...content.toRecipients, ...content.ccRecipients].some((each) => isAmong(each, wanted)),
  sentToMe: (wanted, { message, addresses }) => wanted === names(message.content.toRecipients, addresses),
  sentToOrCcMe: (wanted, subject) => wanted === isToOrCc(subject),
  subjectContains: (texts, { message }) => holdsAny(message.subject ?? '', texts),
  withinSizeRange: ({ minimumSize, maximumSize }, { message }) =>
    message.sizeBytes >= minimumSize * 1_024 && message.sizeBytes <= maximumSize * 1_024,
}

/** Whether every condition of a rule holds, and none of its exceptions. A rule without conditions is for every message. */
export function applies({ conditions = {}, exceptions = {} }: RuleSaid, subject: RuleSubject): boolean {
  return outcomes(conditions, subject).every((holds) => holds) && !outcomes(exceptions, subject).some((holds) => holds)
}

function outcomes(predicates: RulePredicates, subject: RuleSubject): boolean[] {
  return (Object.keys(predicates) as (keyof RulePredicates)[]).map((name) => {
    const test = tests[name] as (wanted: unknown, subject: RuleSubject) => boolean
    return test(predicates[name], subject)
  })
}

function header(name: string, pattern: RegExp): (wanted: boolean, subject: RuleSubject) => boolean {
  return (wanted, { message }) => wanted === pattern.test(headerText(message, name))
}

function headerText(message: Message, name: string): string {
  return headerValues(message, name)[0] ?? ''
}

function holdsAny(text: string, wanted: readonly string[]): boolean {
  const lower = text.toLowerCase()
  return wanted.some((each) => lower.includes(each.toLowerCase()))
}

function shown({ name = '', address }: EmailAddress): string {
  return `${name} ${address}`
}

function isAmong(address: EmailAddress | undefined, wanted: readonly EmailAddress[]): boolean {
  const key = address?.address.toLowerCase()
  return key !== undefined && wanted.some((each) => each.address.toLowerCase() === key)
}

function names(recipients: readonly EmailAddress[], addresses: ReadonlySet<string>): boolean {
  return recipients.some(({ address }) => addresses.has(address.toLowerCase()))
}

function isToOrCc({ message: { content }, addresses }: RuleSubject): boolean {
  return names(content.toRecipients, addresses) || names(content.ccRecipients, addresses)
}

/** RFC 4021 §2.1.55 `Sensitivity`, in Graph's words. */
function sensitivityOf(message: Message): string {
  const said = headerText(message, 'sensitivity').toLowerCase()
  return { personal: 'personal', private: 'private', 'company-confidential': 'confidential' }[said] ?? 'normal'
}

/** The folders that a rule puts messages into. */
export function foldersOf({ actions }: RuleSaid): FolderId[] {
  return [actions.moveToFolder, actions.copyToFolder].filter((folder) => folder !== undefined)
}

/** A rule that names a folder which is gone cannot be applied. */
export function hasError(rule: RuleSaid, folders: ReadonlySet<FolderId>): boolean {
  return foldersOf(rule).some((folder) => !folders.has(folder))
}

/** Bounds of one mailbox's rules, about what Exchange's quota of 256 KB comes to. */
const maxRules = 256
const maxRuleLength = 16_384

/**
 * Keeps a new rule.
 *
 * @throws MailError propertyInvalid, storeUnavailable
 */
export async function createRule(
  mail: Pick<Mail, 'store' | 'ids'>,
  mailbox: MailboxId,
  said: RuleSaid,
): Promise<MessageRule> {
  requireSound(said)
  if ((await mail.store.rules.list(mailbox)).length >= maxRules) {
    throw new MailError('propertyInvalid', `A mailbox has ${maxRules} rules at most.`, { property: 'messageRules' })
  }
  const rule = { ...said, id: mail.ids.next(), change: mail.ids.next() }
  await mail.store.write((tx) => {
    tx.insertRule(mailbox, rule)
    tx.mindArrivals(mailbox)
  })
  return rule
}

/**
 * The rule with what is changed of it; conditions, exceptions and actions are replaced as a whole.
 *
 * @throws MailError propertyInvalid; conflict when another call changed it at the same moment
 */
export async function updateRule(
  mail: Pick<Mail, 'store' | 'ids'>,
  mailbox: MailboxId,
  rule: MessageRule,
  changes: Partial<RuleSaid>,
): Promise<MessageRule> {
  const changed = { ...rule, ...changes, change: mail.ids.next() }
  requireSound(changed)
  await mail.store.write((tx) => tx.updateRule(mailbox, changed, rule.change))
  return changed
}

/** @throws MailError notInStore when it is gone */
export async function deleteRule(mail: Pick<Mail, 'store'>, mailbox: MailboxId, id: number): Promise<void> {
  await orGone(mail.store.write((tx) => tx.deleteRule(mailbox, id)))
}

function requireSound(rule: RuleSaid): void {
  if (Object.keys(rule.actions).length === 0) {
    throw new MailError('propertyInvalid', 'A rule does something.', { property: 'actions' })
  }
  if (JSON.stringify(rule).length > maxRuleLength) {
    throw new MailError('propertyInvalid', `A rule is written in ${maxRuleLength} characters.`, {
      property: 'messageRule',
    })
  }
}
