/**
 * The pages of `docs/clients/`, followed to the letter in a shell that has nothing of ours in its environment: `kit env`,
 * `kit CLIENT`, and the program exactly as printed, against a server in a data folder. Only what would install packages
 * does nothing, for they are installed.
 */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFile, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freshFolder, startServer } from '../support/start-server.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

const clients: readonly { client: string; subject: string; needs?: string }[] = [
  { client: 'javascript', subject: 'Hello from JavaScript' },
  { client: 'typescript', subject: 'Hello from TypeScript' },
  { client: 'msal-node', subject: 'Hello from MSAL' },
  { client: 'curl', subject: 'Hello from curl', needs: 'curl' },
]

/** What a reader has installed. */
const installed = `
graphpost() { node '${join(root, 'bin', 'graphpost.js')}' "$@"; }
npm() { :; }
npx() { tool=$1; shift; "node_modules/.bin/$tool" "$@"; }
`

/** The commands of a page: its fence of shell lines that is not the program. */
async function commandsOf(client: string): Promise<string> {
  const page = await readFile(join(root, 'docs', 'clients', `${client}.md`), 'utf8')
  const commands = /^```sh\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? ''
  assert.match(commands, new RegExp(`^graphpost kit ${client} > `, 'm'))
  return commands
}

test('a page followed to the letter signs in and sends a mail that arrives', async (t) => {
  const data = await freshFolder(t)
  const server = await startServer(t, { data, memory: 'off', httpsPort: '0' })
  const alex = await server.user('alex@contoso.com')
  const env = {
    // This Node before any other.
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    GRAPHPOST_DATA: data,
    GRAPHPOST_HTTPS_PORT: new URL(server.graphpost.httpsUrl ?? '').port,
  }

  for (const { client, subject, needs } of clients) {
    const missing = needs !== undefined && spawnSync(needs, ['--version']).status !== 0
    await t.test(client, { skip: missing ? `there is no ${needs} here` : false }, async (t) => {
      const cwd = await freshFolder(t)
      await symlink(join(root, 'node_modules'), join(cwd, 'node_modules'), 'junction')
      const script = installed + (await commandsOf(client))
      const { stdout } = await promisify(execFile)('sh', ['-ec', script], { cwd, env })
      assert.equal(stdout, 'Sent to alex@contoso.com.\n')

      await server.graphpost.drainOutbox(10_000)
      const { json } = await alex.get('/me/mailFolders/inbox/messages?$select=subject,from,body')
      const arrived = json.value.filter((message: { subject: string }) => message.subject === subject)
      assert.equal(arrived.length, 1)
      assert.equal(arrived[0].from.emailAddress.address, 'adele@contoso.com')
      assert.equal(arrived[0].body.content, 'It works.')
    })
  }
})
