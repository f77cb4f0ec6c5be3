/**
 * Drafts, answers and a large file with Microsoft's client for JavaScript, as a user would write it. Run in a process of
 * its own with NODE_EXTRA_CA_CERTS naming our authority.
 *
 *     node draft-stories.js BASE_URL TOKEN RECIPIENT MAILBOX...
 *
 * Each MAILBOX is the beginning of a path: `/me`, `/users/...`. Prints what it saw as one line of JSON.
 */
import { createHash, randomBytes } from 'node:crypto'
import { Client, FileUpload, LargeFileUploadTask } from '@microsoft/microsoft-graph-client'

const [, , baseUrl = '', token = '', recipient = '', ...mailboxes] = process.argv

const client = Client.initWithMiddleware({
  authProvider: { getAccessToken: () => Promise.resolve(token) },
  baseUrl,
  defaultVersion: 'v1.0',
  customHosts: new Set([new URL(baseUrl).hostname]),
})

const to = [{ emailAddress: { address: recipient } }]

type Call = (path: string) => ReturnType<typeof client.api>

async function sendDraft(call: Call, draft: { id: string; internetMessageId: string; conversationId: string }) {
  const answer = await call(`/messages/${draft.id}/send`).post({})
  const { value } = await call('/mailFolders/sentitems/messages').top(1).get()
  const [sent] = value
  return {
    answer: answer ?? null,
    id: sent.id,
    subject: sent.subject,
    isDraft: sent.isDraft,
    sameMessage: sent.internetMessageId === draft.internetMessageId,
    sameThread: sent.conversationId === draft.conversationId,
    preview: sent.bodyPreview,
  }
}

async function story(call: Call): Promise<object> {
  const draft = await call('/messages').post({ subject: 'Story', toRecipients: to, body: { content: 'Once' } })
  await call(`/messages/${draft.id}`).patch({ subject: 'A story' })
  const fresh = await sendDraft(call, draft)
  const answer = async (action: string, body: object) =>
    sendDraft(call, await call(`/messages/${fresh.id}/${action}`).post(body))
  return {
    fresh,
    reply: await answer('createReply', { comment: 'Thanks' }),
    replyAll: await answer('createReplyAll', { comment: 'Thanks, all' }),
    forward: await answer('createForward', { comment: 'FYI', toRecipients: to }),
  }
}

/** A file of 20 MB into a draft, by the client's own task. */
async function upload(): Promise<object> {
  const bytes = randomBytes(20_000_000)
  const draft = await client.api('/me/messages').post({ subject: 'Large', toRecipients: to })
  const session = await LargeFileUploadTask.createUploadSession(
    client,
    `/me/messages/${draft.id}/attachments/createUploadSession`,
    { AttachmentItem: { attachmentType: 'file', name: 'large.bin', size: bytes.length } },
  )
  const file = new FileUpload(new Uint8Array(bytes).buffer, 'large.bin', bytes.length)
  const progress: number[] = []
  const task = new LargeFileUploadTask(client, file, session, {
    rangeSize: 3_276_800,
    uploadEventHandlers: { progress: (range) => void progress.push(range?.minValue ?? -1) },
  })
  const { location } = await task.upload()
  const { value } = await client.api(`/me/messages/${draft.id}/attachments`).get()
  const sent = await client.api(`/me/messages/${draft.id}/send`).post({})
  return {
    location,
    ranges: progress.length,
    names: value.map(({ name }: { name: string }) => name),
    intact: sha256(Buffer.from(value[0].contentBytes, 'base64')) === sha256(bytes),
    sent: sent ?? null,
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

const stories: Record<string, object> = {}
for (const version of ['v1.0', 'beta']) {
  for (const mailbox of mailboxes) {
    stories[`${version} ${mailbox}`] = await story((path) => client.api(`${mailbox}${path}`).version(version))
  }
}
console.log(JSON.stringify({ stories, upload: await upload() }))
