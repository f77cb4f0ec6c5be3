import type { ComparedValue, MessageField } from '../../mail/query.js'

/**
 * What `$filter` may compare a property with, and what it is to the domain. A property whose literals are read in more
 * than one way or of which a list is asked has a type of its own, which `graph/message-filter.ts` knows.
 */
export type Filterable =
  | { readonly type: 'text' | 'moment' | 'boolean'; readonly field: MessageField }
  | FilterableEnum
  | { readonly type: 'categories' | 'multiValueExtendedProperties' | 'singleValueExtendedProperties' }
  | { readonly type: 'conversation' | 'folder' | 'mentioned' | 'message' }

export interface FilterableEnum {
  readonly type: 'enum'
  readonly field: MessageField
  /** `microsoft.graph.importance` */
  readonly name: string
  /** By the member's name in lower case. */
  readonly members: ReadonlyMap<string, ComparedValue>
}

/** Whether it is one property, and not its parts by their path. */
export function isFilterable(
  given: Filterable | Readonly<Record<string, Filterable>> | undefined,
): given is Filterable | undefined {
  return given === undefined || typeof given.type === 'string'
}

export function text(field: MessageField): Filterable {
  return { type: 'text', field }
}

export function moment(field: MessageField): Filterable {
  return { type: 'moment', field }
}

export function boolean(field: MessageField): Filterable {
  return { type: 'boolean', field }
}

/** The parts of `from` and `sender`. */
export function recipientParts(address: MessageField, name: MessageField): Readonly<Record<string, Filterable>> {
  return { 'emailaddress/address': text(address), 'emailaddress/name': text(name) }
}

function enumeration(field: MessageField, name: string, members: readonly string[]): Filterable {
  return { type: 'enum', field, name, members: new Map(members.map((member) => [member.toLowerCase(), member])) }
}

export const importance: Filterable = {
  type: 'enum',
  field: 'importance',
  name: 'microsoft.graph.importance',
  members: new Map([
    ['low', 0],
    ['normal', 1],
    ['high', 2],
  ]),
}

export const inferenceClassification = enumeration(
  'inferenceClassification',
  'microsoft.graph.inferenceClassificationType',
  ['focused', 'other'],
)

export const bodyParts: Readonly<Record<string, Filterable>> = {
  content: text('bodyContent'),
  contenttype: enumeration('bodyType', 'microsoft.graph.bodyType', ['text', 'html']),
}

export const flagParts: Readonly<Record<string, Filterable>> = {
  flagstatus: enumeration('flagStatus', 'microsoft.graph.followupFlagStatus', ['notFlagged', 'complete', 'flagged']),
  'startdatetime/datetime': text('flagStartAt'),
  'duedatetime/datetime': text('flagDueAt'),
  'completeddatetime/datetime': text('flagCompletedAt'),
}
