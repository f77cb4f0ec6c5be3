import { nextLink, selectedContext } from '../../odata/query.js'
import { noSuchUser } from '../directory.js'
import { readQuery, refuseUnserved } from '../query-options.js'
import type { DirectoryHandler, DirectoryRequest } from '../request.js'
import { presentUser, selectUserProperties } from '../resources/user.js'

/** The directory writes it without blanks. */
const contentType = 'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8'

/** Graph's page of users when the caller asks for none, and at most. */
const defaultPage = 100
const maxPage = 999

/** GET /me, GET /users/{id or user principal name} */
export const getUser: DirectoryHandler = async (request, directory) => {
  const query = readQuery(request.query)
  const properties = selectUserProperties(query.select)
  const key = request.userKey ?? request.caller.user ?? ''
  const user = await directory.findUser(request.caller.tenant, key)
  // Addresses that are no user principal name find nobody here, as in the directory.
  if (user === undefined || (user.id !== key.toLowerCase() && !isName(user.userPrincipalName, key)))
    throw noSuchUser(key)
  const context = `${contextOf(request)}${selectedContext(query.select)}/$entity`
  return { status: 200, contentType, json: { '@odata.context': context, ...presentUser(user, properties) } }
}

/** GET /users: a page, by user principal name. */
export const listUsers: DirectoryHandler = async (request, directory) => {
  const query = readQuery(request.query)
  refuseUnserved(query, ['$filter', '$search', '$deltatoken'])
  const properties = selectUserProperties(query.select)
  const top = Math.min(query.top ?? defaultPage, maxPage)
  const skip = query.skip ?? 0
  const users = await directory.listUsers(request.caller.tenant, skip + top + 1)
  const page = users.slice(skip, skip + top)
  const hasMore = users.length > skip + top
  return {
    status: 200,
    contentType,
    json: {
      '@odata.context': `${contextOf(request)}${selectedContext(query.select)}`,
      ...(hasMore ? { '@odata.nextLink': nextLink(request.baseUrl, request.path, query.asWritten, skip + top) } : {}),
      value: page.map((user) => presentUser(user, properties)),
    },
  }
}

function contextOf({ baseUrl, version }: DirectoryRequest): string {
  return `${baseUrl}/${version}/$metadata#users`
}

function isName(userPrincipalName: string, key: string): boolean {
  return userPrincipalName.toLowerCase() === key.toLowerCase()
}
