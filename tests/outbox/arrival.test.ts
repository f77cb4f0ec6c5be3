import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MailError } from '../../src/mail/errors.js'
import type { Mail } from '../../src/mail/mail.js'
import { updateSettings } from '../../src/mail/mailbox-settings.js'
import { createRule } from '../../src/mail/message-rule.js'
import { openPostOffice, type PostOffice, to } from './delivery-fixture.js'

/** The office's store, which fails one write that delivers: before it is committed, or as if the answer were lost. */
function failingOnce(office: PostOffice, when: 'before' | 'after'): Mail['store'] {
  let hasFailed = false
  const { store } = office.mail
  return {
    ...store,
    write: async (change) => {
      let delivers = false
      const committed = () =>
        store.write((tx) => {
          const noting = {
            ...tx,
            noteReply: (...note: Parameters<typeof tx.noteReply>) => {
              delivers = true
              tx.noteReply(...note)
            },
          }
          change(noting)
          if (delivers && !hasFailed && when === 'before') throw new MailError('storeUnavailable', 'The disk is full.')
        })
      try {
        await committed()
        if (!delivers || hasFailed) return
      } catch (error) {
        hasFailed = true
        throw error
      }
      hasFailed = true
      throw new MailError('storeUnavailable', 'The answer was lost.')
    },
  }
}

for (const when of ['before', 'after'] as const) {
  test(`a store that fails ${when} a delivery is kept repeats neither the copy, the reply nor the forward`, async (t) => {
    const office = await openPostOffice(t)
    const [ada, ben, cy] = await Promise.all(
      ['ada', 'ben', 'cy'].map((name) => office.mailbox(`${name}@contoso.example`)),
    )
    assert.ok(ada && ben && cy)
    await updateSettings(office.mail, ben.id, {
      automaticReplies: { status: 'alwaysEnabled', internalReplyMessage: 'Away' },
    })
    await createRule(office.mail, ben.id, {
      displayName: 'On to Cy',
      sequence: 1,
      isEnabled: true,
      actions: { redirectTo: to(cy.address) },
    })
    await office.send(ada, { toRecipients: to(ben.address) })
    const worker = office.startWorker({}, failingOnce(office, when))
    await worker.drain(20_000)
    const subjects = async (mailbox: typeof ada) =>
      (await office.messages(mailbox, 'inbox')).map(({ subject }) => subject)
    assert.deepEqual(await subjects(ben), ['Lunch?'])
    assert.deepEqual(await subjects(ada), ['Automatic reply: Lunch?'])
    assert.deepEqual(await subjects(cy), ['Lunch?'])
    assert.equal(await office.mail.store.outbox.countOpen(), 0)
  })
}
