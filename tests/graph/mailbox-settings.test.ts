import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { patch as patchAt } from '../support/patch.js'
import { type Client, startServer } from '../support/start-server.js'

const permissions = ['MailboxSettings.ReadWrite']

async function adeles(t: TestContext) {
  const server = await startServer(t)
  return { server, adele: await server.user('adele@contoso.com', permissions) }
}

function patch(client: Client, body: unknown, path = '/me/mailboxSettings') {
  return patchAt(client, path, body)
}

test('a new mailbox has settings, as a whole and one by one', async (t) => {
  const { server, adele } = await adeles(t)
  const { status, json } = await adele.get('/me/mailboxSettings')
  assert.equal(status, 200)
  const { '@odata.context': context, archiveFolder, automaticRepliesSetting, ...rest } = json
  assert.match(context, /\/v1\.0\/\$metadata#users\('[0-9a-f-]{36}'\)\/mailboxSettings$/)
  assert.deepEqual(rest, {
    timeZone: 'UTC',
    delegateMeetingMessageDeliveryOptions: 'sendToDelegateOnly',
    dateFormat: 'M/d/yyyy',
    timeFormat: 'h:mm tt',
    userPurpose: 'user',
    language: { locale: 'en-US', displayName: 'English (United States)' },
    workingHours: {
      daysOfWeek: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'],
      startTime: '08:00:00.0000000',
      endTime: '17:00:00.0000000',
      timeZone: { name: 'Pacific Standard Time' },
    },
  })
  assert.equal(automaticRepliesSetting.status, 'disabled')
  const reader = await server.user('adele@contoso.com', ['Mail.Read'])
  assert.equal((await reader.get('/me/mailboxSettings')).status, 403)

  for (const name of [
    'timeZone',
    'dateFormat',
    'timeFormat',
    'delegateMeetingMessageDeliveryOptions',
    'userPurpose',
  ] as const) {
    const one = await adele.get(`/me/mailboxSettings/${name}`)
    assert.deepEqual(one.json, { '@odata.context': `${context}/${name}`, value: rest[name] })
  }
  const beta = (await adele.get('/beta/me/mailboxSettings')).json
  assert.deepEqual(beta.userPurpose, { value: 'user' })
  assert.equal((await adele.get('/beta/me/mailboxSettings/userPurpose')).json.value, 'user')
  const folder = await adele.get('/me/mailboxSettings/archiveFolder')
  assert.equal(folder.json.value, archiveFolder)
  const language = await adele.get('/me/mailboxSettings/language')
  assert.deepEqual(language.json, { '@odata.context': `${context}/language`, ...rest.language })
  const selected = await adele.get('/me/mailboxSettings?$select=timeZone,Language')
  assert.deepEqual(Object.keys(selected.json), ['@odata.context', 'timeZone', 'language'])
  assert.equal((await adele.get('/me/mailboxSettings?$select=colour')).status, 400)
})

test('an update answers with what it set, and keeps the parts it did not name', async (t) => {
  const { server, adele } = await adeles(t)
  const hours = await patch(adele, {
    workingHours: { endTime: '18:30', daysOfWeek: ['Saturday', 'Monday', 'Monday'] },
    timeZone: 'Europe/Berlin',
  })
  assert.equal(hours.status, 200, hours.text)
  assert.deepEqual(Object.keys(hours.json), ['@odata.context', 'timeZone', 'workingHours'])
  assert.deepEqual(hours.json.workingHours, {
    daysOfWeek: ['monday', 'saturday'],
    startTime: '08:00:00.0000000',
    endTime: '18:30:00.0000000',
    timeZone: { name: 'Pacific Standard Time' },
  })
  const replies = await patch(adele, {
    '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#Me/mailboxSettings',
    automaticRepliesSetting: {
      status: 'Scheduled',
      scheduledStartDateTime: { dateTime: '2026-07-20T18:00:00', timeZone: 'W. Europe Standard Time' },
      scheduledEndDateTime: { dateTime: '2026-12-28T18:00:00.0000000', timeZone: 'Europe/Berlin' },
    },
    language: { locale: 'de-at' },
    dateFormat: 'dd.MM.yyyy',
  })
  assert.equal(replies.status, 200, replies.text)
  const { automaticRepliesSetting } = replies.json
  assert.equal(automaticRepliesSetting.status, 'scheduled')
  assert.equal(automaticRepliesSetting.externalAudience, 'all')
  // Summer and winter time.
  assert.deepEqual(automaticRepliesSetting.scheduledStartDateTime, {
    dateTime: '2026-07-20T16:00:00.0000000',
    timeZone: 'UTC',
  })
  assert.deepEqual(automaticRepliesSetting.scheduledEndDateTime, {
    dateTime: '2026-12-28T17:00:00.0000000',
    timeZone: 'UTC',
  })
  const there = await adele.get('/me/mailboxSettings/automaticRepliesSetting', {
    Prefer: 'outlook.timezone="Tokyo Standard Time"',
  })
  assert.deepEqual(there.json.scheduledStartDateTime, {
    dateTime: '2026-07-21T01:00:00.0000000',
    timeZone: 'Tokyo Standard Time',
  })
  const { json } = await adele.get('/me/mailboxSettings')
  assert.equal(json.timeZone, 'Europe/Berlin')
  assert.deepEqual(json.language, { locale: 'de-AT', displayName: 'Deutsch (Österreich)' })
  assert.equal(json.dateFormat, 'dd.MM.yyyy')
  // The whole of it, sent back.
  assert.equal((await patch(adele, json)).status, 200)
  const alex = await server.user('alex@contoso.com', permissions)
  assert.equal((await alex.get('/me/mailboxSettings/timeZone')).json.value, 'UTC')
  assert.equal((await patch(alex, { timeZone: 'UTC' }, '/users/adele@contoso.com/mailboxSettings')).status, 403)
})

test('a zone of its owner’s own making is kept as described', async (t) => {
  const { adele } = await adeles(t)
  const timeZone = {
    '@odata.type': '#microsoft.graph.customTimeZone',
    bias: -300,
    name: 'Customized Time Zone',
    standardOffset: { time: '02:00:00.0000000', dayOccurrence: 2, dayOfWeek: 'sunday', month: 10, year: 0 },
    daylightOffset: {
      daylightBias: 100,
      time: '02:00:00.0000000',
      dayOccurrence: 4,
      dayOfWeek: 'sunday',
      month: 5,
      year: 0,
    },
  }
  assert.equal((await patch(adele, { workingHours: { timeZone } })).status, 200)
  assert.deepEqual((await adele.get('/me/mailboxSettings/workingHours')).json.timeZone, timeZone)
})

const end = { dateTime: '2026-01-02T00:00:00', timeZone: 'UTC' }

const refusals: readonly (readonly [body: unknown, code: string, target: string, message?: string])[] = [
  [{ timeZone: 'Middle Earth' }, 'InvalidTimeZone', 'timeZone', 'Time Zone settings provided are invalid.'],
  [{ timeZone: '+02:00' }, 'InvalidTimeZone', 'timeZone'],
  [{ timeZone: 5 }, 'RequestBodyRead', 'mailboxSettings/timeZone'],
  [{ timeZone: null }, 'RequestBodyRead', 'mailboxSettings/timeZone'],
  [{ language: { locale: 'tlh' } }, 'InvalidArguments', 'language/locale', "Requested value 'tlh' was not found."],
  [{ language: 'en-US' }, 'RequestBodyRead', 'mailboxSettings/language'],
  [
    { workingHours: { startTime: '08' } },
    'RequestBodyRead',
    'mailboxSettings/workingHours/startTime',
    "Cannot convert the literal '08' to the expected type 'Edm.TimeOfDay'.",
  ],
  [
    { workingHours: { startTime: '18:00:00', endTime: '09:00:00' } },
    'ErrorInvalidTimeSettings',
    'workingHours/startTime',
    'Start Time should occur before End Time.',
  ],
  [
    { workingHours: { daysOfWeek: ['RandomDay'] } },
    'InvalidArguments',
    'mailboxSettings/workingHours/daysOfWeek/0',
    "Requested value 'RandomDay' was not found.",
  ],
  [{ workingHours: { timeZone: { name: 'Nowhere' } } }, 'InvalidTimeZone', 'workingHours/timeZone/name'],
  [
    {
      automaticRepliesSetting: {
        status: 'scheduled',
        scheduledStartDateTime: { ...end, dateTime: '2026-01-03T00:00:00' },
        scheduledEndDateTime: end,
      },
    },
    'ErrorInvalidTimeSettings',
    'automaticRepliesSetting/scheduledStartDateTime',
  ],
  [
    { automaticRepliesSetting: { scheduledEndDateTime: { ...end, timeZone: 'Nowhere' } } },
    'InvalidTimeZone',
    'mailboxSettings/automaticRepliesSetting/scheduledEndDateTime/timeZone',
  ],
  [
    { automaticRepliesSetting: { status: 'maybe' } },
    'RequestBodyRead',
    'mailboxSettings/automaticRepliesSetting/status',
  ],
  [{ automaticRepliesSetting: null }, 'RequestBodyRead', 'mailboxSettings/automaticRepliesSetting'],
  [{ colour: 'red' }, 'RequestBodyRead', 'mailboxSettings/colour'],
  [[], 'RequestBodyRead', 'mailboxSettings'],
]

test('what cannot be set is refused by name, and nothing is changed', async (t) => {
  const { adele } = await adeles(t)
  const before = (await adele.get('/me/mailboxSettings')).json
  for (const [body, code, target, message] of refusals) {
    const { status, json, text } = await patch(adele, body)
    assert.equal(status, 400, text)
    assert.equal(json.error.code, code, text)
    assert.equal(json.error.target, target, text)
    if (message !== undefined) assert.equal(json.error.message, message)
  }
  const pattern = await patch(adele, { dateFormat: 'anything' })
  assert.equal(pattern.json.error.code, 'ErrorInvalidProperty')
  assert.match(pattern.json.error.message, /dateFormat/)
  assert.deepEqual((await adele.get('/me/mailboxSettings')).json, before)
})

test('updates of different settings at once are all kept', async (t) => {
  const { adele } = await adeles(t)
  const bodies = [
    { timeZone: 'Tokyo Standard Time' },
    { dateFormat: 'yyyy-MM-dd' },
    { timeFormat: 'HH:mm' },
    { language: { locale: 'ja-JP' } },
  ]
  const answers = await Promise.all(bodies.map((body) => patch(adele, body)))
  for (const { status, text } of answers) assert.equal(status, 200, text)
  const { json } = await adele.get('/me/mailboxSettings')
  assert.equal(json.timeZone, 'Tokyo Standard Time')
  assert.equal(json.dateFormat, 'yyyy-MM-dd')
  assert.equal(json.timeFormat, 'HH:mm')
  assert.equal(json.language.locale, 'ja-JP')
})
