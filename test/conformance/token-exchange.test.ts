/** Stock OAuth clients exchange, knowing nothing but the issuer. */

import {
  allowInsecureRequests,
  discoveryRequest,
  genericTokenEndpointRequest,
  None,
  processDiscoveryResponse,
  processGenericTokenEndpointResponse,
} from 'oauth4webapi'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ACCESS_TOKEN_TYPE, JWT_TYPE, TOKEN_EXCHANGE } from '../support/broker.ts'
import { findFreePort } from '../support/process.ts'
import { openScene, type Scene } from '../support/scene.ts'

let scene: Scene
let issuer: string

beforeAll(async () => {
  const port = await findFreePort()
  issuer = `http://127.0.0.1:${port}`
  scene = await openScene({ broker: { flags: { issuer, listen: `127.0.0.1:${port}` } } })
})
afterAll(() => scene.close())

/** Which of the two well-known documents a client reads. */
const DOCUMENTS = ['oauth2', 'oidc'] as const

test.each(DOCUMENTS)('oauth4webapi discovers the endpoint by %s, and exchanges a proof', async (algorithm) => {
  const insecure = { [allowInsecureRequests]: true } as const
  const server = await processDiscoveryResponse(
    new URL(issuer),
    await discoveryRequest(new URL(issuer), { algorithm, ...insecure }),
  )
  const parameters = { subject_token: await scene.proof(), subject_token_type: JWT_TYPE, audience: 'ledger' }
  const client = { client_id: 'anything' }

  const response = await genericTokenEndpointRequest(server, client, None(), TOKEN_EXCHANGE, parameters, insecure)
  const answer = await processGenericTokenEndpointResponse(server, client, response)
  scene.broker.watch(answer.access_token)

  expect(answer).toMatchObject({ token_type: 'bearer', expires_in: 900, scope: 'entries:read' })
})

describe.each(DOCUMENTS)('openid-client, which discovers the endpoint by %s', (algorithm) => {
  const AUTHENTICATIONS = [
    ['none', openid.None()],
    ['a secret in the body', openid.ClientSecretPost('a-secret-of-no-meaning')],
    ['a secret in a Basic header', openid.ClientSecretBasic('a-secret-of-no-meaning')],
  ] as const

  const discover = (authentication: openid.ClientAuth) =>
    openid.discovery(new URL(issuer), 'anything', undefined, authentication, {
      algorithm,
      execute: [openid.allowInsecureRequests],
    })

  test.each(AUTHENTICATIONS)('exchanges a proof, with %s to authenticate by', async (_, authentication) => {
    const parameters = { subject_token: await scene.proof(), subject_token_type: JWT_TYPE, resource: 'ledger' }

    const answer = await openid.genericGrantRequest(await discover(authentication), TOKEN_EXCHANGE, parameters)
    scene.broker.watch(answer.access_token)

    expect(answer).toMatchObject({ token_type: 'bearer', issued_token_type: ACCESS_TOKEN_TYPE, scope: 'entries:read' })
    expect(answer.expiresIn()).toBeGreaterThan(890)
  })

  test('tells a refusal by its code and sentence', async () => {
    const parameters = { subject_token: 'a.b.c', subject_token_type: JWT_TYPE }
    const refused = openid.genericGrantRequest(await discover(openid.None()), TOKEN_EXCHANGE, parameters)

    await expect(refused).rejects.toMatchObject({
      error: 'invalid_request',
      error_description: 'subject token refused',
      status: 400,
    })
  })
})

test('a successful answer has exactly the members of RFC 8693, and is never stored', async () => {
  const { status, json, headers } = await scene.broker.exchange(await scene.proof())

  expect(status).toBe(200)
  expect(json).toEqual({
    access_token: expect.any(String),
    issued_token_type: ACCESS_TOKEN_TYPE,
    token_type: 'Bearer',
    expires_in: 900,
    scope: 'entries:read',
  })
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('pragma')).toBe('no-cache')
})
