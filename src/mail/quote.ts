import { htmlOf, normaliseHtml } from './body.js'
import { htmlTokens } from './html-tokens.js'
import type { EmailAddress, ItemBody, Message } from './message.js'

/**
 * The body of an answer: the author's words, then the message it answers, in the form the service writes (recorded, and
 * looked for by everything that cuts quotes off): the head of the original is kept, and its body stands in a `div` of its
 * own below a rule and who sent what to whom.
 *
 * @param comment plain text; shown escaped, its lines kept
 * @param timeZone IANA name, of the line `Sent:`
 */
export function quotedBody(original: Message, comment: string, timeZone: string): ItemBody {
  const { body } = original.content
  // Of a text it is made in its normal form.
  const { start, inner, end } = documentParts(body.contentType === 'text' ? htmlOf(body) : normaliseHtml(body.content))
  const words = comment === '' ? '' : `${escaped(comment).replace(/\r\n?|\n/g, '<br>')} `
  const content = `${start}${words}${rule}${header(original, timeZone)}<div>${inner}</div>${end}`
  return { contentType: 'html', content }
}

const rule = '<hr tabindex="-1" style="display:inline-block; width:98%">'

function header({ content, subject, sentAt }: Message, timeZone: string): string {
  const { from, sender, toRecipients, ccRecipients } = content
  const author = from ?? sender
  const lines = [
    line('From', author === undefined ? '' : named(author)),
    line('Sent', escaped(sentLine(sentAt, timeZone))),
    line('To', toRecipients.map(named).join('; ')),
    ...(ccRecipients.length === 0 ? [] : [line('Cc', ccRecipients.map(named).join('; '))]),
    line('Subject', escaped(subject ?? '')),
  ]
  return `<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif" color="#000000" style="font-size:11pt">${lines.join('<br>')}</font> <div>&nbsp;</div></div>`
}

function line(label: string, value: string): string {
  return `<b>${label}:</b> ${value}`
}

function named({ name, address }: EmailAddress): string {
  return `${escaped(name ?? address)} &lt;${escaped(address)}&gt;`
}

/** `Friday, March 20, 2026 9:10:51 AM`: en-US, whatever the mailbox speaks, and without a zone (recorded). */
export function sentLine(at: number, timeZone: string): string {
  const format = new Intl.DateTimeFormat('en-US', {
    weekday: 'long',
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    second: '2-digit',
    hour12: true,
    timeZone,
  })
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]))
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? ''
  const date = `${part('weekday')}, ${part('month')} ${part('day')}, ${part('year')}`
  return `${date} ${part('hour')}:${part('minute')}:${part('second')} ${part('dayPeriod')}`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** A document in its normal form, cut behind its `<body ...>` tag and before `</body>`. */
function documentParts(html: string): { start: string; inner: string; end: string } {
  let start = ''
  for (const { kind, name, text } of htmlTokens(html)) {
    start += text
    if (kind === 'open' && name === 'body') break
  }
  const end = html.lastIndexOf('</body>')
  return { start, inner: html.slice(start.length, end), end: html.slice(end) }
}
