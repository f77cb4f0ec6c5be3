/** Mail that a scenario needs to find: sent through the API itself, then looked up where it lies. */
import { setTimeout as sleep } from 'node:timers/promises'
import { jsonOf } from './http-call.js'
import { isArray, isObject, type Json, type JsonObject, member, textMember } from './json.js'
import type { MailboxOwner, World } from './world.js'

/** A person as a recipient's `emailAddress` names them. */
export interface Person {
  readonly address: string
  readonly name: string
}

/** Delivery to a mailbox of the same server is a matter of milliseconds; this is far beyond it. */
const patienceMs = 10_000

/** Sends a message, saved in Sent Items. @throws Error when it is not accepted */
export async function send(world: World, sender: MailboxOwner, message: JsonObject): Promise<void> {
  await sendAs(world, sender, 'application/json', JSON.stringify({ message }))
}

/** The same of MIME. @throws Error when it is not accepted */
export async function sendMime(world: World, sender: MailboxOwner, mime: string): Promise<void> {
  await sendAs(world, sender, 'text/plain', Buffer.from(mime).toString('base64'))
}

async function sendAs(world: World, sender: MailboxOwner, contentType: string, body: string): Promise<void> {
  const token = await world.token({ user: undefined, permissions: ['Mail.Send'], lifetimeSeconds: 3600 })
  const answer = await world.call({
    method: 'POST',
    path: `/beta/users/${sender.objectId}/sendMail`,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': contentType },
    body,
  })
  if (answer.status !== 202) throw new Error(`the message needed for it was refused: ${answer.status} ${answer.body}`)
}

/** What lies in a folder, newest first, all default properties. */
export async function messagesIn(world: World, owner: MailboxOwner, folder: string): Promise<JsonObject[]> {
  const body = await read(world, `/v1.0/users/${owner.objectId}/mailFolders/${folder}/messages?$top=50`)
  const items = member(body, 'value')
  return isArray(items) ? items.filter(isObject) : []
}

/** The same once at least `count` messages are there. @throws Error when they do not come */
export async function waitForMessages(
  world: World,
  owner: MailboxOwner,
  folder: string,
  count = 1,
): Promise<JsonObject[]> {
  const until = Date.now() + patienceMs
  for (;;) {
    const found = await messagesIn(world, owner, folder)
    if (found.length >= count) return found
    if (Date.now() > until) throw new Error(`no message came into ${folder} of ${owner.userPrincipalName}`)
    await sleep(10)
  }
}

/** The attachments of a message, in their order. */
export async function attachmentsOf(world: World, owner: MailboxOwner, messageId: string): Promise<JsonObject[]> {
  const body = await read(world, `/v1.0/users/${owner.objectId}/messages/${messageId}/attachments`)
  const items = member(body, 'value')
  return isArray(items) ? items.filter(isObject) : []
}

async function read(world: World, path: string): Promise<Json | undefined> {
  const token = await world.token({ user: undefined, permissions: ['Mail.Read'], lifetimeSeconds: 3600 })
  const answer = await world.call({
    method: 'GET',
    path,
    headers: { Authorization: `Bearer ${token}` },
    body: undefined,
  })
  if (answer.status !== 200) throw new Error(`${path} is answered ${answer.status} ${answer.body}`)
  return jsonOf(answer)
}

/** `id` of a resource. */
export function idOf(resource: JsonObject | undefined): string {
  return textMember(resource, 'id') ?? ''
}

/** Who stands in a recipient; undefined when it names no address. */
export function personOf(recipient: Json | undefined): Person | undefined {
  const address = textMember(recipient, 'emailAddress', 'address')
  return address === undefined ? undefined : { address, name: textMember(recipient, 'emailAddress', 'name') ?? address }
}

/** A recipient as JSON. */
export function recipient({ address, name }: Person): JsonObject {
  return { emailAddress: { name, address } }
}
