import { readExpansion } from './message-expansion.js'
import { type ApiVersion, compileRoutes, parsePath } from './path.js'
import { readQuery } from './query-options.js'
import { selectProperties } from './resources/message.js'
import { invalidSubscription } from './resources/subscription.js'
import { quotable } from './resources/values.js'

/** What a subscription's `resource` names: messages, and which of their properties are wanted. */
export interface SubscribedResource {
  /** Object id or user principal name; undefined for `me`. */
  readonly mailboxKey: string | undefined
  /** Outermost first; empty: the whole mailbox. */
  readonly folderPath: readonly string[]
  readonly query: ReturnType<typeof readQuery>
}

const resources = compileRoutes([
  { method: 'GET', path: '{mailbox}/messages' },
  { method: 'GET', path: '{mailbox}/mailFolders/{folder}/messages' },
])

/** Options that the documentation rules out. */
const ruledOut = ['$orderby', '$skip', '$top', '$count', '$search', '$skiptoken', '$deltatoken', '$format']

/**
 * Reads `me/mailFolders('inbox')/messages?$select=subject`, with or without a slash before it.
 *
 * @throws GraphError InvalidRequest for what cannot be subscribed to; for options as reading messages refuses them
 */
export function readSubscribedResource(written: string, version: ApiVersion): SubscribedResource {
  const mark = written.indexOf('?')
  const path = mark === -1 ? written : written.slice(0, mark)
  const parsed = parsePath(`/${version}/${path}`)
  const match = parsed && resources.match('GET', parsed)
  if (match?.kind !== 'found') {
    throw invalidSubscription(
      `The resource '${quotable(path)}' is not supported for subscriptions.`,
      'resource',
      'Messages can be subscribed to: me/messages, users/{id}/messages, and .../mailFolders/{id}/messages.',
    )
  }
  const query = readQuery(mark === -1 ? '' : written.slice(mark + 1))
  const asked = query.asWritten.map(([name]) => name.toLowerCase())
  const refused = ruledOut.find((name) => asked.includes(name))
  if (refused !== undefined) {
    throw invalidSubscription(`The query option '${refused}' is not supported in a subscription.`, 'resource')
  }
  if (query.other.$filter !== undefined) {
    throw invalidSubscription(`The query option '$filter' is not supported in a subscription yet.`, 'resource')
  }
  selectProperties(query.select, version)
  const expansion = readExpansion(query, version)
  if (expansion.attachments || expansion.mentions) {
    throw invalidSubscription('Only extended properties can be expanded in a subscription.', 'resource')
  }
  return { mailboxKey: match.mailboxKey, folderPath: match.folderPath, query }
}
