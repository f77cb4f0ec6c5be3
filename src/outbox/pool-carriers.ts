/** What is read of nodemailer's own state, because its pool tells it to nobody: which connection has which message. */
export interface Carrier {
  readonly queueEntry?: { readonly mail: object; requeueAttempts: number } | false
  /** It has carried so many before. */
  readonly messages: number
  readonly connection?: {
    readonly id: string
    readonly host?: string
    readonly port?: number
    readonly _socket?: { readonly remoteAddress?: string; getProtocol?(): string | null } | false
    /** What the peer offers (RFC 5321 §4.1.1.1). */
    readonly _supportedExtensions?: readonly string[]
  }
}

/** The connections of a pool; none where they cannot be seen, so that who asks must do without. */
export function carriersOf(pool: object): readonly Carrier[] {
  return (pool as { readonly _connections?: readonly Carrier[] })._connections ?? []
}
