/** Words of generated mail: one in ten messages holds one of these in a given place. */
export const commonWords = [
  'meeting',
  'invoice',
  'quarterly',
  'figures',
  'question',
  'order',
  'delivery',
  'contract',
  'review',
  'plan',
]

/** Ten messages hold it, whatever the size of the mailbox. */
export const rareWord = 'rhinoceros'
