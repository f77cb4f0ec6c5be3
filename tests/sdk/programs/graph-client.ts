/**
 * A program as a user would write it, with Microsoft's own client: nothing is special but the address, the token and the
 * list of hosts that may have it. Run in a process of its own with NODE_EXTRA_CA_CERTS naming our authority.
 *
 *     node graph-client.js BASE_URL TOKEN RECIPIENT
 *
 * Prints what it saw as one line of JSON.
 */
import { Client, GraphError, type PageCollection, PageIterator } from '@microsoft/microsoft-graph-client'

const [, , baseUrl = '', token = '', recipient = ''] = process.argv

const client = Client.initWithMiddleware({
  authProvider: { getAccessToken: () => Promise.resolve(token) },
  baseUrl,
  defaultVersion: 'v1.0',
  customHosts: new Set([new URL(baseUrl).hostname]),
})

const file = Buffer.from('Soup\r\nBread\r\n')

/** Sends this many mails, the last one with a file. */
async function send(count: number): Promise<void> {
  for (let number = 1; number <= count; number++) {
    const message = {
      subject: `Menu ${number}`,
      body: { contentType: 'HTML', content: '<p>Grüße 🎉</p>' },
      toRecipients: [{ emailAddress: { address: recipient } }],
      ...(number < count
        ? {}
        : {
            attachments: [
              {
                '@odata.type': '#microsoft.graph.fileAttachment',
                name: 'menu.txt',
                contentType: 'text/plain',
                contentBytes: file.toString('base64'),
              },
            ],
          }),
    }
    await client.api('/me/sendMail').post({ message })
  }
}

interface ListedMessage {
  readonly id: string
  readonly subject: string
}

async function iterate(pageSize: number): Promise<string[]> {
  const seen: string[] = []
  const first: PageCollection = await client.api('/me/messages').select('subject').top(pageSize).get()
  await new PageIterator(client, first, (message: ListedMessage) => {
    seen.push(message.subject)
    return true
  }).iterate()
  return seen
}

/** What the client makes of a refusal. */
async function refusal(call: () => Promise<unknown>): Promise<object> {
  try {
    return { answered: await call() }
  } catch (error) {
    if (!(error instanceof GraphError)) return { thrown: String(error) }
    return { statusCode: error.statusCode, code: error.code, message: error.message, requestId: error.requestId }
  }
}

await send(7)
const list = await client
  .api('/me/mailFolders/sentitems/messages')
  .select(['id', 'subject', 'hasAttachments'])
  .top(3)
  .get()
const paged = await iterate(2)
const [newest] = list.value as ListedMessage[]
const one = await client.api(`/me/messages/${newest?.id}`).get()
const withFiles = await client.api(`/me/messages/${newest?.id}`).expand('attachments').get()
const mime: ReadableStream = await client.api(`/me/messages/${newest?.id}/$value`).getStream()
const beta = await client.api('/me/messages').version('beta').count(true).top(1).get()
const refused = {
  noRecipients: await refusal(() => client.api('/me/sendMail').post({ message: { subject: 'to nobody' } })),
  unknownMessage: await refusal(() => client.api('/me/messages/AAAA').get()),
  otherMailbox: await refusal(() => client.api(`/users/${recipient}/messages`).get()),
}

console.log(
  JSON.stringify({
    list,
    paged,
    one,
    withFiles,
    mime: await new Response(mime).text(),
    beta,
    refused,
  }),
)
