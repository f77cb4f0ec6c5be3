import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { localCertificate } from '../../src/http/certificate.js'
import { cloudHosts } from '../../src/identity/clouds.js'
import type { Surrounding } from '../../src/proxy/environment.js'
import { runNode } from '../support/program.js'
import { atEnd, freshFolder } from '../support/start-server.js'

/** A server for HTTP/1.1 and HTTP/2 that answers with the name it was asked for, certified as all of the cloud. */
async function startNamed(t: TestContext): Promise<Surrounding> {
  const { certPem, keyPem, caPem, caPath = '' } = await localCertificate(await freshFolder(t), { names: cloudHosts })
  const server = createSecureServer({ cert: certPem, key: keyPem, allowHTTP1: true }, (request, response) => {
    response.end(request.authority ?? request.headers.host)
  })
  server.on('sessionError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, () => server.close())
  const { port } = server.address() as AddressInfo
  const standIn = { address: '127.0.0.1', port, hosts: cloudHosts, caPem }
  // No proxy listens there: what would need one fails.
  return { standIn, proxyPort: 1, caPath, bundlePath: caPath, javaStorePath: 'none', javaStorePassword: 'none' }
}

/** Where the compiled module of the environment is, or that folder under another name. */
const proxyFolder = fileURLToPath(new URL('../../src/proxy/', import.meta.url))

async function environmentFrom(folder: string, before: Record<string, string>, surrounding: Surrounding) {
  const { environmentOf } = (await import(
    pathToFileURL(join(folder, 'environment.js')).href
  )) as typeof import('../../src/proxy/environment.js')
  return environmentOf({ PATH: process.env.PATH, ...before }, surrounding)
}

/** Every way in which Node connects, each with the name that the server was asked for or the check that passed. */
const everyWay = `
import { once } from 'node:events'
import { get } from 'node:https'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { connect as secureConnect } from 'node:tls'
import { Worker } from 'node:worker_threads'

const text = async (stream) => { let all = ''; for await (const chunk of stream) all += chunk; return all }
const found = {}
found.fetch = await (await fetch('https://graph.microsoft.com/')).text()
found.get = await text((await once(get('https://login.microsoftonline.com/'), 'response'))[0])
found.options = await text((await once(get({ host: 'GRAPH.microsoft.us', path: '/', agent: false }), 'response'))[0])
const session = connectHttp2('https://dod-graph.microsoft.us')
// Which form the name has is Node's affair.
found.http2 = (await text(session.request({ ':path': '/' }))).replace(/:443$/, '')
session.close()
const checked = async (socket) => { await once(socket, 'secureConnect'); socket.end(); return socket.authorized }
found.tlsPort = await checked(secureConnect(443, 'login.windows.net'))
found.tlsOptions = await checked(secureConnect({ port: '443', host: 'login.chinacloudapi.cn' }))
const plain = connect(443, 'graph.microsoft.com')
found.tlsOver = await checked(secureConnect({ socket: plain, servername: 'graph.microsoft.com' }))
const worker = new Worker(\`
  import { parentPort } from 'node:worker_threads'
  parentPort.postMessage(await (await fetch('https://sts.windows.net/')).text())
\`, { eval: true })
found.worker = (await once(worker, 'message'))[0]
console.log(JSON.stringify(found))
`

const everyAnswer = {
  fetch: 'graph.microsoft.com',
  get: 'login.microsoftonline.com',
  options: 'GRAPH.microsoft.us',
  http2: 'dod-graph.microsoft.us',
  tlsPort: true,
  tlsOptions: true,
  tlsOver: true,
  worker: 'sts.windows.net',
}

/** Without the proxy, which newer versions of Node would take. */
const moduleAlone = { NODE_USE_ENV_PROXY: '', HTTPS_PROXY: '', https_proxy: '' }

test('every way in which Node connects to the cloud is led here, and the name it checks stays the cloud', async (t) => {
  const environment = await environmentFrom(proxyFolder, {}, await startNamed(t))
  const { stdout, stderr } = await runNode(t, ['--input-type=module', '-e', everyWay], {
    ...environment,
    ...moduleAlone,
  })
  assert.deepEqual(JSON.parse(stdout || '{}'), everyAnswer, stderr)
})

test('the path of the module may hold spaces and quotes, and options that were there before stay', async (t) => {
  const folder = join(await freshFolder(t), `a "quoted" folder's`)
  await mkdir(folder)
  for (const name of ['environment.js', 'redirect.cjs']) await copyFile(join(proxyFolder, name), join(folder, name))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  const environment = await environmentFrom(folder, { NODE_OPTIONS: '--title=kept' }, await startNamed(t))
  assert.match(environment.NODE_OPTIONS ?? '', /^--title=kept --require .*quoted/)
  const program = `fetch('https://graph.microsoft.com/').then((answer) => answer.text()).then((text) => console.log(text, process.title))`
  const { stdout, stderr } = await runNode(t, ['-e', program], { ...environment, ...moduleAlone })
  assert.equal(stdout, 'graph.microsoft.com kept\n', stderr)
})

test('every other connection of Node is left alone', async (t) => {
  const environment = await environmentFrom(proxyFolder, {}, await startNamed(t))
  const program = `
    const { createServer, connect } = require('node:net')
    const { once } = require('node:events')
    const { join } = require('node:path')
    const heard = async (listenAt, ...target) => {
      const server = createServer((socket) => socket.end('mine')).listen(listenAt)
      await once(server, 'listening')
      const port = server.address().port
      const socket = connect(...target.map((part) => (part === 'PORT' ? port : part?.port === 'PORT' ? { ...part, port } : part)))
      const [data] = await once(socket, 'data')
      server.close()
      return String(data)
    }
    const pipe = process.platform === 'win32' ? '\\\\\\\\.\\\\pipe\\\\' + process.pid : join(process.argv[1], 'socket')
    const run = async () => [
      await heard({ port: 0, host: '127.0.0.1' }, 'PORT', '127.0.0.1'),
      await heard({ port: 0, host: '127.0.0.1' }, { port: 'PORT', host: '127.0.0.1' }),
      await heard({ port: 0 }, 'PORT'),
      await heard({ path: pipe }, pipe),
      await heard({ path: pipe }, { path: pipe, host: 'graph.microsoft.com', port: 443 }),
    ]
    run().then((found) => console.log(found.join()))
  `
  const { stdout, stderr } = await runNode(t, ['-e', program, await freshFolder(t)], { ...environment, ...moduleAlone })
  assert.equal(stdout, 'mine,mine,mine,mine,mine\n', stderr)
})
