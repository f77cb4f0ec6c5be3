/** Attachments of drafts, and upload sessions. */
import { bindMailbox, bodyText, prepared } from './binding.js'
import { isCall, makeDraft, onMessage, refusedCall, withDraft } from './draft-scenarios.js'
import { jsonOf } from './http-call.js'
import { isObject, type JsonObject, textMember } from './json.js'
import { parsePath } from './request-path.js'
import type { Candidate, Preparation, Scenario } from './scenario.js'
import type { World } from './world.js'

const attaches = isCall(
  'POST',
  String.raw`^\{mailbox\}(\/mailfolders\/\{folder\})?\/messages\/\{message\}\/attachments`,
)
const opens = onMessage('attachments\\/createuploadsession')

const sessionUrl = /^https:\/\/[^/]+\/api\/[^?]+\/Messages\('[^']+'\)\/AttachmentSessions\('[^']+'\)\?authtoken=/i

/** A call on the URL of a session, which is another host's in the documentation. */
function onSession(method: string): Scenario['matches'] {
  return ({ exchange }) => exchange.request.method === method && sessionUrl.test(exchange.request.path)
}

function succeeds({ exchange }: Candidate): boolean {
  return exchange.response === undefined || exchange.response.status < 300
}

/** Bytes that a page prints as a value, or that are none, are filled in; types of the API before Graph are kept. */
function attachmentIn({ exchange }: Candidate): string {
  const body: JsonObject = isObject(exchange.request.body) ? exchange.request.body : {}
  const bytes = textMember(body, 'contentBytes')
  const isBase64 = bytes !== undefined && bytes.length % 4 === 0 && /^[A-Za-z0-9+/]+=*$/.test(bytes)
  return JSON.stringify({
    ...body,
    ...(bytes === undefined || isBase64 ? {} : { contentBytes: Buffer.from(bytes).toString('base64') }),
    ...(textMember(body, 'contentType')?.includes('/') === false ? { contentType: 'text/plain' } : {}),
  })
}

/** Opens a session as the documentation does, and sends its first bytes up to `received`. */
async function openedSession(candidate: Candidate, world: World, received: number): Promise<URL> {
  const binding = await bindMailbox(world, parsePath('/me/messages'), ['Mail.ReadWrite'])
  const { id } = await makeDraft(world, binding.owner, { subject: 'Conformance' })
  const authorization = { Authorization: `Bearer ${binding.token}`, 'Content-Type': 'application/json' }
  const answer = await world.call({
    method: 'POST',
    path: `/v1.0/me/messages/${id}/attachments/createUploadSession`,
    headers: authorization,
    body: JSON.stringify({ AttachmentItem: { attachmentType: 'file', name: 'flower', size: totalOf(candidate) } }),
  })
  const url = new URL(textMember(jsonOf(answer), 'uploadUrl') ?? '')
  if (received > 0) {
    await world.call({
      method: 'PUT',
      path: url.pathname + url.search,
      headers: { 'Content-Range': `bytes 0-${received - 1}/${totalOf(candidate)}` },
      body: 'x'.repeat(received),
    })
  }
  return url
}

function rangeOf({ exchange }: Candidate): [first: number, last: number, total: number] {
  const [, field = ''] = Object.entries(exchange.request.headers).find(([name]) => /^content-range$/i.test(name)) ?? []
  const [first = 0, last = 0, total = 3_483_322] = (String(field).match(/\d+/g) ?? []).map(Number)
  return [first, last, total]
}

const totalOf = (candidate: Candidate) => rangeOf(candidate)[2]

/** The exchange's call on a session of ours. */
async function onOurSession(candidate: Candidate, world: World, body: string | undefined): Promise<Preparation> {
  const [first] = rangeOf(candidate)
  const url = await openedSession(candidate, world, first)
  const binding = await bindMailbox(world, parsePath('/me/messages'), [])
  const preparation = prepared(candidate, world, binding, { token: '', ...(body === undefined ? {} : { body }) })
  const path = url.pathname + url.search
  return { ...preparation, call: { ...preparation.call, path }, facts: { ...preparation.facts, path } }
}

/** Largest file of one request, and one byte. */
const tooLarge = 3_145_612

/** Rows of attaching. */
export const uploadScenarios: readonly Scenario[] = [
  {
    name: 'an attachment is added',
    matches: (candidate) => attaches(candidate) && succeeds(candidate),
    prepare: async (candidate, world) => {
      const { binding, keys } = await withDraft(candidate, world, 'Mail.ReadWrite')
      return prepared(candidate, world, binding, { keys, body: attachmentIn(candidate), controlled: ['name'] })
    },
  },
  {
    name: 'an attachment that is too large is refused',
    matches: refusedCall(attaches, 'ErrorMessageSizeExceeded'),
    prepare: async (candidate, world) => {
      const { binding, keys } = await withDraft(candidate, world, 'Mail.ReadWrite')
      const contentBytes = Buffer.alloc(tooLarge).toString('base64')
      const file = { '@odata.type': '#microsoft.graph.fileAttachment', name: 'a', contentBytes }
      return prepared(candidate, world, binding, { keys, body: JSON.stringify(file) })
    },
  },
  {
    name: 'an upload session is opened',
    matches: (candidate) => opens(candidate) && succeeds(candidate),
    prepare: async (candidate, world) => {
      const { binding, keys } = await withDraft(candidate, world, 'Mail.ReadWrite')
      const body = bodyText(candidate)
      return prepared(candidate, world, binding, {
        keys,
        ...(body === undefined ? {} : { body }),
        controlled: ['nextExpectedRanges'],
      })
    },
  },
  {
    name: 'a range of a file is taken',
    matches: onSession('PUT'),
    prepare: (candidate, world) => {
      const [first, last] = rangeOf(candidate)
      return onOurSession(candidate, world, 'x'.repeat(last - first + 1))
    },
  },
  {
    name: 'an upload is cancelled',
    matches: onSession('DELETE'),
    prepare: (candidate, world) => onOurSession(candidate, world, undefined),
  },
]
