/**
 * The pages in `docs/clients/`: one program for each client, kept in the page alone. The program is the fence that names a
 * file after its language, as in "js send.mjs"; other fences are commands around it.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** One page. */
export interface ClientPage {
  /** File name of the page, and the word for the command. */
  readonly client: string
  /** What the program is made with. */
  readonly title: string
  /** Name to keep the program under. */
  readonly file: string
  /** Every line of it, each with its end. */
  readonly program: string
}

/** Three folders above the compiled file, like `package.json`. */
const folder = new URL('../../../docs/clients/', import.meta.url)

/** Every page, by name. */
export function clientPages(): ClientPage[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => readPage(name.slice(0, -'.md'.length), readFileSync(new URL(name, folder), 'utf8')))
}

function readPage(client: string, page: string): ClientPage {
  const text = page.replaceAll('\r\n', '\n')
  const title = /^# (.+)$/m.exec(text)?.[1]
  const [, file, program] = /^```\w+ (\S+)\n([\s\S]*?\n)```$/m.exec(text) ?? []
  if (title === undefined || file === undefined || program === undefined) {
    throw new Error(`docs/clients/${client}.md has no title, or no program with a file name`)
  }
  return { client, title, file, program }
}
