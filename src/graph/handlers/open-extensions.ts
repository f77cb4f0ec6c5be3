import { MailError } from '../../mail/errors.js'
import { createExtension, deleteExtension, requireExtension, updateExtension } from '../../mail/open-extension.js'
import { collectionReply, entityReply } from '../collection.js'
import { messageUrl } from '../context.js'
import { messageOfPath } from '../keys.js'
import type { GraphRequest, Handler } from '../request.js'
import { jsonOf } from '../request-json.js'
import { extensionNameOf, presentExtension, readExtension, readNewExtension } from '../resources/open-extension.js'

/** GET .../messages/{message}/extensions */
export const listExtensions: Handler = async (request, mail) => {
  const { content } = await messageOfPath(request, mail)
  return collectionReply(request, below(request), (content.extensions ?? []).map(presentExtension))
}

/** GET .../messages/{message}/extensions/{extension}: by its name or id. */
export const getExtension: Handler = async (request, mail) => {
  const message = await messageOfPath(request, mail)
  return entityReply(request, below(request), presentExtension(requireExtension(message, nameOfPath(request))))
}

/** POST .../messages/{message}/extensions: a name and data; 201 and the extension. */
export const postExtension: Handler = async (request, mail) => {
  const message = await messageOfPath(request, mail, 'notInStore')
  const extension = readNewExtension(jsonOf(request), readingOf(request))
  await createExtension(mail, message, extension)
  const shown = presentExtension(extension)
  return {
    ...entityReply(request, below(request), shown, 201),
    headers: { Location: `${messageUrl(request, request.keys.message ?? '')}/extensions('${String(shown.id)}')` },
  }
}

/** PATCH .../messages/{message}/extensions/{extension}: what is given is replaced, null goes; 200 and the extension. */
export const patchExtension: Handler = async (request, mail) => {
  const message = await messageOfPath(request, mail, 'notInStore')
  const name = nameOfPath(request)
  const { extensionName = name, values } = readExtension(jsonOf(request), readingOf(request))
  if (extensionName.toLowerCase() !== name.toLowerCase()) {
    throw new MailError('propertyNotSettable', 'The name of an extension cannot be changed.', {
      property: 'extensionName',
    })
  }
  return entityReply(request, below(request), presentExtension(await updateExtension(mail, message, name, values)))
}

/** DELETE .../messages/{message}/extensions/{extension}; 204. */
export const removeExtension: Handler = async (request, mail) => {
  await deleteExtension(mail, await messageOfPath(request, mail, 'notInStore'), nameOfPath(request))
  return { status: 204 }
}

function nameOfPath(request: GraphRequest): string {
  return extensionNameOf(request.keys.extension ?? '')
}

function readingOf({ version }: GraphRequest) {
  return { version, path: 'extension', depth: 0 }
}

function below(request: GraphRequest): string {
  return `messages('${encodeURIComponent(request.keys.message ?? '')}')/extensions`
}
