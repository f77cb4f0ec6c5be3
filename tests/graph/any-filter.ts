/** Messages and filters for tests that hold for any: few values, so that filters find some and leave some. */
import fc from 'fast-check'

const pieces = ['a', 'B', 'ab', 'x%', '_', "it's", 'Ü', 'ß', 'é', 'É', '漢', '🎉', '\\', '!', ' ', '"', '":']
const anyText = fc
  .array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 4 })
  .map((some) => some.join('').trim() || 'a')
/** Order among letters beyond ASCII is that of code points, whatever the case. */
const asciiText = fc.constantFrom('', 'a', 'AB', 'b', 'x%', 'zz', '!')
const anyAddress = fc.constantFrom('a@x.example', 'B@x.example', 'ab@y.example', 'a_b@y.example')
const anyCategory = fc.constantFrom('Red', 'Blue category', 'Ünder', 'x%')

export const color = 'String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Color'
export const size = 'Integer {66f5a359-4659-4830-9070-00047ec6ac6e} Id 0x8570'
export const palette = 'StringArray {66f5a359-4659-4830-9070-00047ec6ac6e} Name Palette'

const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 3 })

/** Where messages are put, and what is put there. */
export const anyFilteredMessage = fc.record({
  folder: fc.constantFrom('inbox', 'drafts', 'archive'),
  /** Seconds until the next message is put there. */
  pause: fc.constantFrom(0, 1, 5),
  draft: fc
    .record({
      subject: maybe(anyText),
      from: maybe(fc.record({ address: anyAddress, name: maybe(anyText) })),
      body: maybe(anyText),
      importance: fc.constantFrom('low', 'normal', 'high'),
      isRead: fc.boolean(),
      isReadReceiptRequested: fc.boolean(),
      categories: fc.uniqueArray(anyCategory, { maxLength: 2 }),
      flagStatus: fc.constantFrom('notFlagged', 'flagged', 'complete'),
      inferenceClassification: fc.constantFrom('focused', 'other'),
      color: maybe(anyText),
      size: maybe(fc.constantFrom('1', '12', '-3', 'x', '1.5', '007')),
      palette: maybe(fc.array(anyText, { maxLength: 3 })),
    })
    .map(({ from, body, flagStatus, color: colour, size: number, palette: values, ...rest }) => ({
      ...rest,
      ...(from === undefined ? {} : { from: { emailAddress: from } }),
      body: { contentType: 'text', content: body ?? '' },
      flag: { flagStatus },
      singleValueExtendedProperties: [
        ...(colour === undefined ? [] : [{ id: color, value: colour }]),
        ...(number === undefined ? [] : [{ id: size, value: number }]),
      ],
      multiValueExtendedProperties: values === undefined ? [] : [{ id: palette, value: values }],
    })),
})

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`
const equality = fc.constantFrom('eq', 'ne')
const order = fc.constantFrom('eq', 'ne', 'gt', 'ge', 'lt', 'le')
const textTest = fc.constantFrom('contains', 'startswith', 'endswith')

function textTests(path: string, texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    fc.tuple(equality, fc.option(texts)).map(([is, text]) => `${path} ${is} ${text === null ? 'null' : quoted(text)}`),
    fc.tuple(order, asciiText).map(([is, text]) => `${path} ${is} ${quoted(text)}`),
    fc.tuple(textTest, texts).map(([test, text]) => `${test}(${path},${quoted(text)})`),
    fc
      .tuple(textTest, texts, equality, fc.boolean())
      .map(([test, text, is, truth]) => `${test}(${path},${quoted(text)}) ${is} ${truth}`),
    fc
      .array(fc.option(texts), { minLength: 1, maxLength: 3 })
      .map((list) => `${path} in (${list.map((text) => (text === null ? 'null' : quoted(text))).join(',')})`),
  )
}

const yesNo = (path: string) =>
  fc.oneof(
    fc.constant(path),
    fc.tuple(equality, fc.boolean()).map(([is, truth]) => `${path} ${is} ${truth}`),
  )

function members(
  path: string,
  names: readonly string[],
  operators: fc.Arbitrary<string> = equality,
): fc.Arbitrary<string> {
  return fc.oneof(
    fc.tuple(operators, fc.constantFrom(...names)).map(([is, name]) => `${path} ${is} '${name}'`),
    fc
      .uniqueArray(fc.constantFrom(...names), { minLength: 1 })
      .map((list) => `${path} in (${list.map(quoted).join(',')})`),
  )
}

function joined(terms: fc.Arbitrary<string>, depth: number): fc.Arbitrary<string> {
  return fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small', maxDepth: depth, withCrossShrink: true },
      terms,
      fc
        .tuple(tie('node'), fc.constantFrom('and', 'or', 'AND'), tie('node'))
        .map(([a, by, b]) => `(${a}) ${by} (${b})`),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a} and ${b}`),
      tie('node').map((a) => `not (${a})`),
    ),
  })).node
}

const propertyTerm = fc.oneof(
  fc
    .tuple(
      equality,
      fc.constantFrom(color, color.toLowerCase().replace('color', 'Color').replace('string', 'STRING'), size),
    )
    .map(([is, id]) => `e/id ${is} '${id}'`),
  textTests('e/value', anyText),
  fc
    .tuple(order, fc.constantFrom('12', '-3', '1.5', '0'))
    .map(([is, number]) => `cast(e/value, Edm.Int32) ${is} ${number}`),
)

/** A filter; `moments`: literals to compare with. */
export function anyFilter(moments: readonly string[]): fc.Arbitrary<string> {
  const term = fc.oneof(
    { weight: 4, arbitrary: textTests('subject', anyText) },
    { weight: 2, arbitrary: textTests('from/emailAddress/address', anyAddress) },
    textTests('from/emailAddress/name', anyText),
    textTests('sender/emailAddress/address', anyAddress),
    textTests('body/content', anyText),
    {
      weight: 2,
      arbitrary: fc.tuple(order, fc.constantFrom(...moments)).map(([is, at]) => `receivedDateTime ${is} ${at}`),
    },
    fc
      .uniqueArray(fc.constantFrom(...moments), { minLength: 1, maxLength: 3 })
      .map((list) => `receivedDateTime in (${list.join(',')})`),
    yesNo('isRead'),
    yesNo('isReadReceiptRequested'),
    members('importance', ['low', 'Normal', 'high'], order),
    members('flag/flagStatus', ['flagged', 'notFlagged', 'complete']),
    members('inferenceClassification', ['focused', 'other']),
    textTests('c', anyCategory).map((inside) => `categories/any(c:${inside})`),
    fc.constantFrom('categories/any()', 'multiValueExtendedProperties/any()', 'true', 'false'),
    joined(propertyTerm, 2).map((inside) => `singleValueExtendedProperties/any(e:${inside})`),
    textTests('v', anyText).map(
      (inside) => `multiValueExtendedProperties/any(m:m/id eq '${palette}' and m/value/any(v:${inside}))`,
    ),
  )
  return joined(term, 3)
}
