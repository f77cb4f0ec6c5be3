import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { routes } from '../src/graph/routes.js'
import { cloudSection } from './cloud-section.js'
import { operations, operationsNotServed } from './operations.js'

/** The test that witnesses each operation, by the end of its path. A route without a row here does not pass. */
const witnesses: readonly (readonly [RegExp, string])[] = [
  [/^\$batch$/, 'tests/graph/batch.test.ts'],
  [/\/sendMail$/, 'tests/graph/send-mail.test.ts'],
  [/\/translateExchangeIds$/, 'tests/graph/translate-ids.test.ts'],
  [/^subscriptions(\/|$)/, 'tests/graph/subscriptions.test.ts'],
  [/^(\{mailbox\}|users)$/, 'tests/graph/users.test.ts'],
  [/\/createUploadSession$/, 'tests/graph/upload-session.test.ts'],
  [/\{(property|attachmentProperty)\}$|\/item$/, 'tests/graph/segments.test.ts'],
  [/\/attachments(\/|$)/, 'tests/graph/messages.test.ts'],
  [/\/delta$/, 'tests/graph/delta.test.ts'],
  [/\/messageRules(\/|$)/, 'tests/graph/message-rules.test.ts'],
  [/\/mailFolders(?!.*\/messages).*/, 'tests/graph/mail-folders.test.ts'],
  [/\/(send|move|copy|permanentDelete)$/, 'tests/graph/drafts.test.ts'],
  [/\/(createReply|createReplyAll|createForward|reply|replyAll|forward)$/, 'tests/graph/answers.test.ts'],
  [/\/markAs(Not)?Junk$/, 'tests/graph/mail-folders.test.ts'],
  [/\/unsubscribe$|\/mentions\//, 'tests/graph/beta.test.ts'],
  [/\/mailboxSettings(\/|$)/, 'tests/graph/mailbox-settings.test.ts'],
  [/\/masterCategories(\/|$)/, 'tests/graph/outlook-categories.test.ts'],
  [/\/inferenceClassification(\/|$)/, 'tests/graph/classification-overrides.test.ts'],
  [/\/getMailTips$/, 'tests/graph/mail-tips.test.ts'],
  [/\/outlook$|\/supported(Languages|TimeZones)$/, 'tests/graph/outlook-user.test.ts'],
  [/\/extensions(\/|$)/, 'tests/graph/open-extensions.test.ts'],
  [/\/messages\/\$count$/, 'tests/graph/filter.test.ts'],
  [/\/messages(\/|$)/, 'tests/graph/messages.test.ts'],
]

const differences = [
  'What is on the wire is Graphpost: `x-ms-ags-diagnostic` names no data centre, links lead to the address you called, and `WWW-Authenticate` names our own authority.',
  'The 4 MB limit of a request answers 413 with the recorded code and text; the recordings do not show the status.',
  '`RequestBodyRead` and `UnableToDeserializePostBody` carry OData’s `target`, which names the property; the real service often leaves the caller to guess.',
  'A POST without Content-Length answers 411 with a page, as the front end of the service does; a chunked one is taken.',
  'Mail for other domains is captured until a relay is set. `sendMail` answers 202 in either case, as Graph does.',
  '`Message-ID` ends in the host name of this server (`--hostname`), not in a name of Exchange.',
  '`uniqueBody` ends where the marks of Outlook, Gmail, Yahoo, Apple and Thunderbird begin a quote; the real service compares with the thread.',
  '`conversationIndex` of an answer counts time as the recorded reply does, which is not what MS-OXOMSG says: from the first six bytes of the index, and each level from the one before.',
  'An answer in MIME carries nothing of the original: body and files are the MIME’s, byte for byte below its header. Addresses and thread fields of the header are those of the answer.',
  'Of two sends of one draft at once one answers 202 and the others 404; of two updates at once one may answer 412, also without `If-Match`, as recorded.',
  'An update of `subject` or `body` of a sent message answers 200 and changes nothing; the real service did one or the other at different times.',
  'A message that is still being delivered takes no change of what is sent (412); its owner’s notes (`isRead`, `categories`, `flag`) it takes.',
  '`DELETE` moves to the recoverable deletions; `permanentDelete` takes a message out of every folder at once.',
  '`unsubscribe` (beta) sends the mail that `List-Unsubscribe` asks for; a list with a web address alone is refused with `ErrorInvalidReferenceItem`, since nothing but mail leaves this server.',
  'A folder that is deleted where Deleted Items has one of its name is called `NAME (1)` there; deleted once more, it is gone, and its messages are among the recoverable deletions.',
  'Default folders can be copied, not renamed, moved or deleted; Clutter, Scheduled and the folders of recoverable items stand beside the root and in no list. Names of default folders follow the language the mailbox was made in.',
  'Search folders find what they show whenever they are asked, do not expire, and are deleted at once. `sizeInBytes` of one is 0.',
  '`markAsJunk` and `markAsNotJunk` move the message; no list of blocked senders is kept.',
  'The URL of an upload session is on this server; a bearer token sent to it is not looked at. `GET` on it says what is expected next. Ranges may have up to 60 MiB.',
  'An attached event or contact is kept as it was given; its `$value` is iCalendar or vCard of what people look at. An attached message is in no conversation, and the ids of its own attachments tell them apart, but no path leads to them.',
  '`outlook` and `inferenceClassification` have the id of the mailbox’s owner; that of the real service is not known.',
  'A message may have 200 MiB with its attachments (`--max-message-bytes`); one file 150 MiB.',
  'Full Access, Send As and Send on Behalf are rights in a whole mailbox; sharing one folder is not known.',
  'Links to the next page have a `$skiptoken` before the recorded `$skip` where a filter is given, and from `$skip` 201 on. Who follows them is never shown a message twice, nor one left out, while mail comes in.',
  'The three rules of `$orderby` with `$filter` are kept strictly, but for `isRead` and `parentFolderId`, which leave the order free as recorded.',
  'Text in `$filter` is compared without case; `eq` of a moment means its second. Mail.ReadBasic is refused (403) filters by body and extended properties.',
  'Automatic replies go to each sender once while they are on, with an empty return path; never to programs, lists or the mailbox itself (RFC 3834). Who sent through this server is internal; there are no contacts, so `contactsOnly` is `none`.',
  'Rules look at the header for what is no property: meetings, encryption, voice mail. A message passes the rules of three mailboxes at most; mail without a return path is not sent on. `hasError` says that a folder of the rule is gone.',
  'A mailbox has 256 rules of 16 KB at most, a message 32 extensions of 32 KB.',
  'A category of a name that is there answers 409 `CategoryNameDuplicate`, an extension 409 `nameAlreadyExists`; the codes of the real service are not known.',
  'Windows time zones are shown with their offset and place; mailboxes are never full.',
  'A user’s profile holds what the directory knows: names, addresses and ids; its other properties are null.',
  '`$search` finds whole words, in any case and without diacritics, or what begins with `word*`; no stemming. Of attachments it knows the names, of a body the first 16,000 words. A day is one in UTC, a week begins on Sunday. `kind:email` is every message.',
  '`$search` without quotes takes words alone; a character such as `:` is refused there as the service does. A property that it does not know is free text. A page is 10 results unless `$top` says otherwise.',
  '`$metadata` describes what is served here, not the whole of Graph, and is the same in every cloud. `sizeInBytes` of a folder stands in no published model, but in recorded answers.',
  'Access policies and permissions of applications take effect within a second, not within hours.',
  'In a batch, calls on one mailbox wait for each other, four at a time, where the real service throttles some of them. `dependsOn` may form any pattern that looks back, not the three documented ones alone.',
  'An item of a batch without a body needs no `Content-Type`; the real service was seen to refuse writes without either. MIME in a batch may be base64 once, as it is written alone, or twice, as the documentation has it.',
  'What is read in one batch has 64 MiB at most; an item beyond that is 413.',
  '`odata.metadata=full` gives types, addresses and links, but no targets of actions. Other `$format` than JSON is 400.',
  'An id that cannot be translated has a null `targetId` beside its `errorDetails`.',
  'Endpoints of subscriptions are called on this machine alone, also by plain `http://`, until a relay is set; from then on by https at public addresses alone.',
  'A notification that no 2xx answers within 3 s is told again after 10 s, 30 s, 1, 2, 5 and then every 10 minutes, for four hours. Slow endpoints are not punished with delays or dropped notifications.',
  'A subscription may be made with `Mail.ReadWrite` too. One with `$filter` learns what a message was from what it was told: of a message from before the subscription, ceasing to match is not told, and changing while it matches is told as `created` the first time.',
  '`subscriptionRemoved` comes when rights, policies or grants no longer let the application into the mailbox; a new password does not end a subscription.',
  'A face Graph does not have: `/admin/...`, for tokens with the permission `Graphpost.Admin`: calls, outbox, directory.',
]

const refused = [
  '`$deltatoken` where no delta is asked for, and `$search` on `$count`: 400 `ErrorInvalidUrlQuery`, never ignored.',
  '`$filter` by `bodyPreview`, `changeKey`, recipients, headers or attachments, and functions but `contains`, `startswith`, `endswith` and `cast`: 400 `ErrorInvalidUrlQueryFilter`.',
  '`$expand` takes of messages attachments, extensions, extended properties and in beta mentions; of folders child folders, messages and extended properties; of attachments the item: anything else is 400 `ExpandNotSupported`, or `RequestBroker--ParseUri` where there is no such name.',
  'Every operation that is not in the table: 400 `BadRequest`, `Resource not found for the segment ...`.',
]

/** `docs/compatibility.md`, from the route table. */
export function compatibilityPage(): string {
  const rows = routes.map((route) => {
    const { method, path, body, since, notIn = [] } = route
    const permission = route.kind === 'batch' ? 'that of each call in it' : route.permission
    const takes = { none: '', json: 'JSON', jsonOrMime: 'JSON or MIME', optionalJsonOrMime: 'JSON or MIME, or none' }[
      body
    ]
    const versions = since === 'beta' ? 'in beta' : 'served'
    const status = notIn.length > 0 ? `${versions}, not in ${notIn.join(', ')}` : versions
    return `| ${method} | \`/${path}\` | ${status} | ${permission} | ${takes} | \`${witnessOf(method, path)}\` |`
  })
  return `${[
    '# What is served',
    '',
    'Generated from the route table in `src/graph/routes.ts` by `npm run docs`.',
    '',
    '`{mailbox}` is `me` or `users/{id or user principal name}`; a row is served under `/v1.0` and `/beta` unless its status',
    'says otherwise, with keys as segments or in parentheses, with and without `microsoft.graph.` before an action, and',
    'below any depth of `childFolders`. The permission is the weakest that suffices, delegated or application. The tests of',
    'the witness call the operation with success, or `npm test` fails.',
    '',
    '| Method | Path | Status | Permission | Body | Witness |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    ...cloudSection(),
    '',
    '## Different on purpose',
    '',
    ...differences.map((line) => `- ${line}`),
    '',
    ...operationsOfModel(),
    '',
    '## Not served yet, and refused by name',
    '',
    ...refused.map((line) => `- ${line}`),
  ].join('\n')}\n`
}

/** The test file that witnesses a row of the route table; `npm test` fails when its tests do not call the row with success. */
export function witnessOf(method: string, path: string): string {
  if (method !== 'GET' && /\/attachments(\/\{attachment\})?$/.test(path)) return 'tests/graph/attachments.test.ts'
  const isChange = method !== 'GET' && /\/messages(\/\{message\})?$/.test(path)
  const witness = isChange ? 'tests/graph/drafts.test.ts' : witnesses.find(([pattern]) => pattern.test(path))?.[1]
  if (witness === undefined) throw new Error(`No test is named for ${path}: add it to scripts/compatibility-page.ts.`)
  if (!existsSync(fileURLToPath(new URL(`../../${witness}`, import.meta.url))))
    throw new Error(`There is no ${witness}.`)
  return witness
}

/** How much of the published model is served, and why the rest is not. */
function operationsOfModel(): string[] {
  const missing = operationsNotServed()
  return [
    '## Of the v1.0 model',
    '',
    `${countOfOperations()} The others:`,
    '',
    '| Operation | Why not |',
    '| --- | --- |',
    ...missing.map(({ method, path, reason }) => `| ${method} \`/${path}\` | ${reason} |`),
  ]
}

/** One sentence. */
export function countOfOperations(): string {
  const missing = operationsNotServed().length
  return `${operations.length - missing} of the ${operations.length} operations of mail in Graph’s v1.0 model are served.`
}
