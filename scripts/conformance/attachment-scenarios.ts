/** Attachments of a sent message: listed, read, and their content. */
import { bindMailbox, correspondent, prepared } from './binding.js'
import { mimeDifferences } from './compare-mime.js'
import { attachmentsOf, idOf, recipient } from './delivery.js'
import { makeDraft } from './draft-scenarios.js'
import { isArray, isObject, type Json, type JsonObject, textMember } from './json.js'
import { attachmentLike, controlledOfFile, someBytes } from './likeness.js'
import { keysFor, personOfOwner, placeSent, reads, readsInbox } from './message-scenarios.js'
import type { Candidate, Preparation, Scenario } from './scenario.js'
import type { World } from './world.js'

const messages = String.raw`^\{mailbox\}(\/mailfolders\/\{folder\})?\/messages\/\{message\}\/attachments`
const list = new RegExp(`${messages}$`)
const one = new RegExp(String.raw`${messages}\/\{attachment\}$`)
const content = new RegExp(String.raw`${messages}\/\{attachment\}\/\$value$`)

const fileShown: JsonObject = { '@odata.type': '#microsoft.graph.fileAttachment', name: 'attachment.txt' }
const itemShown: JsonObject = { '@odata.type': '#microsoft.graph.itemAttachment', name: 'Conformance' }

function shownIn(body: Json | undefined): JsonObject[] {
  if (!isObject(body)) return [fileShown]
  return isArray(body.value) ? body.value.filter(isObject) : [body]
}

/** Sends attachments like those shown and asks for them (or the first of them) from the Sent Items of the sender. */
async function prepareRead(
  candidate: Candidate,
  world: World,
  shown: readonly JsonObject[],
  choices: { single: boolean } & Pick<Preparation, 'afterwards'>,
): Promise<Preparation> {
  const attachments = shown.map(attachmentLike)
  const body = { contentType: 'text', content: 'Conformance' }
  const shape = { subject: 'Conformance', toRecipients: [recipient(correspondent)], body, attachments }
  const { owner, message } = readsInbox(candidate)
    ? await placeInInbox(candidate, world, shape)
    : await placeSent(candidate, world, shape)
  const [first] = choices.single ? await attachmentsOf(world, owner, idOf(message)) : []
  const binding = await bindMailbox(world, candidate.path, ['Mail.Read'], personOfOwner({ owner }))
  return prepared(candidate, world, binding, {
    keys: keysFor(candidate, message, idOf(message), ...(choices.single ? [idOf(first)] : [])),
    controlled: candidate.exchange.evidence === 'documented' ? ['name'] : controlledOfFile,
    status: 200,
    afterwards: choices.afterwards,
  })
}

async function placeInInbox({ path }: Candidate, world: World, shape: JsonObject) {
  const { owner } = await bindMailbox(world, path, ['Mail.ReadWrite'])
  return { owner, message: await makeDraft(world, owner, shape, 'inbox') }
}

/** Which attachment has this content: MIME is that of an item, anything else that of a file. */
function isMessageContent({ exchange }: Candidate): boolean {
  return typeof exchange.response?.body === 'string' && /^(From|Received): /m.test(exchange.response.body)
}

/** Contacts and events have contents of their own kinds, and are no mail. */
function isContentOfMail(candidate: Candidate): boolean {
  return typeof candidate.exchange.response?.body !== 'string' || isMessageContent(candidate)
}

/** An attached item is named, when it is expanded at all, by a type of mail. */
function isOfMail({ exchange }: Candidate): boolean {
  return shownIn(exchange.response?.body).every((shown) => !('item' in shown))
}

/** Rows of reading attachments. */
export const attachmentScenarios: readonly Scenario[] = [
  {
    name: 'attachments are listed',
    matches: (candidate) => reads(list)(candidate) && isOfMail(candidate),
    prepare: (candidate, world) =>
      prepareRead(candidate, world, shownIn(candidate.exchange.response?.body), { single: false }),
  },
  {
    name: 'an attachment is read',
    matches: (candidate) => reads(one)(candidate) && isOfMail(candidate),
    prepare: (candidate, world) =>
      prepareRead(candidate, world, shownIn(candidate.exchange.response?.body), { single: true }),
  },
  {
    name: 'the content of an attachment is read',
    matches: (candidate) => reads(content)(candidate) && isContentOfMail(candidate),
    prepare: (candidate, world) => {
      const ofMessage = isMessageContent(candidate)
      const known = {
        sent: false,
        subject: textMember(itemShown, 'name'),
        internetMessageId: undefined,
        text: undefined,
      }
      return prepareRead(candidate, world, [ofMessage ? itemShown : fileShown], {
        single: true,
        afterwards: async ({ body }) => {
          if (ofMessage) return mimeDifferences(body, known)
          return body.toString('base64') === someBytes ? [] : ['body: not the bytes that were attached']
        },
      })
    },
  },
]
