/**
 * Unpacks Chromium into `os.tmpdir()`, the only place @sparticuz/chromium knows. A process of its own, because it must be
 * started with TMPDIR set to a folder that nobody else sees yet, and with the environment of the one machine that the
 * package unpacks its libraries for.
 */
import chromium from '@sparticuz/chromium'

await chromium.executablePath()
