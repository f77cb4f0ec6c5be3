/**
 * A program as it runs in production: Microsoft's client and sign-in library, and of the place they call nothing but the
 * tenant. It sends a mail with a file in the request, and one whose file goes through an upload session.
 *
 *     node unchanged-graph-client.js SENDER RECIPIENT FILE LARGE_FILE
 *
 * Prints the status of the first, the address of the upload, and the status of the second.
 */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { ClientSecretCredential } from '@azure/identity'
import { Client, FileUpload, LargeFileUploadTask, ResponseType } from '@microsoft/microsoft-graph-client'
import { TokenCredentialAuthenticationProvider } from '@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js'

const [, , sender, recipient, file = '', largeFile = ''] = process.argv
const { AZURE_TENANT_ID = '', AZURE_CLIENT_ID = '', AZURE_CLIENT_SECRET = '' } = process.env

const credential = new ClientSecretCredential(AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET)
const graph = Client.initWithMiddleware({
  authProvider: new TokenCredentialAuthenticationProvider(credential, {
    scopes: ['https://graph.microsoft.com/.default'],
  }),
})
const mailbox = `/users/${sender}`
const toRecipients = [{ emailAddress: { address: recipient } }]

const sent = await graph
  .api(`${mailbox}/sendMail`)
  .responseType(ResponseType.RAW)
  .post({
    message: {
      subject: 'From the Graph client',
      body: { contentType: 'Text', content: 'Nothing was changed.' },
      toRecipients,
      attachments: [
        {
          '@odata.type': '#microsoft.graph.fileAttachment',
          name: basename(file),
          contentBytes: (await readFile(file)).toString('base64'),
        },
      ],
    },
  })

const draft = await graph.api(`${mailbox}/messages`).post({ subject: 'With a large file', toRecipients })
const content = await readFile(largeFile)
const session = await LargeFileUploadTask.createUploadSession(
  graph,
  `${mailbox}/messages/${draft.id}/attachments/createUploadSession`,
  { AttachmentItem: { attachmentType: 'file', name: basename(largeFile), size: content.length } },
)
// The client's own code copies out of the buffer from its beginning.
const upload = new FileUpload(new Uint8Array(content).buffer, basename(largeFile), content.length)
await new LargeFileUploadTask(graph, upload, session).upload()
const sentDraft = await graph.api(`${mailbox}/messages/${draft.id}/send`).responseType(ResponseType.RAW).post({})

console.log(sent.status, new URL(session.url).origin, sentDraft.status)
