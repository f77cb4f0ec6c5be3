/** Our `$metadata` beside the published one: nothing in ours may differ, and what ours lacks is counted. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { metadataDocument } from '../../src/graph/metadata.js'
import type { ApiVersion } from '../../src/graph/path.js'
import { DataMissing } from './exchange.js'

/** What a model says: each thing by its name, with what is said of it. `EntityType message/subject` → `Property Type=...` */
export type ModelFacts = ReadonlyMap<string, string>

interface Tag {
  readonly element: string
  readonly attributes: ReadonlyMap<string, string>
  readonly isEnd: boolean
  readonly isEmpty: boolean
}

function tagsOf(xml: string): Tag[] {
  const bare = xml.replace(/<!--.*?-->/gs, '')
  return [...bare.matchAll(/<(\/?)([\w:]+)((?:\s+[\w:]+="[^"]*")*)\s*(\/?)>/g)].map(
    ([, end, element = '', written = '', empty]) => ({
      element,
      attributes: new Map(
        [...written.matchAll(/([\w:]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [
          name,
          value.replace(/\bgraph\.(?=\w)/, 'microsoft.graph.').replace('microsoft.microsoft.', 'microsoft.'),
        ]),
      ),
      isEnd: end === '/',
      isEmpty: empty === '/',
    }),
  )
}

/** Everything but the name, in an order of its own; what is the default is not said. */
function said({ element, attributes }: Tag): string {
  const others = [...attributes].filter(
    ([name, value]) => name !== 'Name' && !(name === 'Nullable' && value === 'true'),
  )
  return [element, ...others.map(([name, value]) => `${name}=${value}`).sort()].join(' ')
}

const types = /^(EntityType|ComplexType|EnumType)$/
const operations = /^(Action|Function)$/

/** The facts of a CSDL document. Operations of one name are told apart by what they are bound to and take. */
export function factsOf(csdl: string): ModelFacts {
  const facts = new Map<string, string>()
  let type = ''
  let operation: Tag[] | undefined
  for (const tag of tagsOf(csdl)) {
    const name = tag.attributes.get('Name') ?? ''
    if (tag.isEnd) {
      if (operations.test(tag.element) && operation !== undefined) {
        facts.set(nameOf(operation), operation.map((each) => said(each)).join('; '))
        operation = undefined
      }
      continue
    }
    if (operations.test(tag.element)) operation = [tag]
    else if (operation !== undefined) operation.push(tag)
    else if (types.test(tag.element)) {
      type = `${tag.element} ${name}`
      facts.set(type, said(tag))
    } else if (/^(Property|NavigationProperty|Member)$/.test(tag.element)) facts.set(`${type}/${name}`, said(tag))
    else if (/^(EntitySet|Singleton)$/.test(tag.element)) facts.set(`${tag.element} ${name}`, said(tag))
  }
  return facts
}

function nameOf([head, binding, ...rest]: readonly Tag[]): string {
  const parameters = rest
    .filter(({ element }) => element === 'Parameter')
    .map(({ attributes }) => attributes.get('Name'))
  const boundTo = binding?.attributes.get('Type')?.replace('microsoft.graph.', '')
  return `${head?.element} ${boundTo}/${head?.attributes.get('Name')}(${parameters.join(', ')})`
}

/** How one model stands to the published one. */
export interface ModelComparison {
  /** What it says otherwise, or alone. */
  readonly faults: readonly string[]
  /** What the published one has beside it; of a type that is missing, the type alone. */
  readonly lacks: readonly string[]
  /** How much of the published one it has. */
  readonly shared: number
}

/** Each fact of ours must be one of theirs. */
export function compareModels(ours: ModelFacts, published: ModelFacts): ModelComparison {
  const faults: string[] = []
  for (const [name, fact] of ours) {
    const theirs = published.get(name)
    if (theirs === undefined) faults.push(`${name} is not in the published model`)
    else if (theirs !== fact) faults.push(`${name}: published ${theirs}, ours ${fact}`)
  }
  const lacks = [...published.keys()].filter((name) => !ours.has(name) && (!name.includes('/') || hasOwner(ours, name)))
  return { faults, lacks, shared: [...published.keys()].filter((name) => ours.has(name)).length }
}

function hasOwner(ours: ModelFacts, name: string): boolean {
  return operations.test(name.split(' ')[0] ?? '') || ours.has(name.split('/')[0] ?? '')
}

/** Compares the model of a version with that of a data directory. @throws DataMissing */
export async function compareWithPublished(directory: string, version: ApiVersion): Promise<ModelComparison> {
  const path = join(directory, 'spec', `mail.${version}.csdl.xml`)
  const published = await readFile(path, 'utf8').catch(() => {
    throw new DataMissing(`There is no ${path}.`)
  })
  return compareModels(factsOf(metadataDocument(version)), factsOf(published))
}
