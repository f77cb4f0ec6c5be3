/** The process: finds the command, runs it, and turns what went wrong into one line and an exit code. */
import { app } from './cli/app.js'
import { backup } from './cli/backup.js'
import { cert } from './cli/cert.js'
import { type Command, invocationOf, type Terminal } from './cli/command.js'
import { dkim } from './cli/dkim.js'
import { commandHelp, programHelp } from './cli/help.js'
import { key } from './cli/key.js'
import { kit } from './cli/kit.js'
import { queue } from './cli/queue.js'
import { calls, outbox } from './cli/records.js'
import { run } from './cli/run.js'
import { start } from './cli/start.js'
import { token } from './cli/token.js'
import { trace } from './cli/trace.js'
import { user } from './cli/user.js'
import { version } from './cli/version.js'
import { UsageError } from './config.js'

/** Every command, in the order of `--help`. */
const commands: readonly Command[] = [
  ...[start, run, kit, cert, token, user, app, key, dkim],
  ...[queue, outbox, calls, trace, backup],
]

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
    const topic = commands.find((command) => command.name === rest[0])
    terminal.print(topic === undefined ? programHelp(commands) : commandHelp(topic))
    return
  }
  if (name === '--version') {
    terminal.print(version())
    return
  }
  const command = commands.find((candidate) => candidate.name === name)
  if (command === undefined) throw new UsageError(`There is no command "${name}"; graphpost --help lists them.`)
  // What stands after -- is another program's.
  const own = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest
  if (own.includes('--help') || own.includes('-h')) {
    terminal.print(commandHelp(command))
    return
  }
  await command.run(invocationOf(command, rest, terminal))
}
