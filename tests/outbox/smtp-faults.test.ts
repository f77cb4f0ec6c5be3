import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cutCases, type FaultResult, faultCases, faultCertificates, runFaultCases } from '../support/smtp-faults.js'

const certificates = await faultCertificates()

test('whatever a peer does wrong, each recipient comes to the fate that the RFCs demand', async () => {
  const cases = faultCases(certificates)
  assert.ok(cases.length > 150)
  assert.deepEqual(wrong(await runFaultCases(cases, certificates)), [])
})

test('a connection that ends after any byte leaves nobody lost and nobody with two copies', async () => {
  const results = await runFaultCases(cutCases(2), certificates)
  assert.deepEqual(wrong(results), [])
  const fates = new Set(results.map(({ fates }) => fates))
  assert.deepEqual([...fates].toSorted(), ['delayed delayed', 'relayed relayed'])
})

function wrong(results: readonly FaultResult[]): string[] {
  return results.filter(({ faults }) => faults.length > 0).map(({ name, faults }) => `${name}: ${faults.join('; ')}`)
}
