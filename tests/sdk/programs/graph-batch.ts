/**
 * A program that puts its calls into batches, with the classes Microsoft's client has for that. Nothing is special but the
 * address, the token and the list of hosts that may have it.
 *
 *     node graph-batch.js BASE_URL TOKEN RECIPIENT
 *
 * Prints what it saw as one line of JSON.
 */
import {
  BatchRequestContent,
  type BatchRequestStep,
  BatchResponseContent,
  Client,
} from '@microsoft/microsoft-graph-client'

const [, , baseUrl = '', token = '', recipient = ''] = process.argv

const client = Client.initWithMiddleware({
  authProvider: { getAccessToken: () => Promise.resolve(token) },
  baseUrl,
  defaultVersion: 'v1.0',
  customHosts: new Set([new URL(baseUrl).hostname]),
})

/** The client takes the host off; Request wants one. */
function step(id: string, path: string, init?: RequestInit, dependsOn?: string[]): BatchRequestStep {
  const request = new Request(`https://graph.microsoft.com${path}`, init)
  return { id, request, ...(dependsOn === undefined ? {} : { dependsOn }) }
}

function post(body: object): RequestInit {
  return { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
}

function mail(subject: string): RequestInit {
  const toRecipients = [{ emailAddress: { address: recipient } }]
  return post({ message: { subject, body: { contentType: 'Text', content: 'In a batch.' }, toRecipients } })
}

async function run(steps: BatchRequestStep[]): Promise<Record<string, { status: number; body: unknown }>> {
  const content = await new BatchRequestContent(steps).getContent()
  const responses = new BatchResponseContent(await client.api('/$batch').post(content)).getResponses()
  const seen: Record<string, { status: number; body: unknown }> = {}
  for (const [id, response] of responses) {
    const isJson = response.headers.get('Content-Type')?.startsWith('application/json') ?? false
    seen[id] = { status: response.status, body: isJson ? await response.json() : await response.text() }
  }
  return seen
}

const parallel = await run(
  Array.from({ length: 20 }, (_, index) => step(`${index}`, '/me/sendMail', mail(`Mail ${index}`))),
)
const serial = await run([
  step('1', '/me/messages', post({ subject: 'Draft' })),
  step('2', '/me/mailFolders/sentitems/messages/$count', undefined, ['1']),
  step('3', '/me/mailFolders/drafts/messages?$select=subject', { headers: { Prefer: 'IdType="ImmutableId"' } }, ['2']),
  step('4', '/me/messages/none', { method: 'DELETE' }, ['3']),
  step('5', '/me/sendMail', mail('Never'), ['4']),
])
console.log(JSON.stringify({ parallel, serial }))
