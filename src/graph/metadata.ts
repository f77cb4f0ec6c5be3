import {
  boundOperations,
  complexTypes,
  entityTypes,
  enumTypes,
  isIn,
  type ModelEnum,
  type ModelOperation,
  type ModelProperty,
  type ModelType,
  ownMembers,
  readMember,
  readType,
} from './model.js'
import { type ApiVersion, parsePath } from './path.js'
import type { GraphReply } from './request.js'
import { routes } from './routes.js'

/**
 * What the API says of itself, to anybody: the service document and `$metadata` (OData CSDL 4.0), cut down to the types
 * and operations this server serves.
 */

/** Where what an operation is bound to is found. */
const pathsOf: Readonly<Record<string, string>> = {
  user: '{mailbox}',
  mailFolder: '{mailbox}/mailFolders/{folder}',
  'mailFolder[]': '{mailbox}/mailFolders',
  message: '{mailbox}/messages/{message}',
  'message[]': '{mailbox}/messages',
  'attachment[]': '{mailbox}/messages/{message}/attachments',
  outlookUser: '{mailbox}/outlook',
  subscription: 'subscriptions/{subscription}',
}

/** Whether a row of the route table serves it in this version. */
export function isServed({ boundTo, name }: ModelOperation, version: ApiVersion): boolean {
  const path = `${pathsOf[boundTo]}/${name}`
  return routes.some((route) => route.path === path && isIn(version, route))
}

/** Names that a path may begin with. */
const roots = [
  ...['subscriptions', 'users'].filter((name) => routes.some(({ path }) => path === name)),
  ...(routes.some(({ path }) => path === '{mailbox}') ? ['me'] : []),
]

const rootTypes: Readonly<Record<string, string>> = { subscriptions: 'subscription', users: 'user', me: 'user' }
const isSingleton = (name: string) => name === 'me'

function attributes(values: Readonly<Record<string, string | false | undefined>>): string {
  return Object.entries(values)
    .map(([name, value]) => (value === undefined || value === false ? '' : ` ${name}="${value}"`))
    .join('')
}

function typeAttributes({ type, isCollection, isNullable, isAscii }: ModelProperty): string {
  return attributes({
    Type: isCollection ? `Collection(${type})` : type,
    Nullable: !isNullable && 'false',
    Unicode: isAscii && 'false',
  })
}

function memberXml(member: string): string {
  const [name, property] = readMember(member)
  return property.isNavigation
    ? `<NavigationProperty Name="${name}"${typeAttributes(property)} ContainsTarget="true"/>`
    : `<Property Name="${name}"${typeAttributes(property)}/>`
}

function typeXml(element: 'EntityType' | 'ComplexType', type: ModelType, version: ApiVersion): string {
  const { name, base, traits = [] } = type
  const inherits = attributes({ Name: name, BaseType: base && `microsoft.graph.${base}` })
  const said = inherits + attributes(Object.fromEntries(traits.map((trait) => [trait, 'true'])))
  const key = element === 'EntityType' && base === undefined ? '<Key><PropertyRef Name="id"/></Key>' : ''
  return `<${element}${said}>${key}${ownMembers(type, version).map(memberXml).join('')}</${element}>`
}

function enumXml({ name, isFlags, members }: ModelEnum): string {
  const written = members.map(([member, value]) => `<Member Name="${member}" Value="${value}"/>`)
  return `<EnumType${attributes({ Name: name, IsFlags: isFlags && 'true' })}>${written.join('')}</EnumType>`
}

function operationXml({ kind, name, boundTo, parameters, returns, staysInSet }: ModelOperation): string {
  const said = attributes({ Name: name, EntitySetPath: staysInSet && 'bindingParameter', IsBound: 'true' })
  // The model spells it in both ways.
  const binding = kind === 'Action' ? `bindingParameter ${boundTo}` : `bindingparameter ${boundTo}`
  const written = [kind === 'Function' && boundTo.endsWith('[]') ? `${binding}!` : binding, ...parameters]
    .map(readMember)
    .map(([parameter, type]) => `<Parameter Name="${parameter}"${typeAttributes(type)}/>`)
  const result = returns === undefined ? '' : `<ReturnType${typeAttributes(readType(returns))}/>`
  return `<${kind}${said}>${written.join('')}${result}</${kind}>`
}

function containerXml(): string {
  const written = roots.map((name) => {
    const type = `microsoft.graph.${rootTypes[name]}`
    return isSingleton(name)
      ? `<Singleton Name="${name}" Type="${type}"/>`
      : `<EntitySet Name="${name}" EntityType="${type}"/>`
  })
  return `<EntityContainer Name="GraphService">${written.join('')}</EntityContainer>`
}

/** CSDL of a version. */
export function metadataDocument(version: ApiVersion): string {
  return [
    '<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">',
    '<edmx:DataServices><Schema Namespace="microsoft.graph" xmlns="http://docs.oasis-open.org/odata/ns/edm">',
    ...enumTypes.filter((type) => isIn(version, type)).map(enumXml),
    ...entityTypes.filter((type) => isIn(version, type)).map((type) => typeXml('EntityType', type, version)),
    ...complexTypes.filter((type) => isIn(version, type)).map((type) => typeXml('ComplexType', type, version)),
    ...boundOperations.filter((operation) => isServed(operation, version)).map(operationXml),
    `${containerXml()}</Schema></edmx:DataServices></edmx:Edmx>`,
  ].join('')
}

const documents = { 'v1.0': Buffer.from(metadataDocument('v1.0')), beta: Buffer.from(metadataDocument('beta')) }

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
  const { version } = parsed
  if (parsed.segments.length > 0) {
    return { status: 200, bytes: documents[version], contentType: 'application/xml;charset=utf-8' }
  }
  return {
    status: 200,
    json: {
      '@odata.context': `${baseUrl}/${version}/$metadata`,
      value: roots.map((name) => ({ name, kind: isSingleton(name) ? 'Singleton' : 'EntitySet', url: name })),
    },
  }
}
