import type { Page } from './pages.js'

/** What a browser is answered: a page, or where to go on. */
export interface BrowserAnswer {
  readonly page?: Page
  readonly redirect?: string
  readonly cookies?: readonly BrowserCookie[]
}

export interface BrowserCookie {
  readonly name: string
  /** undefined: the cookie is taken away. */
  readonly value: string | undefined
  readonly maxAgeSeconds: number
}

/** Ties the forms of one sign-in to the browser that began it. */
export const signInCookie = 'graphpost-sign-in'
/** Who signed in here before. */
export const sessionCookie = 'graphpost-session'
