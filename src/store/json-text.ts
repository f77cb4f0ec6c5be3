/** Text of which JSON escapes nothing. */
const plainText = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/** A text as JSON has it, for what writes its JSON itself. `otherwise` writes what is not plain ASCII. */
export function textJson(text: string, otherwise: (text: string) => string = JSON.stringify): string {
  return plainText.test(text) ? `"${text}"` : otherwise(text)
}

/** The list of what is JSON already. */
export function listJson<Item>(items: readonly Item[], jsonOf: (item: Item) => string): string {
  let list = ''
  for (const item of items) list += list === '' ? jsonOf(item) : `,${jsonOf(item)}`
  return `[${list}]`
}
