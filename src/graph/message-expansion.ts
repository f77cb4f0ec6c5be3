import type { Mail } from '../mail/mail.js'
import type { ListedMessage } from '../mail/query.js'
import type { ExpandItem, Query } from '../odata/query.js'
import { GraphError } from './errors.js'
import type { ApiVersion } from './path.js'
import { expandedPropertyIds } from './resources/extended-property.js'
import type { MessagePresentation } from './resources/message.js'
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

/**
 * Reads `$expand` of messages.
 *
 * @throws GraphError ExpandNotSupported for a relationship that is not served, ErrorInvalidUrlQueryFilter
 */
export function readExpansion({ expand = [] }: Query, version: ApiVersion): MessageExpansion {
  const named = (name: string) => expand.find((item) => item.name.toLowerCase() === name)
  const known = new Set(['attachments', 'singlevalueextendedproperties', 'multivalueextendedproperties', 'extensions'])
  if (version === 'beta') known.add('mentions')
  const other = expand.find(({ name }) => !known.has(name.toLowerCase()))
  if (other !== undefined) {
    throw new GraphError(
      400,
      'ExpandNotSupported',
      `Expand is not allowed for property '${other.name}' according to the entity schema.`,
      {
        frontEnd: true,
      },
    )
  }
  const attachments = named('attachments')
  return {
    attachments: attachments !== undefined,
    items: attachments?.query.expand?.some(({ name }) => /itemattachment\/item$/i.test(name)) ?? false,
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
