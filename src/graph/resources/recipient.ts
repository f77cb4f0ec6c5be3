import { MailError } from '../../mail/errors.js'
import type { EmailAddress } from '../../mail/message.js'
import {
  hasControlCharacter,
  inside,
  objectType,
  quotable,
  type Reading,
  readArray,
  readMembers,
  readObject,
  readText,
} from './values.js'

const emailAddressType = objectType<{ address: string; name: string }>('microsoft.graph.emailAddress', {
  name: (into, value, { path }) => {
    into.name = readText(value, path) ?? ''
  },
  address: (into, value, { path }) => {
    into.address = readText(value, path) ?? ''
  },
})

const recipientType = objectType<{ emailAddress: EmailAddress | undefined }>('microsoft.graph.recipient', {
  emailAddress: (into, value, reading) => {
    into.emailAddress = readEmailAddress(value, reading)
  },
})

/** `{"emailAddress":{"name","address"}}`; undefined when it names nobody. */
export function readRecipient(value: unknown, reading: Reading): EmailAddress | undefined {
  const members = readObject(value, reading.path)
  if (members === null) return undefined
  return readMembers(members, recipientType, { emailAddress: undefined }, reading).emailAddress
}

/** A list of recipients; one without any address at all is kept as an empty one, which submission refuses. */
export function readRecipients(value: unknown, reading: Reading): EmailAddress[] {
  return readArray(value, reading.path).map(
    (item, index) => readRecipient(item, inside(reading, index)) ?? { address: '' },
  )
}

/** An `emailAddress`; undefined for null. */
export function readEmailAddress(value: unknown, reading: Reading): EmailAddress | undefined {
  const members = readObject(value, reading.path)
  if (members === null) return undefined
  const { address, name } = readMembers(members, emailAddressType, { address: '', name: '' }, reading)
  if (hasControlCharacter(address) || hasControlCharacter(name)) {
    throw new MailError('recipientInvalid', 'An address or its name holds a line break or another control character.', {
      property: reading.path,
      value: quotable(address),
    })
  }
  return name === '' ? { address } : { name, address }
}

/** Name first; a name that is not known is shown as the address. */
export function presentRecipient({ name, address }: EmailAddress): object {
  return { emailAddress: { name: name ?? address, address } }
}

/** The list as it is shown; empty when there is nobody. */
export function presentRecipients(recipients: readonly EmailAddress[]): object[] {
  return recipients.map(presentRecipient)
}
