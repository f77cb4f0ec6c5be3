import { emptyDraft } from './empty-draft.js'
import { MailError } from './errors.js'
import type { Mail } from './mail.js'
import type { Draft, MessageContent } from './message.js'
import type { Acting } from './sender.js'
import { submitMessage } from './submit.js'

/** Addresses shown and looked at; newsletters have one or two. */
const maxAddresses = 10

/**
 * Where a message of a list says that one can leave the list: the addresses (`mailto:`, `https:`) of its
 * `List-Unsubscribe` field, RFC 2369 §3.2.
 */
export function unsubscribeAddresses({ internetMessageHeaders }: MessageContent): string[] {
  const field = internetMessageHeaders.find(({ name }) => name.toLowerCase() === 'list-unsubscribe')
  if (field === undefined) return []
  return [...field.value.matchAll(/<((?:mailto|https?):[^<>\s]{1,2000})>/gi)]
    .slice(0, maxAddresses)
    .map(([, address = '']) => address)
}

/**
 * Leaves the list a message came from, by the mail its `List-Unsubscribe` field asks for. Nothing is kept in Sent Items.
 * A list that only has a web address is not called: mail is all that leaves this server.
 *
 * @throws MailError referenceInvalid when the message names no address to write to; and as {@link submitMessage} does
 * @see https://learn.microsoft.com/graph/api/message-unsubscribe
 */
export async function unsubscribe(mail: Mail, acting: Acting, content: MessageContent): Promise<void> {
  const request = unsubscribeAddresses(content)
    .map(requestTo)
    .find((draft) => draft !== undefined)
  if (request === undefined) {
    throw new MailError('referenceInvalid', 'The message has no List-Unsubscribe field with a mailto: address.')
  }
  await submitMessage(mail, acting, request, { saveToSentItems: false })
}

/** The mail that a `mailto:` address describes, RFC 6068; undefined when it is none or names nobody. */
function requestTo(address: string): Draft | undefined {
  if (!/^mailto:/i.test(address) || !URL.canParse(address)) return undefined
  const { pathname, searchParams } = new URL(address)
  const to = decoded(pathname)
  if (to === undefined || to === '' || /[\p{Cc},]/u.test(to)) return undefined
  return {
    ...emptyDraft(),
    subject: oneLine(searchParams.get('subject') ?? 'unsubscribe'),
    body: { contentType: 'text', content: searchParams.get('body') ?? '' },
    toRecipients: [{ address: to }],
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trim()
}
