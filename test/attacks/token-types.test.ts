/** Token types: which are taken, which are given, and what is said of them. */

import { decodeProtectedHeader } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { expectIssued, expectRefusal } from '../support/answers.ts'
import { ACCESS_TOKEN_TYPE, JWT_TYPE } from '../support/broker.ts'
import { documentFor } from '../support/document.ts'
import { openScene, type Scene } from '../support/scene.ts'

const OAUTH_TYPE = 'urn:ietf:params:oauth:token-type:'
const OTHER_TYPES = ['refresh_token', 'saml1', 'saml2', 'JWT', 'jwt ', 'txn_token', '', 'jwt#', '../jwt']

describe('types that are not taken', () => {
  let scene: Scene
  let proof: string
  beforeAll(async () => {
    scene = await openScene()
    proof = await scene.proof()
  })
  afterAll(() => scene.close())
  /** The proof is genuine and the broker has no keys yet: had it got that far, they would have been fetched. */
  afterEach(() => expect(scene.cluster.requests).toEqual([]))

  test('OAU-11 refuses a subject token type that no trusted issuer’s proofs have', async () => {
    const unnamed = ['jwt', 'Bearer', 'urn:ietf:params:aws:token-type:aws4_request', '__proto__', ` ${JWT_TYPE}`]
    for (const type of [...OTHER_TYPES.map((name) => OAUTH_TYPE + name), ...unnamed]) {
      const reply = await scene.broker.exchange(proof, { subject_token_type: type })

      expectRefusal(scene.broker, reply, 'IR', 'subject_token_type_unsupported')
    }
  })

  test('OAU-11 refuses to be asked for anything but an access token or a JWT', async () => {
    const named = ['id_token', ...OTHER_TYPES].map((name) => OAUTH_TYPE + name)
    for (const type of ['jwt', 'id_token', 'constructor', `${JWT_TYPE} ${ACCESS_TOKEN_TYPE}`, ...named]) {
      const reply = await scene.broker.exchange(proof, { requested_token_type: type })

      expectRefusal(scene.broker, reply, 'IR', 'requested_token_type_unsupported')
    }
  })
})

describe('types that are', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene({
      document: ({ issuer }) =>
        documentFor(issuer, {
          audiences: { ledger: { scopes: ['entries:read'] }, cloud: { token_type: 'JWT', signing_alg: 'RS256' } },
          identities: { 'payments/api': { grants: { ledger: ['entries:read'], cloud: [] } } },
        }),
    })
  })
  afterAll(() => scene.close())

  test.each(['jwt', 'id_token', 'access_token'])('takes a proof under the type %s', async (name) => {
    const reply = await scene.broker.exchange(await scene.proof(), { subject_token_type: OAUTH_TYPE + name })

    expectIssued(scene.broker, reply)
  })

  /** An audience, what is requested for it, and what is answered. */
  const ANSWERED: readonly (readonly [string, string | undefined, string])[] = [
    ['ledger', undefined, ACCESS_TOKEN_TYPE],
    ['ledger', '', ACCESS_TOKEN_TYPE],
    ['ledger', ACCESS_TOKEN_TYPE, ACCESS_TOKEN_TYPE],
    ['ledger', JWT_TYPE, JWT_TYPE],
    ['cloud', undefined, JWT_TYPE],
    ['cloud', '', JWT_TYPE],
    ['cloud', JWT_TYPE, JWT_TYPE],
    ['cloud', ACCESS_TOKEN_TYPE, JWT_TYPE],
  ]

  test.each(ANSWERED)('for %s and requested %j the issued token type is %s', async (audience, requested, issued) => {
    const reply = await scene.broker.exchange(await scene.proof(), { audience, requested_token_type: requested })

    expectIssued(scene.broker, reply)
    expect(reply.json.issued_token_type).toBe(issued)
  })

  test('the header says what the audience asked for, whatever was requested', async () => {
    for (const requested of [ACCESS_TOKEN_TYPE, JWT_TYPE]) {
      const wish = { requested_token_type: requested }
      const forLedger = await scene.broker.exchange(await scene.proof(), { ...wish, audience: 'ledger' })
      const forCloud = await scene.broker.exchange(await scene.proof(), { ...wish, audience: 'cloud' })

      const ledger = decodeProtectedHeader(expectIssued(scene.broker, forLedger).token)
      const cloud = decodeProtectedHeader(expectIssued(scene.broker, forCloud).token)
      expect({ ...ledger, kid: '' }).toEqual({ alg: 'ES256', kid: '', typ: 'at+jwt' })
      expect({ ...cloud, kid: '' }).toEqual({ alg: 'RS256', kid: '', typ: 'JWT' })
    }
  })

  test('a success has exactly its members, and scope only where the target has scopes', async () => {
    const forLedger = await scene.broker.exchange(await scene.proof(), { audience: 'ledger' })
    const forCloud = await scene.broker.exchange(await scene.proof(), { audience: 'cloud' })

    const members = ['access_token', 'issued_token_type', 'token_type', 'expires_in']
    expect(Object.keys(forLedger.json)).toEqual([...members, 'scope'])
    expect(Object.keys(forCloud.json)).toEqual(members)
    expect([forLedger.json.token_type, forCloud.json.token_type]).toEqual(['Bearer', 'Bearer'])
  })
})
