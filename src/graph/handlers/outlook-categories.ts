import { MailError } from '../../mail/errors.js'
import type { Mail } from '../../mail/mail.js'
import { createCategory, deleteCategory, type OutlookCategory, recolorCategory } from '../../mail/outlook-category.js'
import { collectionReply, entityReply, guidOfPath } from '../collection.js'
import type { GraphRequest, Handler } from '../request.js'
import { jsonOf } from '../request-json.js'
import { presentCategory, readCategoryColor, readNewCategory } from '../resources/outlook-category.js'

const below = 'outlook/masterCategories'

/** GET {mailbox}/outlook/masterCategories */
export const listCategories: Handler = async (request, mail) =>
  collectionReply(request, below, (await mail.store.categories.list(request.mailbox.id)).map(presentCategory))

/** GET {mailbox}/outlook/masterCategories/{category} */
export const getCategory: Handler = async (request, mail) =>
  entityReply(request, below, presentCategory(await categoryOfPath(request, mail)))

/** POST {mailbox}/outlook/masterCategories: name and color; 201 and the category. */
export const postCategory: Handler = async (request, mail) => {
  const wanted = readNewCategory(jsonOf(request), request.version)
  return entityReply(request, below, presentCategory(await createCategory(mail, request.mailbox.id, wanted)), 201)
}

/** PATCH {mailbox}/outlook/masterCategories/{category}: another color; 200 and the category. */
export const patchCategory: Handler = async (request, mail) => {
  const category = await categoryOfPath(request, mail)
  const color = readCategoryColor(jsonOf(request), request.version, category)
  return entityReply(request, below, presentCategory(await recolorCategory(mail, request.mailbox.id, category, color)))
}

/** DELETE {mailbox}/outlook/masterCategories/{category}; 204. Messages keep the word. */
export const removeCategory: Handler = async (request, mail) => {
  await deleteCategory(mail, request.mailbox.id, (await categoryOfPath(request, mail)).id)
  return { status: 204 }
}

async function categoryOfPath(request: GraphRequest, mail: Mail): Promise<OutlookCategory> {
  const id = guidOfPath(request, 'category')
  const category = id === undefined ? undefined : await mail.store.categories.find(request.mailbox.id, id)
  if (category !== undefined) return category
  throw new MailError('notInStore', 'The mailbox has no such category.')
}
