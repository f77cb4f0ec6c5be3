/** The process: finds the command, runs it, and turns what went wrong into one line and an exit code. */
import { type Command, invocationOf, type Terminal } from './cli/command.js'
import { version } from './cli/version.js'
import { UsageError } from './config.js'

/** Every command, in the order of `--help`. Only the one that is run is loaded: a server need not wait for the others. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./cli/start.js')).start,
  run: async () => (await import('./cli/run.js')).run,
  kit: async () => (await import('./cli/kit.js')).kit,
  cert: async () => (await import('./cli/cert.js')).cert,
  token: async () => (await import('./cli/token.js')).token,
  user: async () => (await import('./cli/user.js')).user,
  app: async () => (await import('./cli/app.js')).app,
  key: async () => (await import('./cli/key.js')).key,
  dkim: async () => (await import('./cli/dkim.js')).dkim,
  queue: async () => (await import('./cli/queue.js')).queue,
  outbox: async () => (await import('./cli/records.js')).outbox,
  calls: async () => (await import('./cli/records.js')).calls,
  trace: async () => (await import('./cli/trace.js')).trace,
  backup: async () => (await import('./cli/backup.js')).backup,
}

const terminal: Terminal = {
  print: (text) => console.log(text),
  hint: (text) => {
    if (process.stderr.isTTY) console.error(text)
  },
  env: process.env,
  cwd: process.cwd(),
  isTty: process.stdout.isTTY === true,
  colour: process.stdout.isTTY === true && (process.env.NO_COLOR ?? '') === '',
}

// A reader that went away (`graphpost start | head`) takes the words, not the server that keeps mail.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

/** Runs the program; `argv` without the names of Node and of the program. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await runCommand(argv)
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`graphpost: ${error.message}`)
      process.exitCode = 2
    } else {
      console.error(`graphpost: ${error instanceof Error ? error.message : String(error)}`)
      if (argv.includes('debug')) console.error(error)
      process.exitCode = 1
    }
  }
}

async function runCommand([name, ...rest]: readonly string[]): Promise<void> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    terminal.print(await help(rest[0]))
    return
  }
  if (name === '--version') {
    terminal.print(version())
    return
  }
  const command = await commandNamed(name)
  if (command === undefined) throw new UsageError(`There is no command "${name}"; graphpost --help lists them.`)
  // What stands after -- is another program's.
  const own = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest
  if (own.includes('--help') || own.includes('-h')) {
    terminal.print(await help(name))
    return
  }
  await command.run(invocationOf(command, rest, terminal))
}

async function commandNamed(name: string): Promise<Command | undefined> {
  return Object.hasOwn(commands, name) ? commands[name]?.() : undefined
}

/** Of one command, or of the program. */
async function help(topic = ''): Promise<string> {
  const { commandHelp, programHelp } = await import('./cli/help.js')
  const command = await commandNamed(topic)
  if (command !== undefined) return commandHelp(command)
  return programHelp(await Promise.all(Object.values(commands).map((load) => load())))
}
