import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isDeliverableAddress } from '../../src/mail/email-address.js'

function each(addresses: readonly string[], expected: boolean): void {
  for (const address of addresses) assert.equal(isDeliverableAddress(address), expected, JSON.stringify(address))
}

test('an address of an atom and a domain is deliverable, and so is one on a host without dots', () => {
  each(['ada@example.com', 'a.b+tag@sub.example.co.uk', "o'brien@example.com", 'root@localhost', 'a@b_c.test'], true)
  each(["!#$%&'*+-/=?^_`{|}~@example.com"], true)
})

test('an address without a local part or a domain, or with two of them, is not', () => {
  each(['', '@', 'ada', 'ada@', '@example.com', 'ada@@example.com', 'ada@b@example.com'], false)
})

test('several addresses in one are none', () => {
  each(['a@x.com;b@y.com', 'a@x.com,b@y.com', 'a@x.com b@y.com', 'Ada <ada@example.com>', '<ada@example.com>'], false)
})

test('blanks, controls and line breaks make it undeliverable', () => {
  each([' ada@example.com', 'ada@example.com ', 'a da@example.com', 'ada@exa mple.com', 'ada\t@example.com'], false)
  each(['ada@example.com\r\nBcc: eve@example.com', 'ada\u0000@example.com', 'ada\u0085@example.com'], false)
  each(['ada\u00a0@example.com', 'ada\u2028@example.com', 'ada\u202e@example.com', 'ada@exam\u200bple.com'], false)
  each(['ada\ud800@example.com', 'ada@\udc00.com', '"a\u0000b"@example.com', '"a\u2028b"@example.com'], false)
})

test('dots stand between atoms and between labels only', () => {
  each(['.ada@example.com', 'ada.@example.com', 'a..b@example.com'], false)
  each(['ada@.example.com', 'ada@example.com.', 'ada@example..com'], false)
})

test('a quoted local part may hold what an atom may not, but for controls and an open end', () => {
  each(['"ada"@example.com', '"a b"@example.com', '"a@b"@example.com', '"a\\"b"@example.com', '"a;b,c<d>"@x.org'], true)
  each(['""@example.com', '"@example.com', '"a"b"@example.com', '"a\\"@example.com', '"a\nb"@example.com'], false)
})

test('the lengths are those of RFC 5321, counted in octets', () => {
  const label = 'd'.repeat(63)
  each([`${'a'.repeat(64)}@example.com`, `ada@${label}.com`], true)
  each([`${'a'.repeat(65)}@example.com`, `ada@${label}d.com`], false)
  each([`${'é'.repeat(32)}@example.com`], true)
  each([`${'é'.repeat(33)}@example.com`], false)
  const domain = `${label}.${label}.${label}.`
  each([`a@${domain}${'e'.repeat(60)}`], true)
  each([`a@${domain}${'e'.repeat(61)}`], false)
})

test('a label is of letters, digits and inner hyphens', () => {
  each(['ada@ex-ample.com', 'ada@3com.example', 'ada@xn--bcher-kva.example'], true)
  each(['ada@-example.com', 'ada@example-.com', 'ada@exa!mple.com', 'ada@exa%41mple.com', 'ada@example.com/x'], false)
})

test('internationalised addresses are deliverable, on both sides', () => {
  each(
    ['用户@例え.jp', 'jürgen@bücher.example', 'ada@BÜCHER.example', 'ada@straße.de', 'ada@bu\u0308cher.example'],
    true,
  )
})

test('a domain that is only mapped to another name is not deliverable', () => {
  each(['ada@evil\u3002com', 'ada@evil\uff0ecom', 'ada@１.２.３.４', 'ada@ﬀ.com', 'ada＠example.com'], false)
})

test('address literals are those of IPv4 and IPv6', () => {
  each(['ada@[192.0.2.1]', 'ada@[IPv6:2001:db8::1]', 'ada@[ipv6:::1]'], true)
  each(['ada@[999.0.2.1]', 'ada@[192.0.2]', 'ada@[2001:db8::1]', 'ada@[IPv6:fe80::1%eth0]', 'ada@[x]'], false)
  each(['ada@[192.0.2.1', 'ada@192.0.2.1]', 'ada@[]', 'ada@[192.0.2.1]x'], false)
})

test('any text is answered with true or false, and what is deliverable has no line break and one envelope form', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const deliverable = isDeliverableAddress(text) || isDeliverableAddress(`${text}@example.com`)
      if (deliverable) assert.doesNotMatch(text, /[\p{Cc}]/u)
    }),
  )
})
