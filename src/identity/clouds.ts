/**
 * The clouds that Microsoft Graph is run in: where programs call Graph and where they sign in. Apps, accounts and tokens of
 * one are worth nothing in another. Sources: the documentation of national cloud deployments; the alias groups are MSAL's.
 *
 * @see https://learn.microsoft.com/graph/deployments
 */
export interface Cloud {
  readonly name: 'global' | 'usGovL4' | 'usGovL5' | 'china'
  readonly meaning: string
  readonly graphHost: string
  /** The first is the one named in what we answer; the others are its aliases. */
  readonly signInHosts: readonly [string, ...string[]]
  /** Host of the `iss` of v1.0 tokens. */
  readonly issuerHost: string
  /** `cloud_instance_name` of discovery and of user realms. */
  readonly instanceName: string
}

export const clouds: readonly Cloud[] = [
  {
    name: 'global',
    meaning: 'Worldwide, with US Government GCC',
    graphHost: 'graph.microsoft.com',
    signInHosts: ['login.microsoftonline.com', 'login.windows.net', 'login.microsoft.com', 'sts.windows.net'],
    issuerHost: 'sts.windows.net',
    instanceName: 'microsoftonline.com',
  },
  {
    name: 'usGovL4',
    meaning: 'US Government L4 (GCC High)',
    graphHost: 'graph.microsoft.us',
    signInHosts: ['login.microsoftonline.us', 'login.usgovcloudapi.net'],
    issuerHost: 'sts.windows.net',
    instanceName: 'microsoftonline.us',
  },
  {
    name: 'usGovL5',
    meaning: 'US Government L5 (DoD)',
    graphHost: 'dod-graph.microsoft.us',
    signInHosts: ['login.microsoftonline.us', 'login.usgovcloudapi.net'],
    issuerHost: 'sts.windows.net',
    instanceName: 'microsoftonline.us',
  },
  {
    name: 'china',
    meaning: 'China, operated by 21Vianet',
    graphHost: 'microsoftgraph.chinacloudapi.cn',
    signInHosts: ['login.partner.microsoftonline.cn', 'login.chinacloudapi.cn'],
    issuerHost: 'sts.chinacloudapi.cn',
    instanceName: 'partner.microsoftonline.cn',
  },
]

/** Graph's own application id, the same in every cloud: the `aud` of tokens, and a resource to ask for. */
export const graphApplicationId = '00000003-0000-0000-c000-000000000000'

const byGraphHost = new Map(clouds.map((cloud) => [cloud.graphHost, cloud]))
// The two of the US Government share their sign-in; the first of a host stands for both.
const bySignInHost = new Map(clouds.toReversed().flatMap((cloud) => cloud.signInHosts.map((host) => [host, cloud])))

/** Every host that stands for the real service: what a hosts file or `graphpost run` leads here. */
export const cloudHosts: readonly string[] = [...byGraphHost.keys(), ...bySignInHost.keys()]

/** @param host without port, lower case */
export function cloudOfGraphHost(host: string): Cloud | undefined {
  return byGraphHost.get(host)
}

/** @param host without port, lower case */
export function cloudOfSignInHost(host: string): Cloud | undefined {
  return bySignInHost.get(host)
}
