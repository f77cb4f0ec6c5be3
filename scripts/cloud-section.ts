import { messagePropertiesMissingIn } from '../src/graph/resources/message.js'
import { routes } from '../src/graph/routes.js'
import { type Cloud, clouds } from '../src/identity/clouds.js'

/** The part of `docs/compatibility.md` about clouds, from their table, the route table and the table of properties. */
export function cloudSection(): string[] {
  return [
    '## Clouds',
    '',
    'A client that reaches this server under one of these names (`graphpost run`, a hosts file) finds that cloud: its links,',
    'its tokens, which open nothing in another, and what its published model has. Under any other name everything is served.',
    'What a request says of a property that is not shown is taken all the same. `tests/graph/clouds.test.ts`',
    '',
    '| Cloud | | Graph | Sign-in | Not served there |',
    '| --- | --- | --- | --- | --- |',
    ...clouds.map((cloud) => {
      const { name, meaning, graphHost, signInHosts } = cloud
      return `| ${name} | ${meaning} | ${graphHost} | ${signInHosts.join(', ')} | ${missingIn(cloud)} |`
    }),
  ]
}

function missingIn({ name }: Cloud): string {
  const paths = routes.filter(({ notIn }) => notIn?.includes(name) === true).map(({ path }) => path.split('/').at(-1))
  const properties = messagePropertiesMissingIn(name).map((property) => `message.${property}`)
  return [...new Set([...paths, ...properties])].map((missing) => `\`${missing}\``).join(', ')
}
