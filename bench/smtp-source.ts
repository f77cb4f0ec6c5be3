/** Postfix's own generator of mail, as the counterpart of ours. */
import { once } from 'node:events'
import { spawnOn } from './processes.js'

/** What is submitted. */
export interface Submission {
  /** On 127.0.0.1. */
  readonly port: number
  readonly core: number | undefined
  readonly mails: number
  /** All are kept until the end. */
  readonly connections: number
  /** Domains that the mail is spread over, at most as many as connections. */
  readonly destinations: number
  /** Of a message without its header. */
  readonly bodyBytes: number
}

/** Submits everything; resolves when the last was accepted. */
export async function submit(submission: Submission): Promise<void> {
  const domains = Array.from({ length: submission.destinations }, (_, index) => index)
  await Promise.all(domains.map((domain) => submitTo(domain, submission)))
}

/** A run has one domain, so each has a run of its own with its share of the rest. */
async function submitTo(domain: number, submission: Submission): Promise<void> {
  const { port, core, mails, connections, destinations, bodyBytes } = submission
  const share = (of: number) =>
    Math.floor((of * (domain + 1)) / destinations) - Math.floor((of * domain) / destinations)
  const counts = ['-s', share(connections), '-m', share(mails), '-l', bodyBytes].map(String)
  // -d keeps connections; -N puts a number before each address.
  const addresses = ['-N', '-f', 'adele@contoso.com', '-t', `customer@d${domain}.example`]
  const child = spawnOn(core, ['smtp-source', '-d', ...counts, ...addresses, `127.0.0.1:${port}`], 'ignore')
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`smtp-source ended with ${code}.`)
}
