import type { Facts } from './facts.js'

/**
 * The `@odata.context` that the recorded one becomes on our server: our host, and the keys of our request in the place
 * of the recorded ones, escaped as there (`@` and `=`).
 */
export function expectedContext(recorded: string, facts: Pick<Facts, 'baseUrl' | 'contextKeys'>): string {
  const keys = [...facts.contextKeys]
  return recorded.replace(/^https:\/\/graph\.microsoft\.com/, facts.baseUrl).replaceAll(/\('[^']*'\)/g, (key) => {
    const ours = keys.shift()
    return ours === undefined ? key : `('${encodeURIComponent(ours)}')`
  })
}

/**
 * The `@odata.nextLink` that the recorded one becomes on our server: our host and path, the recorded query. Only
 * recordings since 2022 write it as the service does today.
 */
export function expectedNextLink(recorded: string, facts: Pick<Facts, 'baseUrl' | 'path'>): string {
  const query = recorded.slice(recorded.indexOf('?'))
  return `${facts.baseUrl}${facts.path.split('?', 1)[0]}${query}`
}
