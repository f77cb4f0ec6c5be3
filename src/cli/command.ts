import {
  type CommandOption,
  readArguments,
  resolveSettings,
  type SettingKey,
  type Settings,
  settingKeys,
  settingOf,
  UsageError,
} from '../config.js'

/** Where a command writes and what surrounds it. */
export interface Terminal {
  /** To standard output, with a line end. */
  print(text: string): void
  /** To a person, beside what is printed for a program or a file: nothing where standard error is no terminal. */
  hint(text: string): void
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Standard output is a terminal, with a person before it. */
  readonly isTty: boolean
  /** Colours may be used. */
  readonly colour: boolean
}

/** What a command was asked. */
export interface Invocation {
  readonly settings: Settings
  readonly options: ReadonlyMap<string, readonly string[]>
  readonly positionals: readonly string[]
  /** Those of them that stand after `--`. */
  readonly afterDashes: readonly string[]
  readonly terminal: Terminal
}

/** One command of the program: a row of the table in `commands.ts`. */
export interface Command {
  readonly name: string
  /** After the program's name: `token (--user UPN | --app CLIENT_ID) [--scope NAME]...`. */
  readonly usage: string
  /** One sentence. */
  readonly meaning: string
  /** Whether it takes the settings of a server, or only those of what is kept. */
  readonly takes: 'start' | 'every'
  /** Settings of a server that it takes beside those of what is kept. */
  readonly also?: readonly SettingKey[]
  readonly options: readonly CommandOption[]
  run(invocation: Invocation): Promise<void>
}

/** The settings a command takes as flags. */
export function settingsOf(command: Command): SettingKey[] {
  return settingKeys.filter(
    (key) => command.takes === 'start' || settingOf(key).commands === 'every' || command.also?.includes(key),
  )
}

/** @throws UsageError for what the command does not take */
export function invocationOf(command: Command, argv: readonly string[], terminal: Terminal): Invocation {
  const { flags, options, positionals, afterDashes } = readArguments(argv, settingsOf(command), command.options)
  const { env, cwd } = terminal
  const settings = resolveSettings({ flags, env, cwd })
  // The memory of another process: a token made from an empty one would be refused by every server.
  if (settings.memory && command.takes === 'every') {
    throw new UsageError(`With the setting memory, ${command.name} has nothing to work on: give both a --data folder.`)
  }
  return { settings, options, positionals, afterDashes, terminal }
}
