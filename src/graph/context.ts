import type { GraphReply, GraphRequest } from './request.js'

/**
 * `@odata.context` of an answer: the mailbox as the path wrote it (`/me`: the object id), then what is below it.
 *
 *     https://graph.example/v1.0/$metadata#users('adele%40contoso.com')/mailFolders('inbox')/messages(subject)
 *
 * Keys are percent-encoded; parentheses, quotes and commas are literal, as recorded.
 */
export function contextOf(request: GraphRequest, below: string): string {
  return `${request.baseUrl}/${request.version}/$metadata#users('${encodeURIComponent(request.mailboxAsWritten)}')/${below}`
}

/** `messages`, or `mailFolders('inbox')/messages` below a folder; a well-known name stands as the path wrote it. */
export function messagesContext(request: GraphRequest): string {
  const folder = request.folderPath.at(-1)
  return folder === undefined ? 'messages' : `mailFolders('${encodeURIComponent(folder)}')/messages`
}

/**
 * Where a message of the request's mailbox is found: what `Location` begins with. The mailbox stands as the path wrote it,
 * `@` literal (recorded); letters that a header cannot hold are escaped.
 */
export function messageUrl({ baseUrl, version, mailboxAsWritten }: GraphRequest, message: string): string {
  return `${baseUrl}/${version}/users('${encodeURI(mailboxAsWritten)}')/messages('${message}')`
}

/** `mailFolders`, or `mailFolders('inbox')/childFolders` for the children of a folder that the path names. */
export function foldersContext(parent: string | undefined): string {
  return parent === undefined ? 'mailFolders' : `mailFolders('${encodeURIComponent(parent)}')/childFolders`
}

/** The same for a folder, which stands under `/mailFolders` whatever its parent (recorded). */
export function folderUrl({ baseUrl, version, mailboxAsWritten }: GraphRequest, folder: string): string {
  return `${baseUrl}/${version}/users('${encodeURI(mailboxAsWritten)}')/mailFolders('${folder}')`
}

/** `/microsoft.graph.fileAttachment`, where the path asks for that type. */
export function castContext({ cast }: GraphRequest): string {
  return cast === undefined ? '' : `/microsoft.graph.${cast}`
}

/** One property of a resource: a complex value stands in the answer itself, any other as `value`; of none there is 204. */
export function propertyReply(request: GraphRequest, below: string, value: unknown): GraphReply {
  if (value === undefined || value === null) return { status: 204 }
  const isComplex = typeof value === 'object' && !Array.isArray(value)
  const context = { '@odata.context': contextOf(request, below) }
  return { status: 200, json: isComplex ? { ...context, ...value } : { ...context, value } }
}

/**
 * What a change answers: what it made or changed, or with `Prefer: return=minimal` nothing but where that is (OData
 * Protocol 4.0 §8.2.8.7).
 */
export function minimalIfPreferred({ preferences }: GraphRequest, reply: GraphReply): GraphReply {
  if (!preferences.returnsMinimal) return reply
  const { headers, message } = reply
  const location = headers?.Location
  return {
    status: 204,
    applied: 'return=minimal',
    ...(location === undefined ? {} : { headers: { ...headers, 'OData-EntityId': location } }),
    ...(message === undefined ? {} : { message }),
  }
}
