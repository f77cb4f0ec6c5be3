/** Settings of the bench's own Postfix: what it needs to have nothing in common with the machine's, all else as it comes. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What differs from one instance to another. */
export interface PostfixSettings {
  readonly folder: string
  /** On 127.0.0.1, where mail is taken. */
  readonly port: number
  /** On 127.0.0.1, where all mail goes. */
  readonly relayPort: number
  /** Nothing leaves: there is no queue manager. */
  readonly isHeld: boolean
}

/** Writes `main.cf` and `master.cf` into the folder. */
export async function writeSettings(settings: PostfixSettings): Promise<void> {
  await writeFile(join(settings.folder, 'main.cf'), mainSettings(settings))
  await writeFile(join(settings.folder, 'master.cf'), services(settings))
}

function mainSettings({ folder, relayPort, isHeld }: PostfixSettings): string {
  const settings = {
    compatibility_level: '3.6',
    queue_directory: join(folder, 'queue'),
    data_directory: join(folder, 'data'),
    maillog_file: join(folder, 'mail.log'),
    maillog_file_prefixes: folder,
    myhostname: 'postfix.example',
    mydestination: '',
    local_recipient_maps: '',
    alias_maps: '',
    alias_database: '',
    fast_flush_domains: '',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    mynetworks: '127.0.0.0/8',
    smtpd_peername_lookup: 'no',
    smtp_dns_support_level: 'disabled',
    relayhost: `[127.0.0.1]:${relayPort}`,
    // While nothing leaves, a mail a second would be let in on each connection.
    ...(isHeld ? { in_flow_delay: '0' } : {}),
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`)
  return lines.join('')
}

/** master(5): service, type, private, unprivileged, chroot, wake-up, processes, command. */
function services({ port, isHeld }: PostfixSettings): string {
  const rows = [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    'cleanup unix n - n - 0 cleanup',
    'rewrite unix - - n - - trivial-rewrite',
    'bounce unix - - n - 0 bounce',
    'defer unix - - n - 0 bounce',
    'trace unix - - n - 0 bounce',
    'smtp unix - - n - - smtp',
    'error unix - - n - - error',
    'retry unix - - n - - error',
    'anvil unix - - n - 1 anvil',
    'scache unix - - n - 1 scache',
    'postlog unix-dgram n - n - 1 postlogd',
    ...(isHeld ? [] : ['qmgr unix n - n 300 1 qmgr']),
  ]
  return `${rows.join('\n')}\n`
}
