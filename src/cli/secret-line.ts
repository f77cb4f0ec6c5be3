import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'

/** One line of standard input: from a person without showing it, from a pipe as it is. Never an argument, which others see. */
export async function readSecretLine(prompt: string): Promise<string> {
  const isTty = process.stdin.isTTY === true
  if (isTty) process.stderr.write(prompt)
  // Readline echoes through its output; this one shows nothing.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: isTty })
  try {
    for await (const line of lines) return line
    return ''
  } finally {
    lines.close()
    if (isTty) process.stderr.write('\n')
  }
}
