/** The parts of a run, in their order; `--only` names them. */
export const sectionNames = [
  'accept',
  'token',
  'delivery',
  'deliver',
  'proof',
  'syncs',
  'memory',
  'mailbox',
  'list',
  'queries',
  'drafts',
  'upload',
  'start',
  'large',
] as const

export type SectionName = (typeof sectionNames)[number]
