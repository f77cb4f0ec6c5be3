/** `$metadata` and what is served say the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isServed } from '../../src/graph/metadata.js'
import { boundOperations, entityTypes, type ModelProperty, propertiesOf } from '../../src/graph/model.js'
import type { ApiVersion } from '../../src/graph/path.js'
import { selectFolderProperties } from '../../src/graph/resources/mail-folder.js'
import { settingNames } from '../../src/graph/resources/mailbox-settings.js'
import { selectProperties } from '../../src/graph/resources/message.js'
import { selectUserProperties } from '../../src/graph/resources/user.js'
import { routes } from '../../src/graph/routes.js'
import { startServer } from '../support/start-server.js'
import { everyPermission, operations } from './documented-access.js'
import { callOf, makeDraft, makeSurroundings, owner } from './route-call.js'

const versions: readonly ApiVersion[] = ['v1.0', 'beta']

function entity(name: string, isCollection = false): ModelProperty {
  return { type: `microsoft.graph.${name}`, isCollection, isNavigation: true, isNullable: true, isAscii: false }
}

/** What one step of a path leads to, as the model has it; 'answer': to what an operation returns, or to plain text. */
function step(
  from: ModelProperty | 'root',
  segment: string,
  version: ApiVersion,
): ModelProperty | 'answer' | undefined {
  if (from === 'root') {
    const roots = {
      '{mailbox}': entity('user'),
      users: entity('user', true),
      subscriptions: entity('subscription', true),
    }
    return Object.hasOwn(roots, segment) ? roots[segment as keyof typeof roots] : undefined
  }
  if (/^\$(?:count|value)$|^\{\w*[pP]roperty\}$/.test(segment)) return 'answer'
  if (/^\{\w+\}$/.test(segment)) return from.isCollection ? { ...from, isCollection: false } : undefined
  const bound = from.type.replace('microsoft.graph.', '') + (from.isCollection ? '[]' : '')
  if (boundOperations.some(({ boundTo, name }) => boundTo === bound && name === segment)) return 'answer'
  const derived = entityTypes.filter(({ base }) => `microsoft.graph.${base}` === from.type)
  const types = [from.type, ...derived.map(({ name }) => `microsoft.graph.${name}`)]
  return types.map((type) => propertiesOf(type, version).get(segment)).find((property) => property !== undefined)
}

function leadsTo(path: string, version: ApiVersion): ModelProperty | 'answer' | undefined {
  let at: ModelProperty | 'root' | 'answer' | undefined = 'root'
  for (const segment of path.split('/')) {
    if (at === undefined || at === 'answer') return undefined
    at = step(at, segment, version)
  }
  return at === 'root' ? undefined : at
}

test('every path that is served is one of the model', () => {
  for (const { path, since, kind } of routes) {
    if (kind === 'batch') continue
    for (const version of since === 'beta' ? (['beta'] as const) : versions) {
      assert.notEqual(leadsTo(path, version), undefined, `${version} ${path}`)
    }
  }
})

test('an operation is described in the versions that serve it', async (t) => {
  const { nobody } = await startServer(t)
  for (const version of versions) {
    const { text } = await nobody.call('GET', `/${version}/$metadata`)
    for (const operation of boundOperations) {
      const { kind, name, boundTo } = operation
      const type = `microsoft.graph.${boundTo.replace('[]', '')}`
      const bound = boundTo.endsWith('[]') ? `Collection(${type})` : type
      const written = new RegExp(
        `<${kind} Name="${name}"[^>]*><Parameter Name="binding[pP]arameter" Type="${bound.replace(/[().]/g, '\\$&')}"`,
      )
      assert.equal(written.test(text), isServed(operation, version), `${version} ${boundTo} ${name}`)
    }
  }
  const { text } = await nobody.call('GET', '/v1.0/$metadata')
  for (const name of ['markAsJunk', 'unsubscribe', 'mention', 'wellKnownName', 'mailboxRecipientType']) {
    assert.equal(text.includes(`Name="${name}"`), false, name)
  }
})

test('the tables of properties have what the model has, and nothing else', () => {
  const plain = (type: string, version: ApiVersion) =>
    [...propertiesOf(`microsoft.graph.${type}`, version)]
      .filter(([, { isNavigation }]) => !isNavigation)
      .map(([name]) => name)
  for (const version of versions) {
    const ofMessage = plain('message', version)
    const shown = selectProperties(ofMessage, version).properties.map(([name]) => name)
    assert.deepEqual(new Set(['id', ...shown]), new Set(ofMessage))
    const byDefault = selectProperties(undefined, version).properties.map(([name]) => name)
    assert.deepEqual(
      byDefault.filter((name) => !ofMessage.includes(name)),
      [],
    )
    const ofFolder = selectFolderProperties(undefined, version).map(([name]) => name)
    // Recorded, and in no published model.
    const recorded = ofFolder.filter((name) => name !== 'sizeInBytes')
    assert.deepEqual(new Set(['id', ...recorded]), new Set(plain('mailSearchFolder', version)))
    assert.deepEqual(new Set<string>(settingNames), new Set(plain('mailboxSettings', version)))
    const ofUser = plain('user', version).filter((name) => name !== 'mailboxSettings')
    assert.deepEqual(new Set(selectUserProperties(ofUser)), new Set(ofUser))
  }
})

/** Members of a value that its type does not have, at any depth. */
function strangers(value: unknown, type: string, version: ApiVersion, where: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => strangers(item, type, version, where))
  if (typeof value !== 'object' || value === null) return []
  const said = (value as { '@odata.type'?: string })['@odata.type']?.slice(1) ?? type
  if (said.startsWith('Edm.') || /[eE]xtension$/.test(said)) return []
  const properties = propertiesOf(said, version)
  return Object.entries(value).flatMap(([name, member]) => {
    if (name.includes('@') || name === 'sizeInBytes') return []
    const property = properties.get(name)
    return property === undefined
      ? [`${where}/${name}: ${said} has none`]
      : strangers(member, property.type, version, `${where}/${name}`)
  })
}

test('what is answered is made of the types that the model says', async (t) => {
  const server = await startServer(t)
  const adele = await server.user(owner, everyPermission)
  const target = { ...(await makeDraft(adele)), ...(await makeSurroundings(adele)) }
  let compared = 0
  for (const route of operations) {
    if (route.method !== 'GET' || route.path.includes('{subscription}')) continue
    for (const version of route.since === 'beta' ? (['beta'] as const) : versions) {
      const expected = leadsTo(route.path, version)
      const { path } = callOf(route, 'me', target, undefined)
      const { status, json, text } = await adele.get(path.replace('/v1.0/', `/${version}/`))
      if (expected === undefined || expected === 'answer' || status === 204) continue
      assert.equal(status, 200, text)
      const { '@odata.context': _, ...shown } = json
      const value = expected.isCollection ? json.value : shown
      const isPlain = expected.type.startsWith('Edm.') || 'value' in shown
      if (!isPlain || expected.isCollection) assert.deepEqual(strangers(value, expected.type, version, path), [])
      compared++
    }
  }
  assert.ok(compared > 60, String(compared))
})
