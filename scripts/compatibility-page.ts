import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { routes } from '../src/graph/routes.js'
import { cloudSection } from './cloud-section.js'

/** The test that witnesses each operation, by the end of its path. A route without a row here does not pass. */
const witnesses: readonly (readonly [RegExp, string])[] = [
  [/\/sendMail$/, 'tests/graph/send-mail.test.ts'],
  [/^(\{mailbox\}|users)$/, 'tests/graph/users.test.ts'],
  [/\/createUploadSession$/, 'tests/graph/upload-session.test.ts'],
  [/\/attachments(\/|$)/, 'tests/graph/messages.test.ts'],
  [/\/(send|move|copy|permanentDelete)$/, 'tests/graph/drafts.test.ts'],
  [/\/(createReply|createReplyAll|createForward|reply|replyAll|forward)$/, 'tests/graph/answers.test.ts'],
  [/\/unsubscribe$/, 'tests/graph/beta.test.ts'],
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
  'The URL of an upload session is on this server; a bearer token sent to it is not looked at. `GET` on it says what is expected next. Ranges may have up to 60 MiB.',
  'A message may have 200 MiB with its attachments (`--max-message-bytes`); one file 150 MiB.',
  'Full Access, Send As and Send on Behalf are rights in a whole mailbox; sharing one folder is not known.',
  'A user’s profile holds what the directory knows: names, addresses and ids; its other properties are null.',
  '`$metadata` describes what is served here, not the whole of Graph.',
  '`$search` finds whole words, in any case and without diacritics, or what begins with `word*`; no stemming. Of attachments it knows the names, of a body the first 16,000 words. A day is one in UTC, a week begins on Sunday. `kind:email` is every message.',
  '`$search` without quotes takes words alone; a character such as `:` is refused there as the service does. A property that it does not know is free text. A page is 10 results unless `$top` says otherwise.',
  'Access policies and permissions of applications take effect within a second, not within hours.',
  'A face Graph does not have: `/admin/...`, for tokens with the permission `Graphpost.Admin`: calls, outbox, directory.',
]

const refused = [
  '`$filter` and `$deltatoken` on messages, and `$search` on their `$count`: 400 `ErrorInvalidUrlQuery`, never ignored.',
  '`$expand` of anything but attachments and extended properties: 400 `ExpandNotSupported`.',
  'Every operation that is not in the table: 400 `BadRequest`, `Resource not found for the segment ...`.',
]

/** `docs/compatibility.md`, from the route table. */
export function compatibilityPage(): string {
  const rows = routes.map(({ method, path, permission, body, since, notIn = [] }) => {
    const takes = { none: '', json: 'JSON', jsonOrMime: 'JSON or MIME', optionalJsonOrMime: 'JSON or MIME, or none' }[
      body
    ]
    const versions = since === 'beta' ? ' (beta)' : notIn.length > 0 ? ` (not in ${notIn.join(', ')})` : ''
    return `| ${method} | \`/${path}\`${versions} | ${permission} | ${takes} | \`${witnessOf(method, path)}\` |`
  })
  return `${[
    '# What is served',
    '',
    'Generated from the route table in `src/graph/routes.ts` by `npm run docs`.',
    '',
    '`{mailbox}` is `me` or `users/{id or user principal name}`; every row is served under `/v1.0` and `/beta`, with keys',
    'as segments or in parentheses, with and without `microsoft.graph.` before an action, and below any depth of',
    '`childFolders`. The permission is the weakest that suffices, delegated or application.',
    '',
    '| Method | Path | Permission | Body | Witness |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    ...cloudSection(),
    '',
    '## Different on purpose',
    '',
    ...differences.map((line) => `- ${line}`),
    '',
    '## Not served yet, and refused by name',
    '',
    ...refused.map((line) => `- ${line}`),
  ].join('\n')}\n`
}

function witnessOf(method: string, path: string): string {
  if (method !== 'GET' && /\/attachments(\/\{attachment\})?$/.test(path)) return 'tests/graph/attachments.test.ts'
  const isChange = method !== 'GET' && /\/messages(\/\{message\})?$/.test(path)
  const witness = isChange ? 'tests/graph/drafts.test.ts' : witnesses.find(([pattern]) => pattern.test(path))?.[1]
  if (witness === undefined) throw new Error(`No test is named for ${path}: add it to scripts/compatibility-page.ts.`)
  if (!existsSync(fileURLToPath(new URL(`../../${witness}`, import.meta.url))))
    throw new Error(`There is no ${witness}.`)
  return witness
}
