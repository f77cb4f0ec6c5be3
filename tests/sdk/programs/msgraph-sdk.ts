/**
 * A program as a user would write it with Microsoft's generated client: nothing is special but the address and the token.
 * Run in a process of its own with NODE_EXTRA_CA_CERTS naming our authority.
 *
 *     node msgraph-sdk.js BASE_URL TOKEN RECIPIENT USER...
 *
 * No files: this client leaves out what a derived type such as fileAttachment has beyond its base (preview.90).
 *
 * Each USER is a mailbox as the client names it; `TokenToReplace` is its spelling of /me. Prints what it saw as one line
 * of JSON.
 */
import { createGraphServiceClient, GraphRequestAdapter } from '@microsoft/msgraph-sdk'
import '@microsoft/msgraph-sdk-users'
import type { Message } from '@microsoft/msgraph-sdk/models/index.js'

const [, , baseUrl = '', token = '', recipient = '', ...users] = process.argv

const adapter = new GraphRequestAdapter({
  authenticateRequest: async (request) => {
    request.headers.add('Authorization', `Bearer ${token}`)
  },
})
adapter.baseUrl = `${baseUrl}/v1.0`
const client = createGraphServiceClient(adapter)

type Mailbox = ReturnType<typeof client.users.byUserId>

const to = [{ emailAddress: { address: recipient } }]

/** The message that was sent last. */
async function lastSent(mailbox: Mailbox): Promise<Message> {
  const page = await mailbox.mailFolders.byMailFolderId('sentitems').messages.get({ queryParameters: { top: 1 } })
  const [message] = page?.value ?? []
  if (message === undefined) throw new Error('Sent Items is empty')
  return message
}

function idOf(message: Message | undefined): string {
  const id = message?.id
  if (typeof id !== 'string') throw new Error('a message has no id')
  return id
}

/** Sends a draft and shows what it has become. */
async function sendDraft(mailbox: Mailbox, draft: Message | undefined): Promise<object> {
  await mailbox.messages.byMessageId(idOf(draft)).send.post()
  const sent = await lastSent(mailbox)
  return {
    draftSubject: draft?.subject,
    wasDraft: draft?.isDraft,
    subject: sent.subject,
    isDraft: sent.isDraft,
    sameMessage: sent.internetMessageId === draft?.internetMessageId,
    sameThread: sent.conversationId === draft?.conversationId,
    to: sent.toRecipients?.map(({ emailAddress }) => emailAddress?.address),
  }
}

async function story(user: string): Promise<object> {
  const mailbox = client.users.byUserId(user)
  const draft = await mailbox.messages.post({
    subject: 'Story',
    body: { contentType: 'html', content: '<p>Grüße 🎉</p>' },
    toRecipients: to,
    importance: 'high',
  })
  const patched = await mailbox.messages.byMessageId(idOf(draft)).patch({ subject: 'A story' })
  const fresh = await sendDraft(mailbox, patched)
  const original = mailbox.messages.byMessageId(idOf(await lastSent(mailbox)))
  const reply = await sendDraft(mailbox, await original.createReply.post({ comment: 'Thanks' }))
  const replyAll = await sendDraft(mailbox, await original.createReplyAll.post({ comment: 'Thanks, all' }))
  const forward = await sendDraft(mailbox, await original.createForward.post({ comment: 'FYI', toRecipients: to }))
  await original.reply.post({ comment: 'At once' })
  await original.replyAll.post({ comment: 'At once' })
  await original.forward.post({ comment: 'At once', toRecipients: to })
  await mailbox.sendMail.post({ message: { subject: 'In one call', toRecipients: to }, saveToSentItems: true })
  const kept = await mailbox.messages.post({ subject: 'Kept' })
  const moved = await mailbox.messages.byMessageId(idOf(kept)).move.post({ destinationId: 'archive' })
  await mailbox.messages.byMessageId(idOf(moved)).delete()
  return {
    fresh,
    reply,
    replyAll,
    forward,
    last: (await lastSent(mailbox)).subject,
  }
}

/** What the client makes of a refusal. */
async function refusal(call: () => Promise<unknown>): Promise<object> {
  try {
    return { answered: await call() }
  } catch (error) {
    const { responseStatusCode, errorEscaped: main } = error as {
      responseStatusCode?: number
      errorEscaped?: { code?: string; message?: string }
    }
    return { status: responseStatusCode, code: main?.code, message: main?.message }
  }
}

const stories: Record<string, object> = {}
for (const user of users) stories[user] = await story(user)
const me = client.users.byUserId('TokenToReplace')
const nobody = await me.messages.post({ subject: 'To nobody' })
const refused = {
  noRecipients: await refusal(() => me.messages.byMessageId(idOf(nobody)).send.post()),
  unknownMessage: await refusal(() => me.messages.byMessageId('AAAA').send.post()),
}

console.log(JSON.stringify({ stories, refused }))
