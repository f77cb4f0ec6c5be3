import { readFile } from 'node:fs/promises'

/** What the committed list of exchanges that are not covered yet gets wrong. */
export interface ListFaults {
  /** Not covered, and not in the list: the list may not grow unseen. */
  readonly unlisted: readonly string[]
  /** In the list although covered: the line is to be taken out. */
  readonly stale: readonly string[]
  /** In the list, but not in the data: noted, since another set of data may hold fewer exchanges. */
  readonly unknown: readonly string[]
}

/** The names in a list: one a line; empty lines and lines that begin with `;` are skipped. */
export function namesIn(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith(';'))
}

/** Reads the list from its file. @throws Error when it cannot be read */
export async function readNotYetList(file: URL): Promise<string[]> {
  return namesIn(await readFile(file, 'utf8'))
}

/**
 * Compares the list with a run.
 *
 * @param notYet names of the exchanges that no scenario takes
 * @param all names of all exchanges of the data
 */
export function listFaults(listed: readonly string[], notYet: readonly string[], all: readonly string[]): ListFaults {
  const [inList, uncovered, known] = [new Set(listed), new Set(notYet), new Set(all)]
  return {
    unlisted: notYet.filter((name) => !inList.has(name)),
    stale: listed.filter((name) => known.has(name) && !uncovered.has(name)),
    unknown: listed.filter((name) => !known.has(name)),
  }
}
