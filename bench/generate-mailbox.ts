/**
 * Fills a mailbox of a data folder with received mail that differs in all that is asked for: dates over ten years, nine in
 * ten read, up to a thousand senders, common words and a rare one. Whatever its size, there is more than a page of ten of
 * each sender, and the rare word is in ten messages.
 *
 *     node generate-mailbox.js FOLDER USER MESSAGES
 *
 * Says on stderr how far it is.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { startConversation } from '../src/mail/conversation.js'
import { emptyDraft } from '../src/mail/empty-draft.js'
import type { MessageId, TenantId } from '../src/mail/ids.js'
import { folderId } from '../src/mail/mail-folder.js'
import type { Message } from '../src/mail/message.js'
import { countIn, putMessage } from '../src/mail/put-message.js'
import { openStore } from '../src/store/open.js'
import { commonWords, rareWord } from './mailbox-words.js'

const [folder = '', user = '', count = '0'] = process.argv.slice(2)
const messages = Number(count)

/** Messages of one write. */
const perWrite = 500
/** Writes under way at once. */
const writesAtOnce = 8
const progressEvery = 50_000

const senders = Math.max(1, Math.min(1_000, messages / 50))
const rareEvery = Math.max(1, messages / 10)
const day = 86_400_000
const years = 10

const store = await openStore({ kind: 'folder', path: folder }, 0)
const mail = { ids: store.ids, random: { bytes: randomBytes, uuid: randomUUID } }
const [tenant] = await store.identity.listTenants()
const mailbox = await store.mail.mailboxes.find((tenant?.id ?? '') as TenantId, user)
if (mailbox === undefined) throw new Error(`there is no ${user} in ${folder}`)
const end = Date.now()

function word(number: number, place: number): string {
  return commonWords[Math.floor(number / 7 ** place) % commonWords.length] ?? ''
}

function messageOf(number: number): Message {
  const at = Math.floor(end - (years * 365 * day * (messages - number)) / messages)
  const sender = { name: `Customer ${number % senders}`, address: `customer${number % senders}@example.com` }
  const isRare = number % rareEvery === rareEvery >> 1
  const text = `Dear Adele, the ${word(number, 0)} about the ${word(number, 1)} is ready${isRare ? `, with a ${rareWord}` : ''}.`
  const { subject: _, attachments: __, ...said } = emptyDraft()
  return {
    mailbox: mailbox?.id as Message['mailbox'],
    id: store.ids.next() as MessageId,
    folder: folderId('inbox'),
    moves: 0,
    change: store.ids.next(),
    createdAt: at,
    modifiedAt: at,
    receivedAt: at,
    sentAt: at - 1_000,
    isRead: number % 10 !== 0,
    isDraft: false,
    hasAttachments: false,
    importance: number % 20 === 0 ? 'high' : 'normal',
    subject: `${word(number, 2)} ${word(number, 0)} ${number}`,
    internetMessageId: `<${number}@customers.example.com>`,
    conversation: startConversation(mail, at),
    bodyPreview: text,
    sizeBytes: 2_048,
    content: {
      ...said,
      body: { contentType: 'text', content: text },
      from: sender,
      sender,
      toRecipients: [{ name: mailbox?.displayName ?? '', address: mailbox?.address ?? '' }],
    },
  }
}

async function writeSome(from: number): Promise<void> {
  const some = Array.from({ length: Math.min(perWrite, messages - from) }, (_, index) => messageOf(from + index))
  await store.mail.write((tx) => {
    for (const message of some) {
      putMessage(tx, store, message, { draft: emptyDraft(), contents: [], carried: [] })
      countIn(tx, message)
    }
  })
}

for (let from = 0; from < messages; from += perWrite * writesAtOnce) {
  const starts = Array.from({ length: writesAtOnce }, (_, index) => from + index * perWrite)
  await Promise.all(starts.filter((start) => start < messages).map(writeSome))
  if (Math.floor(from / progressEvery) !== Math.floor((from - perWrite * writesAtOnce) / progressEvery)) {
    process.stderr.write(`\r  ${from.toLocaleString('en')} of ${messages.toLocaleString('en')} messages of ${user}`)
  }
}
process.stderr.write(`\r  ${messages.toLocaleString('en')} messages of ${user}          \n`)
await store.close()
process.send?.('done')
