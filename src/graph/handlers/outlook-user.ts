import { supportedLanguages } from '../../mail/locale.js'
import { ianaTimeZones, windowsTimeZones } from '../../mail/supported-time-zones.js'
import { entityReply } from '../collection.js'
import { badRequest } from '../errors.js'
import { readQuery } from '../query-options.js'
import type { GraphReply, GraphRequest, Handler } from '../request.js'
import { quotable } from '../resources/values.js'

/** GET {mailbox}/outlook: nothing but where categories, languages and time zones are. */
export const getOutlook: Handler = async (request) => entityReply(request, 'outlook', { id: request.mailbox.owner })

/** GET {mailbox}/outlook/supportedLanguages: those that the mailbox can be set to. */
export const listLanguages: Handler = async (request) => answer(request, 'localeInfo', supportedLanguages())

/** GET {mailbox}/outlook/supportedTimeZones: those of Windows, or as its argument says. */
export const listTimeZones: Handler = async (request, mail) => {
  const zones = wantsIana(request) ? ianaTimeZones() : windowsTimeZones(mail.clock.now())
  return answer(request, 'timeZoneInformation', zones)
}

const standard = /^\s*TimeZoneStandard\s*=\s*(?:(?:microsoft\.)?graph\.timeZoneStandard)?'(\w+)'\s*$/i

/** @throws GraphError BadRequest for any other argument */
function wantsIana({ functionArguments }: GraphRequest): boolean {
  if (functionArguments === undefined) return false
  const said = standard.exec(functionArguments)?.[1]?.toLowerCase()
  if (said === 'iana') return true
  if (said === 'windows') return false
  throw badRequest(
    `The argument '${quotable(functionArguments)}' of supportedTimeZones is not valid.`,
    "It is TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana' or 'Windows'.",
  )
}

function answer(request: GraphRequest, type: string, value: readonly object[]): GraphReply {
  const { baseUrl, version } = request
  readQuery(request.query)
  return {
    status: 200,
    json: { '@odata.context': `${baseUrl}/${version}/$metadata#Collection(microsoft.graph.${type})`, value },
  }
}
