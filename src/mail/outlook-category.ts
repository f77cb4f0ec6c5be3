import { MailError } from './errors.js'
import type { MailboxId } from './ids.js'
import type { Mail } from './mail.js'

/** `none`, and the colors of Outlook, which a client chooses the look of. */
export const categoryColors = ['none', ...Array.from({ length: 25 }, (_, index) => `preset${index}`)]

/** One of the categories that a mailbox's owner has given a color to (Graph `outlookCategory`). */
export interface OutlookCategory {
  /** A GUID, lower case. */
  readonly id: string
  /** Unique in the mailbox, whatever its case; what `categories` of a message name. */
  readonly displayName: string
  readonly color: string
}

/** What a new mailbox has: the first word of each name, and its color. */
export const firstCategories: readonly (readonly [name: string, color: string])[] = [
  ['Red', 'preset0'],
  ['Orange', 'preset1'],
  ['Yellow', 'preset3'],
  ['Green', 'preset4'],
  ['Blue', 'preset7'],
  ['Purple', 'preset8'],
]

/** The categories a mailbox is born with. */
export function defaultCategories(random: Mail['random']): OutlookCategory[] {
  return firstCategories.map(([name, color]) => ({ id: random.uuid(), displayName: `${name} category`, color }))
}

/** Characters of a name; Outlook's own bound. */
const maxNameLength = 255

/**
 * A new category.
 *
 * @throws MailError propertyInvalid, categoryExists; storeUnavailable
 */
export async function createCategory(
  mail: Pick<Mail, 'store' | 'ids' | 'random'>,
  mailbox: MailboxId,
  wanted: Omit<OutlookCategory, 'id'>,
): Promise<OutlookCategory> {
  const { displayName } = wanted
  if (displayName.trim() === '' || displayName.length > maxNameLength || /\p{Cc}/u.test(displayName)) {
    throw new MailError('propertyInvalid', `A category is named in one line of 1 to ${maxNameLength} characters.`, {
      property: 'displayName',
    })
  }
  const category = { ...wanted, id: mail.random.uuid() }
  try {
    await mail.store.write((tx) => tx.insertCategory(mailbox, category, mail.ids.next()))
  } catch (error) {
    if (!(error instanceof MailError) || error.code !== 'conflict') throw error
    throw new MailError('categoryExists', `There is a category ${displayName} already.`, {
      property: 'displayName',
      value: displayName,
    })
  }
  return category
}

/**
 * The category in another color.
 *
 * @throws MailError notInStore when it is gone
 */
export async function recolorCategory(
  mail: Pick<Mail, 'store'>,
  mailbox: MailboxId,
  category: OutlookCategory,
  color: string,
): Promise<OutlookCategory> {
  await orGone(mail.store.write((tx) => tx.updateCategory(mailbox, { ...category, color })))
  return { ...category, color }
}

/** @throws MailError notInStore when it is gone */
export async function deleteCategory(mail: Pick<Mail, 'store'>, mailbox: MailboxId, id: string): Promise<void> {
  await orGone(mail.store.write((tx) => tx.deleteCategory(mailbox, id)))
}

/** A guarded write of one row that fails for the row's absence alone. */
export async function orGone(write: Promise<void>): Promise<void> {
  try {
    await write
  } catch (error) {
    if (!(error instanceof MailError) || error.code !== 'conflict') throw error
    throw new MailError('notInStore', 'The mailbox has no such item, or no longer.')
  }
}
