/**
 * Random searches, each with what it means: worked out plainly on messages as they are shown, without the parser, the
 * index or the SQL that serve it.
 */
import fc from 'fast-check'

/** What the API shows of a message, with its attachments. */
export interface Shown {
  readonly id: string
  readonly subject: string | null
  readonly body: { readonly contentType: string; readonly content: string }
  readonly from?: Person
  readonly sender?: Person
  readonly toRecipients: readonly Person[]
  readonly ccRecipients: readonly Person[]
  readonly bccRecipients: readonly Person[]
  readonly attachments: readonly { readonly name: string }[]
  readonly importance: string
  readonly hasAttachments: boolean
  readonly sentDateTime: string
  readonly receivedDateTime: string
  readonly parentFolderId: string
}

interface Person {
  readonly emailAddress: { readonly name?: string; readonly address: string }
}

/** undefined: it has no words and so no say. */
export type Meets = (message: Shown) => boolean | undefined

/** A search and its meaning. */
export interface AnySearch {
  /** The value of `$search`. */
  readonly text: string
  readonly meets: Meets
}

/** A piece of KQL; `binds`: what it must stand in parentheses for. */
interface Piece {
  readonly text: string
  readonly binds: 'or' | 'and' | 'one'
  readonly meets: Meets
}

const namesOf = (...people: readonly (Person | undefined)[]) =>
  people.flatMap((person) =>
    person === undefined ? [] : [person.emailAddress.name ?? '', person.emailAddress.address],
  )
const recipientsOf = ({ toRecipients, ccRecipients, bccRecipients }: Shown) =>
  namesOf(...toRecipients, ...ccRecipients, ...bccRecipients)
const sendersOf = ({ from, sender }: Shown) => namesOf(from, sender)
const bodyOf = ({ body: { contentType, content } }: Shown) =>
  contentType === 'text' ? content : content.replace(/<[^>]*>/g, ' ').replace(/&amp;/g, '&')

/** The values of a message in which a property's words are looked for, each apart. */
const valuesOf: Readonly<Record<string, (message: Shown) => readonly string[]>> = {
  '': (message) => [...sendersOf(message), message.subject ?? '', bodyOf(message)],
  subject: ({ subject }) => [subject ?? ''],
  body: (message) => [bodyOf(message)],
  from: sendersOf,
  to: ({ toRecipients }) => namesOf(...toRecipients),
  cc: ({ ccRecipients }) => namesOf(...ccRecipients),
  bcc: ({ bccRecipients }) => namesOf(...bccRecipients),
  recipients: recipientsOf,
  participants: (message) => [...sendersOf(message), ...recipientsOf(message)],
  attachment: ({ attachments }) => attachments.map(({ name }) => name),
}
const textProperties = Object.keys(valuesOf).filter((property) => property !== '')

/** Words as a reader would count them: letters and digits, without capitals and accents; each Chinese sign is one. */
export function readerWords(text: string): string[] {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  return plain.split(/[^\p{L}\p{N}]+|(?<=\p{Script=Han})|(?=\p{Script=Han})/u).filter((word) => word !== '')
}

function holdsWords(property: string, text: string, isPrefix: boolean): Meets {
  const wanted = readerWords(text)
  if (wanted.length === 0) return () => undefined
  return (message) =>
    (valuesOf[property]?.(message) ?? []).some((value) => {
      const words = readerWords(value)
      return words.some((_, start) =>
        wanted.every((word, place) => {
          const there = words[start + place]
          return isPrefix && place === wanted.length - 1 ? there?.startsWith(word) : there === word
        }),
      )
    })
}

const vocabulary = ['alpha', 'beta', 'gamma', 'alphabet', 'Été', 'ete', '北京', '42', "o'neil", 'straße', 'ﬁn', 'and']
const names = ['Ada Byron', 'Bob Builder', 'Zoë', 'Ada', '北 京']
const addresses = ['ada@contoso.com', 'bob.builder@contoso.com', 'zoe@example.org', 'ada.byron@example.org']
const files = ['report.pdf', 'Alpha beta.txt', 'été-42.png']

const anyPerson = fc
  .record({ name: fc.constantFrom(...names), address: fc.constantFrom(...addresses) })
  .map((emailAddress) => ({ emailAddress }))
const someWords = (max: number) => fc.array(fc.constantFrom(...vocabulary), { maxLength: max })
const somePeople = fc.array(anyPerson, { maxLength: 2 })

/** What a message says that a draft can be made of, or changed to. */
export const anySearchedContent = fc.record({
  subject: someWords(3).map((words) => words.join(' ')),
  body: fc.oneof(
    someWords(6).map((words) => ({ contentType: 'text', content: words.join(' ') })),
    someWords(6).map((words) => ({
      contentType: 'html',
      content: words.map((word) => `<p>${word} &amp;</p>`).join(''),
    })),
  ),
  toRecipients: somePeople,
  ccRecipients: somePeople,
  bccRecipients: somePeople,
  importance: fc.constantFrom('low', 'normal', 'high'),
})

/** A message that is searched; `pause`: seconds until the next one. */
export const anySearchedMessage = fc.record({
  folder: fc.constantFrom('inbox', 'drafts', 'archive'),
  pause: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 60_000 })),
  draft: fc
    .tuple(anySearchedContent, anyPerson, fc.option(fc.constantFrom(...files), { nil: undefined }))
    .map(([content, from, name]) => ({
      ...content,
      from,
      ...(name === undefined
        ? {}
        : { attachments: [{ '@odata.type': '#microsoft.graph.fileAttachment', name, contentBytes: 'AAAA' }] }),
    })),
})

/** Letters of a name in any case. */
const inAnyCase = (word: string): fc.Arbitrary<string> =>
  fc.constantFrom(word, word.toUpperCase(), word.slice(0, 1).toUpperCase() + word.slice(1))

const quoted = (text: string) => `"${text}"`

/** Words as a search has them, in quotes or not; keywords in capitals only in quotes. */
const anyWords: fc.Arbitrary<{ text: string; means: string; isPrefix: boolean }> = fc
  .record({
    words: fc.oneof(
      { weight: 5, arbitrary: fc.array(fc.constantFrom(...vocabulary), { minLength: 1, maxLength: 2 }) },
      { weight: 2, arbitrary: fc.constantFrom(...names, ...addresses, ...files).map((text) => text.split(' ')) },
      {
        weight: 2,
        arbitrary: fc.constantFrom('al', 'a', 'é', '北', '4', 'rep', 'AND', 'note:alpha').map((text) => [text]),
      },
      { weight: 1, arbitrary: fc.constantFrom('&', '-', '--', '🎉').map((text) => [text]) },
    ),
    isQuoted: fc.boolean(),
    isPrefix: fc.boolean(),
  })
  .map(({ words, isQuoted, isPrefix }) => {
    const means = words.join(' ')
    const star = isPrefix ? '*' : ''
    return {
      means,
      isPrefix,
      text: isQuoted || words.length > 1 || means === 'AND' ? `"${means}"${star}` : means + star,
    }
  })

const isOrNot = (operator: string, meets: Meets): Meets => {
  if (operator !== '<>') return meets
  return (message) => {
    const truth = meets(message)
    return truth === undefined ? undefined : !truth
  }
}

const equality = fc.constantFrom(':', ':', ':', '=', '<>')

const freeTerm: fc.Arbitrary<Piece> = anyWords.map(({ text, means, isPrefix }) => ({
  text,
  binds: 'one',
  meets: holdsWords('', means, isPrefix),
}))

const textRestriction: fc.Arbitrary<Piece> = fc
  .constantFrom(...textProperties)
  .chain((property) => fc.tuple(fc.constant(property), inAnyCase(property), equality, anyWords))
  .map(([property, written, operator, { text, means, isPrefix }]) => ({
    text: written + operator + text,
    binds: 'one',
    meets: isOrNot(operator, holdsWords(property, means, isPrefix)),
  }))

/** `subject:(alpha OR beta)`. */
const groupRestriction: fc.Arbitrary<Piece> = fc
  .record({
    property: fc.constantFrom(...textProperties),
    operator: equality,
    words: fc.array(anyWords, { minLength: 1, maxLength: 3 }),
    kind: fc.constantFrom('or' as const, 'and' as const),
  })
  .map(({ property, operator, words, kind }) => ({
    text: `${property}${operator}(${words.map(({ text }) => text).join(kind === 'or' ? ' OR ' : ' ')})`,
    binds: 'one',
    meets: joint(
      kind,
      words.map(({ means, isPrefix }) => isOrNot(operator, holdsWords(property, means, isPrefix))),
    ),
  }))

/** What has no say is as if it were not there. */
function joint(kind: 'and' | 'or', operands: readonly Meets[]): Meets {
  return (message) => {
    const truths = operands.map((meets) => meets(message)).filter((truth) => truth !== undefined)
    if (truths.length === 0) return undefined
    return kind === 'and' ? truths.every(Boolean) : truths.some(Boolean)
  }
}

const plainRestriction: fc.Arbitrary<Piece> = fc
  .tuple(
    fc.oneof(
      fc.constantFrom<readonly [string, string, Meets]>(
        ['hasAttachment', 'true', ({ hasAttachments }) => hasAttachments],
        ['hasAttachments', 'no', ({ hasAttachments }) => !hasAttachments],
        ['importance', 'High', ({ importance }) => importance === 'high'],
        ['importance', 'medium', ({ importance }) => importance === 'normal'],
        ['importance', '"low"', ({ importance }) => importance === 'low'],
        ['kind', 'email', () => true],
        ['kind', 'contacts', () => false],
        ['size', '0..100000000', () => true],
        ['size', '3', () => false],
      ),
    ),
    equality,
  )
  .chain(([[property, value, meets], operator]) =>
    inAnyCase(property).map((written) => ({
      text: written + operator + value,
      binds: 'one' as const,
      meets: isOrNot(operator, meets),
    })),
  )

const dayMs = 86_400_000

interface Span {
  readonly text: string
  readonly from: number
  readonly until: number
}

/** A day of those of the mailbox, or a second in which a message was sent, as it can be written. */
function anySpan(moments: readonly number[]): fc.Arbitrary<Span> {
  return fc.tuple(fc.constantFrom(...moments), fc.nat(4)).map(([at, form]) => {
    const day = Math.floor(at / dayMs) * dayMs
    const iso = new Date(at).toISOString()
    const [year, month, date] = iso.slice(0, 10).split('-') as [string, string, string]
    if (form === 0) return { text: iso.replace('.000', ''), from: at, until: at + 1_000 }
    if (form === 1) {
      const minute = Math.floor(at / 60_000) * 60_000
      return { text: iso.slice(0, 16), from: minute, until: minute + 60_000 }
    }
    const days = [iso.slice(0, 10), `${month}/${date}/${year}`, `${Number(month)}/${Number(date)}/${year}`]
    return { text: days[form - 2] ?? '', from: day, until: day + dayMs }
  })
}

/** Days by name, counted in calendar fields. */
const namedDays: Readonly<Record<string, (at: Date, now: Date) => boolean>> = {
  today: (at, now) => dayNumber(at) === dayNumber(now),
  yesterday: (at, now) => dayNumber(at) === dayNumber(now) - 1,
  '"this week"': (at, now) => weekNumber(at) === weekNumber(now),
  '"last week"': (at, now) => weekNumber(at) === weekNumber(now) - 1,
  '"this month"': (at, now) => monthNumber(at) === monthNumber(now),
  '"last month"': (at, now) => monthNumber(at) === monthNumber(now) - 1,
  '"this year"': (at, now) => at.getUTCFullYear() === now.getUTCFullYear(),
  '"last year"': (at, now) => at.getUTCFullYear() === now.getUTCFullYear() - 1,
}
const dayNumber = (at: Date) => Math.floor(at.getTime() / dayMs)
/** 4 January 1970 was a Sunday. */
const weekNumber = (at: Date) => Math.floor((dayNumber(at) - 3) / 7)
const monthNumber = (at: Date) => at.getUTCFullYear() * 12 + at.getUTCMonth()

const momentOf = {
  sent: ({ sentDateTime }: Shown) => Date.parse(sentDateTime),
  received: ({ receivedDateTime }: Shown) => Date.parse(receivedDateTime),
}

const comparisons: Readonly<Record<string, (at: number, span: Span) => boolean>> = {
  ':': (at, { from, until }) => from <= at && at < until,
  '=': (at, { from, until }) => from <= at && at < until,
  '<>': (at, { from, until }) => at < from || until <= at,
  '<': (at, { from }) => at < from,
  '<=': (at, { until }) => at < until,
  '>': (at, { until }) => at >= until,
  '>=': (at, { from }) => at >= from,
}

function dateRestriction(moments: readonly number[], now: number): fc.Arbitrary<Piece> {
  const span = anySpan(moments)
  const property = fc.constantFrom('sent' as const, 'received' as const)
  const compared = fc
    .tuple(property, fc.constantFrom(...Object.keys(comparisons)), span)
    .map(([name, operator, value]) => ({
      text: name + operator + value.text,
      meets: (message: Shown) => comparisons[operator]?.(momentOf[name](message), value),
    }))
  const ranged = fc
    .tuple(property, fc.option(span), fc.option(span))
    .filter(([, first, last]) => first !== null || last !== null)
    .map(([name, first, last]) => ({
      text: `${name}:${first?.text ?? ''}..${last?.text ?? ''}`,
      meets: (message: Shown) => {
        const at = momentOf[name](message)
        return (first === null || at >= first.from) && (last === null || at < last.until)
      },
    }))
  const named = fc.tuple(property, fc.constantFrom(...Object.keys(namedDays))).map(([name, day]) => ({
    text: `${name}:${day}`,
    meets: (message: Shown) => namedDays[day]?.(new Date(momentOf[name](message)), new Date(now)),
  }))
  return fc.oneof(compared, ranged, named).map((piece) => ({ ...piece, binds: 'one' }))
}

/** In parentheses where it must be, and now and then where it need not. */
function within(outer: 'and' | 'one', piece: Piece, isDoubled: boolean): string {
  const order = ['or', 'and', 'one']
  return isDoubled || order.indexOf(piece.binds) < order.indexOf(outer) ? `(${piece.text})` : piece.text
}

/** Any search over messages of these moments, ms; `now`: what `today` is counted from. */
export function anySearch(moments: readonly number[], now: number): fc.Arbitrary<AnySearch> {
  const leaf = fc.oneof(
    { weight: 4, arbitrary: freeTerm },
    { weight: 5, arbitrary: textRestriction },
    { weight: 1, arbitrary: groupRestriction },
    { weight: 1, arbitrary: plainRestriction },
    { weight: 2, arbitrary: dateRestriction(moments, now) },
  )
  const { piece } = fc.letrec<{ piece: Piece }>((tie) => {
    const operand = fc.tuple(tie('piece'), fc.constantFrom(false, false, true))
    const operands = fc.array(operand, { minLength: 2, maxLength: 3 })
    const either = operands.map(
      (list): Piece => ({
        text: list.map(([one, isDoubled]) => within('and', one, isDoubled)).join(' OR '),
        binds: 'or',
        meets: joint(
          'or',
          list.map(([one]) => one.meets),
        ),
      }),
    )
    const all = fc.tuple(operands, fc.constantFrom(' ', '  ', ' AND ')).map(
      ([list, between]): Piece => ({
        text: list.map(([one, isDoubled]) => within('and', one, isDoubled)).join(between),
        binds: 'and',
        meets: joint(
          'and',
          list.map(([one]) => one.meets),
        ),
      }),
    )
    const not = operand.map(
      ([one, isDoubled]): Piece => ({
        text: `NOT ${within('one', one, isDoubled)}`,
        binds: 'one',
        meets: isOrNot('<>', one.meets),
      }),
    )
    return {
      piece: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        { weight: 5, arbitrary: leaf },
        { weight: 2, arbitrary: all },
        { weight: 2, arbitrary: either },
        { weight: 1, arbitrary: not },
      ),
    }
  })
  const whole = piece.map(({ text, meets }) => ({ text: asValue(text), meets }))
  // Quoted parts between operators that stand outside of the quotes.
  const parts = fc
    .tuple(fc.array(piece, { minLength: 2, maxLength: 2 }), fc.constantFrom('AND', 'OR', 'AND NOT'))
    .map(([list, operator]): AnySearch => {
      const [first, second] = list.map(({ meets }) => meets) as [Meets, Meets]
      return {
        text: list.map(({ text }) => asValue(text)).join(` ${operator} `),
        meets: joint(operator === 'OR' ? 'or' : 'and', [
          first,
          operator === 'AND NOT' ? isOrNot('<>', second) : second,
        ]),
      }
    })
  const bare = fc.constantFrom('alpha', 'BETA', 'été', 'al*', "o'neil").map(
    (text): AnySearch => ({
      text,
      meets: holdsWords('', text, text.endsWith('*')),
    }),
  )
  return fc.oneof({ weight: 12, arbitrary: whole }, { weight: 2, arbitrary: parts }, { weight: 1, arbitrary: bare })
}

/** KQL as the value of `$search`. */
export const asValue = (kql: string) => quoted(kql.replace(/[\\"]/g, '\\$&'))
