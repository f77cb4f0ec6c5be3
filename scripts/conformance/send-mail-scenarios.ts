/** sendMail: accepted in all its forms, and refused with Graph's words. */
import { anybody, bindMailbox, bodyText, correspondent, prepared, principalInPath } from './binding.js'
import { messagesIn, type Person, personOf, recipient, waitForMessages } from './delivery.js'
import { isObject, type Json, type JsonObject, member, textMember } from './json.js'
import type { Candidate, Preparation, Scenario } from './scenario.js'
import type { MailboxOwner, World } from './world.js'

const isSendMail = ({ shape, exchange }: Candidate) =>
  shape === '{mailbox}/sendmail' && exchange.request.method === 'POST'

function refuses(code: string, message = /./): Scenario['matches'] {
  return (candidate) => {
    const { response } = candidate.exchange
    const error = isObject(response?.body) ? response.body.error : undefined
    return (
      isSendMail(candidate) && textMember(error, 'code') === code && message.test(textMember(error, 'message') ?? '')
    )
  }
}

function isMime({ exchange: { request } }: Candidate): boolean {
  const type = Object.entries(request.headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1]
  return typeof request.body === 'string' || type === 'text/plain'
}

/** The message in a request body; names of parameters are read in any case. */
function messageIn(body: Json): JsonObject {
  if (!isObject(body)) return {}
  const [, message] = Object.entries(body).find(([name]) => name.toLowerCase() === 'message') ?? []
  return isObject(message) ? message : body
}

const plainMessage = { subject: 'Conformance', body: { contentType: 'text', content: 'Conformance' } }

function jsonBody(message: JsonObject): string {
  return JSON.stringify({ message: { ...plainMessage, ...message } })
}

/** Base64 in lines, as clients send it. */
function mimeBody(lines: readonly string[]): string {
  const base64 = Buffer.from(lines.join('\r\n')).toString('base64')
  return base64.replaceAll(/.{76}/g, '$&\r\n')
}

function mimeFrom({ address, name }: Person): string {
  return mimeBody([
    `From: "${name}" <${address}>`,
    `To: ${correspondent.address}`,
    'Subject: Conformance',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Conformance',
    '',
  ])
}

/** Whose mailbox `/me` is: the author, where MIME names one, since its `From` must be the sender's own. */
function authorOf(mime: string): Person {
  const [, name = '', address] = /^From:\s*(.*?)\s*<([^>]+)>/im.exec(decoded(mime)) ?? []
  return address === undefined ? anybody : { address, name }
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8')
}

/** Documents print MIME cut short; a whole message then stands for it. */
function mimeToSend({ exchange }: Candidate): string {
  const { body } = exchange.request
  const cutShort = /not decodable|cut short/.test(exchange.notes)
  return typeof body === 'string' && !cutShort ? body : mimeFrom(anybody)
}

async function prepareAccepted(candidate: Candidate, world: World, permissions = ['Mail.Send']): Promise<Preparation> {
  const mime = isMime(candidate) ? mimeToSend(candidate) : undefined
  const binding = await bindMailbox(world, candidate.path, permissions, mime === undefined ? anybody : authorOf(mime))
  const body = mime ?? bodyText(candidate) ?? jsonBody({ toRecipients: [recipient(correspondent)] })
  // A collection of requests leaves its addresses to the reader.
  const whole = body.replaceAll(/\{\{\w+\}\}/g, correspondent.address)
  const kept = mime === undefined ? keptAfterJson(whole) : keptAfterMime(decoded(mime))
  return prepared(candidate, world, binding, { body: whole, status: 202, afterwards: () => kept(world, binding.owner) })
}

type KeptCheck = (world: World, sender: MailboxOwner) => Promise<string[]>

/** Sent Items holds the message with its subject, or nothing when the caller said so. */
function keptAfterJson(body: string): KeptCheck {
  const request = JSON.parse(body) as Json
  const [, save] =
    Object.entries(isObject(request) ? request : {}).find(([name]) => /^savetosentitems$/i.test(name)) ?? []
  const subject = textMember(messageIn(request), 'subject') ?? ''
  return async (world, sender) => {
    if (String(save).toLowerCase() === 'false') {
      const kept = await messagesIn(world, sender, 'sentitems')
      return kept.length === 0 ? [] : ['afterwards: saved in Sent Items although saveToSentItems is false']
    }
    const [copy] = await waitForMessages(world, sender, 'sentitems')
    return copy?.subject === subject ? [] : [`afterwards: the copy in Sent Items has the subject ${copy?.subject}`]
  }
}

/** A Message-ID in the MIME is that of the message. */
function keptAfterMime(mime: string): KeptCheck {
  const [, id] = /^Message-ID:\s*(<[^>]+>)/im.exec(mime) ?? []
  return async (world, sender) => {
    const [copy] = await waitForMessages(world, sender, 'sentitems')
    return id === undefined || copy?.internetMessageId === id
      ? []
      : [`afterwards: internetMessageId is ${copy?.internetMessageId}, not that of the MIME, ${id}`]
  }
}

/** A refused message, by the mailbox of the path with the right permission: only the body is at fault. */
function prepareRefused(body: (candidate: Candidate) => string): Scenario['prepare'] {
  return async (candidate, world) => {
    const binding = await bindMailbox(world, candidate.path, ['Mail.Send'])
    return prepared(candidate, world, binding, { body: body(candidate) })
  }
}

/** What stands between quotes in the message shown. */
function quoted({ exchange }: Candidate): string {
  return /'([^']*)'/.exec(textMember(exchange.response?.body, 'error', 'message') ?? '')?.[1] ?? ''
}

/** A `from` that is not the mailbox, and to which it has no right. */
function fromSomeoneElse(candidate: Candidate): string {
  if (isMime(candidate)) return mimeFrom({ address: 'pattif@contoso.com', name: 'pattif@contoso.com' })
  const asked = messageIn(candidate.exchange.request.body)
  const from = asked.from ?? recipient({ address: 'pattif@contoso.com', name: 'Patti Fernandez' })
  return jsonBody({ toRecipients: [recipient(correspondent)], ...asked, from })
}

/** Whether the request sends as someone else: that needs a right over that mailbox. */
function sendsAsAnother({ exchange }: Candidate): boolean {
  return member(messageIn(exchange.request.body), 'from') !== undefined
}

/** The rows of sendMail. */
export const sendMailScenarios: readonly Scenario[] = [
  {
    name: 'sendMail is accepted',
    matches: (candidate) => {
      const { response } = candidate.exchange
      const accepted = response === undefined || response.status === 202
      return (
        isSendMail(candidate) && accepted && !sendsAsAnother(candidate) && !('Retry-After' in (response?.headers ?? {}))
      )
    },
    prepare: (candidate, world) => prepareAccepted(candidate, world),
  },
  {
    name: 'sendMail is accepted in the name of another who allows it',
    matches: (candidate) =>
      isSendMail(candidate) && candidate.exchange.response?.status === 202 && sendsAsAnother(candidate),
    prepare: async (candidate, world) => {
      const preparation = await prepareAccepted(candidate, world, ['Mail.Send', 'Mail.Send.Shared'])
      const author = personOf(messageIn(candidate.exchange.request.body).from) ?? anybody
      const owner = await world.mailbox(principalInPath(candidate.path) ?? anybody.address)
      await world.letSendAs(owner, await world.mailbox(author.address))
      return preparation
    },
  },
  {
    name: 'sendMail refuses MIME that is not base64',
    matches: refuses('ErrorMimeContentInvalidBase64String'),
    prepare: prepareRefused(() => 'This is no base64 at all!'),
  },
  {
    name: 'sendMail refuses a message without recipients',
    matches: refuses('ErrorInvalidRecipients', /no recipients/),
    prepare: prepareRefused((candidate) => bodyText(candidate) ?? jsonBody({})),
  },
  {
    name: 'sendMail refuses an address that is none',
    matches: refuses('ErrorInvalidRecipients', /Recipient '[^']+' is not resolved/),
    prepare: prepareRefused((candidate) => {
      const address = quoted(candidate)
      return jsonBody({ toRecipients: [{ emailAddress: { address } }] })
    }),
  },
  {
    name: 'sendMail refuses a header that is not the client’s to set',
    matches: refuses('InvalidInternetMessageHeader'),
    prepare: prepareRefused((candidate) =>
      jsonBody({
        toRecipients: [recipient(correspondent)],
        internetMessageHeaders: [{ name: quoted(candidate), value: correspondent.address }],
      }),
    ),
  },
  {
    name: 'sendMail refuses more than five headers',
    matches: refuses('InvalidInternetMessageHeaderCollection'),
    prepare: prepareRefused(() =>
      jsonBody({
        toRecipients: [recipient(correspondent)],
        internetMessageHeaders: [1, 2, 3, 4, 5, 6].map((number) => ({ name: `x-number-${number}`, value: 'set' })),
      }),
    ),
  },
  {
    name: 'sendMail refuses to send as someone else',
    matches: refuses('ErrorSendAsDenied'),
    prepare: async (candidate, world) => {
      await world.mailbox('pattif@contoso.com', 'Patti Fernandez')
      return prepareRefused(fromSomeoneElse)(candidate, world)
    },
  },
  {
    name: 'sendMail is refused without Mail.Send',
    matches: refuses('ErrorAccessDenied'),
    prepare: async (candidate, world) => {
      const binding = await bindMailbox(world, candidate.path, ['Mail.ReadWrite'])
      return prepared(candidate, world, binding, { body: jsonBody({ toRecipients: [recipient(correspondent)] }) })
    },
  },
  {
    name: 'sendMail refuses a body it cannot read',
    matches: refuses('UnableToDeserializePostBody'),
    prepare: prepareRefused((candidate) => bodyText(candidate) ?? jsonBody({ unknownMember: 1 })),
  },
]
