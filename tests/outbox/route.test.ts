import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MailboxId, TenantId } from '../../src/mail/ids.js'
import type { Mailbox } from '../../src/mail/mailbox.js'
import type { OutboxRecipient } from '../../src/mail/outbox-entry.js'
import { type RouteRule, routeOf, routeRecipients } from '../../src/outbox/route.js'

const ada = mailbox(1, 'Ada@contoso.example')
const ben = mailbox(2, 'ben@contoso.example')
const mailboxes = new Map([
  ['ada@contoso.example', ada],
  ['countess@contoso.example', ada],
  ['ben@contoso.example', ben],
])

test('a mailbox of ours is local, whatever the case of the address and whether or not there is a relay', () => {
  for (const hasRelay of [true, false]) {
    assert.deepEqual(routeOf({ address: 'ADA@Contoso.Example' }, { mailboxes, hasRelay }), {
      kind: 'local',
      mailbox: ada,
    })
  }
})

test('everyone else goes to the relay, and nowhere without one', () => {
  assert.deepEqual(routeOf({ address: 'zoe@fabrikam.example' }, { mailboxes, hasRelay: true }), { kind: 'relay' })
  const kept = routeOf({ address: 'zoe@fabrikam.example' }, { mailboxes, hasRelay: false })
  assert.equal(kept.kind, 'capture')
})

test('recipients are sorted by route; two addresses of one mailbox are one delivery', () => {
  const [first, second, third, fourth] = [
    queued('ada@contoso.example'),
    queued('nobody@contoso.example'),
    queued('ben@contoso.example'),
    queued('countess@contoso.example'),
  ] as const
  const routed = routeRecipients([first, second, third, fourth], { mailboxes, hasRelay: true })
  assert.deepEqual(routed, {
    local: [
      { mailbox: ada, recipients: [first, fourth] },
      { mailbox: ben, recipients: [third] },
    ],
    relay: [second],
    settled: new Map(),
  })
})

test('the first rule that matches decides; what somebody has released is not held again', () => {
  const rules: RouteRule[] = [
    {
      except: ['fabrikam.example', '*.fabrikam.example', 'one@tailspin.example'],
      via: 'capture',
      reply: 'Not allowed.',
    },
    { recipients: ['Boss@Fabrikam.example'], via: 'hold' },
    { recipients: ['*.fabrikam.example'], senders: ['contoso.example'], via: 'refuse' },
    { via: ['relay'] },
  ]
  const kindOf = (address: string, given: { mailFrom?: string; isReleased?: true } = {}) => {
    const { mailFrom = 'me@contoso.example', ...flags } = given
    return routeOf({ address, ...flags }, { mailboxes, hasRelay: true, mailFrom, rules }).kind
  }
  assert.equal(kindOf('x@tailspin.example'), 'capture')
  assert.equal(kindOf('ONE@tailspin.example'), 'relay')
  assert.equal(kindOf('x@evilfabrikam.example'), 'capture')
  assert.equal(kindOf('x@fabrikam.example'), 'relay')
  assert.equal(kindOf('boss@fabrikam.example'), 'hold')
  assert.equal(kindOf('boss@fabrikam.example', { isReleased: true }), 'relay')
  assert.equal(kindOf('x@a.b.fabrikam.example'), 'refuse')
  assert.equal(kindOf('x@a.fabrikam.example', { mailFrom: 'me@elsewhere.example' }), 'relay')
  assert.equal(kindOf('ada@contoso.example'), 'local')
  const { settled } = routeRecipients([queued('boss@fabrikam.example'), queued('x@tailspin.example')], {
    mailboxes,
    hasRelay: true,
    rules,
  })
  assert.deepEqual(
    [...settled.values()].map(({ state }) => state),
    ['held', 'captured'],
  )
})

function queued(address: string): OutboxRecipient {
  return { address, state: 'queued' }
}

function mailbox(id: number, address: string): Mailbox {
  return {
    id: id as MailboxId,
    tenant: '00000000-0000-4000-8000-000000000001' as TenantId,
    guid: '00000000-0000-4000-8000-000000000002',
    owner: '00000000-0000-4000-8000-000000000003',
    userPrincipalName: address,
    address,
    displayName: address,
  }
}
