import type { Draft } from './message.js'

/** A new draft before anything is said of it: the values recorded of one. */
export function emptyDraft(): Draft {
  return {
    subject: null,
    body: { contentType: 'text', content: '' },
    importance: 'normal',
    isRead: true,
    toRecipients: [],
    ccRecipients: [],
    bccRecipients: [],
    replyTo: [],
    categories: [],
    flag: { flagStatus: 'notFlagged' },
    inferenceClassification: 'focused',
    isDeliveryReceiptRequested: false,
    isReadReceiptRequested: false,
    internetMessageHeaders: [],
    singleValueExtendedProperties: [],
    multiValueExtendedProperties: [],
    attachments: [],
  }
}
