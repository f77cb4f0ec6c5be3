/** A server in this process, whose clock is set as a row likes. */
import { startGraphpost } from '../../src/app.js'
import { resolveSettings, type SettingKey } from '../../src/config.js'
import { openLog } from '../../src/log.js'
import { type MovableClock, movableClock } from '../../tests/support/movable-clock.js'
import { type Caller, openCaller } from './caller.js'

export interface MovedServer {
  readonly caller: Caller
  readonly clock: MovableClock
  /** Resolves once nothing in the outbox is due or under way. */
  drain(): Promise<void>
  close(): Promise<void>
}

const drainMs = 120_000

export async function startMovedServer(folder: string, token: string, relay: string): Promise<MovedServer> {
  const flags = new Map<SettingKey, string>([
    ['data', folder],
    ['port', '0'],
    ['httpsPort', 'off'],
    ['smtpPort', 'off'],
    ['relay', relay],
    ['logLevel', 'silent'],
  ])
  const settings = resolveSettings({ flags, env: {}, cwd: process.cwd() })
  const clock = movableClock()
  const log = openLog({ level: 'silent', format: 'json' })
  const graphpost = await startGraphpost(settings, { clock, log })
  const caller = openCaller(graphpost.httpUrl ?? '', token)
  return {
    caller,
    clock,
    drain: () => graphpost.drainOutbox(drainMs),
    close: async () => {
      caller.close()
      await graphpost.close()
    },
  }
}
