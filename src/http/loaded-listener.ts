import type { RequestListener } from 'node:http'

/** What one listener of a chain is put before: the next. */
type Link = (next: RequestListener) => RequestListener

/**
 * A listener whose code is loaded with the first request that may be its own, and kept. A request that comes while it cannot
 * be loaded is answered 500, and the next one tries again.
 *
 * @param passesBy told without the code, of a path: the request is for the next listener
 * @param failed hears why it could not be loaded
 */
export function loadedListener(
  passesBy: (path: string) => boolean,
  load: () => Promise<Link>,
  failed: (error: unknown) => void,
): Link {
  return (next) => {
    let loaded: Promise<RequestListener> | undefined
    return (request, response) => {
      if (passesBy(request.url ?? '/')) {
        next(request, response)
        return
      }
      loaded ??= load().then((link) => link(next))
      loaded.then(
        (listener) => listener(request, response),
        (error: unknown) => {
          loaded = undefined
          failed(error)
          response.writeHead(500).end()
        },
      )
    }
  }
}
