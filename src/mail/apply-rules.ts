import type { FolderId } from './ids.js'
import { folderId } from './mail-folder.js'
import type { EmailAddress, Message } from './message.js'
import { applies, hasError, type MessageRule, type RuleActions } from './message-rule.js'

/** Ways in which rules send a message on. */
export type OnwardKind = 'forwardTo' | 'forwardAsAttachmentTo' | 'redirectTo'

/** To whom a rule sends a message on, and how. */
export interface Onward {
  readonly kind: OnwardKind
  readonly recipients: readonly EmailAddress[]
}

/** What the rules of a mailbox make of a message. */
export interface Ruled {
  /** undefined: deleted for good. */
  readonly message: Message | undefined
  /** Where copies of it go. */
  readonly copies: readonly FolderId[]
  readonly onward: readonly Onward[]
}

/** Exchange's bound for all that the rules of one mailbox send of one message. */
const maxOnward = 500

/**
 * Applies rules in their order until one says that it is the last. Of several that move a message the first decides; one
 * that names a folder which is gone is passed over.
 *
 * @param folders that the mailbox has
 * @param addresses the mailbox's own, lower case
 */
export function applyRules(
  rules: readonly MessageRule[],
  message: Message,
  folders: ReadonlySet<FolderId>,
  addresses: ReadonlySet<string>,
): Ruled {
  let current = message
  let folder: FolderId | undefined
  let isPurged = false
  const copies = new Set<FolderId>()
  const onward = new Map<string, { kind: OnwardKind; recipient: EmailAddress }>()
  const inOrder = rules.filter((rule) => rule.isEnabled && !hasError(rule, folders))
  for (const rule of inOrder.sort((one, other) => one.sequence - other.sequence || one.id - other.id)) {
    if (!applies(rule, { message: current, addresses })) continue
    const { actions } = rule
    current = marked(current, actions)
    folder ??= actions.delete === true ? folderId('deleteditems') : actions.moveToFolder
    isPurged ||= actions.permanentDelete === true
    if (actions.copyToFolder !== undefined) copies.add(actions.copyToFolder)
    for (const kind of ['forwardTo', 'forwardAsAttachmentTo', 'redirectTo'] as const) {
      for (const recipient of actions[kind] ?? []) {
        const key = recipient.address.toLowerCase()
        // To oneself it would come again and again.
        if (!addresses.has(key) && onward.size < maxOnward) onward.set(`${kind} ${key}`, { kind, recipient })
      }
    }
    if (actions.stopProcessingRules === true) break
  }
  const placed = folder === undefined ? current : { ...current, folder }
  return {
    message: isPurged ? undefined : placed,
    copies: [...copies],
    onward: groupedByKind([...onward.values()]),
  }
}

function marked(message: Message, { markAsRead, markImportance, assignCategories = [] }: RuleActions): Message {
  const { content } = message
  return {
    ...message,
    isRead: markAsRead ?? message.isRead,
    importance: markImportance ?? message.importance,
    content:
      assignCategories.length === 0
        ? content
        : { ...content, categories: [...new Set([...content.categories, ...assignCategories])] },
  }
}

function groupedByKind(all: readonly { kind: OnwardKind; recipient: EmailAddress }[]): Onward[] {
  const kinds = [...new Set(all.map(({ kind }) => kind))]
  return kinds.map((kind) => ({
    kind,
    recipients: all.filter((each) => each.kind === kind).map(({ recipient }) => recipient),
  }))
}
