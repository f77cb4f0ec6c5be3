import type { EmailAddress, ItemBody, Message } from './message.js'
import { textOfParagraphs } from './plain-markup.js'
import { plainTextStartOf } from './plain-text.js'
import type { SearchDocument } from './search.js'
import { wordsOf } from './search-words.js'

/** Words of one field at most: the places of words that PostgreSQL can tell apart are few more. */
const maxWords = 16_000
/** How often a word counts in one field; PostgreSQL keeps no more places of it. */
const maxOccurrences = 255
/** Characters of the words of one field: with their marks they fill half of what PostgreSQL takes for a document. */
const maxCharacters = 100_000
/** Markup of a body that is looked at, in characters: laying it out as text takes time. */
export const maxMarkupLength = 400_000

/** What stands between two values of a list, so that no phrase reaches from one into the next. */
const gap = ''

/** What the index keeps of a message. */
export function searchDocumentOf(message: Message, attachmentNames: readonly string[]): SearchDocument {
  const { content } = message
  return {
    mailbox: message.mailbox,
    message: message.id,
    change: message.change,
    words: {
      subject: wordsOfAll([message.subject ?? '']),
      body: wordsOfAll([bodyText(content.body)]),
      from: participants([content.from, content.sender]),
      to: participants(content.toRecipients),
      cc: participants(content.ccRecipients),
      bcc: participants(content.bccRecipients),
      attachments: wordsOfAll(attachmentNames),
    },
  }
}

function bodyText({ contentType, content }: ItemBody): string {
  if (contentType === 'text') return content.slice(0, maxMarkupLength)
  try {
    // What programs send is mostly plain, and the library takes most of the time that indexing a mail does.
    return textOfParagraphs(content, maxMarkupLength) ?? plainTextStartOf(content, maxMarkupLength, maxCharacters)
  } catch {
    // Whatever is wrong with one body: its message is found by all else, and the others are not held up.
    return ''
  }
}

/** Who they are: name and address, each a value of its own. */
function participants(people: readonly (EmailAddress | undefined)[]): string[] {
  const values = people.flatMap((person) => (person === undefined ? [] : [person.name ?? '', person.address]))
  return wordsOfAll([...new Set(values)])
}

function wordsOfAll(values: readonly string[]): string[] {
  const words: string[] = []
  const occurrences = new Map<string, number>()
  let characters = 0
  for (const value of values) {
    if (words.length > 0) words.push(gap)
    for (const word of wordsOf(value)) {
      characters += word.length
      if (words.length >= maxWords || characters > maxCharacters) return words
      const times = (occurrences.get(word) ?? 0) + 1
      occurrences.set(word, times)
      words.push(times > maxOccurrences ? gap : word)
    }
  }
  return words
}
