/** What surrounds a mailbox: settings, categories, overrides, rules, mail tips, languages and time zones. */
import { type Binding, bindMailbox, bodyText, prepared } from './binding.js'
import { isCall } from './draft-scenarios.js'
import { jsonOf } from './http-call.js'
import { isArray, isObject, type Json, type JsonObject, textMember } from './json.js'
import type { Candidate, Preparation, Scenario } from './scenario.js'
import type { MailboxOwner, World } from './world.js'

const settings = String.raw`^\{mailbox\}\/mailboxsettings`
const categories = String.raw`^\{mailbox\}\/outlook\/mastercategories`
const overrides = String.raw`^\{mailbox\}\/inferenceclassification\/overrides`
const rules = String.raw`^\{mailbox\}\/mailfolders\/\{folder\}\/messagerules`

/** As an application that may do all of it. */
async function change(
  world: World,
  owner: MailboxOwner,
  method: string,
  path: string,
  body: JsonObject,
): Promise<JsonObject> {
  const permissions = ['Mail.ReadWrite', 'MailboxSettings.ReadWrite']
  const token = await world.token({ user: undefined, permissions, lifetimeSeconds: 3600 })
  const answer = await world.call({
    method,
    path: `/v1.0/users/${owner.userPrincipalName}/${path}`,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  const json = jsonOf(answer)
  if (answer.status >= 300 || !isObject(json)) throw new Error(`${method} ${path}: ${answer.status}`)
  return json
}

function shownBody({ exchange }: Candidate): JsonObject {
  const { body } = exchange.response ?? {}
  return isObject(body) ? body : {}
}

function itemsOf(body: JsonObject): JsonObject[] {
  return isArray(body.value) ? body.value.filter(isObject) : [body]
}

/** What an answer says beside where it stands. */
function without(body: JsonObject, ...names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([name]) => name !== '@odata.context' && !names.includes(name)))
}

/** A sample printed with blanks that JSON does not know. */
function soundBody(candidate: Candidate): string | undefined {
  return bodyText(candidate)?.replaceAll('\u00a0', ' ')
}

/** Sets what the answer shows, so that it is what there is to read. */
async function settingsToRead(candidate: Candidate, world: World): Promise<Preparation> {
  const binding = await bindMailbox(world, candidate.path, ['MailboxSettings.Read'])
  const body = shownBody(candidate)
  const name = candidate.path.segments[2]?.name
  if (name === undefined) await change(world, binding.owner, 'PATCH', 'mailboxSettings', without(body))
  else if (name !== 'userPurpose') {
    const value: Json = 'value' in body ? (body.value ?? null) : without(body)
    await change(world, binding.owner, 'PATCH', 'mailboxSettings', { [name]: value })
  }
  return prepared(candidate, world, binding, {
    controlled: ['dateFormat', 'timeFormat', 'language', 'daysOfWeek', 'startTime', 'endTime', 'value'],
  })
}

/** A list of things that are made first, each like one that is shown. */
function collection(
  shape: string,
  path: string,
  permissions: { readonly read: string; readonly write: string },
  controlled: readonly string[],
  before: (shown: JsonObject) => JsonObject,
): Scenario[] {
  const one = String.raw`${shape}\/\{key\}`
  const bind = async (candidate: Candidate, world: World, permission: string) => {
    const binding = await bindMailbox(world, candidate.path, [permission])
    return {
      binding,
      folders: candidate.path.segments.filter(({ name }) => /^mailfolders$/i.test(name)).map(() => 'inbox'),
    }
  }
  const make = async (world: World, { owner }: Binding, shown: JsonObject): Promise<string> => {
    const made = await change(world, owner, 'POST', path, shown)
    return textMember(made, 'id') ?? ''
  }
  const onOne = (method: string, permission: string, prepareItem: (shown: JsonObject) => JsonObject): Scenario => ({
    name: `${method} of one of ${path}`,
    matches: isCall(method, one),
    prepare: async (candidate, world) => {
      const { binding, folders } = await bind(candidate, world, permission)
      const key = await make(world, binding, prepareItem(without(shownBody(candidate), 'id')))
      return prepared(candidate, world, binding, { keys: [...folders, key], controlled })
    },
  })
  return [
    {
      name: `${path} are listed`,
      matches: isCall('GET', shape),
      prepare: async (candidate, world) => {
        const { binding, folders } = await bind(candidate, world, permissions.read)
        // Items of a list are compared with the first that is shown, and rules differ in what they have.
        const [first = {}, ...others] = itemsOf(shownBody(candidate))
        for (const shown of path.endsWith('messageRules') ? [first] : [first, ...others]) {
          await make(world, binding, before(without(shown, 'id')))
        }
        return prepared(candidate, world, binding, { keys: folders })
      },
    },
    {
      name: `one of ${path} is made`,
      matches: isCall('POST', shape),
      prepare: async (candidate, world) => {
        const { binding, folders } = await bind(candidate, world, permissions.write)
        return prepared(candidate, world, binding, { keys: folders, controlled })
      },
    },
    onOne('GET', permissions.read, before),
    onOne('PATCH', permissions.write, (shown) => ({ ...before(shown), ...unchanged(path) })),
    onOne('DELETE', permissions.write, () => ({ ...before({}), ...unchanged(path) })),
  ]
}

/** What an update is to change, as it is before. */
function unchanged(path: string): JsonObject {
  if (path.endsWith('overrides')) return { classifyAs: 'other' }
  return path.endsWith('messageRules') ? { displayName: 'Before', actions: { delete: true } } : { color: 'none' }
}

/** The categories that a mailbox has from the beginning would stand in the way of another of their names. */
function aCategory(shown: JsonObject): JsonObject {
  return { color: 'none', ...shown, displayName: `${textMember(shown, 'displayName') ?? 'Conformance'} of ours` }
}

function anOverride(shown: JsonObject): JsonObject {
  return { classifyAs: 'focused', senderEmailAddress: { name: 'A', address: 'a@adatum.onmicrosoft.com' }, ...shown }
}

function aRule(shown: JsonObject): JsonObject {
  return { displayName: 'Conformance', sequence: 1, actions: { delete: true }, ...shown }
}

const mailboxSettings = { read: 'MailboxSettings.Read', write: 'MailboxSettings.ReadWrite' }

/** Rows of what surrounds a mailbox. */
export const settingsScenarios: readonly Scenario[] = [
  {
    name: 'settings of a mailbox are read',
    matches: isCall('GET', String.raw`${settings}(\/\w+)?`),
    prepare: settingsToRead,
  },
  {
    name: 'settings of a mailbox are changed',
    matches: isCall('PATCH', settings),
    prepare: async (candidate, world) => {
      const binding = await bindMailbox(world, candidate.path, ['MailboxSettings.ReadWrite'])
      const body = soundBody(candidate)
      return prepared(candidate, world, binding, {
        ...(body === undefined ? {} : { body }),
        controlled: ['status', 'daysOfWeek', 'endTime'],
      })
    },
  },
  ...collection(categories, 'outlook/masterCategories', mailboxSettings, ['color'], aCategory),
  ...collection(
    overrides,
    'inferenceClassification/overrides',
    { read: 'Mail.Read', write: 'Mail.ReadWrite' },
    ['classifyAs', 'senderEmailAddress'],
    anOverride,
  ),
  ...collection(
    rules,
    'mailFolders/inbox/messageRules',
    mailboxSettings,
    ['displayName', 'sequence', 'isEnabled', 'hasError', 'isReadOnly', 'conditions', 'actions'],
    aRule,
  ),
  {
    name: 'mail tips are given',
    matches: isCall('POST', String.raw`^\{mailbox\}\/getmailtips`),
    prepare: async (candidate, world) => {
      const binding = await bindMailbox(world, candidate.path, ['Mail.Read'])
      // Of the two that are asked for one is away: only that one, for the same reason.
      const [tips] = itemsOf(shownBody(candidate))
      const asked: Record<string, Json> = isObject(candidate.exchange.request.body)
        ? { ...candidate.exchange.request.body }
        : {}
      if (tips !== undefined) {
        const address = isObject(tips.emailAddress) ? textMember(tips.emailAddress, 'address') : undefined
        const replies = isObject(tips.automaticReplies) ? tips.automaticReplies : {}
        const message = textMember(replies, 'message') ?? ''
        const owner = await world.mailbox(address ?? '')
        asked.EmailAddresses = [address ?? '']
        await change(world, owner, 'PATCH', 'mailboxSettings', {
          automaticRepliesSetting: {
            status: 'scheduled',
            internalReplyMessage: message,
            scheduledStartDateTime: { dateTime: '2018-08-07T02:00:00', timeZone: 'UTC' },
            scheduledEndDateTime: { dateTime: '2999-08-09T02:00:00', timeZone: 'UTC' },
          },
        })
      }
      return prepared(candidate, world, binding, {
        body: JSON.stringify(asked),
        controlled: ['emailAddress', 'message', 'mailboxFull'],
      })
    },
  },
  {
    name: 'languages and time zones are listed',
    matches: isCall('GET', String.raw`^\{mailbox\}\/outlook\/supported(languages|timezones).*`),
    prepare: async (candidate, world) =>
      prepared(candidate, world, await bindMailbox(world, candidate.path, ['User.Read', 'User.Read.All'])),
  },
]
