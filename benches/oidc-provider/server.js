// node oidc-provider as fast as it goes: nothing logged, nothing rendered, one process, its memory adapter.
//
// One client asks by client_credentials for access tokens of three resource servers, which differ in nothing but the
// form of their tokens. Prints `listening http://ADDR` when it answers.

import { generateKeyPairSync } from 'node:crypto'
import Provider from 'oidc-provider'

const key = (pair, more) => ({ ...pair.privateKey.export({ format: 'jwk' }), use: 'sig', ...more })
const jwks = {
  keys: [
    key(generateKeyPairSync('rsa', { modulusLength: 2048 }), { alg: 'RS256', kid: 'rsa' }),
    key(generateKeyPairSync('ed25519'), { alg: 'EdDSA', kid: 'ed' }),
  ],
}

// As long a life as farebox gives, and the same audience in each.
const common = { scope: 'act', audience: 'payments-api', accessTokenTTL: 60 }
const forms = {
  'urn:peer:rs256': { ...common, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256', kid: 'rsa' } } },
  'urn:peer:eddsa': { ...common, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'EdDSA', kid: 'ed' } } },
  'urn:peer:opaque': { ...common, accessTokenFormat: 'opaque' },
}

const [id, secret] = ['bench', process.env.PEER_SECRET]
const provider = new Provider('http://127.0.0.1', {
  jwks,
  clients: [
    {
      client_id: id,
      client_secret: secret,
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  scopes: ['act'],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx, resource) => forms[resource],
    },
  },
})

const server = provider.listen(0, '127.0.0.1', () => {
  const { address, port } = server.address()
  console.log(`listening http://${address}:${port}`)
})
// Node hangs up after five idle seconds; turns of others last longer.
server.keepAliveTimeout = 600_000
