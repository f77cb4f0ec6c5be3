import { MailError } from '../../mail/errors.js'
import type { EmailAddress } from '../../mail/message.js'
import {
  hasControlCharacter,
  isAnnotation,
  type JsonObject,
  readArray,
  readObject,
  readText,
  unknownProperty,
} from './values.js'

/** `{"emailAddress":{"name","address"}}` */
export function readRecipient(value: unknown, path: string): EmailAddress | undefined {
  const recipient = readObject(value, path)
  if (recipient === null) return undefined
  let found: EmailAddress | undefined
  for (const name in recipient) {
    const member = recipient[name]
    if (name === 'emailAddress' || name === 'EmailAddress') {
      const emailAddress = readObject(member, `${path}/emailAddress`)
      if (emailAddress !== null) found = readEmailAddress(emailAddress, `${path}/emailAddress`)
    } else if (!isAnnotation(name, member, path)) {
      throw unknownProperty(name, 'microsoft.graph.recipient', path)
    }
  }
  return found
}

/** A list of recipients; one without any address at all is kept as an empty one, which submission refuses. */
export function readRecipients(value: unknown, path: string): EmailAddress[] {
  const list = readArray(value, path)
  const recipients: EmailAddress[] = []
  for (let index = 0; index < list.length; index++) {
    recipients.push(readRecipient(list[index], path) ?? { address: '' })
  }
  return recipients
}

function readEmailAddress(members: JsonObject, path: string): EmailAddress {
  let address = ''
  let displayName: string | null = null
  for (const name in members) {
    const value = members[name]
    if (name === 'address' || name === 'Address') address = readText(value, `${path}/address`) ?? ''
    else if (name === 'name' || name === 'Name') displayName = readText(value, `${path}/name`)
    else if (!isAnnotation(name, value, path)) throw unknownProperty(name, 'microsoft.graph.emailAddress', path)
  }
  if (hasControlCharacter(address) || (displayName !== null && hasControlCharacter(displayName))) {
    throw new MailError('recipientInvalid', 'An address or its name holds a line break or another control character.', {
      property: path,
      value: address.replace(/[^\x20-\x7e]/g, '?'),
    })
  }
  return displayName === null || displayName === '' ? { address } : { name: displayName, address }
}

/** Name first; a name that is not known is shown as the address. */
export function presentRecipient({ name, address }: EmailAddress): object {
  return { emailAddress: { name: name ?? address, address } }
}

export function presentRecipients(recipients: readonly EmailAddress[]): object[] {
  return recipients.map(presentRecipient)
}
