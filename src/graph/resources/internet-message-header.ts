import { MailError } from '../../mail/errors.js'
import type { InternetMessageHeader } from '../../mail/message.js'
import {
  cannotConvert,
  hasControlCharacter,
  inside,
  objectType,
  quotable,
  type Reading,
  readArray,
  readMembers,
  readObject,
  readText,
} from './values.js'

/** Graph: at most 5 headers of the caller's own. */
const maxHeaders = 5

/** RFC 5322 §2.2: printable ASCII but the colon. The length leaves room for a value on the line. */
const fieldName = /^[\x21-\x39\x3b-\x7e]{1,200}$/
const ownFieldName = /^x-./i

const headerType = objectType<{ name: string; value: string }>('microsoft.graph.internetMessageHeader', {
  name: (into, value, { path }) => {
    into.name = readText(value, path) ?? ''
  },
  value: (into, value, { path }) => {
    into.value = readText(value, path) ?? ''
  },
})

/**
 * 1 to 5 headers of the author's own, each `x-`; an empty list is refused like a long one (observed). An attached message
 * may be one that was received: the headers its transport wrote are left out, and not refused.
 *
 * @throws MailError tooManyHeaders, headerInvalid, headerNotAllowed
 */
export function readInternetMessageHeaders(value: unknown, reading: Reading): InternetMessageHeader[] {
  if (value === null) return []
  const list = readArray(value, reading.path)
  const isAttached = reading.depth > 0
  if (!isAttached && (list.length === 0 || list.length > maxHeaders)) {
    throw new MailError('tooManyHeaders', `A message has 1 to ${maxHeaders} headers of its own, or no list of them.`, {
      property: reading.path,
    })
  }
  const headers = list.map((item, index) => readHeader(item, inside(reading, index)))
  const kept = isAttached ? headers.filter(({ name }) => ownFieldName.test(name)).slice(0, maxHeaders) : headers
  for (const header of kept) requireOwnHeader(header, reading)
  return kept
}

function readHeader(item: unknown, reading: Reading): InternetMessageHeader {
  const members = readObject(item, reading.path)
  if (members === null) throw cannotConvert(item, headerType.name, reading.path)
  return readMembers(members, headerType, { name: '', value: '' }, reading)
}

function requireOwnHeader({ name, value }: InternetMessageHeader, { path }: Reading): void {
  const details = { property: path, value: quotable(name) }
  if (!fieldName.test(name)) {
    throw new MailError('headerInvalid', 'A header name is printable ASCII without blanks and colons.', details)
  }
  if (!ownFieldName.test(name)) {
    throw new MailError('headerNotAllowed', 'The name of an own header begins with x-.', details)
  }
  if (hasControlCharacter(value)) {
    throw new MailError('headerInvalid', 'A header value is one line: it holds no line break.', details)
  }
}
