import { MailError } from '../../mail/errors.js'
import { categoryColors, type OutlookCategory } from '../../mail/outlook-category.js'
import type { ApiVersion } from '../path.js'
import { objectType, passOver, readEnum, readMembers, readObject, readText, requiredMissing } from './values.js'

interface CategoryFields {
  displayName?: string
  color?: string
}

const categoryType = objectType<CategoryFields>('microsoft.graph.outlookCategory', {
  id: passOver,
  displayName: (into, value, { path }) => {
    const name = readText(value, path)
    if (name !== null) into.displayName = name
  },
  color: (into, value, { path }) => {
    into.color = readEnum(value, categoryColors, 'microsoft.graph.categoryColor', path) ?? 'none'
  },
})

function readFields(json: unknown, version: ApiVersion): CategoryFields {
  const reading = { version, path: 'outlookCategory', depth: 0 }
  return readMembers<CategoryFields>(readObject(json ?? null, reading.path) ?? {}, categoryType, {}, reading)
}

/** @throws GraphError RequestBodyRead, ErrorRequiredPropertyMissing */
export function readNewCategory(json: unknown, version: ApiVersion): Omit<OutlookCategory, 'id'> {
  const { displayName, color = 'none' } = readFields(json, version)
  if (displayName === undefined) throw requiredMissing('displayName')
  return { displayName, color }
}

/**
 * The color that an update asks for.
 *
 * @throws GraphError RequestBodyRead; MailError propertyNotSettable for another name
 */
export function readCategoryColor(json: unknown, version: ApiVersion, category: OutlookCategory): string {
  const { displayName = category.displayName, color = category.color } = readFields(json, version)
  if (displayName === category.displayName) return color
  throw new MailError('propertyNotSettable', 'The name of a category cannot be changed.', { property: 'displayName' })
}

/** Its members in the documented order. */
export function presentCategory({ id, displayName, color }: OutlookCategory): Record<string, unknown> {
  return { id, displayName, color }
}
