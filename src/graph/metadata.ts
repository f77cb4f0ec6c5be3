import { parsePath } from './path.js'
import type { GraphReply } from './request.js'

/**
 * What the API says of itself, to anybody: the service document and `$metadata` (OData CSDL 4.0), cut down to the types
 * this server serves.
 */
const entityTypes: readonly (readonly [name: string, base: string | undefined, members: readonly string[]])[] = [
  ['entity', undefined, ['id String']],
  [
    'user',
    'entity',
    [
      ...strings(
        'displayName givenName jobTitle mail mailNickname mobilePhone officeLocation preferredLanguage surname',
      ),
      ...strings('userPrincipalName userType'),
      'accountEnabled Boolean',
      'businessPhones String[]',
      'otherMails String[]',
      'proxyAddresses String[]',
      'messages >message[]',
      'mailFolders >mailFolder[]',
    ],
  ],
  [
    'mailFolder',
    'entity',
    [
      ...strings('displayName parentFolderId wellKnownName'),
      ...['childFolderCount', 'unreadItemCount', 'totalItemCount'].map((name) => `${name} Int32`),
      'isHidden Boolean',
      'messages >message[]',
      'childFolders >mailFolder[]',
      'singleValueExtendedProperties >singleValueLegacyExtendedProperty[]',
      'multiValueExtendedProperties >multiValueLegacyExtendedProperty[]',
    ],
  ],
  [
    'mailSearchFolder',
    'mailFolder',
    [...booleans('isSupported includeNestedFolders'), 'sourceFolderIds String[]', 'filterQuery String'],
  ],
  [
    'subscription',
    'entity',
    [
      ...strings('applicationId changeType clientState creatorId encryptionCertificate encryptionCertificateId'),
      ...strings('latestSupportedTlsVersion lifecycleNotificationUrl notificationQueryOptions notificationUrl'),
      ...strings('notificationUrlAppId resource'),
      'expirationDateTime DateTimeOffset',
      'includeResourceData Boolean',
    ],
  ],
  [
    'outlookItem',
    'entity',
    [
      'createdDateTime DateTimeOffset',
      'lastModifiedDateTime DateTimeOffset',
      'changeKey String',
      'categories String[]',
    ],
  ],
  [
    'message',
    'outlookItem',
    [
      'receivedDateTime DateTimeOffset',
      'sentDateTime DateTimeOffset',
      ...strings('internetMessageId subject bodyPreview parentFolderId conversationId webLink'),
      'conversationIndex Binary',
      ...booleans('hasAttachments isDeliveryReceiptRequested isReadReceiptRequested isRead isDraft'),
      'importance importance',
      'inferenceClassification inferenceClassificationType',
      'body itemBody',
      'uniqueBody itemBody',
      'from recipient',
      'sender recipient',
      ...['toRecipients', 'ccRecipients', 'bccRecipients', 'replyTo'].map((name) => `${name} recipient[]`),
      'internetMessageHeaders internetMessageHeader[]',
      'flag followupFlag',
      'attachments >attachment[]',
      'singleValueExtendedProperties >singleValueLegacyExtendedProperty[]',
      'multiValueExtendedProperties >multiValueLegacyExtendedProperty[]',
    ],
  ],
  [
    'attachment',
    'entity',
    [...strings('contentType name'), 'isInline Boolean', 'lastModifiedDateTime DateTimeOffset', 'size Int32'],
  ],
  ['fileAttachment', 'attachment', ['contentBytes Binary', ...strings('contentId contentLocation')]],
  ['itemAttachment', 'attachment', ['item >outlookItem']],
  ['referenceAttachment', 'attachment', []],
  ['singleValueLegacyExtendedProperty', 'entity', ['value String']],
  ['multiValueLegacyExtendedProperty', 'entity', ['value String[]']],
]

const complexTypes: readonly (readonly [name: string, members: readonly string[]])[] = [
  ['emailAddress', strings('name address')],
  ['recipient', ['emailAddress emailAddress']],
  ['itemBody', ['contentType bodyType', 'content String']],
  ['internetMessageHeader', strings('name value')],
  ['dateTimeTimeZone', strings('dateTime timeZone')],
  [
    'followupFlag',
    [
      ...['completedDateTime', 'dueDateTime', 'startDateTime'].map((name) => `${name} dateTimeTimeZone`),
      'flagStatus followupFlagStatus',
    ],
  ],
]

const enumTypes: readonly (readonly [name: string, members: readonly string[]])[] = [
  ['importance', ['low', 'normal', 'high']],
  ['inferenceClassificationType', ['focused', 'other']],
  ['bodyType', ['text', 'html']],
  ['followupFlagStatus', ['notFlagged', 'complete', 'flagged']],
]

function strings(names: string): string[] {
  return names.split(' ').map((name) => `${name} String`)
}

function booleans(names: string): string[] {
  return names.split(' ').map((name) => `${name} Boolean`)
}

/** A property of a type, as the model declares it. */
export interface ModelProperty {
  /** `Edm.String`, `microsoft.graph.recipient`; of a collection that of its items. */
  readonly type: string
  readonly isCollection: boolean
  readonly isNavigation: boolean
}

/** `name Type`, `name Type[]`, and for a navigation `name >type[]`. */
function readMember(member: string): [name: string, property: ModelProperty] {
  const [name = '', written = ''] = member.split(' ')
  const bare = written.replace('>', '').replace('[]', '')
  const type = /^[A-Z]/.test(bare) ? `Edm.${bare}` : `microsoft.graph.${bare}`
  return [name, { type, isCollection: written.endsWith('[]'), isNavigation: written.startsWith('>') }]
}

function memberXml(member: string): string {
  const [name, { type, isCollection, isNavigation }] = readMember(member)
  const full = isCollection ? `Collection(${type})` : type
  return isNavigation
    ? `<NavigationProperty Name="${name}" Type="${full}" ContainsTarget="true"/>`
    : `<Property Name="${name}" Type="${full}"/>`
}

const knownProperties = new Map<string, ReadonlyMap<string, ModelProperty>>([
  ...entityTypes.map(([name]): [string, ReadonlyMap<string, ModelProperty>] => [
    `microsoft.graph.${name}`,
    new Map(membersOf(name).map(readMember)),
  ]),
  ...complexTypes.map(([name, members]): [string, ReadonlyMap<string, ModelProperty>] => [
    `microsoft.graph.${name}`,
    new Map(members.map(readMember)),
  ]),
])

const noProperties: ReadonlyMap<string, ModelProperty> = new Map()

/** Those of the types it is derived from first. */
function membersOf(name: string): readonly string[] {
  const [, base, members = []] = entityTypes.find(([each]) => each === name) ?? []
  return base === undefined ? members : [...membersOf(base), ...members]
}

/** The properties of an entity or complex type by its full name, inherited ones too; none of a type that is not known. */
export function propertiesOf(type: string): ReadonlyMap<string, ModelProperty> {
  return knownProperties.get(type) ?? noProperties
}

function entityXml([name, base, members]: (typeof entityTypes)[number]): string {
  const inherits = base === undefined ? ' Abstract="true"' : ` BaseType="microsoft.graph.${base}"`
  const key = base === undefined ? '<Key><PropertyRef Name="id"/></Key>' : ''
  return `<EntityType Name="${name}"${inherits}>${key}${members.map(memberXml).join('')}</EntityType>`
}

/** CSDL of both versions. */
export const metadataDocument = [
  '<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">',
  '<edmx:DataServices><Schema Namespace="microsoft.graph" xmlns="http://docs.oasis-open.org/odata/ns/edm">',
  ...enumTypes.map(
    ([name, members]) =>
      `<EnumType Name="${name}">${members.map((member, value) => `<Member Name="${member}" Value="${value}"/>`).join('')}</EnumType>`,
  ),
  ...entityTypes.map(entityXml),
  ...complexTypes.map(
    ([name, members]) => `<ComplexType Name="${name}">${members.map(memberXml).join('')}</ComplexType>`,
  ),
  '<EntityContainer Name="GraphService"><EntitySet Name="users" EntityType="microsoft.graph.user"/>',
  '<Singleton Name="me" Type="microsoft.graph.user"/></EntityContainer></Schema></edmx:DataServices></edmx:Edmx>',
].join('')

/** As much of a request as says whether it is about the API itself. */
interface Described {
  readonly method?: string | undefined
  readonly url?: string | undefined
}

/** The answer to `GET /{version}` and `GET /{version}/$metadata`, which need no token; undefined for all else. */
export function describe(request: Described, baseUrl: string): GraphReply | undefined {
  const [path = ''] = (request.url ?? '').split('?')
  if (request.method !== 'GET' || !/^\/[^/]*\/?(?:\$metadata\/?)?$/.test(path)) return undefined
  const parsed = parsePath(path)
  if (parsed === undefined) return undefined
  if (parsed.segments.length > 0) {
    return { status: 200, bytes: Buffer.from(metadataDocument), contentType: 'application/xml;charset=utf-8' }
  }
  return {
    status: 200,
    json: {
      '@odata.context': `${baseUrl}/${parsed.version}/$metadata`,
      value: [
        { name: 'users', kind: 'EntitySet', url: 'users' },
        { name: 'me', kind: 'Singleton', url: 'me' },
      ],
    },
  }
}
