/** R8 and R9: rows that are scripts of their own, run as such. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { environment } from '../../bench/processes.js'
import type { Finding, Row } from './row.js'

export const smtpFaults: Row = {
  id: 'R8',
  promise: 'whatever the next server does wrong, each recipient comes to the fate that the RFCs demand',
  // tests/outbox/smtp-faults.test.ts is its short form.
  inTests: false,
  run: async (scope) => {
    const mails = scope.pick(1, 4, 20)
    scope.progress(`every misdeed of a peer, ${mails} mails each`)
    const { code, text } = await runScript('smtp-faults.js', String(mails))
    const summary = /^(\d+ misdeeds, .*)$/m.exec(text)?.[1] ?? 'it said nothing'
    const handles = /^(Open handles .*)$/m.exec(text)?.[1] ?? ''
    return {
      did: `every misdeed with ${mails} mails`,
      figure: `${summary} ${handles}`,
      faults: code === 0 ? [] : [`it ended with ${code}: ${text.slice(-500)}`],
    } satisfies Finding
  },
}

/** Of the goal table: the others may take so many times their usual. */
const slowdownBar = 2

export const deadDestination: Row = {
  id: 'R9',
  promise: 'a dead destination does not hold up nine others',
  inTests: false,
  run: async (scope) => {
    const script = 'slow-destination.js'
    const [queued, mails] = [scope.pick(200, 10_000, 100_000), scope.pick(50, 300, 1_000)]
    const dead = ['--queued', String(queued), '--mails', String(mails), '--destinations', '9', '--wait', 'Infinity']
    scope.progress(`${queued} mails to one that is dead`)
    const silent = await runScript(script, ...dead)
    scope.progress(`${queued} mails to one that is slow`)
    const slow = await runScript(script, '--queued', String(queued), '--mails', String(mails))
    const faults = [silent, slow].flatMap(({ code, text }) =>
      code === 0 ? [] : [`it ended with ${code}: ${text.slice(-300)}`],
    )
    const figures = [silent, slow].map(({ text }) =>
      [...text.matchAll(/p99 ([\d.]+) ms/g)].map((match) => Number(match[1])),
    )
    const times = figures.map(([alone = 1, beside = 0]) => beside / alone)
    return {
      did: `${queued} mails to one dead destination beside nine others, ${queued} to a slow one beside a fast one`,
      figure: figures
        .map(
          ([alone, beside], index) =>
            `${index === 0 ? 'dead' : 'slow'}: p99 of the others ${alone} ms alone, ${beside} ms beside it`,
        )
        .join('; '),
      faults,
      slow: times.some((each) => each > slowdownBar)
        ? [`the others took ${Math.max(...times).toFixed(1)} times as long`]
        : [],
    } satisfies Finding
  },
}

function runScript(script: string, ...args: string[]): Promise<{ code: number | null; text: string }> {
  const path = join(import.meta.dirname, script)
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'], env: environment() })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, text: Buffer.concat(chunks).toString() }))
  })
}
