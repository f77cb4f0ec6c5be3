import { type CommandOption, flagOf, type SettingKey, settingOf, variableOf } from '../config.js'
import { type Command, settingsOf } from './command.js'

/** `graphpost --help` */
export function programHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  return [
    'Graphpost: a server you run yourself that speaks the Microsoft Graph mail API.',
    '',
    'Usage: graphpost COMMAND [options]',
    '',
    // The rest of what is said of a command stands in its own help.
    ...commands.map(({ name, meaning }) => `  ${name.padEnd(width)}  ${meaning.replace(/(?<=\.) .*/s, '')}`),
    '',
    'graphpost COMMAND --help shows the options of a command; graphpost --version the version.',
  ].join('\n')
}

/** `graphpost COMMAND --help`, the settings from their table. */
export function commandHelp(command: Command): string {
  const lines = [`Usage: graphpost ${command.usage}`, '', command.meaning]
  if (command.options.length > 0) lines.push('', 'Options', ...command.options.flatMap(optionLines))
  let group: string | undefined
  for (const key of settingsOf(command)) {
    const setting = settingOf(key)
    if (setting.group !== group) lines.push('', setting.group)
    group = setting.group
    lines.push(...settingLines(key))
  }
  lines.push('', 'A flag wins over its variable, a variable over the config file, the config file over the default.')
  return lines.join('\n')
}

function optionLines({ name, placeholder, meaning }: CommandOption): string[] {
  return [`  --${name} ${placeholder}`.trimEnd(), `      ${meaning}`]
}

function settingLines(key: SettingKey): string[] {
  const { kind, meaning, default: fallback } = settingOf(key)
  return [
    `  ${flagOf(key)} ${kind.placeholder}`.trimEnd(),
    `      ${meaning}`,
    `      Default: ${fallback === '' ? 'none' : fallback}. Variable: ${variableOf(key)}.`,
  ]
}
