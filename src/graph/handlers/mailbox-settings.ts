import { settingsFrom, updateSettings } from '../../mail/mailbox-settings.js'
import { selectedContext } from '../../odata/query.js'
import { contextOf } from '../context.js'
import { badRequest } from '../errors.js'
import { readQuery } from '../query-options.js'
import type { Handler } from '../request.js'
import {
  presentSetting,
  presentSettings,
  readSettings,
  type SettingName,
  settingNames,
} from '../resources/mailbox-settings.js'
import { quotable } from '../resources/values.js'

/** GET {mailbox}/mailboxSettings */
export const getMailboxSettings: Handler = async (request, mail) => {
  const { select } = readQuery(request.query)
  const names = select === undefined || select.includes('*') ? settingNames : select.map(settingNamed)
  const settings = settingsFrom(await mail.store.settings.find(request.mailbox.id), mail.clock.now())
  return {
    status: 200,
    json: {
      '@odata.context': contextOf(request, `mailboxSettings${selectedContext(select)}`),
      ...presentSettings(settings, new Set(names), request),
    },
  }
}

/** GET {mailbox}/mailboxSettings/{one of them}: an object as it is, anything else as its `value`. */
export function getMailboxSetting(name: SettingName): Handler {
  return async (request, mail) => {
    readQuery(request.query)
    const settings = settingsFrom(await mail.store.settings.find(request.mailbox.id), mail.clock.now())
    const value = presentSetting(settings, name, request)
    return {
      status: 200,
      json: {
        '@odata.context': contextOf(request, `mailboxSettings/${name}`),
        ...(typeof value === 'object' ? value : { value }),
      },
    }
  }
}

/** PATCH {mailbox}/mailboxSettings: any part of them; 200 and the properties that were given. */
export const updateMailboxSettings: Handler = async (request, mail) => {
  const json = request.body.kind === 'json' ? request.body.value : undefined
  const { changes, names } = readSettings(json, request.version)
  const settings = await updateSettings(mail, request.mailbox.id, changes)
  return {
    status: 200,
    json: { '@odata.context': contextOf(request, 'mailboxSettings'), ...presentSettings(settings, names, request) },
  }
}

function settingNamed(written: string): SettingName {
  const lower = written.split('/')[0]?.toLowerCase()
  const name = settingNames.find((each) => each.toLowerCase() === lower)
  if (name !== undefined) return name
  throw badRequest(
    `Parsing OData Select and Expand failed: Could not find a property named '${quotable(written)}' on type 'microsoft.graph.mailboxSettings'.`,
  )
}
