#!/usr/bin/env node
import { existsSync } from 'node:fs'

const program = new URL('../dist/src/main.js', import.meta.url)
if (!existsSync(program)) {
  console.error('Graphpost is not built yet: run `npm ci`, or `npm run build` after a change.')
  process.exit(1)
}
const { main } = await import(program.href)
await main(process.argv.slice(2))
