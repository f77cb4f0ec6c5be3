import type { ApiVersion } from './path.js'

/**
 * The types of the API that are served here, and what can be done with them: `$metadata` is written from it, and full
 * control information says from it what an answer is made of.
 *
 * A member is `name Type`: Edm types have a capital, those of the API a small letter. `Type[]` is a collection, `Type!`
 * is never null, `>type` is a relationship to entities, `ascii` is text whose model says so (`Unicode="false"`).
 */
export interface ModelType {
  readonly name: string
  readonly base?: string
  readonly traits?: readonly ('Abstract' | 'OpenType' | 'HasStream')[]
  readonly members: readonly string[]
  /** What beta has beyond v1.0. */
  readonly beta?: readonly string[]
  readonly since?: 'beta'
}

/** An enumeration: its members with their values. */
export interface ModelEnum {
  readonly name: string
  readonly isFlags?: true
  readonly members: readonly (readonly [name: string, value: number])[]
  readonly only?: ApiVersion
}

/** An action or a function, as it is bound to a type. Which of them are served, the route table says. */
export interface ModelOperation {
  readonly kind: 'Action' | 'Function'
  readonly name: string
  readonly boundTo: string
  readonly parameters: readonly string[]
  readonly returns?: string
  /** What it returns is found where what it is bound to is found. */
  readonly staysInSet?: true
}

function of(type: string, names: string): string[] {
  return names.split(' ').map((name) => `${name} ${type}`)
}

const strings = (names: string) => of('String', names)
const booleans = (names: string) => of('Boolean', names)

const extendedProperties = [
  'singleValueExtendedProperties >singleValueLegacyExtendedProperty[]',
  'multiValueExtendedProperties >multiValueLegacyExtendedProperty[]',
]

export const entityTypes: readonly ModelType[] = [
  { name: 'entity', traits: ['Abstract'], members: ['id String!'] },
  { name: 'directoryObject', base: 'entity', traits: ['OpenType'], members: [] },
  {
    name: 'user',
    base: 'directoryObject',
    traits: ['OpenType'],
    members: [
      ...strings('displayName givenName jobTitle mail mailNickname mobilePhone officeLocation preferredLanguage'),
      ...strings('surname userPrincipalName userType'),
      'accountEnabled Boolean',
      ...of('String[]!', 'businessPhones otherMails proxyAddresses'),
      'mailboxSettings mailboxSettings',
      'messages >message[]',
      'mailFolders >mailFolder[]',
      'inferenceClassification >inferenceClassification',
      'outlook >outlookUser',
    ],
  },
  {
    name: 'mailFolder',
    base: 'entity',
    members: [
      ...strings('displayName parentFolderId'),
      ...of('Int32', 'childFolderCount unreadItemCount totalItemCount'),
      'isHidden Boolean',
      'messages >message[]',
      'childFolders >mailFolder[]',
      'messageRules >messageRule[]',
      ...extendedProperties,
    ],
    beta: ['wellKnownName String'],
  },
  {
    name: 'mailSearchFolder',
    base: 'mailFolder',
    members: [...booleans('isSupported includeNestedFolders'), 'sourceFolderIds String[]', 'filterQuery String'],
  },
  {
    name: 'messageRule',
    base: 'entity',
    members: [
      'displayName String',
      'sequence Int32',
      ...booleans('isEnabled hasError isReadOnly'),
      ...of('messageRulePredicates', 'conditions exceptions'),
      'actions messageRuleActions',
    ],
  },
  {
    name: 'outlookItem',
    base: 'entity',
    traits: ['Abstract'],
    members: [
      ...of('DateTimeOffset', 'createdDateTime lastModifiedDateTime'),
      'changeKey String',
      'categories String[]',
    ],
  },
  {
    name: 'message',
    base: 'outlookItem',
    traits: ['OpenType'],
    members: [
      ...of('DateTimeOffset', 'receivedDateTime sentDateTime'),
      ...strings('internetMessageId subject bodyPreview parentFolderId conversationId webLink'),
      'conversationIndex Binary',
      ...booleans('hasAttachments isDeliveryReceiptRequested isReadReceiptRequested isRead isDraft'),
      'importance importance',
      'inferenceClassification inferenceClassificationType',
      ...of('itemBody', 'body uniqueBody'),
      ...of('recipient', 'from sender'),
      ...of('recipient[]', 'toRecipients ccRecipients bccRecipients replyTo'),
      'internetMessageHeaders internetMessageHeader[]',
      'flag followupFlag',
      'attachments >attachment[]',
      'extensions >extension[]',
      ...extendedProperties,
    ],
    beta: [
      'mentionsPreview mentionsPreview',
      'unsubscribeData String[]',
      'unsubscribeEnabled Boolean',
      'mentions >mention[]',
    ],
  },
  {
    name: 'mention',
    base: 'entity',
    since: 'beta',
    members: [
      ...strings('application clientReference deepLink mentionText'),
      'mentioned emailAddress!',
      'createdBy emailAddress',
      ...of('DateTimeOffset', 'createdDateTime serverCreatedDateTime'),
    ],
  },
  {
    name: 'attachment',
    base: 'entity',
    traits: ['Abstract'],
    members: [
      ...strings('contentType name'),
      'isInline Boolean!',
      'lastModifiedDateTime DateTimeOffset',
      'size Int32!',
    ],
  },
  {
    name: 'fileAttachment',
    base: 'attachment',
    traits: ['HasStream'],
    members: ['contentBytes Binary', ...strings('contentId contentLocation')],
  },
  { name: 'itemAttachment', base: 'attachment', members: ['item >outlookItem'] },
  {
    name: 'referenceAttachment',
    base: 'attachment',
    members: [],
    beta: [
      ...strings('sourceUrl thumbnailUrl previewUrl'),
      'providerType referenceAttachmentProvider',
      'permission referenceAttachmentPermission',
      'isFolder Boolean',
    ],
  },
  { name: 'extension', base: 'entity', traits: ['Abstract', 'OpenType'], members: [] },
  { name: 'openTypeExtension', base: 'extension', traits: ['OpenType'], members: ['extensionName String!'] },
  { name: 'singleValueLegacyExtendedProperty', base: 'entity', members: ['value String'] },
  { name: 'multiValueLegacyExtendedProperty', base: 'entity', members: ['value String[]'] },
  { name: 'inferenceClassification', base: 'entity', members: ['overrides >inferenceClassificationOverride[]'] },
  {
    name: 'inferenceClassificationOverride',
    base: 'entity',
    members: ['classifyAs inferenceClassificationType', 'senderEmailAddress emailAddress'],
  },
  { name: 'outlookUser', base: 'entity', members: ['masterCategories >outlookCategory[]'] },
  { name: 'outlookCategory', base: 'entity', members: ['displayName String', 'color categoryColor'] },
  {
    name: 'subscription',
    base: 'entity',
    members: [
      ...of('String!', 'changeType notificationUrl resource'),
      ...strings('applicationId clientState creatorId encryptionCertificate encryptionCertificateId'),
      ...strings('latestSupportedTlsVersion lifecycleNotificationUrl notificationQueryOptions notificationUrlAppId'),
      'expirationDateTime DateTimeOffset!',
      'includeResourceData Boolean',
    ],
  },
]

export const complexTypes: readonly ModelType[] = [
  { name: 'emailAddress', members: strings('name address') },
  { name: 'recipient', members: ['emailAddress emailAddress'] },
  { name: 'itemBody', members: ['contentType bodyType', 'content String'] },
  { name: 'internetMessageHeader', members: strings('name value') },
  { name: 'dateTimeTimeZone', members: ['dateTime String!', 'timeZone String'] },
  {
    name: 'followupFlag',
    members: [
      ...of('dateTimeTimeZone', 'completedDateTime dueDateTime startDateTime'),
      'flagStatus followupFlagStatus',
    ],
  },
  { name: 'mentionsPreview', since: 'beta', members: ['isMentioned Boolean'] },
  {
    name: 'attachmentItem',
    members: [
      'attachmentType attachmentType',
      ...strings('name contentType contentId'),
      'size Int64',
      'isInline Boolean',
    ],
  },
  {
    name: 'uploadSession',
    members: ['uploadUrl String', 'expirationDateTime DateTimeOffset', 'nextExpectedRanges String[]'],
  },
  {
    name: 'messageRulePredicates',
    members: [
      ...of(
        'String[]',
        'bodyContains bodyOrSubjectContains categories headerContains recipientContains senderContains',
      ),
      'subjectContains String[]',
      ...of('recipient[]', 'fromAddresses sentToAddresses'),
      ...booleans('hasAttachments isApprovalRequest isAutomaticForward isAutomaticReply isEncrypted isMeetingRequest'),
      ...booleans('isMeetingResponse isNonDeliveryReport isPermissionControlled isReadReceipt isSigned isVoicemail'),
      ...booleans('notSentToMe sentCcMe sentOnlyToMe sentToMe sentToOrCcMe'),
      'importance importance',
      'messageActionFlag messageActionFlag',
      'sensitivity sensitivity',
      'withinSizeRange sizeRange',
    ],
  },
  {
    name: 'messageRuleActions',
    members: [
      'assignCategories String[]',
      ...strings('copyToFolder moveToFolder'),
      ...booleans('delete markAsRead permanentDelete stopProcessingRules'),
      ...of('recipient[]', 'forwardAsAttachmentTo forwardTo redirectTo'),
      'markImportance importance',
    ],
  },
  { name: 'sizeRange', members: of('Int32', 'minimumSize maximumSize') },
  {
    name: 'mailboxSettings',
    members: [
      ...strings('archiveFolder timeZone dateFormat timeFormat'),
      'delegateMeetingMessageDeliveryOptions delegateMeetingMessageDeliveryOptions',
      'userPurpose userPurpose',
      'automaticRepliesSetting automaticRepliesSetting',
      'language localeInfo',
      'workingHours workingHours',
    ],
  },
  { name: 'userPurpose', since: 'beta', members: ['value mailboxRecipientType'] },
  {
    name: 'automaticRepliesSetting',
    members: [
      'status automaticRepliesStatus',
      'externalAudience externalAudienceScope',
      ...of('dateTimeTimeZone', 'scheduledStartDateTime scheduledEndDateTime'),
      ...strings('internalReplyMessage externalReplyMessage'),
    ],
  },
  { name: 'localeInfo', members: strings('locale displayName') },
  {
    name: 'workingHours',
    members: ['daysOfWeek dayOfWeek[]', ...of('TimeOfDay', 'startTime endTime'), 'timeZone timeZoneBase'],
  },
  { name: 'timeZoneBase', members: ['name String'] },
  {
    name: 'customTimeZone',
    base: 'timeZoneBase',
    members: ['bias Int32', 'standardOffset standardTimeZoneOffset', 'daylightOffset daylightTimeZoneOffset'],
  },
  {
    name: 'standardTimeZoneOffset',
    members: ['time TimeOfDay', ...of('Int32', 'dayOccurrence month year'), 'dayOfWeek dayOfWeek'],
  },
  { name: 'daylightTimeZoneOffset', base: 'standardTimeZoneOffset', members: ['daylightBias Int32'] },
  { name: 'timeZoneInformation', members: strings('alias displayName') },
  {
    name: 'mailTips',
    members: [
      'emailAddress emailAddress',
      'automaticReplies automaticRepliesMailTips',
      'customMailTip String',
      ...booleans('deliveryRestricted isModerated mailboxFull'),
      ...of('Int32', 'externalMemberCount maxMessageSize totalMemberCount'),
      'recipientScope recipientScopeType',
      'recipientSuggestions recipient[]',
      'error mailTipsError',
    ],
  },
  {
    name: 'automaticRepliesMailTips',
    members: [
      'message String',
      'messageLanguage localeInfo',
      ...of('dateTimeTimeZone', 'scheduledStartTime scheduledEndTime'),
    ],
  },
  { name: 'mailTipsError', members: strings('code message') },
  { name: 'convertIdResult', members: [...strings('sourceId targetId'), 'errorDetails genericError'] },
  { name: 'genericError', members: strings('code message') },
  {
    name: 'changeNotificationCollection',
    members: ['value changeNotification[]!', 'validationTokens String[]'],
  },
  {
    name: 'changeNotification',
    members: [
      'changeType changeType!',
      ...strings('clientState id'),
      'encryptedContent changeNotificationEncryptedContent',
      'lifecycleEvent lifecycleEventType',
      'resource String!',
      'resourceData resourceData',
      'subscriptionExpirationDateTime DateTimeOffset!',
      ...of('Guid!', 'subscriptionId tenantId'),
    ],
  },
  {
    name: 'changeNotificationEncryptedContent',
    members: of('String!', 'data dataKey dataSignature encryptionCertificateId encryptionCertificateThumbprint'),
  },
  { name: 'resourceData', traits: ['OpenType'], members: [] },
]

/** Values count up from `first`. */
function counted(names: string, first = 0): [string, number][] {
  return names.split(' ').map((name, index) => [name, first + index])
}

/** Values that can be added up. */
function powers(names: string): [string, number][] {
  return names.split(' ').map((name, index) => [name, 2 ** index])
}

const presets = Array.from({ length: 25 }, (_, index) => `preset${index}`).join(' ')
const purposes = 'user linked shared room equipment others'

export const enumTypes: readonly ModelEnum[] = [
  { name: 'importance', members: counted('low normal high') },
  { name: 'inferenceClassificationType', members: counted('focused other') },
  { name: 'bodyType', members: counted('text html') },
  { name: 'followupFlagStatus', members: counted('notFlagged complete flagged') },
  { name: 'attachmentType', members: counted('file item reference') },
  {
    name: 'messageActionFlag',
    members: counted('any call doNotForward followUp fyi forward noResponseNecessary read reply replyToAll review'),
  },
  { name: 'sensitivity', members: counted('normal personal private confidential') },
  { name: 'categoryColor', members: counted(`none ${presets}`, -1) },
  { name: 'automaticRepliesStatus', members: counted('disabled alwaysEnabled scheduled') },
  { name: 'externalAudienceScope', members: counted('none contactsOnly all') },
  {
    name: 'delegateMeetingMessageDeliveryOptions',
    members: counted('sendToDelegateAndInformationToPrincipal sendToDelegateAndPrincipal sendToDelegateOnly'),
  },
  { name: 'dayOfWeek', members: counted('sunday monday tuesday wednesday thursday friday saturday') },
  { name: 'userPurpose', members: counted(`${purposes} unknownFutureValue`, 1), only: 'v1.0' },
  { name: 'mailboxRecipientType', members: counted(`unknown ${purposes}`), only: 'beta' },
  { name: 'timeZoneStandard', members: counted('windows iana') },
  {
    name: 'mailTipsType',
    isFlags: true,
    members: powers(
      'automaticReplies mailboxFullStatus customMailTip externalMemberCount totalMemberCount maxMessageSize deliveryRestriction moderationStatus recipientScope recipientSuggestions',
    ),
  },
  {
    name: 'recipientScopeType',
    isFlags: true,
    members: [['none', 0], ...powers('internal external externalPartner externalNonPartner')],
  },
  { name: 'exchangeIdFormat', members: counted('entryId ewsId immutableEntryId restId restImmutableEntryId') },
  { name: 'changeType', members: counted('created updated deleted') },
  { name: 'lifecycleEventType', members: counted('missed subscriptionRemoved reauthorizationRequired') },
  {
    name: 'referenceAttachmentPermission',
    members: counted('other view edit anonymousView anonymousEdit organizationView organizationEdit'),
    only: 'beta',
  },
  {
    name: 'referenceAttachmentProvider',
    members: counted('other oneDriveBusiness oneDriveConsumer dropbox'),
    only: 'beta',
  },
]

const toFolder = ['DestinationId ascii!']
const answer = ['Message message', 'Comment ascii']
const onward = ['ToRecipients recipient[]', ...answer]

function actionOf(boundTo: string, name: string, parameters: readonly string[] = [], returns?: string): ModelOperation {
  return { kind: 'Action', name, boundTo, parameters, ...(returns === undefined ? {} : { returns }) }
}

function functionOf(boundTo: string, name: string, parameters: readonly string[], returns: string): ModelOperation {
  return { kind: 'Function', name, boundTo, parameters, returns }
}

/** Makes or moves one of what it is bound to. */
function inSet(operation: ModelOperation): ModelOperation {
  return { ...operation, returns: operation.boundTo, staysInSet: true }
}

export const boundOperations: readonly ModelOperation[] = [
  inSet(actionOf('mailFolder', 'copy', toFolder)),
  inSet(actionOf('mailFolder', 'move', toFolder)),
  actionOf('mailFolder', 'permanentDelete'),
  actionOf('mailFolder', 'updateAllMessagesReadState', booleans('isRead suppressReadReceipts')),
  inSet(actionOf('message', 'copy', toFolder)),
  inSet(actionOf('message', 'move', toFolder)),
  actionOf('message', 'permanentDelete'),
  inSet(actionOf('message', 'createReply', answer)),
  inSet(actionOf('message', 'createReplyAll', answer)),
  inSet(actionOf('message', 'createForward', onward)),
  actionOf('message', 'reply', answer),
  actionOf('message', 'replyAll', answer),
  actionOf('message', 'forward', onward),
  actionOf('message', 'send'),
  actionOf('message', 'unsubscribe'),
  actionOf('message', 'markAsJunk', ['MoveToJunk Boolean!'], 'message'),
  actionOf('message', 'markAsNotJunk', ['MoveToInbox Boolean!'], 'message'),
  actionOf('attachment[]', 'createUploadSession', ['AttachmentItem attachmentItem!'], 'uploadSession'),
  actionOf('user', 'sendMail', ['Message message!', 'SaveToSentItems Boolean']),
  actionOf('user', 'getMailTips', ['EmailAddresses ascii[]!', 'MailTipsOptions mailTipsType'], 'mailTips[]!'),
  actionOf(
    'user',
    'translateExchangeIds',
    ['InputIds ascii[]!', ...of('exchangeIdFormat!', 'TargetIdType SourceIdType')],
    'convertIdResult[]!',
  ),
  actionOf('subscription', 'reauthorize'),
  functionOf('mailFolder[]', 'delta', [], 'mailFolder[]!'),
  functionOf('message[]', 'delta', [], 'message[]!'),
  functionOf('outlookUser', 'supportedLanguages', [], 'localeInfo[]!'),
  functionOf('outlookUser', 'supportedTimeZones', [], 'timeZoneInformation[]!'),
  functionOf('outlookUser', 'supportedTimeZones', ['TimeZoneStandard timeZoneStandard!'], 'timeZoneInformation[]!'),
]

/** A property of a type, as the model declares it. */
export interface ModelProperty {
  /** `Edm.String`, `microsoft.graph.recipient`; of a collection that of its items. */
  readonly type: string
  readonly isCollection: boolean
  readonly isNavigation: boolean
  readonly isNullable: boolean
  /** Text of which the model says that it is not Unicode. */
  readonly isAscii: boolean
}

/** What stands behind the name of a member: `String!`, `>message[]`. */
export function readType(written: string): ModelProperty {
  const [, arrow, name = '', list, required] = /^(>?)(\w+)(\[\])?(!?)$/.exec(written) ?? []
  const isAscii = name === 'ascii'
  const known = isAscii ? 'String' : name
  return {
    type: /^[A-Z]/.test(known) ? `Edm.${known}` : `microsoft.graph.${known}`,
    isCollection: list !== undefined,
    isNavigation: arrow === '>',
    isNullable: required !== '!',
    isAscii,
  }
}

export function readMember(member: string): [name: string, property: ModelProperty] {
  const [name = '', written = ''] = member.split(' ')
  return [name, readType(written)]
}

/** Whether a version of the API has the type or enumeration. */
export function isIn(version: ApiVersion, { since, only }: { since?: 'beta'; only?: ApiVersion }): boolean {
  return (since === undefined || version === 'beta') && (only === undefined || only === version)
}

/** The members that the type has itself in this version. */
export function ownMembers({ members, beta = [] }: ModelType, version: ApiVersion): readonly string[] {
  return version === 'beta' ? [...members, ...beta] : members
}

function knownIn(version: ApiVersion): ReadonlyMap<string, ReadonlyMap<string, ModelProperty>> {
  const types = [...entityTypes, ...complexTypes].filter((type) => isIn(version, type))
  const membersOf = (name: string | undefined): readonly string[] => {
    const type = types.find((each) => each.name === name)
    return type === undefined ? [] : [...membersOf(type.base), ...ownMembers(type, version)]
  }
  return new Map(types.map(({ name }) => [`microsoft.graph.${name}`, new Map(membersOf(name).map(readMember))]))
}

const knownProperties = { 'v1.0': knownIn('v1.0'), beta: knownIn('beta') }
const noProperties: ReadonlyMap<string, ModelProperty> = new Map()

/** The properties of an entity or complex type by its full name, inherited ones first; none of a type that is not known. */
export function propertiesOf(type: string, version: ApiVersion): ReadonlyMap<string, ModelProperty> {
  return knownProperties[version].get(type) ?? noProperties
}
