import { isDeliverableAddress } from '../../mail/email-address.js'
import { MailError } from '../../mail/errors.js'
import type { FolderId } from '../../mail/ids.js'
import type { Mailbox } from '../../mail/mailbox.js'
import type { EmailAddress } from '../../mail/message.js'
import {
  hasError,
  type MessageRule,
  type RuleActions,
  type RulePredicates,
  type RuleSaid,
} from '../../mail/message-rule.js'
import { requestBodyRead } from '../errors.js'
import { presentFolderId } from '../item-id.js'
import type { ApiVersion } from '../path.js'
import { presentRecipients, readRecipients } from './recipient.js'
import {
  cannotConvert,
  inside,
  type MemberReader,
  objectType,
  passOver,
  type Reading,
  readArray,
  readBoolean,
  readEnum,
  readMembers,
  readObject,
  readText,
  requiredMissing,
} from './values.js'

/** Predicates and actions while they are being read, by name; what is null was not said. */
type Fields = Record<string, unknown>

const importances = ['low', 'normal', 'high'] as const
const sensitivities = ['normal', 'personal', 'private', 'confidential'] as const
const actionFlags = [
  'any',
  'call',
  'doNotForward',
  'followUp',
  'fyi',
  'forward',
  'noResponseNecessary',
  'read',
  'reply',
  'replyToAll',
  'review',
] as const

/** Kinds of values that predicates and actions have. */
const kinds = {
  texts: (value, reading) => orNothing(readTexts(value, reading)),
  /** The service shows these in capitals (documented sample). */
  capitals: (value, reading) => orNothing(readTexts(value, reading).map((text) => text.toUpperCase())),
  recipients: (value, reading) => orNothing(readAddresses(value, reading)),
  boolean: (value, { path }) => readBoolean(value, path) ?? undefined,
  importance: (value, { path }) => readEnum(value, importances, 'microsoft.graph.importance', path) ?? undefined,
  sensitivity: (value, { path }) => readEnum(value, sensitivities, 'microsoft.graph.sensitivity', path) ?? undefined,
  actionFlag: (value, { path }) => readEnum(value, actionFlags, 'microsoft.graph.messageActionFlag', path) ?? undefined,
  sizeRange: readSizeRange,
  /** Looked up by the handler. */
  folder: (value, { path }) => readText(value, path) ?? undefined,
} satisfies Record<string, (value: unknown, reading: Reading) => unknown>

type Kind = keyof typeof kinds

const predicateKinds: Readonly<Record<keyof RulePredicates, Kind>> = {
  bodyContains: 'texts',
  bodyOrSubjectContains: 'texts',
  categories: 'texts',
  fromAddresses: 'recipients',
  hasAttachments: 'boolean',
  headerContains: 'texts',
  importance: 'importance',
  isApprovalRequest: 'boolean',
  isAutomaticForward: 'boolean',
  isAutomaticReply: 'boolean',
  isEncrypted: 'boolean',
  isMeetingRequest: 'boolean',
  isMeetingResponse: 'boolean',
  isNonDeliveryReport: 'boolean',
  isPermissionControlled: 'boolean',
  isReadReceipt: 'boolean',
  isSigned: 'boolean',
  isVoicemail: 'boolean',
  messageActionFlag: 'actionFlag',
  notSentToMe: 'boolean',
  recipientContains: 'texts',
  senderContains: 'capitals',
  sensitivity: 'sensitivity',
  sentCcMe: 'boolean',
  sentOnlyToMe: 'boolean',
  sentToAddresses: 'recipients',
  sentToMe: 'boolean',
  sentToOrCcMe: 'boolean',
  subjectContains: 'texts',
  withinSizeRange: 'sizeRange',
}

const actionKinds: Readonly<Record<keyof RuleActions, Kind>> = {
  assignCategories: 'texts',
  copyToFolder: 'folder',
  delete: 'boolean',
  forwardAsAttachmentTo: 'recipients',
  forwardTo: 'recipients',
  markAsRead: 'boolean',
  markImportance: 'importance',
  moveToFolder: 'folder',
  permanentDelete: 'boolean',
  redirectTo: 'recipients',
  stopProcessingRules: 'boolean',
}

function typeOf(name: string, of: Readonly<Record<string, Kind>>) {
  const readers = Object.entries(of).map(([member, kind]): [string, MemberReader<Fields>] => [
    member,
    (into, value, reading) => {
      const said = value === null ? undefined : kinds[kind](value, reading)
      if (said !== undefined) into[member] = said
    },
  ])
  return objectType<Fields>(name, Object.fromEntries(readers))
}

const predicatesType = typeOf('microsoft.graph.messageRulePredicates', predicateKinds)
const actionsType = typeOf('microsoft.graph.messageRuleActions', actionKinds)
const sizeRangeType = objectType<{ minimumSize: number; maximumSize: number }>('microsoft.graph.sizeRange', {
  minimumSize: (into, value, { path }) => {
    into.minimumSize = readInt32(value, path, 0)
  },
  maximumSize: (into, value, { path }) => {
    into.maximumSize = readInt32(value, path, 0)
  },
})

/** A rule as a request gives it: folders by what names them. */
export interface RuleRead {
  displayName?: string
  sequence?: number
  isEnabled?: boolean
  conditions?: RulePredicates
  exceptions?: RulePredicates
  actions?: Omit<RuleActions, 'copyToFolder' | 'moveToFolder'> & { copyToFolder?: string; moveToFolder?: string }
}

const maxNameLength = 256

const ruleType = objectType<RuleRead>('microsoft.graph.messageRule', {
  id: passOver,
  hasError: passOver,
  isReadOnly: passOver,
  displayName: (into, value, { path }) => {
    const name = readText(value, path)
    if (name === null || name === '' || name.length > maxNameLength) {
      throw new MailError('propertyInvalid', `A rule has a name of 1 to ${maxNameLength} characters.`, {
        property: 'displayName',
      })
    }
    into.displayName = name
  },
  sequence: (into, value, { path }) => {
    into.sequence = readInt32(value, path, 1)
  },
  isEnabled: (into, value, { path }) => {
    into.isEnabled = readBoolean(value, path) ?? true
  },
  conditions: (into, value, reading) => {
    into.conditions = readMembers<Fields>(readObject(value, reading.path) ?? {}, predicatesType, {}, reading)
  },
  exceptions: (into, value, reading) => {
    into.exceptions = readMembers<Fields>(readObject(value, reading.path) ?? {}, predicatesType, {}, reading)
  },
  actions: (into, value, reading) => {
    into.actions = readMembers<Fields>(readObject(value, reading.path) ?? {}, actionsType, {}, reading)
  },
})

/**
 * What a request says of a rule.
 *
 * @throws GraphError RequestBodyRead; MailError propertyInvalid, recipientInvalid
 */
export function readRule(json: unknown, version: ApiVersion): RuleRead {
  const reading = { version, path: 'messageRule', depth: 0 }
  return readMembers<RuleRead>(readObject(json ?? null, reading.path) ?? {}, ruleType, {}, reading)
}

/** @throws GraphError ErrorRequiredPropertyMissing for a new rule without name, place or actions */
export function requireWholeRule(read: RuleRead): void {
  for (const name of ['displayName', 'sequence', 'actions'] as const) {
    if (read[name] === undefined) throw requiredMissing(name)
  }
}

/** The rule with its folders looked up. */
export async function withFolders(
  { actions, ...rest }: RuleRead,
  folderNamed: (name: string) => Promise<FolderId>,
): Promise<Partial<RuleSaid>> {
  if (actions === undefined) return rest
  const { moveToFolder, copyToFolder, ...others } = actions
  return {
    ...rest,
    actions: {
      ...others,
      ...(moveToFolder === undefined ? {} : { moveToFolder: await folderNamed(moveToFolder) }),
      ...(copyToFolder === undefined ? {} : { copyToFolder: await folderNamed(copyToFolder) }),
    },
  }
}

/** How rules are to be shown. */
interface RulePresentation {
  readonly mailbox: Mailbox
  /** Those the mailbox has. */
  readonly folders: ReadonlySet<FolderId>
}

/** A rule; what is not said of it is left out, as in the documented samples. */
export function presentRule(rule: MessageRule, { mailbox, folders }: RulePresentation): Record<string, unknown> {
  const { displayName, sequence, isEnabled, conditions, exceptions, actions } = rule
  const isSaid = (predicates: RulePredicates | undefined) => Object.keys(predicates ?? {}).length > 0
  return {
    id: presentRuleId(rule.id),
    displayName,
    sequence,
    isEnabled,
    hasError: hasError(rule, folders),
    isReadOnly: false,
    ...(isSaid(conditions) ? { conditions: presentFields({ ...conditions }, predicateKinds, mailbox) } : {}),
    actions: presentFields({ ...actions }, actionKinds, mailbox),
    ...(isSaid(exceptions) ? { exceptions: presentFields({ ...exceptions }, predicateKinds, mailbox) } : {}),
  }
}

function presentFields(fields: Fields, of: Readonly<Record<string, Kind>>, mailbox: Mailbox): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      if (of[name] === 'recipients') return [name, presentRecipients(value as EmailAddress[])]
      return [name, of[name] === 'folder' ? presentFolderId(mailbox, value as FolderId) : value]
    }),
  )
}

/** Of eight bytes, like those of the service; in the alphabet that needs no escaping in a path. */
function presentRuleId(id: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt8(1, 0)
  bytes.writeUIntBE(id, 2, 6)
  return `${bytes.toString('base64url')}=`
}

/** The number in the id of a rule; undefined for what is none. */
export function readRuleId(text: string): number | undefined {
  const bytes = Buffer.from(text, 'base64')
  const id = bytes.length === 8 ? bytes.readUIntBE(2, 6) : 0
  return presentRuleId(id).replaceAll('=', '') === text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
    ? id
    : undefined
}

function orNothing<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length === 0 ? undefined : items
}

function readTexts(value: unknown, reading: Reading): string[] {
  return readArray(value, reading.path).map((item, index) => {
    const { path } = inside(reading, index)
    const text = readText(item, path)
    if (text !== null && text !== '') return text
    throw requestBodyRead('A null or empty value was found in a list that may not hold one.', path)
  })
}

function readAddresses(value: unknown, reading: Reading): EmailAddress[] {
  const addresses = readRecipients(value, reading)
  for (const { address } of addresses) {
    if (isDeliverableAddress(address)) continue
    throw new MailError('recipientInvalid', 'A rule names an address that is none.', {
      property: reading.path,
      value: address.slice(0, 320),
    })
  }
  return addresses
}

function readSizeRange(value: unknown, reading: Reading): RulePredicates['withinSizeRange'] {
  const members = readObject(value, reading.path)
  if (members === null) return undefined
  const range = readMembers(members, sizeRangeType, { minimumSize: 0, maximumSize: maxInt32 }, reading)
  if (range.minimumSize <= range.maximumSize) return range
  throw new MailError('propertyInvalid', 'The smallest size is larger than the largest.', { property: reading.path })
}

const maxInt32 = 2 ** 31 - 1

function readInt32(value: unknown, path: string, min: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= maxInt32) return value
  throw cannotConvert(value, 'Edm.Int32', path)
}
