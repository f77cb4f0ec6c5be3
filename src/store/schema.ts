import type { Generated } from 'kysely'

/**
 * The tables, as both databases have them: text, integers, bytes; booleans are 0/1, moments ms since 1970.
 * Mailbox id leads every key, so that mailboxes can be spread over several databases one day.
 */
export interface Schema {
  /** `ids`: where the next block begins; `forgotten`: the last commit whose removals may be gone. */
  sequences: { name: string; next: number }
  /** On SQLite the number of the last commit, in one row; PostgreSQL numbers transactions itself. */
  commits: { number: number }
  tenants: { id: string; domain: string; display_name: string }
  signing_keys: { id: string; private_jwk: string; created_at: number }
  mailboxes: {
    id: number
    tenant_id: string
    guid: string
    owner: string
    user_principal_name: string
    address: string
    display_name: string
    /** Lower case, for look-ups without case. */
    upn_key: string
    address_key: string
    /** 1: settings, overrides or rules decide over what arrives. */
    minds_arrivals: Generated<number>
  }
  /** `settings`: JSON of what was set; `change` tells writers apart. */
  mailbox_settings: { mailbox_id: number; change: number; settings: string }
  /** Who was answered, in which period. */
  automatic_replies: { mailbox_id: number; address_key: string; period: number }
  /** `position`: from the id sequence, for their order. */
  outlook_categories: {
    mailbox_id: number
    id: string
    position: number
    name_key: string
    display_name: string
    color: string
  }
  classification_overrides: {
    mailbox_id: number
    id: string
    position: number
    address_key: string
    address: string
    name: string | null
    classify_as: string
  }
  /** `rule`: JSON of the rest of a MessageRule. */
  message_rules: { mailbox_id: number; id: number; change: number; rule: string }
  accounts: { tenant_id: string; user_id: string; kind: string; password_hash: string | null }
  /** `details`: JSON of the rest of an Application. */
  applications: { tenant_id: string; id: string; object_id: string; display_name: string; details: string }
  /** `members`: JSON list of object ids. */
  groups: { tenant_id: string; id: string; address: string; display_name: string; members: string }
  /** `permissions`: separated by spaces. */
  consents: { tenant_id: string; user_id: string; application_id: string; permissions: string }
  grants: {
    id: string
    kind: string
    state: string
    tenant_id: string
    application_id: string
    user_id: string | null
    user_code: string | null
    family: string
    details: string
    expires_at: number
    redeemed_at: number | null
  }
  mailbox_aliases: { tenant_id: string; address_key: string; mailbox_id: number }
  mailbox_rights: { mailbox_id: number; user_id: string; right: string }
  mail_folders: {
    mailbox_id: number
    id: number
    parent_id: number | null
    well_known_name: string | null
    display_name: string
    is_hidden: number
    total_item_count: number
    unread_item_count: number
    size_bytes: number
    change: number
    /** JSON of FolderDetails; null: none of them. */
    details: string | null
    /** See `messages`. */
    commit_number: Generated<number>
  }
  messages: {
    mailbox_id: number
    id: number
    folder_id: number
    moves: number
    change: number
    created_at: number
    modified_at: number
    received_at: number
    sent_at: number
    is_read: number
    is_draft: number
    has_attachments: number
    /** 0 low, 1 normal, 2 high: so that ordering by it means something. */
    importance: number
    subject: string | null
    from_name: string | null
    from_address: string | null
    internet_message_id: string
    conversation_id: string
    conversation_index: string
    size_bytes: number
    body_preview: string | null
    /** The answer last sent to it: PidTagLastVerbExecuted (102, 103, 104) and its time; null: none. */
    last_verb: number | null
    last_verb_at: number | null
    /** JSON of MessageContent without the body's text, and without what has its usual value. */
    content: string
    /** The body's text as it was written. Last: reading the columns before it does not touch its pages. */
    body: string
    /** Of the commit that wrote the row last, as `DatabaseDialect.commitNumber` counts them. */
    commit_number: Generated<number>
    /** Of the commit with which it came into its folder; null: the one that wrote the row last. */
    entered_number: Generated<number | null>
  }
  /** What has left a folder, for delta queries; forgotten after a time. A folder that was deleted left folder 0. */
  removals: {
    /** Given by the database, rising. */
    id: Generated<number>
    mailbox_id: number
    folder_id: number
    item_id: number
    /** How often the message had been moved when it left: a part of the id by which a client knows it. */
    moves: number
    received_at: number
    commit_number: number
    removed_at: number
  }
  message_mime: { mailbox_id: number; message_id: number; mime: Uint8Array }
  attachments: {
    mailbox_id: number
    message_id: number
    id: number
    kind: string
    name: string
    content_type: string | null
    size_bytes: number
    is_inline: number
    content_id: string | null
    content_location: string | null
    modified_at: number
    /** Null: the bytes are in the blob. */
    content: Uint8Array | null
    blob: string | null
  }
  /** How many messages of a mailbox are in the full-text index, whose tables each database has in its own way. */
  search_mailboxes: { mailbox_id: number; indexed_count: number }
  upload_sessions: {
    mailbox_id: number
    id: number
    message_id: number
    blob: string
    name: string
    content_type: string
    is_inline: number
    content_id: string | null
    size_bytes: number
    received_bytes: number
    token_hash: string
    expires_at: number
  }
  outbox: {
    mailbox_id: number
    message_id: number
    destination: string
    mail_from: string
    /** JSON of OutboxRecipient[] */
    recipients: string
    /** As OutboxEntry has it; `ready`: queued, and due. Each open state stands in an index of its own. */
    state: string
    attempts: number
    due_at: number
    created_at: number
    claimed_by: string | null
    wish: string | null
  }
  /** Drafts that are sent at a time; `details`: JSON of the rest of a ScheduledSend. */
  /** `slot` bounds how many are kept of an envelope; `record`: JSON of the rest of a DeliveryAttempt. */
  delivery_attempts: {
    mailbox_id: number
    message_id: number
    destination: string
    slot: number
    attempt: number
    at: number
    record: string
  }
  /** Calls that may be repeated: hashes of the key and of what was asked, and JSON of what was answered. */
  idempotency_keys: {
    mailbox_id: number
    application_id: string
    key_hash: string
    request_hash: string
    expires_at: number
    answer: string
  }
  scheduled_sends: { mailbox_id: number; message_id: number; due_at: number; details: string }
  /**
   * Entries of the outbox that nobody has claimed yet, as they were accepted: many to a row, appended only. Kept apart
   * because an append costs a fraction of a row of `outbox`, with its key and its index.
   */
  submissions: {
    /** Given by the database, rising. */
    id: Generated<number>
    count: number
    /** JSON lists, comma after comma: `[mailbox, message, destination, mail_from, recipients, created_at], ...` */
    entries: string
    /** When its oldest entry was accepted, and so due. */
    due_at: number
  }
  /** `details`: JSON of the rest of a Subscription. */
  subscriptions: {
    id: string
    tenant_id: string
    application_id: string
    user_id: string | null
    mailbox_id: number
    expires_at: number
    details: string
  }
  /** Changes of messages in mailboxes that have subscriptions, until they are made into notifications; written by triggers. */
  message_changes: {
    /** Given by the database, rising. */
    id: Generated<number>
    mailbox_id: number
    message_id: number
    from_folder: number
    from_moves: number
    to_folder: number
    to_moves: number
    change: number
  }
  notifications: {
    id: number
    subscription_id: string
    /** JSON of a NotificationContent. */
    content: string
    /** JSON of the Subscription as it was, where the notification outlives it; null: as it is. */
    subscription: string | null
    created_at: number
    due_at: number
  }
  /** Messages that match the filter of a subscription, as far as it was told so. */
  subscription_matches: { subscription_id: string; message_id: number }
  call_pages: { id: number; count: number; records: string }
}
