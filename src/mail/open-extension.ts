import { changed, onCurrent } from './change-message.js'
import { MailError } from './errors.js'
import type { Mail } from './mail.js'
import type { Message } from './message.js'

/** Data of an application's own on a message (Graph `openTypeExtension`). No part of the mail: it is never sent. */
export interface OpenExtension {
  /** Unique on the message, whatever its case; mostly a domain backwards, `Com.Contoso.Referral`. */
  readonly extensionName: string
  /** JSON, as it was given. */
  readonly values: Readonly<Record<string, unknown>>
}

const usualName = /^[A-Za-z_][\w.-]{0,254}$/
/** Bounds of one message, that it stays quick to read. */
const maxExtensions = 32
const maxValuesLength = 32_768

/**
 * Checks an extension by itself.
 *
 * @throws MailError propertyInvalid
 */
export function requireSoundExtension({ extensionName, values }: OpenExtension): void {
  if (!usualName.test(extensionName)) {
    throw new MailError('propertyInvalid', 'It has letters, digits, dots, hyphens and underscores, 255 at most.', {
      property: 'extensionName',
    })
  }
  if (JSON.stringify(values).length > maxValuesLength) {
    throw new MailError('propertyInvalid', `The data of an extension has ${maxValuesLength} characters as JSON.`, {
      property: extensionName,
    })
  }
}

/**
 * Checks the extensions of one message.
 *
 * @throws MailError propertyInvalid, extensionExists
 */
export function requireSoundExtensions(extensions: readonly OpenExtension[]): void {
  extensions.forEach(requireSoundExtension)
  const names = extensions.map(({ extensionName }) => extensionName.toLowerCase())
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined) throw exists(twice)
  if (extensions.length > maxExtensions) {
    throw new MailError('propertyInvalid', `A message has ${maxExtensions} extensions at most.`, {
      property: 'extensions',
    })
  }
}

/** The extension of that name, in any case. */
export function extensionNamed(message: Pick<Message, 'content'>, name: string): OpenExtension | undefined {
  const key = name.toLowerCase()
  return message.content.extensions?.find(({ extensionName }) => extensionName.toLowerCase() === key)
}

/**
 * Puts an extension on a message.
 *
 * @throws MailError propertyInvalid, extensionExists, notInStore, conflict
 */
export async function createExtension(mail: Mail, message: Message, extension: OpenExtension): Promise<void> {
  requireSoundExtension(extension)
  await onCurrent(mail, message, async (current) => {
    if (extensionNamed(current, extension.extensionName) !== undefined) throw exists(extension.extensionName)
    await write(mail, current, [...(current.content.extensions ?? []), extension])
  })
}

/**
 * Changes data of an extension: members that are given replace those there are, null takes one away.
 *
 * @throws MailError propertyInvalid, extensionNotFound, notInStore, conflict
 */
export async function updateExtension(
  mail: Mail,
  message: Message,
  name: string,
  values: OpenExtension['values'],
): Promise<OpenExtension> {
  return onCurrent(mail, message, async (current) => {
    const known = requireExtension(current, name)
    const merged = Object.entries({ ...known.values, ...values }).filter(([, value]) => value !== null)
    const extension = { ...known, values: Object.fromEntries(merged) }
    requireSoundExtension(extension)
    await write(
      mail,
      current,
      (current.content.extensions ?? []).map((each) => (each === known ? extension : each)),
    )
    return extension
  })
}

/** @throws MailError extensionNotFound, notInStore, conflict */
export async function deleteExtension(mail: Mail, message: Message, name: string): Promise<void> {
  await onCurrent(mail, message, async (current) => {
    const known = requireExtension(current, name)
    await write(
      mail,
      current,
      (current.content.extensions ?? []).filter((each) => each !== known),
    )
  })
}

/** @throws MailError extensionNotFound */
export function requireExtension(message: Pick<Message, 'content'>, name: string): OpenExtension {
  const known = extensionNamed(message, name)
  if (known !== undefined) return known
  throw new MailError('extensionNotFound', 'The message has no such extension.', { value: name.slice(0, 100) })
}

async function write(mail: Mail, message: Message, extensions: readonly OpenExtension[]): Promise<void> {
  requireSoundExtensions(extensions)
  const { extensions: _, ...said } = message.content
  const content = extensions.length === 0 ? said : { ...said, extensions }
  await mail.store.write((tx) => tx.updateMessage(changed(mail, message, { content }), message.change))
}

function exists(name: string): MailError {
  return new MailError('extensionExists', `The message has an extension ${name} already.`, {
    property: 'extensionName',
    value: name,
  })
}
