import { createHash } from 'node:crypto'
import type { Mailbox } from '../../mail/mailbox.js'
import type { EmailAddress, Mention, MessageContent } from '../../mail/message.js'
import type { ListedMessage } from '../../mail/query.js'
import { readEmailAddress } from './recipient.js'
import {
  cannotConvert,
  inside,
  objectType,
  passOver,
  presentMoment,
  type Reading,
  readArray,
  readMembers,
  readObject,
  readText,
  requiredMissing,
} from './values.js'

/** Somebody named in a message (beta `mention`). Who wrote it and when is known of the message. */
interface MentionFields {
  mentioned: EmailAddress | undefined
  mentionText: string | null
  clientReference: string | null
}

const mentionType = objectType<MentionFields>('microsoft.graph.mention', {
  mentioned: (into, value, reading) => {
    into.mentioned = readEmailAddress(value, reading)
  },
  mentionText: (into, value, { path }) => {
    into.mentionText = readText(value, path)
  },
  clientReference: (into, value, { path }) => {
    into.clientReference = readText(value, path)
  },
  id: passOver,
  application: passOver,
  createdBy: passOver,
  createdDateTime: passOver,
  deepLink: passOver,
  serverCreatedDateTime: passOver,
})

/** Mentions of one message at most: as many as it may have recipients. */
const maxMentions = 500

/**
 * The mentions of a message in a request.
 *
 * @throws GraphError ErrorRequiredPropertyMissing for one that names nobody, RequestBodyRead
 */
export function readMentions(value: unknown, reading: Reading): Mention[] {
  return readArray(value, reading.path)
    .slice(0, maxMentions)
    .map((item, index) => {
      const at = inside(reading, index)
      const members = readObject(item, at.path)
      if (members === null) throw cannotConvert(item, mentionType.name, at.path)
      const fields: MentionFields = { mentioned: undefined, mentionText: null, clientReference: null }
      const { mentioned, mentionText, clientReference } = readMembers(members, mentionType, fields, at)
      if (mentioned === undefined) throw requiredMissing(`${at.path}/mentioned`)
      return { mentioned, mentionText, clientReference }
    })
}

/** Whether the mailbox's owner is mentioned; null when nobody is (as documented). */
export function presentMentionsPreview({ mentions }: MessageContent, mailbox: Mailbox): object | null {
  if (mentions === undefined || mentions.length === 0) return null
  const own = new Set([mailbox.address.toLowerCase(), mailbox.userPrincipalName.toLowerCase()])
  return { isMentioned: mentions.some(({ mentioned }) => own.has(mentioned.address.toLowerCase())) }
}

/** The mentions of a message, `$expand=mentions`. Their ids follow from the message's. */
export function presentMentions(message: ListedMessage, mailbox: Mailbox): object[] {
  const { mentions = [], from, sender } = message.content ?? {}
  const author = sender ?? from ?? { name: mailbox.displayName, address: mailbox.address }
  const createdDateTime = presentMoment(message.createdAt)
  const ids = mentionIds(message, mailbox)
  return mentions.map(({ mentioned, mentionText, clientReference }, index) => ({
    id: ids[index],
    mentioned: shown(mentioned),
    mentionText,
    clientReference,
    createdBy: shown(author),
    createdDateTime,
    serverCreatedDateTime: createdDateTime,
    deepLink: null,
    application: null,
  }))
}

function shown({ name, address }: EmailAddress): object {
  return { name: name ?? address, address }
}

/** In the order of the mentions. They follow from what is said, so that each stays when another goes. */
export function mentionIds({ id, content }: Pick<ListedMessage, 'id' | 'content'>, mailbox: Mailbox): string[] {
  const seen = new Map<string, number>()
  return (content?.mentions ?? []).map((mention) => {
    const said = JSON.stringify(mention)
    const count = seen.get(said) ?? 0
    seen.set(said, count + 1)
    return guidOf(`mention ${mailbox.guid} ${id} ${said} ${count}`)
  })
}

function guidOf(text: string): string {
  const digest = createHash('sha256').update(text).digest('hex')
  return digest.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
