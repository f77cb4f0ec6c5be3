/** How a connection of nodemailer's pool is protected, and how it says who we are. */
import type SmtpPool from 'nodemailer/lib/smtp-pool'
import type { RelayAddress } from './relay-url.js'
import type { RecipientReply } from './smtp.js'

export function protectionOf({ tls, verify, ca }: RelayAddress) {
  return {
    secure: tls === 'implicit',
    requireTLS: tls === 'required',
    ignoreTLS: tls === 'none',
    tls: { rejectUnauthorized: verify, ...(ca === undefined ? {} : { ca }) },
  }
}

export function authOf({ credentials }: RelayAddress) {
  if (credentials === undefined) return {}
  const { user } = credentials
  if ('tokens' in credentials) return { auth: { type: 'OAuth2' as const, user } }
  const { password, method } = credentials
  if (method === 'xoauth2') return { auth: { type: 'OAuth2' as const, user, accessToken: password } }
  return { auth: { user, pass: password, ...(method === undefined ? {} : { method: method.toUpperCase() }) } }
}

/**
 * Lets the pool ask for tokens. Above a pool there usually stands nodemailer's mailer, which it asks for the function
 * that gives them, and tells of new ones.
 */
export function provideTokens(pool: SmtpPool, { credentials }: RelayAddress): void {
  if (credentials === undefined || !('tokens' in credentials)) return
  const { tokens } = credentials
  const provide = (_: string, isRenewed: boolean, answer: (error: Error | null, token?: string) => void) => {
    tokens(isRenewed).then(
      (token) => answer(null, token),
      (error: Error) => answer(error),
    )
  }
  const mailer = { get: (name: string) => (name === 'oauth2_provision_cb' ? provide : undefined), emit: () => false }
  Object.assign(pool, { mailer })
}

/** What a peer must not get us to write down by saying it back: the password, in the forms in which it was sent. */
export function secretsOf({ credentials }: RelayAddress): string[] {
  if (credentials === undefined || 'tokens' in credentials || credentials.password === '') return []
  const { user, password } = credentials
  const sent = [password, `\0${user}\0${password}`, `user=${user}\x01auth=Bearer ${password}\x01\x01`]
  return [password, ...sent.map((text) => Buffer.from(text).toString('base64'))]
}

export function withoutSecrets(answer: RecipientReply, secrets: readonly string[]): RecipientReply {
  if (!secrets.some((secret) => answer.remark.includes(secret))) return answer
  const remark = secrets.reduce((text, secret) => text.replaceAll(secret, '***'), answer.remark)
  return { ...answer, remark, reply: answer.reply && { ...answer.reply, text: remark } }
}
