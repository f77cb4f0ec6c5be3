/**
 * Calls that send mail, done once however often they come: a client that got no answer asks again with the same key, and
 * gets the first answer. An addition of ours, for those who ask for it by the setting `idempotency`. The key is written in
 * the same transaction as the mail, so there is never one without the other.
 */
import { createHash } from 'node:crypto'
import { type IdempotencyRecord, keyLifetimeMs } from '../mail/idempotency.js'
import type { Mail } from '../mail/mail.js'
import type { Call } from './call.js'
import { badRequest, GraphError } from './errors.js'
import type { GraphReply, GraphRequest, MailRoute, RequestBody } from './request.js'

/** The header that holds the key. */
export type IdempotencyHeader = 'client-request-id' | 'idempotency-key'

const maxKeyLength = 255

/** Says whether the call was done now, or before. */
const replayedHeader = 'Idempotency-Replayed'

/**
 * Does what a row of the table says, or answers as it was answered before.
 *
 * @throws GraphError 400 for a key that is too long, 422 for one that was used for something else
 */
export async function runOnce(
  header: IdempotencyHeader,
  mail: Mail,
  call: Call,
  route: MailRoute,
  request: GraphRequest,
): Promise<GraphReply> {
  const key = call.request.headers[header]
  // Every row that asks for this permission sends mail, and answers 202 without a body.
  if (route.permission !== 'Mail.Send' || typeof key !== 'string' || key === '') return route.handler(request, mail)
  if (key.length > maxKeyLength) throw badRequest(`The header ${header} has ${maxKeyLength} characters at most.`)
  const record: IdempotencyRecord = {
    mailbox: request.mailbox.id,
    application: request.caller.application ?? '',
    keyHash: hashOf(key),
    requestHash: hashOf(`${route.path}\n${JSON.stringify(request.keys)}\n${bodyText(request.body)}`),
    expiresAt: mail.clock.now() + keyLifetimeMs,
    answer: { status: 202, requestId: call.ids.requestId },
  }
  const before = await answeredBefore(mail, record)
  if (before !== undefined) return before
  try {
    const reply = await route.handler(request, notingKey(mail, record))
    return { ...reply, headers: { ...reply.headers, [replayedHeader]: 'false' } }
  } catch (error) {
    // Another call with the key came first, perhaps.
    const meanwhile = await answeredBefore(mail, record)
    if (meanwhile === undefined) throw error
    return meanwhile
  }
}

async function answeredBefore(mail: Mail, record: IdempotencyRecord): Promise<GraphReply | undefined> {
  const found = await mail.store.idempotency.find(record, mail.clock.now())
  if (found === undefined) return undefined
  if (found.requestHash === record.requestHash) {
    return { status: found.answer.status, headers: { [replayedHeader]: 'true' } }
  }
  throw new GraphError(422, 'IdempotencyKeyReused', 'The key of this request was used for another request.', {
    reason: `The first request with the key was ${found.answer.requestId}; another one needs a key of its own.`,
  })
}

/** The same, but its writes hold the key: of several calls with one key, one commits. */
function notingKey(mail: Mail, record: IdempotencyRecord): Mail {
  const { store } = mail
  const write: typeof store.write = (change) =>
    store.write((tx) => {
      change(tx)
      tx.putIdempotencyKey(record, mail.clock.now())
    })
  return { ...mail, store: { ...store, write } }
}

function bodyText(body: RequestBody): string {
  if (body.kind === 'none') return ''
  return body.kind === 'mime' ? body.base64.toString('latin1') : JSON.stringify(body.value)
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
