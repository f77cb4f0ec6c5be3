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

/** One message in a hundred thousand holds it; of a smaller mailbox, one. */
export const rareWord = 'rhinoceros'
