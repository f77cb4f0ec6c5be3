import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { operations } from '../operations.js'
import { DataMissing } from './exchange.js'

/** Of the model and in no path: what stands at the root, and the item inside an attachment, which comes by `$expand`. */
const withoutPath: ReadonlySet<string> = new Set(['me', 'item'])

/** Names of the published v1.0 model (entity sets, navigation, actions, functions) that no row of our list mentions. @throws DataMissing */
export async function operationsMissing(directory: string): Promise<string[]> {
  const path = join(directory, 'spec', 'mail.v1.0.csdl.xml')
  const xml = await readFile(path, 'utf8').catch(() => {
    throw new DataMissing(`There is no ${path}.`)
  })
  const names = xml.matchAll(/<(?:EntitySet|Singleton|NavigationProperty|Action|Function) Name="([^"]+)"/g)
  const segments = new Set(operations.flatMap((operation) => operation.path.split('/')))
  return [...new Set([...names].map(([, name = '']) => name))]
    .filter((name) => !segments.has(name) && !withoutPath.has(name))
    .sort()
}
