/**
 * Differences that are known and meant: the service has changed since the capture, the source lost something, or a
 * better source says otherwise. Each has its reason; nothing else is let pass.
 */
import type { Exchange } from './exchange.js'
import { parsePath, queryOptions } from './request-path.js'

/** A difference in a member of a body that is no fault. */
interface Tolerance {
  /** `missing`: shown, but not answered. `extra`: answered, but not shown. `value`: another value or JSON type. */
  readonly difference: 'missing' | 'extra' | 'value'
  readonly members: readonly string[]
  readonly when: (exchange: Exchange) => boolean
  readonly reason: string
}

const captured = (before: string) => (exchange: Exchange) => exchange.captured !== '' && exchange.captured < before
const documented = (exchange: Exchange) => exchange.evidence === 'documented'
const selects = (exchange: Exchange) => queryOptions(parsePath(exchange.request.path)).includes('$select')

/** Read from top to bottom; any row that fits is enough. */
const tolerances: readonly Tolerance[] = [
  {
    difference: 'extra',
    members: ['conversationIndex'],
    when: captured('2020'),
    reason: 'v1.0 answers it since the end of 2019',
  },
  {
    difference: 'extra',
    members: ['@odata.mediaContentType'],
    when: captured('2020'),
    reason: 'answered since 2020',
  },
  {
    difference: 'extra',
    members: ['contentBytes'],
    when: (exchange) => /contentBytes .*removed by the recorder/.test(exchange.notes),
    reason: 'the recorder took it out',
  },
  {
    difference: 'extra',
    members: ['@odata.context'],
    when: (exchange) => /@odata\.context was removed/.test(exchange.notes),
    reason: 'the author of the fixture took it out',
  },
  {
    difference: 'missing',
    members: ['innerError'],
    when: captured('2023'),
    reason: 'the mail workload has written none since about 2023',
  },
  {
    difference: 'extra',
    members: ['headers'],
    when: ({ inferred }) => inferred.some((part) => part.startsWith('response.body.responses')),
    reason: 'the client printed no more of an answer in a batch than its message',
  },
  {
    difference: 'value',
    members: ['isDeliveryReceiptRequested'],
    when: () => true,
    reason: 'null on mail from outside, false within the tenant',
  },
  {
    difference: 'value',
    members: ['inferenceClassification'],
    when: () => true,
    reason: 'what the service thinks of the message, not what was asked',
  },
  {
    difference: 'value',
    members: ['size'],
    when: () => true,
    reason: 'the size stored, not that of the content',
  },
  {
    difference: 'value',
    members: ['contentId'],
    when: () => true,
    reason: 'null where its author gave none',
  },
  {
    difference: 'value',
    members: ['contentType', 'contentId', 'contentLocation', 'from'],
    when: documented,
    reason: 'nullable by the metadata; the samples print null as text or fill it in',
  },
  {
    difference: 'value',
    members: ['isRead'],
    when: (exchange) => documented(exchange) && /\/delta\b/.test(exchange.request.path),
    reason: 'one sample puts it in quotes; the metadata and every recording have a boolean',
  },
  {
    difference: 'missing',
    members: ['uniqueBody'],
    when: (exchange) => documented(exchange) && !selects(exchange),
    reason: 'no recording has it unless selected',
  },
  {
    difference: 'missing',
    members: ['isContactPhoto'],
    when: documented,
    reason: 'not in the published metadata any more',
  },
  {
    difference: 'missing',
    members: ['@odata.type'],
    when: documented,
    reason: 'the sample shows a meeting request; of a plain message there is none',
  },
  {
    difference: 'missing',
    members: ['sender', 'from'],
    when: (exchange) => documented(exchange) && exchange.request.method === 'POST',
    reason: 'no recording of a draft without an author has them, not even as null',
  },
  {
    difference: 'missing',
    members: ['mentions@odata.context', 'singleValueExtendedProperties@odata.context'],
    when: documented,
    reason: 'samples of 2016; no recording has the context of a list inside a message',
  },
  {
    difference: 'missing',
    members: ['Body'],
    when: documented,
    reason: 'one page alone spells it with a capital, beside others of the same operation that do not',
  },
  {
    difference: 'missing',
    members: ['ExpirationDateTime', 'NextExpectedRanges'],
    when: documented,
    reason: 'the pages differ in their capitals; official clients read both, older ones only the small ones we write',
  },
  {
    difference: 'missing',
    members: ['attachments@odata.context'],
    when: documented,
    reason: 'the context of an expanded list repeats its type once a level; no recording has one inside an answer',
  },
  {
    difference: 'missing',
    members: ['conversationId', 'conversationIndex'],
    when: (exchange) => documented(exchange) && /\/attachments\(|\/attachments\//.test(exchange.request.path),
    reason: 'an attached message is kept as it was given, and is in no conversation of the mailbox',
  },
  {
    difference: 'missing',
    members: ['@odata.id'],
    when: documented,
    reason: 'a trait of full metadata in samples of 2016; no recording has it',
  },
]

/** Whether a difference of this kind in this member is no fault in this exchange. */
export function tolerates(exchange: Exchange, difference: Tolerance['difference'], member: string): boolean {
  return tolerances.some((row) => row.difference === difference && row.members.includes(member) && row.when(exchange))
}

/**
 * Whether the order of the members is that of the wire. `golden/README.md`: it is, unless the notes say otherwise; the
 * documentation's samples are shortened and rearranged by hand.
 */
export function keepsOrder({ evidence, notes, inferred }: Exchange): boolean {
  if (evidence === 'documented') return false
  const told = /do not use the order|order of properties is not|keys were sorted|key order|use only the property set/i
  return !told.test(notes) && !inferred.some((part) => /key order|layout/.test(part))
}

/** Whether a person's account without a tenant was recorded: ids, context and links have another form there. */
export function isPersonalAccount({ notes }: Exchange): boolean {
  return /^personal account/i.test(notes)
}
