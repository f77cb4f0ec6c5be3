import assert from 'node:assert/strict'
import { test } from 'node:test'
import { patch } from '../support/patch.js'
import { startServer } from '../support/start-server.js'

test('every language and zone that is offered can be set, and the other way round', async (t) => {
  const server = await startServer(t)
  const adele = await server.user('adele@contoso.com', ['User.Read', 'MailboxSettings.ReadWrite'])
  const around = await adele.get('/me/outlook')
  assert.match(around.json['@odata.context'], /\/outlook\/\$entity$/)
  assert.deepEqual(Object.keys(around.json), ['@odata.context', 'id'])
  const languages = await adele.get('/me/outlook/supportedLanguages()')
  assert.match(languages.json['@odata.context'], /\/\$metadata#Collection\(microsoft\.graph\.localeInfo\)$/)
  const named = (locale: string) => languages.json.value.find((each: { locale: string }) => each.locale === locale)
  assert.equal(named('en-US').displayName, 'English (United States)')
  assert.equal(named('af-ZA').displayName, 'Afrikaans (Suid-Afrika)')
  for (const { locale } of languages.json.value) {
    assert.equal((await patch(adele, '/me/mailboxSettings', { language: { locale } })).status, 200, locale)
  }

  const windows = (await adele.get('/me/outlook/supportedTimeZones')).json
  assert.match(windows['@odata.context'], /\/\$metadata#Collection\(microsoft\.graph\.timeZoneInformation\)$/)
  const shown = (alias: string) =>
    windows.value.find((each: { alias: string }) => each.alias === alias)?.displayName as string
  assert.equal(windows.value[0].alias, 'Dateline Standard Time')
  assert.match(shown('Pacific Standard Time'), /^\(UTC-08:00\) /)
  assert.match(shown('India Standard Time'), /^\(UTC\+05:30\) /)
  assert.match(shown('AUS Eastern Standard Time'), /^\(UTC\+10:00\) /)
  assert.equal(shown('UTC'), '(UTC) Coordinated Universal Time')
  assert.match(shown('UTC-11'), /^\(UTC-11:00\) Coordinated Universal Time-11$/)

  const iana = await adele.get(
    "/me/outlook/supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana')",
  )
  assert.equal(iana.status, 200, iana.text)
  assert.ok(iana.json.value.some((each: { alias: string }) => each.alias === 'Europe/Berlin'))
  for (const { alias, displayName } of iana.json.value) assert.equal(alias, displayName)
  for (const { alias } of [...windows.value, ...iana.json.value.slice(0, 40)]) {
    assert.equal((await patch(adele, '/me/mailboxSettings', { timeZone: alias })).status, 200, alias)
  }
  const again = await adele.get(
    '/me/outlook/supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard%27windows%27)',
  )
  assert.deepEqual(again.json.value, windows.value)
  assert.equal((await adele.get("/me/outlook/supportedTimeZones(TimeZoneStandard='Mars')")).status, 400)
  const reader = await server.user('adele@contoso.com', ['Mail.Read'])
  assert.equal((await reader.get('/me/outlook/supportedLanguages')).status, 403)
})
