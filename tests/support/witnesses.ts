/**
 * Which operations the tests of a file called with success: `npm test` compares it with the tests that
 * `docs/compatibility.md` names as witnesses. Kept where TEST_WITNESSES names a folder, one file for each test file.
 */
import { appendFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { findRoute } from '../../src/graph/operation.js'

const folder = process.env.TEST_WITNESSES
const seen = new Set<string>()

/** A row by its method and path; those below a folder and below the mailbox are one operation. */
export function operationOf(method: string, path: string): string {
  return `${method} ${path.replace('mailFolders/{folder}/messages', 'messages')}`
}

/** Notes a call that was answered. */
export function noteCall(method: string, path: string, status: number): void {
  if (folder === undefined || status >= 400 || /^\/(?:admin|livez|readyz)/.test(path)) return
  const operation = operationAt(method, path.split('?', 1)[0] ?? '')
  if (operation === undefined || seen.has(operation)) return
  seen.add(operation)
  appendFileSync(fileFor(folder, process.argv[1] ?? ''), `${operation}\n`)
}

/** Not every answer is that of an operation: the URL of an upload session is none. */
function operationAt(method: string, path: string): string | undefined {
  try {
    return operationOf(method, findRoute(method, path).row.path)
  } catch {
    return undefined
  }
}

function fileFor(witnesses: string, testFile: string): string {
  return join(witnesses, `${basename(testFile)}.txt`)
}

/** The operations that a test file called. */
export async function operationsCalledIn(witnesses: string, testFile: string): Promise<ReadonlySet<string>> {
  const text = await readFile(fileFor(witnesses, testFile), 'utf8').catch(() => '')
  return new Set(text.split('\n'))
}
