import type { Mail } from '../mail/mail.js'
import type { ListedMessage } from '../mail/query.js'
import type { ExpandItem, Query } from '../odata/query.js'
import { GraphError } from './errors.js'
import type { ApiVersion } from './path.js'
import { expandRefused } from './query-options.js'
import { expandedPropertyIds } from './resources/extended-property.js'
import { isMessageProperty, type MessagePresentation, unknownProperty } from './resources/message.js'
import { expandedExtensionNames } from './resources/open-extension.js'

/** What `$expand` asks for beside a message's own properties. */
export interface MessageExpansion {
  readonly attachments: boolean
  /** `$expand=attachments($expand=microsoft.graph.itemAttachment/item)` */
  readonly items: boolean
  readonly singleValueIds: readonly string[] | undefined
  readonly multiValueIds: readonly string[] | undefined
  readonly mentions: boolean
  /** Of a name each, lower case, or all of them. */
  readonly extensions: ReadonlySet<string> | 'all' | undefined
}

const relationships = ['attachments', 'singlevalueextendedproperties', 'multivalueextendedproperties', 'extensions']
const expandable: Readonly<Record<ApiVersion, ReadonlySet<string>>> = {
  'v1.0': new Set(relationships),
  beta: new Set([...relationships, 'mentions']),
}

/** `mentions` is known in v1.0 too, so that it is told what is wrong. */
function refusal(name: string): GraphError {
  const isKnown = isMessageProperty(name) || name === '*' || expandable.beta.has(name.toLowerCase())
  return isKnown ? expandRefused(name) : unknownProperty(name)
}

/** Of an attachment, the item in it is all that can be expanded. */
export function isItem(name: string): boolean {
  return /^(?:(?:microsoft\.)?graph\.)?itemattachment\/item$/i.test(name)
}

/**
 * Reads `$expand` of messages.
 *
 * @throws GraphError ExpandNotSupported for what is no relationship or is not served, RequestBroker--ParseUri for a name
 *   that messages do not have, ErrorInvalidUrlQueryFilter
 */
export function readExpansion({ expand = [] }: Query, version: ApiVersion): MessageExpansion {
  const named = (name: string) => expand.find((item) => item.name.toLowerCase() === name)
  const other = expand.find(({ name }) => !expandable[version].has(name.toLowerCase()))
  if (other !== undefined) throw refusal(other.name)
  const attachments = named('attachments')
  const unknown = attachments?.query.expand?.find(({ name }) => !isItem(name))
  if (unknown !== undefined) throw expandRefused(unknown.name)
  return {
    attachments: attachments !== undefined,
    items: attachments?.query.expand?.some(({ name }) => isItem(name)) ?? false,
    singleValueIds: idsOf(named('singlevalueextendedproperties')),
    multiValueIds: idsOf(named('multivalueextendedproperties')),
    mentions: named('mentions') !== undefined,
    extensions: extensionsOf(named('extensions')),
  }
}

function extensionsOf(item: ExpandItem | undefined): MessageExpansion['extensions'] {
  if (item === undefined) return undefined
  const filter = item.query.other.$filter
  const names = filter === undefined ? 'all' : expandedExtensionNames(filter)
  if (names !== undefined) return names
  throw new GraphError(400, 'ErrorInvalidUrlQueryFilter', 'The query filter contains one or more invalid nodes.', {
    reason: "Extensions are asked for as in id eq 'Com.Contoso.Referral'.",
  })
}

function idsOf(item: ExpandItem | undefined): string[] | undefined {
  const filter = item?.query.other.$filter
  return filter === undefined ? undefined : expandedPropertyIds(filter)
}

/** Whether the expansion shows something that stands in the content of a message. */
export function needsContent({ singleValueIds, multiValueIds, mentions, extensions }: MessageExpansion): boolean {
  return singleValueIds !== undefined || multiValueIds !== undefined || mentions || extensions !== undefined
}

/** The members of a presentation that show what was expanded of one message. */
export async function expansionOf(
  expansion: MessageExpansion,
  mail: Mail,
  message: ListedMessage,
): Promise<
  Pick<
    MessagePresentation,
    'attachments' | 'expandItems' | 'singleValueIds' | 'multiValueIds' | 'mentions' | 'extensions'
  >
> {
  const { singleValueIds, multiValueIds, items, extensions } = expansion
  return {
    ...(expansion.attachments
      ? { attachments: await mail.store.attachments.listWithContent(message.mailbox, message.id), expandItems: items }
      : {}),
    ...(singleValueIds === undefined ? {} : { singleValueIds }),
    ...(multiValueIds === undefined ? {} : { multiValueIds }),
    mentions: expansion.mentions,
    ...(extensions === undefined ? {} : { extensions }),
  }
}
