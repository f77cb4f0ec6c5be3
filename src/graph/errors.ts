import type { MailError, MailErrorCode } from '../mail/errors.js'

/**
 * A refusal in Graph's words. `frontEnd` errors (token, routing, reading the request) carry an `innerError` with date
 * and ids; those of the mail workload have only code and message (recordings since 2023).
 */
export class GraphError extends Error {
  readonly status: number
  readonly code: string
  readonly frontEnd: boolean
  /** OData `target`: the property at fault, where Graph's own text does not name it. */
  readonly target: string | undefined
  /** For our call record, never on the wire: why, and what would have been admitted. */
  readonly reason: string | undefined
  readonly headers: Readonly<Record<string, string>>
  /** A code inside `innerError` that is more precise. */
  readonly innerCode: string | undefined

  constructor(
    status: number,
    code: string,
    message: string,
    details: {
      frontEnd?: boolean
      target?: string
      reason?: string
      headers?: Record<string, string>
      innerCode?: string
    } = {},
  ) {
    super(message)
    this.name = 'GraphError'
    this.status = status
    this.code = code
    this.frontEnd = details.frontEnd ?? false
    this.target = details.target
    this.reason = details.reason
    this.headers = details.headers ?? {}
    this.innerCode = details.innerCode
  }
}

interface GraphErrorRow {
  readonly status: number
  readonly code: string
  readonly message: (error: MailError) => string
}

const notInStore = 'The specified object was not found in the store.'

/** Each broken rule as Graph says it. Sources: recordings where there is one, else the documented or observed text. */
const mailErrors: Record<MailErrorCode, GraphErrorRow> = {
  categoryExists: {
    status: 409,
    code: 'CategoryNameDuplicate',
    message: (error) => `A category with the name '${error.value}' already exists.`,
  },
  attachmentNotFound: { status: 404, code: 'ErrorItemNotFound', message: () => notInStore },
  attachmentTooLarge: {
    status: 400,
    code: 'ErrorMessageSizeExceeded',
    message: () => 'The message exceeds the maximum supported size., Cannot save changes made to an item to store.',
  },
  conflict: {
    status: 412,
    code: 'ErrorIrresolvableConflict',
    message: () =>
      'The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.',
  },
  extensionExists: {
    status: 409,
    code: 'nameAlreadyExists',
    message: (error) => `An extension with the name '${error.value}' already exists.`,
  },
  extensionNotFound: { status: 404, code: 'ErrorItemNotFound', message: () => notInStore },
  folderExists: {
    status: 409,
    code: 'ErrorFolderExists',
    message: (error) => `A folder with the specified name already exists., Could not create folder '${error.value}'.`,
  },
  folderInItself: { status: 400, code: 'ErrorMoveCopyFailed', message: () => 'The move or copy operation failed.' },
  folderNotDeletable: {
    status: 400,
    code: 'ErrorDeleteDistinguishedFolder',
    message: () => 'Distinguished folders cannot be deleted.',
  },
  folderNotFound: { status: 404, code: 'ErrorItemNotFound', message: () => notInStore },
  folderNotMovable: {
    status: 400,
    code: 'ErrorMoveDistinguishedFolder',
    message: () => 'Distinguished folders cannot be moved or renamed.',
  },
  headerInvalid: {
    status: 400,
    code: 'InvalidInternetMessageHeader',
    message: (error) => `The internet message header '${error.value}' is not valid.`,
  },
  headerNotAllowed: {
    status: 400,
    code: 'InvalidInternetMessageHeader',
    message: (error) => `The internet message header name '${error.value}' should start with 'x-' or 'X-'.`,
  },
  messageNotFound: {
    status: 404,
    code: 'ErrorItemNotFound',
    message: () => `${notInStore}, The process failed to get the correct properties.`,
  },
  messageTooLarge: {
    status: 400,
    code: 'ErrorMessageSizeExceeded',
    message: () => 'The message exceeds the maximum supported size.',
  },
  mimeInvalid: { status: 400, code: 'ErrorMimeContentInvalid', message: () => 'The MIME content is invalid.' },
  mimeNotBase64: {
    status: 400,
    code: 'ErrorMimeContentInvalidBase64String',
    message: () => 'Invalid base64 string for MIME content.',
  },
  notDeletable: { status: 400, code: 'ErrorCannotDeleteObject', message: () => 'Object cannot be deleted.' },
  notDraft: { status: 400, code: 'ErrorInvalidPropertySet', message: () => 'Message is not draft.' },
  notInStore: { status: 404, code: 'ErrorItemNotFound', message: () => notInStore },
  noRecipients: {
    status: 400,
    code: 'ErrorInvalidRecipients',
    message: () => "At least one recipient is not valid., A message can't be sent because it contains no recipients.",
  },
  propertyInvalid: {
    status: 400,
    code: 'ErrorInvalidProperty',
    message: (error) => `The property '${error.property}' is not valid., ${error.message}`,
  },
  propertyNotSettable: {
    status: 400,
    code: 'ErrorInvalidPropertySet',
    message: () => 'Set action is invalid for property.',
  },
  rangeMismatch: { status: 400, code: 'invalidRequest', message: (error) => error.message },
  rangeOutOfOrder: { status: 416, code: 'invalidRange', message: (error) => error.message },
  rangeOverlap: { status: 416, code: 'invalidRange', message: (error) => error.message },
  recipientInvalid: {
    status: 400,
    code: 'ErrorInvalidRecipients',
    message: (error) =>
      `At least one recipient is not valid., Recipient '${error.value}' is not resolved. All recipients must be resolved before a message can be submitted.`,
  },
  referenceInvalid: {
    status: 400,
    code: 'ErrorInvalidReferenceItem',
    message: () => 'The reference item does not support the requested operation.',
  },
  languageUnknown: {
    status: 400,
    code: 'InvalidArguments',
    message: (error) => `Requested value '${error.value}' was not found.`,
  },
  scheduleInvalid: {
    status: 400,
    code: 'ErrorInvalidTimeSettings',
    message: () => 'Start Time should occur before End Time.',
  },
  searchFolder: { status: 400, code: 'ErrorMoveCopyFailed', message: () => 'The move or copy operation failed.' },
  sendAsDenied: {
    status: 403,
    code: 'ErrorSendAsDenied',
    message: () =>
      'The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account., Cannot submit message.',
  },
  storeUnavailable: {
    status: 503,
    code: 'ErrorServerBusy',
    message: () => 'The server cannot service this request right now. Try again later.',
  },
  submissionQuotaExceeded: {
    status: 429,
    code: 'ErrorSubmissionQuotaExceeded',
    message: () => "The message couldn't be sent because the sender's submission quota was exceeded. Try again later.",
  },
  timeZoneUnknown: {
    status: 400,
    code: 'InvalidTimeZone',
    message: () => 'Time Zone settings provided are invalid.',
  },
  tooManyHeaders: {
    status: 400,
    code: 'InvalidInternetMessageHeaderCollection',
    message: () => 'Maximum number of headers in one message should be less than or equal to 5.',
  },
  tooManyOverrides: {
    status: 400,
    code: 'ErrorInvalidRequest',
    message: (error) => `The mailbox exceeds the maximum number of overrides, ${error.value}.`,
  },
  tooManyRecipients: {
    status: 400,
    code: 'ErrorExceededMaxRecipientLimit',
    message: (error) => `The message exceeds the maximum number of recipients, ${error.value}.`,
  },
  workingHoursInvalid: {
    status: 400,
    code: 'ErrorInvalidTimeSettings',
    message: () => 'Start Time should occur before End Time.',
  },
  uploadTooSmall: {
    status: 400,
    code: 'ErrorAttachmentSizeShouldNotBeLessThanMinimumSize',
    message: () => 'The attachment size should not be less than the minimum size of an upload session.',
  },
}

/** What the general catalogue calls a range that does not fit. */
const innerCodes: Partial<Record<MailErrorCode, string>> = {
  rangeMismatch: 'fragmentLengthMismatch',
  rangeOutOfOrder: 'fragmentOutOfOrder',
  rangeOverlap: 'fragmentOverlap',
}

/** Rules whose text does not say which property broke them: `target` does. */
const named: ReadonlySet<MailErrorCode> = new Set([
  'languageUnknown',
  'scheduleInvalid',
  'timeZoneUnknown',
  'workingHoursInvalid',
])

/** The refusal that answers a broken rule. */
export function graphErrorOf(error: MailError): GraphError {
  const row = mailErrors[error.code]
  const innerCode = innerCodes[error.code]
  return new GraphError(row.status, row.code, row.message(error), {
    reason: error.message,
    ...(named.has(error.code) && error.property !== undefined ? { target: error.property } : {}),
    ...(innerCode === undefined ? {} : { innerCode }),
    ...(row.status === 503 ? { headers: { 'Retry-After': '1' } } : {}),
    // The value of such an error is when it is worth another try, in seconds.
    ...(row.status === 429 ? { headers: { 'Retry-After': error.value ?? '1' } } : {}),
  })
}

/** A body that is JSON, but not of the shape the operation takes. `target`: path of the property, in wire spelling. */
export function requestBodyRead(message: string, target: string): GraphError {
  return new GraphError(400, 'RequestBodyRead', message, { frontEnd: true, target })
}

/** A request that cannot be understood at all. */
export function badRequest(message: string, reason?: string): GraphError {
  return new GraphError(400, 'BadRequest', message, { frontEnd: true, ...(reason === undefined ? {} : { reason }) })
}

/** A path that leads nowhere: a segment of it names nothing that is served. */
export class SegmentNotFound extends GraphError {
  constructor(segment: string, reason?: string) {
    const message = `Resource not found for the segment '${segment}'.`
    super(400, 'BadRequest', message, { frontEnd: true, ...(reason === undefined ? {} : { reason }) })
  }
}
