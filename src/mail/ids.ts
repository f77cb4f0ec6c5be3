/**
 * The internal keys of the domain: numbers, branded so that a folder's cannot be passed for a message's.
 * What a Graph client sees as an id is made from these in `graph/item-id.ts`.
 */

declare const brand: unique symbol
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name }

/** A tenant's GUID, lower case. Everything kept belongs to exactly one tenant. */
export type TenantId = Branded<string, 'TenantId'>
/** Key of a mailbox; leads every key of what the mailbox holds. */
export type MailboxId = Branded<number, 'MailboxId'>
/** Key of a message within its mailbox; the same for the life of the message, whatever folder it is in. */
export type MessageId = Branded<number, 'MessageId'>
/** Key of a mail folder within its mailbox. */
export type FolderId = Branded<number, 'FolderId'>
/** Key of an attachment within its message. */
export type AttachmentId = Branded<number, 'AttachmentId'>

/**
 * Hands out numbers, each larger than the one before and never the same twice, across processes too.
 * One sequence serves messages, attachments, folders and change keys, as one counter of a store does in Exchange.
 * Numbers fit in 48 bits.
 */
export interface IdSequence {
  next(): number
}
