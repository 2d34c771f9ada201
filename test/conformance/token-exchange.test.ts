/** A stock OAuth client exchanges, knowing nothing but the issuer. */

import {
  allowInsecureRequests,
  discoveryRequest,
  genericTokenEndpointRequest,
  None,
  processDiscoveryResponse,
  processGenericTokenEndpointResponse,
} from 'oauth4webapi'
import { afterAll, beforeAll, expect, test } from 'vitest'
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

test('oauth4webapi discovers the endpoint and exchanges a proof', async () => {
  const insecure = { [allowInsecureRequests]: true } as const
  const server = await processDiscoveryResponse(
    new URL(issuer),
    await discoveryRequest(new URL(issuer), { algorithm: 'oauth2', ...insecure }),
  )
  const parameters = { subject_token: await scene.proof(), subject_token_type: JWT_TYPE, audience: 'ledger' }
  const client = { client_id: 'anything' }

  const response = await genericTokenEndpointRequest(server, client, None(), TOKEN_EXCHANGE, parameters, insecure)
  const answer = await processGenericTokenEndpointResponse(server, client, response)
  scene.broker.watch(answer.access_token)

  expect(answer).toMatchObject({ token_type: 'bearer', expires_in: 900, scope: 'entries:read' })
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
