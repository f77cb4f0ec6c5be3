/** Rules of the domain that a request can break. `graph/errors.ts` gives each its status, code and text. */
export type MailErrorCode =
  | 'categoryExists'
  | 'attachmentNotFound'
  | 'attachmentTooLarge'
  | 'conflict'
  | 'extensionExists'
  | 'extensionNotFound'
  | 'folderExists'
  | 'folderInItself'
  | 'folderNotDeletable'
  | 'folderNotFound'
  | 'folderNotMovable'
  | 'headerInvalid'
  | 'headerNotAllowed'
  | 'messageNotFound'
  | 'messageTooLarge'
  | 'languageUnknown'
  | 'mimeInvalid'
  | 'mimeNotBase64'
  | 'notDeletable'
  | 'notDraft'
  | 'notInStore'
  | 'noRecipients'
  | 'propertyInvalid'
  | 'propertyNotSettable'
  | 'rangeMismatch'
  | 'rangeOutOfOrder'
  | 'rangeOverlap'
  | 'recipientInvalid'
  | 'referenceInvalid'
  | 'scheduleInvalid'
  | 'searchFolder'
  | 'sendAsDenied'
  | 'storeUnavailable'
  | 'submissionQuotaExceeded'
  | 'timeZoneUnknown'
  | 'tooManyHeaders'
  | 'tooManyOverrides'
  | 'tooManyRecipients'
  | 'uploadTooSmall'
  | 'workingHoursInvalid'

/** A rule of the domain was broken by the request; never our own fault. */
export class MailError extends Error {
  readonly code: MailErrorCode
  /** In wire spelling: what the caller must change. */
  readonly property: string | undefined
  /** The value at fault, where Graph's text quotes it. */
  readonly value: string | undefined

  constructor(code: MailErrorCode, message: string, details: { property?: string; value?: string } = {}) {
    super(message)
    this.name = 'MailError'
    this.code = code
    this.property = details.property
    this.value = details.value
  }
}
