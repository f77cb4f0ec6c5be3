import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFolder, deleteFolder, moveFolder, purgeFolder, updateFolder } from '../../src/mail/change-folders.js'
import { copyFolder } from '../../src/mail/copy-folder.js'
import { MailError } from '../../src/mail/errors.js'
import type { FolderId } from '../../src/mail/ids.js'
import type { Mail } from '../../src/mail/mail.js'
import { folderId } from '../../src/mail/mail-folder.js'
import type { Message } from '../../src/mail/message.js'
import { copyMessage, deleteMessage, moveMessage, purgeMessage } from '../../src/mail/move-message.js'
import { setReadState } from '../../src/mail/read-state.js'
import { updateMessage } from '../../src/mail/update-message.js'
import { allMessages, folderPlace, putMessage, requireSound } from './folder-fixture.js'

/** What a change may be refused for when another came first. */
const lost = new Set(['conflict', 'folderExists', 'folderInItself', 'folderNotFound', 'notDeletable', 'notInStore'])

/** The outcome of each: 'done', or what it was refused for. Anything else but a lost race fails the test. */
async function outcomes(changes: readonly Promise<unknown>[]): Promise<string[]> {
  return Promise.all(
    changes.map((change) =>
      change.then(
        () => 'done',
        (error: unknown) => {
          if (error instanceof MailError && lost.has(error.code)) return error.code
          throw error
        },
      ),
    ),
  )
}

const ofOwner = { isHidden: false, details: {} }

/** Numbers that follow from a seed, so that a failing run can be repeated. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

test('of many folders of one name made at once, on two servers, one is there', async (t) => {
  const { mail, other, mailbox } = await folderPlace(t)
  const root = folderId('msgfolderroot')
  const made = await outcomes(
    Array.from({ length: 40 }, (_, index) =>
      createFolder(index % 2 ? mail : other, mailbox.id, root, { ...ofOwner, displayName: 'Same' }),
    ),
  )
  assert.equal(made.filter((outcome) => outcome === 'done').length, 1)
  assert.equal(made.filter((outcome) => outcome === 'folderExists').length, 39)
  await requireSound(mail, mailbox)
})

test('two folders moved into each other at once do not both go', async (t) => {
  const { mail, other, mailbox } = await folderPlace(t)
  const root = folderId('msgfolderroot')
  for (let round = 0; round < 10; round++) {
    const [one, two] = await Promise.all(
      ['A', 'B'].map((name) => createFolder(mail, mailbox.id, root, { ...ofOwner, displayName: `${name}${round}` })),
    )
    if (one === undefined || two === undefined) return
    const moved = await outcomes([
      moveFolder(mail, mailbox.id, one.folder.id, two.folder.id),
      moveFolder(other, mailbox.id, two.folder.id, one.folder.id),
    ])
    assert.deepEqual(moved.toSorted(), ['done', 'folderInItself'])
  }
  await requireSound(mail, mailbox)
})

test('what is put into a folder while it is deleted is refused, or goes with it', async (t) => {
  const { mail, other, mailbox } = await folderPlace(t)
  for (let round = 0; round < 5; round++) {
    const parent = folderId(round % 2 ? 'deleteditems' : 'msgfolderroot')
    const { folder } = await createFolder(mail, mailbox.id, parent, { ...ofOwner, displayName: `F${round}` })
    const inside = await Promise.all(Array.from({ length: 10 }, () => putMessage(mail, mailbox, folder.id, false)))
    const outside = await Promise.all(
      Array.from({ length: 10 }, () => putMessage(mail, mailbox, folderId('inbox'), false)),
    )
    await outcomes([
      ...outside.map((message, index) => moveMessage(index % 2 ? mail : other, message, folder.id)),
      round % 2 ? deleteFolder(other, mailbox.id, folder.id) : purgeFolder(other, mailbox.id, folder.id),
      ...inside.map((message) => moveMessage(mail, message, folderId('archive'))),
      ...outside.map((message) => copyMessage(mail, message, folder.id)),
      ...Array.from({ length: 5 }, () => putMessage(other, mailbox, folder.id, true)),
    ])
    assert.equal(await mail.store.folders.find(mailbox.id, folder.id), undefined)
    await requireSound(mail, mailbox)
  }
})

test('counts are exact after hundreds of changes of everything at once, on two servers', async (t) => {
  const { mail, other, mailbox } = await folderPlace(t)
  const pick = numbers(20_261_121)
  const root = folderId('msgfolderroot')
  const folders: FolderId[] = [folderId('inbox'), folderId('archive'), folderId('deleteditems')]
  for (let number = 0; number < 12; number++) {
    const parent = folders[pick(folders.length)] ?? root
    const made = await createFolder(mail, mailbox.id, parent, { ...ofOwner, displayName: `F${number}` })
    folders.push(made.folder.id)
  }
  const anyFolder = () => folders[pick(folders.length)] ?? root
  const messages: Message[] = await Promise.all(
    Array.from({ length: 150 }, (_, index) => putMessage(mail, mailbox, anyFolder(), index % 3 === 0)),
  )
  const anyMessage = () => messages[pick(messages.length)] ?? assert.fail()
  const changes: ((on: Mail) => Promise<unknown>)[] = [
    (on) => moveMessage(on, anyMessage(), anyFolder()),
    (on) => moveMessage(on, anyMessage(), anyFolder()),
    (on) => moveMessage(on, anyMessage(), anyFolder()),
    (on) => copyMessage(on, anyMessage(), anyFolder()),
    (on) => deleteMessage(on, anyMessage()),
    (on) => purgeMessage(on, anyMessage()),
    (on) => updateMessage(on, anyMessage(), { isRead: pick(2) === 0 }),
    (on) => putMessage(on, mailbox, anyFolder(), pick(2) === 0),
    (on) => setReadState(on, mailbox.id, anyFolder(), pick(2) === 0),
    (on) => moveFolder(on, mailbox.id, folders[3 + pick(12)] ?? root, anyFolder()),
    (on) => updateFolder(on, mailbox.id, folders[3 + pick(12)] ?? root, () => ({ displayName: `N${pick(9)}` })),
    (on) => (pick(4) === 0 ? copyFolder(on, mailbox.id, anyFolder(), anyFolder()) : Promise.resolve()),
    (on) => (pick(3) === 0 ? deleteFolder(on, mailbox.id, folders[3 + pick(12)] ?? root) : Promise.resolve()),
  ]
  for (let round = 0; round < 4; round++) {
    const results = await outcomes(
      Array.from({ length: 150 }, (_, index) => {
        const change = changes[pick(changes.length)] ?? assert.fail()
        return change(index % 2 ? mail : other)
      }),
    )
    assert.ok(results.includes('done'))
    await requireSound(mail, mailbox)
  }
  assert.ok((await allMessages(mail, mailbox)).length > 0)
})

test('a folder of ten thousand messages is copied, moved and removed in a handful of statements', async (t) => {
  const { mail, mailbox } = await folderPlace(t)
  const root = folderId('msgfolderroot')
  const { folder } = await createFolder(mail, mailbox.id, root, { ...ofOwner, displayName: 'Big' })
  const first = await putMessage(mail, mailbox, folder.id, false)
  const count = 10_000
  await mail.store.write((tx) => {
    for (let number = 1; number < count; number++) {
      tx.insertMessage({ ...first, id: mail.ids.next() as Message['id'] })
      tx.changeFolder(mailbox.id, folder.id, { total: 1, unread: 1, sizeBytes: first.sizeBytes })
    }
  })
  let writes = 0
  const counting: Mail = {
    ...mail,
    store: {
      ...mail.store,
      write: (change) => {
        writes++
        return mail.store.write(change)
      },
    },
  }
  const { folder: copy } = await copyFolder(counting, mailbox.id, folder.id, folderId('archive'))
  assert.deepEqual([copy.totalItemCount, copy.unreadItemCount], [count, count])
  await setReadState(counting, mailbox.id, copy.id, true)
  await moveFolder(counting, mailbox.id, copy.id, folderId('inbox'))
  await deleteFolder(counting, mailbox.id, copy.id)
  await deleteFolder(counting, mailbox.id, copy.id)
  assert.equal(writes, 5)
  const deletions = await mail.store.folders.find(mailbox.id, folderId('recoverableitemsdeletions'))
  assert.deepEqual([deletions?.totalItemCount, deletions?.unreadItemCount], [count, 0])
  await purgeFolder(counting, mailbox.id, folder.id)
  assert.equal(await mail.store.messages.count(mailbox.id), count)
  await requireSound(mail, mailbox)
})
