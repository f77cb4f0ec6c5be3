/**
 * Chromium as npm brings it, unpacked once for each user of a machine. A bare Debian lacks the libraries of NSS, the fonts
 * and their settings; the package has them too, but for the SQLite that NSS opens to verify a certificate. Where that is
 * missing, a site whose certificate is not known beforehand ends the browser.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { lstat, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** What to start, and the environment it needs beside a home. */
export interface Chromium {
  readonly executable: string
  readonly env: Readonly<Record<string, string>>
}

/** Files that are gone when something cleaned the folder up in part. */
const needed = ['chromium', 'al2023/lib/libnss3.so', 'al2023/lib/libsoftokn3.so', 'fonts/fonts', 'fonts.conf']

/**
 * Where Chromium is; unpacked first when it is not there yet, which takes a second or two and 200 MB. Several processes
 * may ask at once.
 *
 * @returns undefined where the package has none for this machine: it is built for Linux on x64 alone
 */
export async function unpackedChromium(): Promise<Chromium | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined
  const folder = join(tmpdir(), `graphpost-chromium-${await packageVersion()}-${userInfo().uid}`)
  if (!isWhole(folder)) await unpack(folder)
  await requireOwn(folder)
  const libraries = join(folder, 'al2023', 'lib')
  const others = process.env.LD_LIBRARY_PATH
  return {
    executable: join(folder, 'chromium'),
    env: {
      LD_LIBRARY_PATH: others === undefined ? libraries : `${libraries}:${others}`,
      FONTCONFIG_FILE: join(folder, 'fonts.conf'),
    },
  }
}

async function packageVersion(): Promise<string> {
  const manifest = new URL('../../package.json', import.meta.resolve('@sparticuz/chromium'))
  return JSON.parse(await readFile(manifest, 'utf8')).version
}

function isWhole(folder: string): boolean {
  return needed.every((name) => existsSync(join(folder, name)))
}

/** Unpacks aside and renames, so that no one ever starts half a browser. */
async function unpack(folder: string): Promise<void> {
  const aside = await mkdtemp(`${folder}-`)
  try {
    await promisify(execFile)(
      process.execPath,
      [fileURLToPath(new URL('./unpack-chromium-process.js', import.meta.url))],
      { env: { ...process.env, TMPDIR: aside, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' } },
    )
    await writeFile(join(aside, 'fonts.conf'), fontSettings(join(folder, 'fonts')))
    await place(aside, folder)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

/** Without any font Chromium ends where a page has a field to type in; the package's own settings look elsewhere. */
function fontSettings(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${folder}</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
`
}

/** The first one wins; a folder that lacks something makes room. */
async function place(aside: string, folder: string): Promise<void> {
  try {
    await rename(aside, folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
    if (isWhole(folder)) return
    await rm(folder, { recursive: true, force: true })
    await rename(aside, folder)
  }
}

/** The folder of temporary files is open to all: nothing is started that someone else may have put there. */
async function requireOwn(folder: string): Promise<void> {
  const { uid, mode } = await lstat(folder)
  if (uid === userInfo().uid && (mode & 0o022) === 0) return
  throw new Error(`${folder} can be written to by others: remove it`)
}
