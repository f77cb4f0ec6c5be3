import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorityFiles, environmentOf, type Surrounding, upstreamProxy } from '../../src/proxy/environment.js'

const surrounding: Surrounding = {
  standIn: { address: '127.0.0.1', port: 3651, hosts: ['graph.microsoft.com'], caPem: '' },
  proxyPort: 4000,
  caPath: '/data/ca.pem',
  bundlePath: '/data/trusted.pem',
  javaStorePath: '/my data/trusted.jks',
  javaStorePassword: 'changeit',
}

test('what was set before stays, as far as it does not lead to the cloud', () => {
  const given = environmentOf(
    {
      HOME: '/home/ada',
      JAVA_TOOL_OPTIONS: '-Xmx1g',
      NODE_EXTRA_CA_CERTS: '/corporate.pem',
      no_proxy: 'corp.example, .microsoft.com *.GRAPH.microsoft.com:443,localhost *',
      HTTPS_PROXY: 'http://corporate:8080',
    },
    surrounding,
  )
  assert.equal(given.HOME, '/home/ada')
  assert.match(given.JAVA_TOOL_OPTIONS ?? '', /^-Xmx1g -Dhttps\.proxyHost=127\.0\.0\.1 -Dhttps\.proxyPort=4000 /)
  assert.equal(given.NODE_EXTRA_CA_CERTS, '/data/trusted.pem')
  assert.equal(given.no_proxy, 'localhost,127.0.0.1,::1,corp.example')
  for (const name of ['HTTPS_PROXY', 'https_proxy']) assert.equal(given[name], 'http://127.0.0.1:4000')
})

test('a path with a space is one option for Java', () => {
  const { JAVA_TOOL_OPTIONS = '' } = environmentOf({}, surrounding)
  assert.ok(JAVA_TOOL_OPTIONS.includes(' "-Djavax.net.ssl.trustStore=/my data/trusted.jks" '), JAVA_TOOL_OPTIONS)
})

test('with nothing set before, Node is given our authority alone', () => {
  assert.equal(environmentOf({}, surrounding).NODE_EXTRA_CA_CERTS, '/data/ca.pem')
  assert.deepEqual(authorityFiles({}), [])
  assert.deepEqual(authorityFiles({ SSL_CERT_FILE: '/a', CURL_CA_BUNDLE: '/a', NODE_EXTRA_CA_CERTS: '/b' }), [
    '/a',
    '/b',
  ])
})

test("the machine's own proxy is found in either spelling; one that is no http proxy is none", () => {
  assert.equal(upstreamProxy({}), undefined)
  assert.equal(upstreamProxy({ https_proxy: 'corporate:8080' })?.href, 'http://corporate:8080/')
  assert.equal(upstreamProxy({ HTTPS_PROXY: 'http://ada:secret@corporate' })?.username, 'ada')
  assert.equal(upstreamProxy({ ALL_PROXY: 'socks5://corporate:1080' }), undefined)
  assert.equal(upstreamProxy({ https_proxy: 'http://' }), undefined)
})
