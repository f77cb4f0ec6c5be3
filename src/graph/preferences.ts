/** What the `Prefer` header asks for (RFC 7240), as far as mail honours it. */
export interface Preferences {
  /** `IdType="ImmutableId"` */
  readonly immutableIds: boolean
  /** `outlook.body-content-type` */
  readonly bodyContentType: 'text' | 'html' | undefined
  /** `outlook.allow-unsafe-html` */
  readonly allowUnsafeHtml: boolean
  /** `odata.maxpagesize` */
  readonly maxPageSize: number | undefined
  /** `outlook.timezone`, as written: a name of Windows or of the IANA database. */
  readonly timeZone: string | undefined
  /** `return=minimal` */
  readonly returnsMinimal: boolean
}

export const noPreferences: Preferences = {
  immutableIds: false,
  bodyContentType: undefined,
  allowUnsafeHtml: false,
  maxPageSize: undefined,
  timeZone: undefined,
  returnsMinimal: false,
}

/** A name that can be repeated in a header. */
const printable = /^[A-Za-z0-9 +\-_/.()]{1,100}$/

/** Names without case, values with or without quotes, several in one header; unknown ones are ignored, as RFC 7240 asks. */
export function readPreferences(header: string | string[] | undefined): Preferences {
  if (header === undefined) return noPreferences
  const asked = new Map<string, string>()
  for (const part of String(header).split(',')) {
    const [name = '', ...value] = part.split('=')
    asked.set(name.trim().toLowerCase(), unquoted(value.join('=').trim()))
  }
  const bodyContentType = asked.get('outlook.body-content-type')?.toLowerCase()
  const pageSize = Number(asked.get('odata.maxpagesize'))
  return {
    immutableIds: asked.get('idtype')?.toLowerCase() === 'immutableid',
    bodyContentType: bodyContentType === 'text' || bodyContentType === 'html' ? bodyContentType : undefined,
    allowUnsafeHtml: asked.has('outlook.allow-unsafe-html'),
    maxPageSize: Number.isInteger(pageSize) && pageSize > 0 ? pageSize : undefined,
    timeZone: printable.test(asked.get('outlook.timezone') ?? '') ? asked.get('outlook.timezone') : undefined,
    returnsMinimal: asked.get('return')?.toLowerCase() === 'minimal',
  }
}

/**
 * The `Preference-Applied` header: what apps look for before they trust an immutable id. Undefined when nothing was asked.
 *
 * @param also what this answer honours beside what every answer does, asked for or not
 */
export function preferenceApplied(preferences: Preferences, also?: string): string | undefined {
  if (preferences === noPreferences) return also
  const applied: string[] = also === undefined ? [] : [also]
  // Without quotes, as recorded; the text preference with them, as documented.
  if (preferences.immutableIds) applied.push('IdType=ImmutableId')
  if (preferences.bodyContentType !== undefined) {
    applied.push(`outlook.body-content-type="${preferences.bodyContentType}"`)
  }
  if (preferences.allowUnsafeHtml) applied.push('outlook.allow-unsafe-html')
  if (preferences.maxPageSize !== undefined) applied.push(`odata.maxpagesize=${preferences.maxPageSize}`)
  if (preferences.timeZone !== undefined) applied.push(`outlook.timezone="${preferences.timeZone}"`)
  return applied.length === 0 ? undefined : applied.join(', ')
}

function unquoted(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
}
