import { createHash, createPrivateKey, type KeyObject, randomUUID, X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose'
import type { SettingKey } from '../../src/config.js'
import { privateKeyOf } from '../../src/identity/signing-key.js'
import { clientCertificate } from '../support/client-certificate.js'
import { startServerWithKnownKey } from '../support/known-key.js'
import { freshFolder, type TestServer } from '../support/start-server.js'

/** Two tenants with users and applications of every kind, in one server. */

export const fabrikam = 'fab00000-0000-4000-8000-000000000001'

/** An application with secrets, a certificate and an API of its own. */
export const daemon = '33333333-cccc-4ddd-8eee-444444444444'
export const daemonSecret = 'the secret of the daemon'
export const daemonApi = 'api://daemon'
/** One whose only secret is over. */
export const stale = '44444444-dddd-4eee-8fff-555555555555'
/** One without a credential that may sign users in, and may ask them for more than it has. */
export const desktop = '55555555-eeee-4fff-8aaa-666666666666'
/** One whose address has letters that no header has. */
export const letters = '66666666-ffff-4aaa-8bbb-777777777777'
export const lettersCallback = 'http://localhost:5000/zur\u00fcck \u2192'
export const callback = 'http://localhost:5000/callback'
export const password = 'the password of Adele'

/** The key that the daemon's certificate is of. */
interface DaemonKey {
  readonly privateKey: KeyObject
  readonly pem: string
  readonly x5t: string
  readonly x5tS256: string
}

export interface Contoso {
  readonly server: TestServer
  readonly url: string
  readonly tenant: string
  readonly daemonKey: DaemonKey
  /** What the daemon signs to show who it is; right in all but what is given. */
  assertion(claims?: JWTPayload, header?: Partial<JWTHeaderParameters>): Promise<string>
  /** A token as this server signs it, with any claims. */
  signed(claims: JWTPayload): Promise<string>
}

export async function startContoso(t: TestContext, given: Partial<Record<SettingKey, string>> = {}): Promise<Contoso> {
  madeKey ??= newDaemonKey()
  const daemonKey = await madeKey
  const directory = join(await freshFolder(t), 'directory.json')
  await writeFile(directory, JSON.stringify(directoryWith(daemonKey.pem)))
  const { server, key } = await startServerWithKnownKey(t, { ...given, directory })
  const { url, graphpost } = server
  const { tenant } = graphpost
  const seconds = () => Math.floor(server.clock.now() / 1000)
  return {
    server,
    url,
    tenant,
    daemonKey,
    assertion: (claims = {}, header = {}) => {
      const usual: JWTPayload = {
        aud: `${url}/${tenant}/oauth2/v2.0/token`,
        iss: daemon,
        sub: daemon,
        jti: randomUUID(),
        nbf: seconds(),
        exp: seconds() + 600,
      }
      return new SignJWT({ ...usual, ...claims })
        .setProtectedHeader({ alg: 'PS256', typ: 'JWT', 'x5t#S256': daemonKey.x5tS256, ...header })
        .sign(daemonKey.privateKey)
    },
    signed: async (claims) => {
      const usual: JWTPayload = {
        iss: `https://sts.windows.net/${tenant}/`,
        tid: tenant,
        nbf: seconds(),
        exp: seconds() + 3_600,
      }
      return new SignJWT({ ...usual, ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: key.id })
        .sign(await privateKeyOf(key))
    },
  }
}

/** One for all servers of a file: making it takes longer than starting them. */
let madeKey: Promise<DaemonKey> | undefined

async function newDaemonKey(): Promise<DaemonKey> {
  const { certPem, keyPem } = await clientCertificate('daemon')
  const { raw } = new X509Certificate(certPem)
  const thumbprint = (algorithm: string) => createHash(algorithm).update(raw).digest('base64url')
  return {
    privateKey: createPrivateKey(keyPem),
    pem: certPem,
    x5t: thumbprint('sha1'),
    x5tS256: thumbprint('sha256'),
  }
}

function directoryWith(certificate: string): object {
  return {
    users: [
      { userPrincipalName: 'adele@contoso.com', displayName: 'Adele', password, aliases: ['adele.vance@contoso.com'] },
      { userPrincipalName: 'alex@contoso.com', displayName: 'Alex' },
    ],
    sharedMailboxes: [{ userPrincipalName: 'desk@contoso.com', displayName: 'Desk' }],
    applications: [
      {
        clientId: daemon,
        displayName: 'Daemon',
        redirectUris: [callback],
        identifierUris: [daemonApi],
        secrets: [{ value: daemonSecret }, { value: 'an older secret', expires: '2020-01-01' }],
        certificates: [certificate],
        applicationPermissions: ['Mail.Send', 'Mail.Read'],
        delegatedPermissions: ['Mail.Send'],
      },
      {
        clientId: letters,
        displayName: 'Letters',
        publicClient: true,
        redirectUris: [lettersCallback],
        delegatedPermissions: ['User.Read'],
      },
      { clientId: stale, displayName: 'Stale', secrets: [{ value: 'an old secret', expires: '2020-01-01' }] },
      {
        clientId: desktop,
        displayName: 'Desktop <b>&"\'</b>',
        publicClient: true,
        redirectUris: [callback],
        delegatedPermissions: ['User.Read'],
      },
    ],
    tenants: [
      {
        id: fabrikam,
        domain: 'fabrikam.com',
        users: [{ userPrincipalName: 'fay@fabrikam.com', displayName: 'Fay' }],
        applications: [
          // The same program, registered here with another address.
          {
            clientId: desktop,
            displayName: 'Desktop',
            publicClient: true,
            redirectUris: ['http://localhost/fabrikam'],
          },
        ],
      },
    ],
  }
}
