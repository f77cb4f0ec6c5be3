import assert from 'node:assert/strict'
import { test } from 'node:test'
import { uniqueBodyOf } from '../../src/mail/unique-body.js'

const html = (content: string) => uniqueBodyOf({ contentType: 'html', content }).content
const text = (content: string) => uniqueBodyOf({ contentType: 'text', content }).content

test('of HTML the part before the first quote is left', () => {
  assert.equal(html('<p>Yes</p><hr tabindex="-1"><div id="divRplyFwdMsg" dir="ltr">From</div>old'), '<p>Yes</p>')
  assert.equal(html('<p>Yes</p> <hr>\r\n<div id=divRplyFwdMsg>From</div>old'), '<p>Yes</p> ')
  assert.equal(html('Yes<div id="x_divRplyFwdMsg">old</div>'), 'Yes')
  assert.equal(html('Yes<br><div class="gmail_quote gmail_quote_container">old</div>'), 'Yes<br>')
  assert.equal(html('Yes<div dir="ltr" class="extra x_gmail_quote">old</div>'), 'Yes')
  assert.equal(html("Yes<div class='moz-cite-prefix'>On Friday, A wrote:</div><blockquote>old</blockquote>"), 'Yes')
  assert.equal(html('Yes<div class=moz-forward-container>old</div>'), 'Yes')
  assert.equal(html('Yes<div id="x_x_appendonsend"></div><hr><div id="x_x_divRplyFwdMsg">old</div>'), 'Yes')
  assert.equal(html('Yes<blockquote type="cite">old</blockquote>'), 'Yes')
  assert.equal(html('Yes<BLOCKQUOTE cite="mid:1@x" TYPE=Cite>old</BLOCKQUOTE>'), 'Yes')
  assert.equal(html('Yes<hr><hr><div id="divRplyFwdMsg">old</div>'), 'Yes<hr>')
  assert.equal(html('Yes<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3pt">From</div>'), 'Yes')
})

test('rules and quotations of the author stay', () => {
  for (const own of [
    '<p>One</p><hr><p>Two</p>',
    '<blockquote>a saying</blockquote>',
    'id="divRplyFwdMsg" in words',
    '<div class="quote">own</div>',
    '<div data-id="divRplyFwdMsg" title="class=gmail_quote">own</div>',
    '<div class="gmail_quoted">own</div>',
    '<p id="divRplyFwdMsg">own</p>',
    '<blockquote type="disc">own</blockquote>',
    '<p>ends in a rule</p><hr>',
    '',
  ]) {
    assert.equal(html(own), own)
  }
})

test('of text the lines before the quote are left', () => {
  assert.equal(text('Yes\r\n\r\n-----Original Message-----\r\nFrom: A\r\nold'), 'Yes')
  assert.equal(text('Yes\n________________________________\nFrom: A\nSent: today'), 'Yes')
  assert.equal(text('Yes\n\nFrom: A <a@example.com>\nSent: Friday\nTo: B\n\nold'), 'Yes')
  assert.equal(text('Yes\r\n\r\n*From:* A\r\n*Sent:* Friday\r\nold'), 'Yes')
  assert.equal(text('Yes\n________________________________\n\nFrom: A\nDate: today'), 'Yes')
  assert.equal(text('Yes\n\n---------- Forwarded message ---------\nFrom: A\nold'), 'Yes')
  assert.equal(text('Yes\n\nBegin forwarded message:\n\n> old'), 'Yes')
  assert.equal(text('Yes\n\nOn Friday, A wrote:\n> old\n> older'), 'Yes')
  assert.equal(text('Yes\r\n\r\nOn Fri, A B C <a@example.com>\r\nwrote:\r\n\r\n> old'), 'Yes')
  assert.equal(text('Yes\n\nOn Friday, 20 November\n2026 at 9:10 A B\n<a@example.com> wrote:\n\n> old'), 'Yes')
  assert.equal(text('> old\n\nanswered below'), '> old\n\nanswered below')
  assert.equal(text('Total\n________________________________\n100'), 'Total\n________________________________\n100')
  assert.equal(text('On Friday he wrote:\nno quote here'), 'On Friday he wrote:\nno quote here')
  assert.equal(
    text('On the whole I agree with what he wrote:\nnothing'),
    'On the whole I agree with what he wrote:\nnothing',
  )
  assert.equal(text('From: here on\nno quote'), 'From: here on\nno quote')
})

test('markup made to be slow comes through whole: a quadratic pass would take minutes', () => {
  for (const slow of ['<div id='.repeat(200_000), '<hr>'.repeat(200_000)]) assert.equal(html(slow), slow)
  for (const slow of ['On \n', 'From: \n', `${'_'.repeat(20)}\n`, `On ${'x'.repeat(5_000)}\n`]) {
    const lines = slow.repeat(1_000_000 / slow.length)
    assert.equal(text(lines), lines)
  }
})
