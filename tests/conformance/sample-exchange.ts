import type { Evidence, Exchange, ExpectedAnswer } from '../../scripts/conformance/exchange.js'
import type { Facts } from '../../scripts/conformance/facts.js'
import {
  presentChangeKey,
  presentConversationId,
  presentFolderId,
  presentMessageId,
  webLink,
} from '../../src/graph/item-id.js'
import type { FolderId, MessageId } from '../../src/mail/ids.js'

/** An exchange made up here: a read of one message, unless said otherwise. */
export function exchangeOf(given: {
  evidence?: Evidence
  captured?: string
  notes?: string
  inferred?: string[]
  path?: string
  method?: string
  response?: Partial<ExpectedAnswer>
}): Exchange {
  const evidence = given.evidence ?? 'recorded'
  return {
    name: 'recording made-up',
    source: evidence === 'documented' ? 'example' : 'recording',
    evidence,
    captured: given.captured ?? '2025-02-03',
    version: 'v1.0',
    request: { method: given.method ?? 'GET', path: given.path ?? '/me/messages/{id}', headers: {}, body: null },
    response: { status: 200, headers: undefined, body: undefined, truncated: false, ...given.response },
    inferred: given.inferred ?? [],
    notes: given.notes ?? '',
  }
}

/** What a scenario would know. */
export function factsOf(given: Partial<Facts> = {}): Facts {
  return {
    baseUrl: 'http://127.0.0.1:4242',
    path: '/v1.0/me/messages',
    contextKeys: ['owner-id'],
    controlled: new Set(),
    words: {},
    status: undefined,
    clientRequestId: undefined,
    ...given,
  }
}

const mailbox = { guid: '5a0f6a52-3f1a-4f0e-9d3c-0123456789ab' }
const conversation = '00112233445566778899aabbccddeeff'

/** A message as our server presents it, the `number`th of its mailbox. */
export function messageOf(number: number) {
  const place = { id: number as MessageId, folder: 268 as FolderId, moves: 0 }
  const id = presentMessageId(mailbox, place)
  const changeKey = presentChangeKey(mailbox, number)
  const index = Buffer.concat([Buffer.from('01db66000000', 'hex'), Buffer.from(conversation, 'hex')])
  return {
    '@odata.etag': `W/"${changeKey}"`,
    id,
    changeKey,
    receivedDateTime: '2026-01-02T03:04:05Z',
    subject: `Lunch ${number}`,
    parentFolderId: presentFolderId(mailbox, place.folder),
    conversationId: presentConversationId(mailbox, conversation),
    conversationIndex: index.toString('base64'),
    webLink: webLink(id),
    toRecipients: [{ emailAddress: { name: 'Ada', address: 'ada@example.com' } }],
  }
}
