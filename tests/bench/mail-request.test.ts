import assert from 'node:assert/strict'
import { test } from 'node:test'
import { draftRequests, localAndRemote, mailBytes, remoteOnly, sendMailRequests } from '../../bench/mail-request.js'

test('every request carries valid JSON of exactly the stated size, from the senders in turn', () => {
  for (const [index, request] of sendMailRequests(['one', 'two'], localAndRemote).entries()) {
    const [head = '', json = ''] = request.split('\r\n\r\n')
    assert.equal(Buffer.byteLength(json), mailBytes)
    assert.match(head, new RegExp(`^POST /v1.0/me/sendMail HTTP/1.1\r\n[^]*Content-Length: ${mailBytes}$`))
    assert.match(head, index % 2 === 0 ? /Bearer one\r\n/ : /Bearer two\r\n/)
    assert.equal(JSON.parse(json).message.toRecipients.length, 1)
  }
})

test('mail for the relay has no recipient of ours', () => {
  const requests = sendMailRequests(['token'], remoteOnly)
  assert.ok(requests.every((request) => !request.includes('contoso.com')))
  assert.equal(new Set(requests).size, requests.length)
})

test('drafts are as large as the mails, and each is sent by who made it', () => {
  const { requests, sends } = draftRequests(['one', 'two'], localAndRemote)
  assert.equal(sends.length, requests.length)
  for (const [index, request] of requests.entries()) {
    const [head = '', json = ''] = request.split('\r\n\r\n')
    assert.equal(Buffer.byteLength(json), mailBytes)
    assert.match(head, new RegExp(`^POST /v1.0/me/messages HTTP/1.1\r\n[^]*Content-Length: ${mailBytes}$`))
    assert.equal(JSON.parse(json).toRecipients.length, 1)
    const bearer = /Bearer (\w+)\r\n/
    const send = sends[index] ?? ''
    assert.match(send, /^POST \/v1.0\/me\/messages\/\{id\}\/send HTTP\/1.1\r\n/)
    assert.match(send, /\r\nContent-Length: 0\r\n\r\n$/)
    assert.equal(bearer.exec(send)?.[1], bearer.exec(head)?.[1])
  }
})
