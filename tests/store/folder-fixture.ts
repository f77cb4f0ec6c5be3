/** A mailbox whose folders and messages are changed through the domain, and what must always be true of it. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { createDraft } from '../../src/mail/create-draft.js'
import { createMailbox } from '../../src/mail/create-mailbox.js'
import { emptyDraft } from '../../src/mail/empty-draft.js'
import type { FolderId, TenantId } from '../../src/mail/ids.js'
import type { Mail } from '../../src/mail/mail.js'
import { noFolder, outsideTree } from '../../src/mail/mail-folder.js'
import type { Mailbox } from '../../src/mail/mailbox.js'
import type { Message } from '../../src/mail/message.js'
import type { ListedMessage } from '../../src/mail/query.js'
import type { Store } from '../../src/store/open.js'
import { openTestStore, testLocation } from '../support/open-test-store.js'

const tenant = '00000000-0000-4000-8000-00000000000a' as TenantId

/** The domain on one store. */
export function mailOn(store: Store): Mail {
  return {
    store: store.mail,
    ids: store.ids,
    clock: { now: () => 1_700_000_000_000 },
    random: { bytes: (count) => randomBytes(count), uuid: () => randomUUID() },
    limits: { maxRecipients: 500, maxInternetMessageHeaders: 5, maxMessageBytes: 200 * 2 ** 20 },
    hostname: 'mail.example.com',
    outboxChanged: () => {},
  }
}

export interface FolderPlace {
  readonly mail: Mail
  /** A second server on the same database. */
  readonly other: Mail
  readonly mailbox: Mailbox
}

export async function folderPlace(t: TestContext): Promise<FolderPlace> {
  const location = await testLocation(t)
  const [mail, other] = [mailOn(await openTestStore(t, location)), mailOn(await openTestStore(t, location))]
  const mailbox = await createMailbox(mail, {
    tenant,
    userPrincipalName: 'adele@contoso.com',
    displayName: 'Adele',
  })
  return { mail, other, mailbox }
}

export function putMessage(mail: Mail, mailbox: Mailbox, folder: FolderId, isRead: boolean): Promise<Message> {
  return createDraft(mail, mailbox, { ...emptyDraft(), isRead }, { folder })
}

/** Every message that is in a folder. */
export async function allMessages(mail: Mail, { id }: Mailbox): Promise<ListedMessage[]> {
  const found: ListedMessage[] = []
  for (;;) {
    const page = { mailbox: id, order: [], skip: found.length, top: 1_000, withContent: false }
    const messages = await mail.store.messages.list(page)
    found.push(...messages)
    if (messages.length < 1_000) return found
  }
}

/** Counts agree with what the folders hold; every parent is there; no folder is below itself; siblings differ by name. */
export async function requireSound(mail: Mail, mailbox: Mailbox): Promise<void> {
  const folders = await mail.store.folders.list(mailbox.id)
  const byId = new Map(folders.map((folder) => [folder.id, folder]))
  const counts = new Map(folders.map(({ id }) => [id, [0, 0, 0]]))
  for (const { folder, isRead, sizeBytes } of await allMessages(mail, mailbox)) {
    const [total = 0, unread = 0, bytes = 0] = counts.get(folder) ?? assert.fail(`a message is in folder ${folder}`)
    counts.set(folder, [total + 1, unread + Number(!isRead), bytes + sizeBytes])
  }
  const names = new Set<string>()
  for (const folder of folders) {
    const { id, parent, displayName, totalItemCount, unreadItemCount, sizeBytes } = folder
    assert.notEqual(id, noFolder)
    assert.deepEqual([totalItemCount, unreadItemCount, sizeBytes], counts.get(id), `counts of ${displayName}`)
    const name = `${parent} ${displayName.toLowerCase()}`
    assert.ok(!names.has(name), `two folders ${name}`)
    names.add(name)
    let steps = 0
    for (let above = parent; above !== undefined && above !== outsideTree; above = byId.get(above)?.parent) {
      assert.ok(byId.has(above), `${displayName} is in folder ${above}, which is gone`)
      assert.ok(++steps <= folders.length, `${displayName} is below itself`)
    }
  }
}
