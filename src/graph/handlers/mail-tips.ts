import { type MailTips, type MailTipsOption, mailTipsOf, mailTipsOptions } from '../../mail/mail-tips.js'
import { parameterMissing, readParameters } from '../action-parameters.js'
import { GraphError, requestBodyRead } from '../errors.js'
import type { Preferences } from '../preferences.js'
import type { Handler } from '../request.js'
import { jsonOf } from '../request-json.js'
import { presentDateTimeTimeZone } from '../resources/mailbox-settings.js'
import { quotable, readArray, readText } from '../resources/values.js'

/** Exchange's bound for one call. */
const maxAddresses = 100

/** POST {mailbox}/getMailTips: addresses and what is asked of each; 200 and one entry for each. */
export const getMailTips: Handler = async (request, mail) => {
  const parameters = readParameters(jsonOf(request), 'getMailTips', ['EmailAddresses', 'MailTipsOptions'])
  const options = readOptions(parameters.get('MailTipsOptions') ?? null)
  const addresses = readAddresses(parameters.get('EmailAddresses'))
  const tips = await mailTipsOf(mail, request.mailbox, addresses, options)
  return {
    status: 200,
    json: {
      '@odata.context': `${request.baseUrl}/${request.version}/$metadata#Collection(microsoft.graph.mailTips)`,
      value: tips.map((each) => present(each, options, request.preferences)),
    },
  }
}

function readAddresses(value: unknown): string[] {
  if (value === undefined || value === null) throw parameterMissing('EmailAddresses', 'getMailTips')
  const addresses = readArray(value, 'emailAddresses').map((each, index) => readText(each, `emailAddresses/${index}`))
  if (addresses.length > maxAddresses) {
    throw new GraphError(400, 'ErrorInvalidRequest', `Tips are given about ${maxAddresses} recipients at most.`, {
      target: 'emailAddresses',
    })
  }
  return addresses.map((address) => (address ?? '').slice(0, 320))
}

/** Flags with commas between them; every one when nothing is said. */
function readOptions(value: unknown): ReadonlySet<MailTipsOption> {
  const text = readText(value, 'mailTipsOptions')
  if (text === null) return new Set(mailTipsOptions)
  return new Set(
    text.split(',').map((name) => {
      const option = mailTipsOptions.find((each) => each.toLowerCase() === name.trim().toLowerCase())
      if (option !== undefined) return option
      throw requestBodyRead(`Requested value '${quotable(name.trim())}' was not found.`, 'mailTipsOptions')
    }),
  )
}

function present(tips: MailTips, options: ReadonlySet<MailTipsOption>, preferences: Preferences): object {
  const shown: Record<string, unknown> = { emailAddress: { name: '', address: tips.address } }
  if (tips.error !== undefined) return { ...shown, error: { message: tips.error.message, code: tips.error.code } }
  const { isInternal, maxMessageSize } = tips
  const members: Readonly<Record<MailTipsOption, readonly [name: string, value: unknown]>> = {
    automaticReplies: ['automaticReplies', presentReplies(tips, preferences)],
    mailboxFullStatus: ['mailboxFull', false],
    customMailTip: ['customMailTip', ''],
    externalMemberCount: ['externalMemberCount', isInternal ? 0 : 1],
    totalMemberCount: ['totalMemberCount', 1],
    maxMessageSize: ['maxMessageSize', maxMessageSize],
    deliveryRestriction: ['deliveryRestricted', false],
    moderationStatus: ['isModerated', false],
    recipientScope: ['recipientScope', isInternal ? 'internal' : 'external'],
    recipientSuggestions: ['recipientSuggestions', []],
  }
  for (const option of mailTipsOptions) {
    const [name, value] = members[option]
    if (options.has(option) && value !== undefined) shown[name] = value
  }
  return shown
}

function presentReplies({ replies, language }: MailTips, preferences: Preferences): object {
  if (replies === undefined) return { message: '' }
  return {
    message: replies.internalReplyMessage,
    messageLanguage: language,
    ...(replies.status === 'scheduled'
      ? {
          scheduledStartTime: presentDateTimeTimeZone(replies.startAt, preferences),
          scheduledEndTime: presentDateTimeTimeZone(replies.endAt, preferences),
        }
      : {}),
  }
}
