import {
  type ClassificationOverride,
  deleteOverride,
  putOverride,
  reclassify,
} from '../../mail/classification-override.js'
import { MailError } from '../../mail/errors.js'
import type { Mail } from '../../mail/mail.js'
import { collectionReply, entityReply, guidOfPath } from '../collection.js'
import type { GraphRequest, Handler } from '../request.js'
import { jsonOf } from '../request-json.js'
import { presentOverride, readClass, readNewOverride } from '../resources/classification-override.js'

const below = 'inferenceClassification/overrides'

/** GET {mailbox}/inferenceClassification: nothing but where the overrides are. It is one in each mailbox, named as that is. */
export const getInferenceClassification: Handler = async (request) =>
  entityReply(request, 'inferenceClassification', { id: request.mailbox.owner })

/** GET {mailbox}/inferenceClassification/overrides */
export const listOverrides: Handler = async (request, mail) =>
  collectionReply(request, below, (await mail.store.overrides.list(request.mailbox.id)).map(presentOverride))

/** POST {mailbox}/inferenceClassification/overrides: 201, also where the sender had one, which is changed. */
export const postOverride: Handler = async (request, mail) => {
  const wanted = readNewOverride(jsonOf(request), request.version)
  return entityReply(request, below, presentOverride(await putOverride(mail, request.mailbox.id, wanted)), 201)
}

/** GET {mailbox}/inferenceClassification/overrides/{override} */
export const getOverride: Handler = async (request, mail) =>
  entityReply(request, below, presentOverride(await overrideOfPath(request, mail)))

/** PATCH {mailbox}/inferenceClassification/overrides/{override}: another class; 200 and the override. */
export const patchOverride: Handler = async (request, mail) => {
  const override = await overrideOfPath(request, mail)
  const classifyAs = readClass(jsonOf(request), request.version)
  return entityReply(request, below, presentOverride(await reclassify(mail, request.mailbox.id, override, classifyAs)))
}

/** DELETE {mailbox}/inferenceClassification/overrides/{override}; 204. */
export const removeOverride: Handler = async (request, mail) => {
  await deleteOverride(mail, request.mailbox.id, (await overrideOfPath(request, mail)).id)
  return { status: 204 }
}

async function overrideOfPath(request: GraphRequest, mail: Mail): Promise<ClassificationOverride> {
  const id = guidOfPath(request, 'override')
  const override = id === undefined ? undefined : await mail.store.overrides.find(request.mailbox.id, id)
  if (override !== undefined) return override
  throw new MailError('notInStore', 'The mailbox has no such override.')
}
