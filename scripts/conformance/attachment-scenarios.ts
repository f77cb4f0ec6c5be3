/** Attachments of a sent message: listed, read, and their content. */
import { bindMailbox, correspondent, prepared } from './binding.js'
import { mimeDifferences } from './compare-mime.js'
import { attachmentsOf, idOf, recipient } from './delivery.js'
import { makeDraft } from './draft-scenarios.js'
import { isArray, isObject, type Json, type JsonObject, textMember } from './json.js'
import { attachmentLike, controlledOfFile, someBytes } from './likeness.js'
import { keysFor, personOfOwner, placeSent, reads, readsInbox } from './message-scenarios.js'
import type { Candidate, Preparation, Scenario } from './scenario.js'
import { leavesExpansionOut } from './set-aside.js'
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

/** A contact or an event that is attached, and the lines its content must have. */
interface AttachedOther {
  readonly begins: RegExp
  readonly item: JsonObject
  readonly lines: readonly string[]
}

const others: readonly AttachedOther[] = [
  {
    begins: /^BEGIN:VCARD\n/,
    item: { '@odata.type': '#microsoft.graph.contact', displayName: 'Alex Wilbur', companyName: 'Contoso' },
    lines: ['BEGIN:VCARD', 'VERSION:3.0', 'FN:Alex Wilbur', 'ORG:Contoso', 'END:VCARD'],
  },
  {
    begins: /^BEGIN:VCALENDAR\n/,
    item: {
      '@odata.type': '#microsoft.graph.event',
      subject: "Review Megan's docs",
      start: { dateTime: '2019-04-09T21:00:00', timeZone: 'UTC' },
      end: { dateTime: '2019-04-09T23:00:00', timeZone: 'UTC' },
    },
    lines: ['BEGIN:VCALENDAR', 'VERSION:2.0', 'BEGIN:VEVENT', "SUMMARY:Review Megan's docs", 'END:VCALENDAR'],
  },
]

function otherShown({ exchange }: Candidate): AttachedOther | undefined {
  const { body } = exchange.response ?? {}
  return typeof body === 'string' ? others.find(({ begins }) => begins.test(body)) : undefined
}

/** The content holds each line, with the line ends of its format (RFC 5545 §3.1, RFC 2426 §2.6). */
function linesMissing(body: Buffer, lines: readonly string[]): string[] {
  const answered = new Set(body.toString('utf8').split('\r\n'))
  return lines.filter((line) => !answered.has(line)).map((line) => `body: no line ${line}`)
}

/** Rows of reading attachments. */
export const attachmentScenarios: readonly Scenario[] = [
  {
    name: 'attachments are listed',
    matches: reads(list),
    prepare: (candidate, world) =>
      prepareRead(candidate, world, shownIn(candidate.exchange.response?.body), { single: false }),
  },
  {
    name: 'an attachment is read',
    matches: (candidate) => reads(one)(candidate) && !leavesExpansionOut(candidate),
    prepare: (candidate, world) =>
      prepareRead(candidate, world, shownIn(candidate.exchange.response?.body), { single: true }),
  },
  {
    name: 'the content of an attachment is read',
    matches: reads(content),
    prepare: (candidate, world) => {
      const other = otherShown(candidate)
      if (other !== undefined) {
        return prepareRead(candidate, world, [{ ...itemShown, item: other.item }], {
          single: true,
          afterwards: async ({ body }) => linesMissing(body, other.lines),
        })
      }
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
