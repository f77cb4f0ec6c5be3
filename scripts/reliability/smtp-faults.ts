/** The fault suite of SMTP at length: every case with 20 mails, a table of what came of each, and what it left behind. */

import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  cutCases,
  type FaultResult,
  faultCases,
  faultCertificates,
  runFaultCases,
} from '../../tests/support/smtp-faults.js'

setFlagsFromString('--expose_gc')
const collect = runInNewContext('gc') as () => void

const mails = Number(process.argv[2] ?? 20)
const certificates = await faultCertificates()
const cases = [...faultCases(certificates), ...cutCases(1)]
await runFaultCases(cases.slice(0, 50), certificates, { mails })
const before = measured()
const results = await runFaultCases(cases, certificates, { mails })
// Connections that the client has ended wait a few seconds for the peer to do so too.
for (let tries = 0; tries < 24 && measured().handles > before.handles; tries++) await sleep(250)
const after = measured()

console.log(`| misdeed | fate | the record says |\n| --- | --- | --- |`)
for (const result of results) console.log(lineOf(result))
const wrong = results.filter(({ faults }) => faults.length > 0)
console.log(`\n${results.length} misdeeds, ${mails} mails each: ${wrong.length} wrong.`)
for (const { name, faults } of wrong) console.log(`  ${name}: ${[...new Set(faults)].join('; ')}`)
console.log(
  `Open handles ${before.handles} before, ${after.handles} after; heap ${before.heapMiB} MiB before, ${after.heapMiB} after.`,
)
if (wrong.length > 0 || after.handles > before.handles) process.exitCode = 1

function measured() {
  collect()
  const handles = process.getActiveResourcesInfo().filter((name) => /TCP|TLS/.test(name)).length
  return { handles, heapMiB: Math.round(process.memoryUsage().heapUsed / 1_048_576) }
}

function lineOf({ name, fates, said, faults }: FaultResult): string {
  const fate = new Set(fates.split(' ')).size === 1 ? fates.split(' ')[0] : fates
  return `| ${name} | ${fate}${faults.length > 0 ? ' **wrong**' : ''} | ${said.replaceAll('|', '\\|').slice(0, 70)} |`
}
