/** Where verifiers and clients find us, and what they read there. */

import { allowInsecureRequests, discoveryRequest, processDiscoveryResponse } from 'oauth4webapi'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findFreePort } from '../support/process.ts'
import { openScene, type Scene } from '../support/scene.ts'

let scene: Scene
let issuer: string
const PATH = '/identity/prod'

beforeAll(async () => {
  const port = await findFreePort()
  issuer = `http://127.0.0.1:${port}${PATH}`
  scene = await openScene({ broker: { flags: { issuer, listen: `127.0.0.1:${port}` } } })
})
afterAll(() => scene.close())

test.each([
  `${PATH}/.well-known/openid-configuration`,
  `${PATH}/.well-known/oauth-authorization-server`,
  `/.well-known/oauth-authorization-server${PATH}`,
])('the metadata is at %s', async (path) => {
  const { status, json, headers } = await scene.broker.send(path)

  expect(status).toBe(200)
  expect(json).toMatchObject({ issuer, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/.well-known/jwks.json` })
  expect(headers.get('cache-control')).toBe('public, max-age=300')
})

test('everything of an issuer with a path is under it, and probes are at the root too', async () => {
  const statuses = await Promise.all(
    [
      '/token',
      '/.well-known/jwks.json',
      '/.well-known/openid-configuration',
      `${PATH}/.well-known/jwks.json`,
      `${PATH}/readyz`,
      '/readyz',
      '/healthz',
    ].map(async (path) => [path, (await scene.broker.send(path)).status] as const),
  )

  expect(Object.fromEntries(statuses)).toEqual({
    '/token': 404,
    '/.well-known/jwks.json': 404,
    '/.well-known/openid-configuration': 404,
    [`${PATH}/.well-known/jwks.json`]: 200,
    [`${PATH}/readyz`]: 200,
    '/readyz': 200,
    '/healthz': 200,
  })
})

test.each(['oauth2', 'oidc'] as const)('a stock client finds it by %s discovery', async (algorithm) => {
  const response = await discoveryRequest(new URL(issuer), { algorithm, [allowInsecureRequests]: true })

  const server = await processDiscoveryResponse(new URL(issuer), response)

  expect(server.token_endpoint).toBe(`${issuer}/token`)
})
