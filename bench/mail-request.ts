/** Bytes of JSON in one `sendMail` request. */
export const mailBytes = 2048

/** How many different requests a plan holds: enough that subjects and recipients change from mail to mail. */
const variantCount = 64

const filler =
  'The quarterly figures are in the shared folder; please read them before the meeting on Thursday and bring your questions. '

/** Picks the recipient of the n-th variant. */
export type RecipientOf = (variant: number) => string

/** Half of the mail stays in our own mailboxes, half is for outside. */
export const localAndRemote: RecipientOf = (variant) =>
  variant % 2 === 0 ? 'alex@contoso.com' : `customer${variant}@example.com`

/** All mail is for outside. */
export const remoteOnly: RecipientOf = (variant) => `customer${variant}@example.com`

/** Whole `POST /v1.0/me/sendMail` requests, each with {@link mailBytes} of JSON; the tokens' owners send in turn. */
export function sendMailRequests(tokens: readonly string[], recipientOf: RecipientOf): string[] {
  return Array.from({ length: variantCount }, (_, variant) => {
    const json = mailJson(variant, recipientOf, (message) => ({ message }))
    return requestText('POST', '/v1.0/me/sendMail', tokens[variant % tokens.length] ?? '', json)
  })
}

/** Whole `POST /v1.0/me/messages` requests of the same size and kind, and what sends each once its id is known. */
export function draftRequests(
  tokens: readonly string[],
  recipientOf: RecipientOf,
): { requests: string[]; sends: string[] } {
  const variants = Array.from({ length: variantCount }, (_, variant) => variant)
  const tokenOf = (variant: number) => tokens[variant % tokens.length] ?? ''
  return {
    requests: variants.map((variant) => {
      const json = mailJson(variant, recipientOf, (message) => message)
      return requestText('POST', '/v1.0/me/messages', tokenOf(variant), json)
    }),
    sends: variants.map((variant) => requestText('POST', '/v1.0/me/messages/{id}/send', tokenOf(variant), '')),
  }
}

/** A whole GET request. */
export function getRequest(path: string, token: string): string {
  return requestText('GET', path, token)
}

/** {@link mailBytes} of JSON: a message in what the operation wraps around it. */
function mailJson(variant: number, recipientOf: RecipientOf, wrap: (message: object) => object): string {
  const jsonWith = (content: string): string =>
    JSON.stringify(
      wrap({
        subject: `Quarterly figures ${variant}`,
        body: { contentType: 'HTML', content },
        toRecipients: [{ emailAddress: { address: recipientOf(variant) } }],
      }),
    )
  const left = mailBytes - jsonWith('').length - '<p></p>'.length
  return jsonWith(`<p>${filler.repeat(Math.ceil(left / filler.length)).slice(0, left)}</p>`)
}

/** All ASCII, so characters are bytes. */
function requestText(method: string, path: string, token: string, json?: string): string {
  const head = [`${method} ${path} HTTP/1.1`, 'Host: localhost', `Authorization: Bearer ${token}`]
  if (json === '') head.push('Content-Length: 0')
  else if (json !== undefined) head.push('Content-Type: application/json', `Content-Length: ${json.length}`)
  return `${head.join('\r\n')}\r\n\r\n${json ?? ''}`
}
