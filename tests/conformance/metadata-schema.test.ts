import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DataMissing } from '../../scripts/conformance/exchange.js'
import { readMetadataCheck } from '../../scripts/conformance/metadata-schema.js'

const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $defs: {
    message: {
      type: 'object',
      properties: { subject: { type: 'string' } },
      patternProperties: { '^@odata\\.': {} },
      additionalProperties: false,
    },
    'message.any': { anyOf: [{ $ref: '#/$defs/message' }] },
  },
}

test('answers are validated by what their path holds, lists item by item', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'conformance-'))
  t.after(() => rm(directory, { recursive: true }))
  await assert.rejects(readMetadataCheck(directory), DataMissing)
  await mkdir(join(directory, 'spec'))
  for (const version of ['v1.0', 'beta']) {
    await writeFile(
      join(directory, 'spec', `mail.${version}.schema.json`),
      JSON.stringify({ ...schema, $id: `urn:made-up:${version}` }),
    )
  }
  const check = await readMetadataCheck(directory)
  assert.deepEqual(check('v1.0', '/me/messages/AA=', 200, { '@odata.context': 'x', subject: 'Lunch' }), [])
  assert.equal(check('beta', '/me/messages/AA=', 200, { subject: 1 }).length, 1)
  const [fault = ''] = check('v1.0', '/users/a/messages?$top=2', 200, { value: [{ subject: 'a' }, { subjekt: 'b' }] })
  assert.match(fault, /^metadata: body\.value\[1\]/)
  assert.deepEqual(check('v1.0', '/me/sendMail', 404, { error: { code: 'E', message: '' } }), [])
  assert.equal(check('v1.0', '/me/sendMail', 404, { error: { message: 'no code' } }).length, 1)
})
