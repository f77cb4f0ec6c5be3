import { setTimeout as sleep } from 'node:timers/promises'
import { type Graphpost, startGraphpost } from '../app.js'
import { UsageError } from '../config.js'
import { openLog } from '../log.js'
import { banner, type SampleTokens } from './banner.js'
import type { Command } from './command.js'
import { version } from './version.js'

/** `graphpost start`: runs the server until it is told to stop. */
export const start: Command = {
  name: 'start',
  usage:
    'start [--data DIR | --memory] [--port 3650] [--https-port 3651] [--smtp-port 3625] [--relay smtp://...] [--config FILE]',
  meaning: 'Run the server until Ctrl-C or SIGTERM.',
  takes: 'start',
  options: [],
  run: async ({ settings, positionals, terminal }) => {
    if (positionals.length > 0) throw new UsageError(`"${positionals[0]}" is not an option of start.`)
    const log = openLog({ level: settings.logLevel, format: settings.logFormat })
    const graphpost = await startGraphpost(settings, { log }).catch(asUsage)
    // Otherwise a hang-up ends the server, as it should when its terminal is closed.
    if (settings.tlsCert !== '') process.on('SIGHUP', () => void graphpost.reloadCertificate())
    // Listened for before anyone is told that it runs.
    const stopped = stopSignal()
    // What a gateway prints without a terminal ends up in a journal: no place for tokens that send real mail.
    const tokens = graphpost.canLeave && !terminal.isTty ? undefined : await sampleTokens(graphpost)
    terminal.print(banner(graphpost, version(), tokens, terminal.colour))
    const failure = await Promise.race([stopped, graphpost.failed])
    if (failure !== undefined) {
      log.fatal(
        { err: failure },
        'the disk did not keep what was written: ending, the next start goes on from what is kept',
      )
      // For the answers that say so; nothing more is kept anyway.
      await sleep(lastAnswersMs)
      process.exit(1)
    }
    terminal.print('Stopping: calls and deliveries under way are finished first. Ctrl-C again stops at once.')
    await graphpost.close()
  },
}

/** How long a server that must end still answers, ms. */
const lastAnswersMs = 100

/** A port that another program has is for people to change, not a fault of ours. */
function asUsage(error: NodeJS.ErrnoException & { port?: number }): never {
  if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error
  const why = error.code === 'EADDRINUSE' ? 'is in use by another program' : 'may not be opened by this user'
  throw new UsageError(
    `Port ${error.port} ${why}: choose another with --port, --https-port or --smtp-port; 0 picks a free one, off opens none.`,
  )
}

async function sampleTokens({ directory, mailboxes }: Graphpost): Promise<SampleTokens | undefined> {
  const [sender, recipient] = mailboxes
  if (sender === undefined || recipient === undefined) return undefined
  const tokenFor = async (userPrincipalName: string) => ({
    userPrincipalName,
    token: await directory.issueToken({ user: userPrincipalName }),
  })
  return { sender: await tokenFor(sender), recipient: await tokenFor(recipient) }
}

/** A second Ctrl-C within this time is the first one again, ms. */
const sameKeyPressMs = 500

/**
 * Resolves at the first signal to stop; a later Ctrl-C ends the process at once. One press can arrive twice: `npm start`
 * passes on what the terminal has sent to its child already.
 */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let firstAt: number | undefined
    const stop = (signal: NodeJS.Signals) => {
      const now = performance.now()
      if (firstAt !== undefined && signal === 'SIGINT' && now - firstAt > sameKeyPressMs) process.exit(130)
      firstAt ??= now
      resolve()
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
}
