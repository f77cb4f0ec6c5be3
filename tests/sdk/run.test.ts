/**
 * Programs as they run in production, under `graphpost run`: no address of ours in them, and nothing set but the names of
 * the tenant, the application and its secret. What they send arrives in a server that is a process of its own.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { developmentApplication, developmentSecret, developmentTenant } from '../../src/identity/development.js'
import { graphpostProgram, runNode, startNode } from '../support/program.js'
import { type Client, clientOf, freshDatabase, freshFolder, testStore } from '../support/start-server.js'

const sender = 'adele@contoso.com'
const recipient = 'alex@contoso.com'

/** A server process, and how programs are run beside it. */
interface RunningServer {
  /** Of the recipient. */
  readonly reader: Client
  /** Runs a program of `programs/` under `graphpost run`; what it printed comes back. */
  run(program: string, more?: readonly string[]): Promise<string>
}

async function startServerProcess(t: TestContext): Promise<RunningServer> {
  const folder = await freshFolder(t)
  const place = ['--data', folder, ...(testStore === 'postgres' ? ['--store', await freshDatabase(t)] : [])]
  const ports = ['--port', '0', '--https-port', '0', '--smtp-port', 'off']
  const terminal = await startNode(t, [graphpostProgram, 'start', ...place, ...ports]).printed('Stop with')
  const [, url = ''] = /(http:\/\/localhost:\d+)/.exec(terminal) ?? []
  const [, httpsPort = ''] = /https:\/\/localhost:(\d+)/.exec(terminal) ?? []
  const [, token = ''] = /Inbox of alex@contoso\.com[\s\S]*Bearer ([^']+)/.exec(terminal) ?? []
  const env = {
    PATH: process.env.PATH,
    AZURE_TENANT_ID: developmentTenant,
    AZURE_CLIENT_ID: developmentApplication,
    AZURE_CLIENT_SECRET: developmentSecret,
  }
  return {
    reader: clientOf(url, token),
    run: async (program, more = []) => {
      const path = fileURLToPath(new URL(`./programs/${program}`, import.meta.url))
      const run = [graphpostProgram, 'run', '--data', folder, '--https-port', httpsPort, '--']
      const { code, stdout, stderr } = await runNode(
        t,
        [...run, process.execPath, path, sender, recipient, ...more],
        env,
      )
      assert.equal(code, 0, stderr)
      return stdout
    },
  }
}

/** The mail with this subject in the Inbox, once it is there. */
async function arrived({ get }: Client, subject: string): Promise<ReturnType<typeof JSON.parse>> {
  for (;;) {
    const { status, json, text } = await get('/me/mailFolders/inbox/messages?$expand=attachments', {
      Prefer: 'outlook.body-content-type="text"',
    })
    assert.equal(status, 200, text)
    const found = json.value.filter((message: { subject: string }) => message.subject === subject)
    if (found.length > 0) {
      assert.equal(found.length, 1)
      return found[0]
    }
    await sleep(50)
  }
}

test('programs that name the cloud alone send through the running server', { timeout: 120_000 }, async (t) => {
  const { reader, run } = await startServerProcess(t)

  await t.test(
    'the Graph client with @azure/identity, a file in the request and one by an upload session',
    async (t) => {
      const folder = await freshFolder(t)
      const content = { small: randomBytes(100_000), large: randomBytes(5_000_000) }
      const files = { small: join(folder, 'small.bin'), large: join(folder, 'large.bin') }
      await writeFile(files.small, content.small)
      await writeFile(files.large, content.large)
      const printed = await run('unchanged-graph-client.js', [files.small, files.large])
      assert.equal(printed, '202 https://graph.microsoft.com 202\n')
      for (const [subject, name, bytes] of [
        ['From the Graph client', 'small.bin', content.small],
        ['With a large file', 'large.bin', content.large],
      ] as const) {
        const { from, attachments } = await arrived(reader, subject)
        assert.equal(from.emailAddress.address, sender)
        assert.equal(attachments.length, 1)
        assert.equal(attachments[0].name, name)
        assert.ok(Buffer.from(attachments[0].contentBytes, 'base64').equals(bytes), subject)
      }
    },
  )

  await t.test('MSAL with its usual authority, which it may confirm', async () => {
    assert.equal(await run('unchanged-msal-node.js'), '202\n')
    const { from, body } = await arrived(reader, 'From MSAL')
    assert.equal(from.emailAddress.address, sender)
    assert.equal(body.content, 'Nothing was changed.')
  })

  await t.test("a program of others, nodemailer's transport for Graph", async (t) => {
    const file = join(await freshFolder(t), 'text.txt')
    const text = `Grüße, 🎉\r\n.\r\n\tFrom = \u00a0here  \r\n${'a long line '.repeat(200)}\r\nthe end`
    await writeFile(file, text)
    const envelope = JSON.parse(await run('unchanged-nodemailer.js', [file]))
    assert.deepEqual(envelope, { from: sender, to: [recipient, 'diego@contoso.com'] })
    const message = await arrived(reader, 'From nodemailer')
    assert.equal(message.body.content, text)
    assert.deepEqual(message.toRecipients, [{ emailAddress: { name: 'Alex', address: recipient } }])
    assert.deepEqual(message.ccRecipients, [{ emailAddress: { name: 'Diego', address: 'diego@contoso.com' } }])
  })
})
