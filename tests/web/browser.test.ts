/** That the browser of the tests is one: what stands on it would otherwise prove nothing. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { localCertificate } from '../../src/http/certificate.js'
import { openBrowser } from '../support/browser.js'
import { atEnd, startServer } from '../support/start-server.js'

const counter = `<!doctype html><title>Counter</title>
<button onclick="this.nextElementSibling.textContent++">Add one</button><output>0</output>`

/** Serves one page; answers its port. */
async function serve(t: TestContext, html: string, server = createServer()): Promise<number> {
  server.on('request', (_, response) => response.setHeader('Content-Type', 'text/html').end(html))
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  atEnd(t, () => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

test('a page is opened, its script runs, a button is clicked', async (t) => {
  const page = await openBrowser(t, { httpUrl: `http://localhost:${await serve(t, counter)}` })
  await page.goto('/')
  assert.equal(await page.title(), 'Counter')
  const button = page.getByRole('button', { name: 'Add one' })
  await button.click()
  await button.click()
  assert.equal(await page.locator('output').textContent(), '2')
})

test('text is typed into a field', async (t) => {
  const form = '<!doctype html><title>Form</title><label>Name<input></label>'
  const page = await openBrowser(t, { httpUrl: `http://localhost:${await serve(t, form)}` })
  await page.goto('/')
  const field = page.getByLabel('Name')
  await field.fill('Adele')
  assert.equal(await field.inputValue(), 'Adele')
})

test('https of our own server is trusted, that of another is not', async (t) => {
  const { graphpost } = await startServer(t, { httpsPort: '0' })
  const { certPem: cert, keyPem: key } = await localCertificate(undefined)
  const stranger = await serve(t, counter, createSecureServer({ cert, key }))
  const page = await openBrowser(t, graphpost)
  const response = await page.goto('/livez')
  assert.equal(response?.status(), 200)
  assert.match(page.url(), /^https:/)
  // On a machine without SQLite's library the browser ends instead, see tests/support/chromium.ts.
  await assert.rejects(page.goto(`https://localhost:${stranger}/`), /ERR_CERT_AUTHORITY_INVALID|has been closed/)
})

test('an authority that did not sign the certificate of a site is not believed', async (t) => {
  const { graphpost } = await startServer(t, { httpsPort: '0' })
  const { caPem } = await localCertificate(undefined)
  await assert.rejects(openBrowser(t, { httpsUrl: graphpost.httpsUrl, caPem }), {
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  })
})

test('no other machine can be reached', async (t) => {
  const port = await serve(t, counter)
  const page = await openBrowser(t)
  await page.goto(`http://127.0.0.1:${port}/`)
  assert.equal(await page.title(), 'Counter')
  // An address of this machine too, but one that the browser is not told of.
  await assert.rejects(page.goto(`http://127.0.0.2:${port}/`), /ERR_NAME_NOT_RESOLVED/)
})
