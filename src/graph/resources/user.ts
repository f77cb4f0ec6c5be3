import type { User } from '../../identity/user.js'
import { badRequest } from '../errors.js'

interface UserProperty {
  readonly present: (user: User) => unknown
  /** Comes only when selected. */
  readonly onSelect?: true
}

const unknown = { present: () => null }
const none = { present: () => [] as string[] }

/** The user resource: what this server knows of a user, in the order in which the directory writes it. */
const userProperties: Readonly<Record<string, UserProperty>> = {
  businessPhones: none,
  displayName: { present: ({ displayName }) => displayName },
  givenName: { present: ({ displayName }) => namesOf(displayName).given },
  jobTitle: unknown,
  mail: { present: ({ mail }) => mail },
  mobilePhone: unknown,
  officeLocation: unknown,
  preferredLanguage: unknown,
  surname: { present: ({ displayName }) => namesOf(displayName).surname },
  userPrincipalName: { present: ({ userPrincipalName }) => userPrincipalName },
  id: { present: ({ id }) => id },
  accountEnabled: { present: ({ kind }) => kind === 'user', onSelect: true },
  mailNickname: { present: ({ userPrincipalName }) => userPrincipalName.split('@')[0], onSelect: true },
  otherMails: { ...none, onSelect: true },
  proxyAddresses: { present: ({ mail }) => [`SMTP:${mail}`], onSelect: true },
  userType: { present: () => 'Member', onSelect: true },
}

const byLowerName = new Map(Object.keys(userProperties).map((name) => [name.toLowerCase(), name]))

/** The properties to answer with, in the order of the table. @throws GraphError BadRequest naming what is none */
export function selectUserProperties(select: readonly string[] | undefined): readonly string[] {
  const names = Object.keys(userProperties)
  if (select === undefined) return names.filter((name) => userProperties[name]?.onSelect !== true)
  const wanted = new Set<string>()
  for (const item of select) {
    const name = item === '*' ? item : byLowerName.get(item.toLowerCase())
    if (name === undefined) {
      throw badRequest(`Could not find a property named '${item}' on type 'microsoft.graph.user'.`)
    }
    wanted.add(name)
  }
  return names.filter((name) => wanted.has(name) || (wanted.has('*') && userProperties[name]?.onSelect !== true))
}

export function presentUser(user: User, properties: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(properties.map((name) => [name, userProperties[name]?.present(user)]))
}

/** The directory knows one name; the first word of several is the given name. */
function namesOf(displayName: string): { given: string | null; surname: string | null } {
  const [given, ...rest] = displayName.split(' ')
  return rest.length === 0 ? { given: displayName, surname: null } : { given: given ?? null, surname: rest.join(' ') }
}
