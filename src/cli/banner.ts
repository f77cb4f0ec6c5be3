import type { Graphpost } from '../app.js'
import { developmentApplication, developmentPassword, developmentSecret } from '../identity/development.js'
import { shellQuoted } from './shell-quoted.js'

/** Ready tokens of the sample users that the banner's commands use. */
export interface SampleTokens {
  readonly sender: { readonly userPrincipalName: string; readonly token: string }
  readonly recipient: { readonly userPrincipalName: string; readonly token: string }
}

const reset = '\u001b[0m'
const green = '\u001b[1;30;42m'
const red = '\u001b[1;37;41m'

/** What a started server says on the terminal: what runs where, whether mail can leave, and two commands to paste. */
export function banner(
  graphpost: Graphpost,
  version: string,
  tokens: SampleTokens | undefined,
  colour: boolean,
): string {
  const places: [string, string | undefined][] = [
    ['http', graphpost.httpUrl],
    [
      'https',
      graphpost.httpsUrl && `${graphpost.httpsUrl}${graphpost.caPath ? `  (authority: ${graphpost.caPath})` : ''}`,
    ],
    ['smtp', graphpost.smtpPort === undefined ? undefined : `localhost:${graphpost.smtpPort}`],
    ['store', graphpost.storeDescription],
    ['sign-in', signIn(graphpost)],
    ['mailboxes', graphpost.mailboxes.slice(0, 8).join(', ') + (graphpost.mailboxes.length > 8 ? ', ...' : '')],
  ]
  const lines = [
    `Graphpost ${version}`,
    '',
    ...places
      .filter(([, place]) => place !== undefined && place !== '')
      .map(([name, place]) => `  ${name.padEnd(10)} ${place}`),
    '',
    mark(graphpost, colour),
    '',
  ]
  const base = graphpost.httpUrl
  if (tokens !== undefined && base !== undefined) lines.push(...commands(base, tokens))
  lines.push('Stop with Ctrl-C.')
  return lines.join('\n')
}

/** What programs sign in with: the well-known names where they are good. */
function signIn({ httpsUrl, httpUrl, tenant, isDevelopment }: Graphpost): string | undefined {
  const origin = httpsUrl ?? httpUrl
  if (origin === undefined) return undefined
  const authority = `${origin}/${tenant}`
  if (!isDevelopment) return `${authority}  (applications: graphpost app, passwords: graphpost user password)`
  return [
    authority,
    `client id ${developmentApplication}, secret ${developmentSecret}`,
    `password of every user: ${developmentPassword}`,
  ].join(`\n${' '.repeat(13)}`)
}

/** Cannot be missed: a box, in colour where there is colour. */
function mark({ canLeave, wayOut }: Graphpost, colour: boolean): string {
  const text = canLeave
    ? ` RELAY: mail LEAVES this machine through ${wayOut} `
    : ' CAPTURE: nothing leaves this machine '
  const line = '━'.repeat(text.length)
  const [on, off] = colour ? [canLeave ? red : green, reset] : ['', '']
  return [`┏${line}┓`, `┃${text}┃`, `┗${line}┛`].map((part) => `  ${on}${part}${off}`).join('\n')
}

function commands(base: string, { sender, recipient }: SampleTokens): string[] {
  const message = {
    message: {
      subject: 'Hello from Graphpost',
      body: { contentType: 'Text', content: 'It works.' },
      toRecipients: [{ emailAddress: { address: recipient.userPrincipalName } }],
    },
  }
  return [
    `Send a mail from ${sender.userPrincipalName} (202 and an empty body is success):`,
    '',
    `curl -i ${base}/v1.0/me/sendMail -H 'Content-Type: application/json' -H 'Authorization: Bearer ${sender.token}' -d ${shellQuoted(JSON.stringify(message))}`,
    '',
    `See it in the Inbox of ${recipient.userPrincipalName}:`,
    '',
    `curl -s '${base}/v1.0/me/mailFolders/inbox/messages?$select=subject,from,receivedDateTime' -H 'Authorization: Bearer ${recipient.token}'`,
    '',
  ]
}
