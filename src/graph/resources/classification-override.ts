import type { ClassificationOverride } from '../../mail/classification-override.js'
import type { EmailAddress, InferenceClassification } from '../../mail/message.js'
import type { ApiVersion } from '../path.js'
import { readEmailAddress } from './recipient.js'
import { objectType, passOver, readEnum, readMembers, readObject, requiredMissing } from './values.js'

interface OverrideFields {
  classifyAs?: InferenceClassification
  senderEmailAddress?: EmailAddress
}

const classes = ['focused', 'other'] as const

const overrideType = objectType<OverrideFields>('microsoft.graph.inferenceClassificationOverride', {
  id: passOver,
  classifyAs: (into, value, { path }) => {
    const classifyAs = readEnum(value, classes, 'microsoft.graph.inferenceClassificationType', path)
    if (classifyAs !== null) into.classifyAs = classifyAs
  },
  senderEmailAddress: (into, value, reading) => {
    const address = readEmailAddress(value, reading)
    if (address !== undefined) into.senderEmailAddress = address
  },
})

function readFields(json: unknown, version: ApiVersion): OverrideFields {
  const reading = { version, path: 'inferenceClassificationOverride', depth: 0 }
  return readMembers<OverrideFields>(readObject(json ?? null, reading.path) ?? {}, overrideType, {}, reading)
}

/** @throws GraphError RequestBodyRead, ErrorRequiredPropertyMissing */
export function readNewOverride(json: unknown, version: ApiVersion): Omit<ClassificationOverride, 'id'> {
  const { classifyAs, senderEmailAddress } = readFields(json, version)
  if (classifyAs === undefined) throw requiredMissing('classifyAs')
  if (senderEmailAddress === undefined) throw requiredMissing('senderEmailAddress')
  return { classifyAs, senderEmailAddress }
}

/** The class that an update asks for; the sender of an override is not changed. */
export function readClass(json: unknown, version: ApiVersion): InferenceClassification {
  const { classifyAs } = readFields(json, version)
  if (classifyAs === undefined) throw requiredMissing('classifyAs')
  return classifyAs
}

/** Its members; a name that is not known is shown as the address. */
export function presentOverride({
  id,
  classifyAs,
  senderEmailAddress,
}: ClassificationOverride): Record<string, unknown> {
  const { name, address } = senderEmailAddress
  return { id, classifyAs, senderEmailAddress: { name: name ?? address, address } }
}
