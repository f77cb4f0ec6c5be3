import { createHash, type X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { connect } from 'node:tls'
import { chromium, type LaunchOptions, type Page } from 'playwright-core'
import { unpackedChromium } from './chromium.js'
import { atEnd, freshFolder } from './start-server.js'

/** Where pages come from; what `startGraphpost` returns is one. */
export interface Site {
  readonly httpUrl?: string | undefined
  /** Preferred to `httpUrl`. */
  readonly httpsUrl?: string | undefined
  /** PEM of the authority that signed the certificate at `httpsUrl`: the one certificate the browser is to trust. */
  readonly caPem?: string | undefined
}

/** Longer waits than this fail: a page of ours on this machine is there in far less, ms. */
const patienceMs = 15_000

/**
 * A page of a real Chromium, with a profile of its own, closed after the test. Paths are taken from the site's URL.
 * Nothing but this machine can be reached from it.
 *
 *     const page = await openBrowser(t, server.graphpost)
 *     await page.goto('/')
 *     await page.getByRole('button', { name: 'Sign in' }).click()
 */
export async function openBrowser(t: TestContext, site: Site = {}): Promise<Page> {
  const browser = await chromium.launch({
    ...(await whatToStart(t)),
    // Its sandbox does not run as root, and what is opened here is our own.
    chromiumSandbox: false,
    args: [
      '--no-proxy-server',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]',
      ...(await trusting(site)),
    ],
  })
  atEnd(t, () => browser.close())
  const baseURL = site.httpsUrl ?? site.httpUrl
  const context = await browser.newContext(baseURL === undefined ? {} : { baseURL })
  context.setDefaultTimeout(patienceMs)
  return context.newPage()
}

/** Elsewhere than on Linux on x64 the Chrome that is installed must do. */
async function whatToStart(t: TestContext): Promise<LaunchOptions> {
  const unpacked = await unpackedChromium()
  if (unpacked === undefined) return { channel: 'chrome' }
  // Settings, certificates and proxies of whoever runs the tests stay out of them.
  return { executablePath: unpacked.executable, env: { ...unpacked.env, HOME: await freshFolder(t) } }
}

/**
 * Makes the browser trust the site's key and no other. Chromium takes no authority from the command line, and compares
 * only keys that the server sends; so the authority's certificate is used here, once, to verify the server's own.
 */
async function trusting({ httpsUrl, caPem }: Site): Promise<string[]> {
  if (httpsUrl === undefined || caPem === undefined) return []
  const certificate = await verifiedCertificate(new URL(httpsUrl), caPem)
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' })
  return [`--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`]
}

/** The certificate a server shows, checked as any client would. */
async function verifiedCertificate(url: URL, caPem: string): Promise<X509Certificate> {
  const socket = connect({ host: url.hostname, port: Number(url.port || 443), servername: url.hostname, ca: caPem })
  try {
    await once(socket, 'secureConnect')
    const certificate = socket.getPeerX509Certificate()
    if (certificate === undefined) throw new Error(`${url} shows no certificate`)
    return certificate
  } finally {
    socket.destroy()
  }
}
