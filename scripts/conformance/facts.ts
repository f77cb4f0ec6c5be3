/** What a scenario knows of the answer it provoked, so that the recorded one can be compared with it. */
export interface Facts {
  /** Scheme, host and port of the server: stands where the recording has the real service. */
  readonly baseUrl: string
  /** The request's path as it was sent, version and query included. */
  readonly path: string
  /** Keys of the path in the order in which `@odata.context` names them, not escaped; the mailbox first. */
  readonly contextKeys: readonly string[]
  /** Members whose values the scenario took from the recording: they must come back equal. */
  readonly controlled: ReadonlySet<string>
  /** Text in the recorded message → what stands there for us: addresses, ids, placeholders. */
  readonly words: Readonly<Record<string, string>>
  /** The status where the source shows no answer but its page names one, or where its page overrules its sample. */
  readonly status: number | undefined
  /** `client-request-id` that was sent; undefined when none was. */
  readonly clientRequestId: string | undefined
}
