/** Replies and forwards: made as drafts, sent at once, and refused. */
import { anybody, bindMailbox, bodyText, correspondent, prepared } from './binding.js'
import { idOf, type Person, personOf, recipient, send, waitForMessages } from './delivery.js'
import { mimeOf, notBase64, onMessage, refusedCall } from './draft-scenarios.js'
import { isArray, isObject, type JsonObject, textMember } from './json.js'
import { keysFor } from './message-scenarios.js'
import type { Candidate, Scenario } from './scenario.js'
import type { World } from './world.js'

const creates = onMessage('(createreply|createreplyall|createforward)')
const sends = onMessage('(reply|replyall|forward)')
const either = (candidate: Candidate) => creates(candidate) || sends(candidate)

function succeeds({ exchange }: Candidate): boolean {
  return exchange.response === undefined || exchange.response.status < 300
}

function shownIn({ exchange }: Candidate): JsonObject {
  const { body } = exchange.response ?? {}
  return isObject(body) ? body : {}
}

/** The message answered: from whom the answer shown goes to, about what it is about. */
function originalOf(candidate: Candidate): { author: Person; message: JsonObject } {
  const shown = shownIn(candidate)
  const [first] = isArray(shown.toRecipients) ? shown.toRecipients : []
  const subject = (textMember(shown, 'subject') ?? 'Conformance').replace(/^(RE|FW): /, '')
  const recorded = candidate.exchange.evidence !== 'documented'
  return {
    author: (recorded ? personOf(first) : undefined) ?? correspondent,
    message: {
      subject: /-value$/.test(subject) ? 'Conformance' : subject,
      body: { contentType: 'html', content: '<div>Conformance</div>' },
    },
  }
}

/** Whose mailbox it is: where a recording shows it, the author of the answer. */
function ownerOf(candidate: Candidate): Person {
  return personOf(shownIn(candidate).from) ?? anybody
}

/** Placeholders that a reader fills in. */
function filledIn(text: string): string {
  return text.replaceAll('"address-value"', `"${correspondent.address}"`)
}

async function prepareAnswer(candidate: Candidate, world: World, body: string | undefined) {
  const owner = ownerOf(candidate)
  const permission = creates(candidate) ? 'Mail.ReadWrite' : 'Mail.Send'
  const binding = await bindMailbox(world, candidate.path, [permission], owner)
  const { author, message } = originalOf(candidate)
  const writer = await world.mailbox(author.address, author.name)
  await send(world, writer, {
    ...message,
    toRecipients: [recipient({ address: binding.owner.userPrincipalName, name: owner.name })],
  })
  const [original = {}] = await waitForMessages(world, binding.owner, 'inbox')
  const recorded = candidate.exchange.evidence === 'pasted'
  return prepared(candidate, world, binding, {
    keys: keysFor(candidate, original, idOf(original)),
    ...(body === undefined ? {} : { body }),
    controlled: recorded ? ['subject', 'sender', 'from', 'toRecipients', 'isRead', 'importance'] : [],
    status: creates(candidate) ? 201 : 202,
    ...(recorded && creates(candidate)
      ? { afterwards: async (answer) => quoteDifferences(candidate, answer.body) }
      : {}),
  })
}

/** The markup of a quote without what it says: the same in every reply. */
const quoteFrame =
  /<hr tabindex="-1" style="display:inline-block; width:98%"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif" color="#000000" style="font-size:11pt"><b>From:<\/b> [^<]+ &lt;[^<]+&gt;<br><b>Sent:<\/b> [A-Z][a-z]+day, [A-Z][a-z]+ \d{1,2}, \d{4} \d{1,2}:\d\d:\d\d [AP]M<br><b>To:<\/b> [^<]+ &lt;[^<]+&gt;<br><b>Subject:<\/b> [^<]+<\/font> <div>&nbsp;<\/div><\/div><div>.*<\/div><\/body><\/html>$/s

/** The quote of the recording and ours have the same frame. */
function quoteDifferences(candidate: Candidate, body: Buffer): string[] {
  const recorded = textMember(shownIn(candidate), 'body', 'content') ?? ''
  const ours = (JSON.parse(body.toString('utf8')) as { body: { content: string } }).body.content
  if (!quoteFrame.test(recorded)) return ['the frame looked for is not that of the recording']
  return quoteFrame.test(ours) ? [] : [`body.content: the quote is not framed as recorded: ${ours.slice(0, 300)}`]
}

/** Rows of answers. */
export const answerScenarios: readonly Scenario[] = [
  {
    name: 'a message is answered',
    matches: (candidate) => either(candidate) && succeeds(candidate),
    prepare: (candidate, world) => {
      const forwardsAtOnce = onMessage('forward')(candidate)
      const nobody = forwardsAtOnce ? JSON.stringify({ toRecipients: [recipient(correspondent)] }) : undefined
      const text = mimeOf(candidate) ?? bodyText(candidate) ?? nobody
      return prepareAnswer(candidate, world, text === undefined ? undefined : filledIn(text))
    },
  },
  {
    name: 'an answer that is no base64 is refused',
    matches: refusedCall(either, 'ErrorMimeContentInvalidBase64String'),
    prepare: (candidate, world) => prepareAnswer(candidate, world, notBase64),
  },
]
