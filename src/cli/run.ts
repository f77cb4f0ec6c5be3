import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { get } from 'node:https'
import { constants } from 'node:os'
import { isatty } from 'node:tty'
import { notOpened, type Settings, UsageError } from '../config.js'
import { cloudHosts } from '../identity/clouds.js'
import type { StandIn } from '../proxy/reach.js'
import type { Command, Terminal } from './command.js'

/** `graphpost run -- COMMAND`: any program, for which Microsoft's cloud is the running server. */
export const run: Command = {
  name: 'run',
  usage: 'run [--data DIR] [--https-port 3651] -- COMMAND [ARGUMENT]...',
  meaning: "Run a program that reaches the running server in place of Microsoft's cloud.",
  takes: 'every',
  also: ['host', 'httpsPort'],
  options: [],
  run: async ({ settings, positionals, afterDashes, terminal }) => {
    const [command, ...argv] = afterDashes
    if (command === undefined || positionals.length > afterDashes.length) {
      throw new UsageError('The program to run stands after --, as in: graphpost run -- node app.mjs')
    }
    const { standIn, caPath } = await runningServer(settings)
    const { startProxy } = await import('../proxy/proxy.js')
    const { upstreamProxy } = await import('../proxy/environment.js')
    const proxy = await startProxy({ standIn, upstream: upstreamProxy(terminal.env) })
    try {
      const env = await environmentFor(terminal.env, standIn, caPath, proxy.port)
      process.exitCode = await runProgram(command, argv, env, terminal)
    } finally {
      await proxy.close()
    }
  },
}

/** @throws UsageError when it does not answer as the server of this data folder */
async function runningServer(settings: Settings): Promise<{ standIn: StandIn; caPath: string }> {
  const { httpsPort: port } = settings
  if (port === notOpened || port === 0) {
    throw new UsageError('A program is led to the https port of the running server: name it with --https-port.')
  }
  const { authorityPath } = await import('../http/certificate.js')
  const caPath = authorityPath(settings.data)
  const caPem = await readFile(caPath, 'utf8').catch(() => {
    throw new UsageError(
      `There is no certificate at ${caPath}: start a server on this folder first, with graphpost start --data ${settings.data}, or name its folder with --data (one that runs with --memory cannot be used).`,
    )
  })
  const standIn: StandIn = { address: reachable(settings.host), port, hosts: cloudHosts, caPem }
  await checkAnswers(standIn, settings)
  return { standIn, caPath }
}

/** Where a server that listens on every address is reached. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}

/** How long the server may take to say that it is there, ms. */
const answerTimeoutMs = 10_000

async function checkAnswers({ address, port, caPem }: StandIn, { data }: Settings): Promise<void> {
  const [servername] = cloudHosts
  const asked = get({
    host: address,
    port,
    path: '/livez',
    ca: caPem,
    servername,
    agent: false,
    signal: AbortSignal.timeout(answerTimeoutMs),
  })
  const place = `https port ${port} of ${address}`
  try {
    const [answer] = await once(asked, 'response')
    answer.resume()
    if (answer.statusCode === 200) return
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ECONNREFUSED') {
      throw new UsageError(
        `No server answers at ${place}: start one with graphpost start, or name its port with --https-port.`,
      )
    }
    if (/CERT|SIGNATURE|ISSUER|ALTNAME/.test(code)) {
      throw new UsageError(
        `What answers at ${place} does not have the certificate of ${data} (${code}): name the folder of the running server with --data, or restart it.`,
      )
    }
    throw new UsageError(`What answers at ${place} is not a Graphpost server (${code || (error as Error).message}).`)
  }
  throw new UsageError(`What answers at ${place} is not a Graphpost server.`)
}

async function environmentFor(
  before: Terminal['env'],
  standIn: StandIn,
  caPath: string,
  proxyPort: number,
): Promise<Record<string, string | undefined>> {
  const { authorityFiles, environmentOf } = await import('../proxy/environment.js')
  const { javaStorePassword, writeTrustStores } = await import('../http/trust-store.js')
  const { bundlePath, javaStorePath } = await writeTrustStores(caPath, standIn.caPem, authorityFiles(before))
  return environmentOf(before, { standIn, proxyPort, caPath, bundlePath, javaStorePath, javaStorePassword })
}

/** What a shell answers for a program that it cannot find, and for one that it may not run. */
const notFound = 127
const notRunnable = 126

/** @returns its exit code, in the manner of a shell */
async function runProgram(
  command: string,
  argv: readonly string[],
  env: Record<string, string | undefined>,
  terminal: Terminal,
): Promise<number> {
  const child = spawn(command, argv, { stdio: 'inherit', env, cwd: terminal.cwd })
  const stop = passSignalsTo(child)
  try {
    const [code, signal] = await once(child, 'exit')
    return signal === null ? code : 128 + constants.signals[signal as NodeJS.Signals]
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'is not found' : `cannot be run (${code})`
    console.error(`graphpost: The program "${command}" ${why}.`)
    return code === 'ENOENT' ? notFound : notRunnable
  } finally {
    stop()
  }
}

const passed: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** @returns ends it */
function passSignalsTo(child: { kill(signal: NodeJS.Signals): boolean }): () => void {
  const pass = (signal: NodeJS.Signals) => {
    // A terminal sends Ctrl-C to the program too; a second one would be a wish to stop at once.
    if (signal === 'SIGINT' && (isatty(0) || isatty(2))) return
    child.kill(signal)
  }
  for (const signal of passed) process.on(signal, pass)
  return () => {
    for (const signal of passed) process.off(signal, pass)
  }
}
