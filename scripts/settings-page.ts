import { flagOf, settingKeys, settingOf, variableOf } from '../src/config.js'

/** `docs/settings.md`, from the table in `src/config.ts`. */
export function settingsPage(): string {
  const lines = [
    '# Settings',
    '',
    'Each setting is a flag, a `GRAPHPOST_*` variable and a key of the JSON config file (`--config FILE`). A flag wins over',
    'its variable, a variable over the config file, the config file over the default. Durations are written `500ms`, `30s`,',
    '`5m`, `2h`; sizes `64KiB`, `4MiB`. Generated from `src/config.ts` by `npm run docs`.',
  ]
  let group: string | undefined
  for (const key of settingKeys) {
    const setting = settingOf(key)
    if (setting.group !== group) {
      lines.push(
        '',
        `## ${setting.group}`,
        '',
        '| Key | Flag | Variable | Default | Meaning |',
        '| --- | --- | --- | --- | --- |',
      )
    }
    group = setting.group
    const fallback = setting.default === '' ? '' : `\`${setting.default}\``
    lines.push(`| \`${key}\` | \`${flagOf(key)}\` | \`${variableOf(key)}\` | ${fallback} | ${setting.meaning} |`)
  }
  return `${lines.join('\n')}\n`
}
