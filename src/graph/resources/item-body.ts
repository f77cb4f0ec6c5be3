import { htmlOf, normaliseHtml, textOf } from '../../mail/body.js'
import type { ItemBody } from '../../mail/message.js'
import { sanitizeHtml } from '../../mail/sanitize-html.js'
import type { Preferences } from '../preferences.js'
import { objectType, type Reading, readEnum, readMembers, readObject, readText } from './values.js'

const bodyTypes = ['text', 'html'] as const

const itemBodyType = objectType<{ contentType: ItemBody['contentType']; content: string }>('microsoft.graph.itemBody', {
  // Left out or null means text (recorded); so does the empty text of the reference pages' samples.
  contentType: (into, value, { path }) => {
    const type = value === '' ? null : value
    into.contentType = readEnum(type, bodyTypes, 'microsoft.graph.bodyType', path) ?? 'text'
  },
  content: (into, value, { path }) => {
    into.content = readText(value, path) ?? ''
  },
})

/** `{"contentType","content"}`; undefined for null. */
export function readItemBody(value: unknown, reading: Reading): ItemBody | undefined {
  const members = readObject(value, reading.path)
  if (members === null) return undefined
  return readMembers(members, itemBodyType, { contentType: 'text', content: '' }, reading)
}

/** Text as it was written, HTML as Exchange wraps it; the other form when the caller prefers it. */
export function presentItemBody(body: ItemBody, { bodyContentType, allowUnsafeHtml }: Preferences): ItemBody {
  if (bodyContentType === 'text') return { contentType: 'text', content: textOf(body) }
  if (body.contentType === 'text') {
    return bodyContentType === 'html' ? { contentType: 'html', content: htmlOf(body) } : body
  }
  const html = allowUnsafeHtml ? body.content : sanitizeHtml(body.content)
  return { contentType: 'html', content: normaliseHtml(html) }
}
