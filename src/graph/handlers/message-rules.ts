import { MailError } from '../../mail/errors.js'
import type { FolderId } from '../../mail/ids.js'
import type { Mail } from '../../mail/mail.js'
import { folderId, requireHoldsMessages } from '../../mail/mail-folder.js'
import { createRule, deleteRule, type MessageRule, type RuleSaid, updateRule } from '../../mail/message-rule.js'
import { collectionReply, entityReply } from '../collection.js'
import { GraphError } from '../errors.js'
import { folderNamed, folderOfPath } from '../keys.js'
import type { GraphReply, GraphRequest, Handler } from '../request.js'
import { jsonOf } from '../request-json.js'
import { presentRule, readRule, readRuleId, requireWholeRule, withFolders } from '../resources/message-rule.js'

/** GET {mailbox}/mailFolders/inbox/messageRules: in the order in which they are applied. */
export const listRules: Handler = async (request, mail) => {
  await requireInbox(request, mail)
  const rules = (await mail.store.rules.list(request.mailbox.id)).sort((one, other) => one.sequence - other.sequence)
  const folders = await foldersThatAre(request, mail)
  return collectionReply(
    request,
    belowInbox(request),
    rules.map((rule) => presentRule(rule, { mailbox: request.mailbox, folders })),
  )
}

/** GET .../messageRules/{rule} */
export const getRule: Handler = async (request, mail) => reply(request, mail, await ruleOfPath(request, mail))

/** POST .../messageRules: name, sequence and actions at least; 201 and the rule. */
export const postRule: Handler = async (request, mail) => {
  await requireInbox(request, mail)
  const read = readRule(jsonOf(request), request.version)
  requireWholeRule(read)
  const said = await withFolders(read, (name) => folderForMessages(request, mail, name))
  return reply(request, mail, await createRule(mail, request.mailbox.id, { isEnabled: true, ...said } as RuleSaid), 201)
}

/** PATCH .../messageRules/{rule}: what is given is replaced; 200 and the rule. */
export const patchRule: Handler = async (request, mail) => {
  const rule = await ruleOfPath(request, mail)
  const read = readRule(jsonOf(request), request.version)
  const said = await withFolders(read, (name) => folderForMessages(request, mail, name))
  return reply(request, mail, await updateRule(mail, request.mailbox.id, rule, said))
}

/** DELETE .../messageRules/{rule}; 204. */
export const removeRule: Handler = async (request, mail) => {
  await deleteRule(mail, request.mailbox.id, (await ruleOfPath(request, mail)).id)
  return { status: 204 }
}

async function reply(request: GraphRequest, mail: Mail, rule: MessageRule, status = 200): Promise<GraphReply> {
  const folders = await foldersThatAre(request, mail)
  return entityReply(request, belowInbox(request), presentRule(rule, { mailbox: request.mailbox, folders }), status)
}

async function foldersThatAre({ mailbox }: GraphRequest, mail: Mail): Promise<ReadonlySet<FolderId>> {
  return new Set((await mail.store.folders.list(mailbox.id)).map(({ id }) => id))
}

async function ruleOfPath(request: GraphRequest, mail: Mail): Promise<MessageRule> {
  await requireInbox(request, mail)
  const id = readRuleId(request.keys.rule ?? '')
  const rule = id === undefined ? undefined : await mail.store.rules.find(request.mailbox.id, id)
  if (rule !== undefined) return rule
  throw new MailError('notInStore', 'The Inbox has no such rule.')
}

async function requireInbox(request: GraphRequest, mail: Mail): Promise<void> {
  if ((await folderOfPath(request, mail))?.id === folderId('inbox')) return
  throw new GraphError(400, 'ErrorInvalidRequest', 'The OData request is not supported.', {
    reason: 'The Inbox alone has rules.',
  })
}

async function folderForMessages(request: GraphRequest, mail: Mail, name: string): Promise<FolderId> {
  const folder = await folderNamed(request, mail, name)
  requireHoldsMessages(folder)
  return folder.id
}

function belowInbox({ folderPath }: GraphRequest): string {
  return `mailFolders('${encodeURIComponent(folderPath.at(-1) ?? '')}')/messageRules`
}
