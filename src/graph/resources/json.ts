const beyondAscii = /[\u007f-\uffff]/g

/** JSON as the service writes it: every character beyond ASCII as `\uXXXX` (recorded). */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value)
  return beyondAscii.test(text) ? text.replace(beyondAscii, escaped) : text
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
