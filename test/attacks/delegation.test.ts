/** Who a token is about is the proof's word alone: no actor, no wish and no other proof has a say. */

import { type ClientRequestArgs, request } from 'node:http'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectIssued, expectProofRefused, expectRefusal } from '../support/answers.ts'
import { ACCESS_TOKEN_TYPE, formOf, JWT_TYPE, type Parameters } from '../support/broker.ts'
import { BROKER, bindingFor, documentFor } from '../support/document.ts'
import { openReviewScene } from '../support/review.ts'
import { openScene, POD, type Scene } from '../support/scene.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene({
    document: ({ issuer }) =>
      documentFor(issuer, {
        identities: {
          'payments/api': { grants: { ledger: ['entries:read'] } },
          'payments/admin': { grants: { ledger: ['entries:read', 'entries:write'] } },
        },
        bindings: {
          api: bindingFor('payments', 'api', 'payments/api'),
          admin: bindingFor('payments', 'admin', 'payments/admin'),
        },
      }),
  })
  scene.cluster.createServiceAccount('payments', 'admin')
})
afterAll(() => scene.close())

/** The clock stands still, so that two tokens for one identity differ in their id alone. */
async function claimsOf(proof: string, parameters: Parameters = {}): Promise<Record<string, unknown>> {
  const reply = await scene.broker.exchange(proof, parameters)
  const { jti: _, ...claims } = decodeJwt(expectIssued(scene.broker, reply).token)
  return claims
}

describe('delegation is off', () => {
  test('ACT-01 refuses an actor, however good its proof, and asks nobody about it', async () => {
    const [subject, admin] = [await scene.proof(), await scene.proof({ serviceAccount: 'admin', pod: undefined })]
    const actors: readonly Parameters[] = [
      { actor_token: admin, actor_token_type: JWT_TYPE },
      { actor_token: subject, actor_token_type: JWT_TYPE },
      { actor_token: admin, actor_token_type: ACCESS_TOKEN_TYPE },
      { actor_token: 'garbage', actor_token_type: 'garbage' },
      { actor_token: admin },
      { actor_token_type: JWT_TYPE },
      { actor_token: ' ', actor_token_type: ' ' },
    ]
    scene.broker.watch(admin)

    const asked = await scene.upstreamRequests(async () => {
      for (const actor of actors) {
        expectRefusal(scene.broker, await scene.broker.exchange(subject, actor), 'IR', 'actor_unsupported')
      }
    })

    expect(asked).toBe(0)
  })

  test('ACT-02 copies no actor, and no other claim, of a proof into our token', async () => {
    const plain = await claimsOf(await scene.proof())
    const foreign = {
      act: { sub: 'system:serviceaccount:payments:admin', act: { sub: 'root' } },
      may_act: { sub: 'system:serviceaccount:payments:admin' },
      scope: 'entries:write',
      client_id: 'payments/admin',
      proof: { provider: 'aws', binding: 'admin' },
      groups: ['admins'],
      roles: ['admin'],
      entitlements: ['all'],
      azp: 'payments/admin',
      email: 'admin@corp.example',
      team: 'x',
      '': 'x',
    }

    const claims = await claimsOf(await scene.forge(foreign))

    expect(claims).toEqual(plain)
    expect(await scene.broker.metrics()).toMatch(
      new RegExp(`^chancery_proof_unknown_claims_total\\{.*\\} ${Object.keys(foreign).length}$`, 'm'),
    )
  })

  test('ACT-02 takes no actor of any form for one', async () => {
    const plain = await claimsOf(await scene.proof())
    for (const act of [null, 'x', [], {}, { sub: null }, { act: { act: {} } }, 7]) {
      expect(await claimsOf(await scene.forge({ act, may_act: act }))).toEqual(plain)
    }
  })

  test('ACT-02 refuses claims that would bind the token to a key or a person', async () => {
    for (const claim of [{ cnf: { jkt: 'x' } }, { nonce: 'x' }, { at_hash: 'x' }, { scp: 'x' }]) {
      const reply = await scene.broker.exchange(await scene.forge(claim))

      expectProofRefused(scene.broker, reply, 'claim_forbidden')
    }
  })
})

describe('wishes', () => {
  const NAMES = ['identity', 'role', 'role_name', 'issuer', 'iss', 'sub', 'subject', 'username', 'service_account']
  const MORE = ['binding', 'trusted_issuer', 'provider', 'client_id', 'tenant', 'namespace', 'on_behalf_of', 'user']

  test('OAU-19 no parameter names an identity, a role, an issuer or a binding', async () => {
    const proof = await scene.proof()
    const plain = await claimsOf(proof)

    for (const name of [...NAMES, ...MORE, 'kubernetes.service_account', 'match', '__proto__']) {
      for (const value of ['payments/admin', 'admin', 'cluster', '{"sub":"admin"}']) {
        expect(await claimsOf(proof, { [name]: value })).toEqual(plain)
      }
    }
  })

  test('OAU-19 no header names one either, or anything else', async () => {
    const plain = await claimsOf(await scene.proof())
    const headers: Record<string, string> = {
      'x-request-id': '00000000-0000-4000-8000-000000000000',
      'x-forwarded-user': 'payments/admin',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      'x-original-url': '/healthz',
      'x-rewrite-url': '/healthz',
      'x-http-method-override': 'GET',
      'x-goog-iap-jwt-assertion': 'x.y.z',
      'x-amzn-oidc-identity': 'payments/admin',
      'x-ms-client-principal': 'payments/admin',
      'x-client-cert': 'x',
      dpop: 'x.y.z',
      cookie: 'identity=payments/admin',
      from: 'admin@corp.example',
      host: 'evil.example',
    }
    for (const name of NAMES) {
      headers[name] = 'payments/admin'
      headers[`x-chancery-${name.replace('_', '-')}`] = 'payments/admin'
    }
    for (const [name, value] of Object.entries(headers)) {
      const { token, requestId } = await exchangeWith({ [name]: value })

      const { jti: _, ...claims } = decodeJwt(token)
      expect({ name, claims }).toEqual({ name, claims: plain })
      expect(requestId).not.toBe(value)
    }
  })

  /** By `node:http`, which sends any header, Host and cookies included. */
  async function exchangeWith(headers: Record<string, string>): Promise<{ token: string; requestId: string }> {
    const proof = await scene.proof()
    scene.broker.watch(proof)
    const { hostname, port } = new URL(scene.broker.origin)
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const options: ClientRequestArgs = {
      hostname,
      port,
      path: '/token',
      method: 'POST',
      headers: { ...form, ...headers },
    }
    return await new Promise((resolve, reject) => {
      const sent = request(options, (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString()
        })
        response.on('end', () => {
          const { access_token: token } = JSON.parse(text) as { access_token: string }
          scene.broker.watch(token)
          resolve({ token, requestId: String(response.headers['x-request-id']) })
        })
      })
      sent.on('error', reject).end(String(formOf(proof)))
    })
  }
})

describe('one proof is never taken for another', () => {
  test('RPL-06 a proof that was accepted lends nothing to one with another signature', async () => {
    const proof = await scene.proof()
    expectIssued(scene.broker, await scene.broker.exchange(proof))
    const [header = '', payload = '', signature = ''] = proof.split('.')
    const bytes = Buffer.from(signature, 'base64url')
    bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0)
    const others = [
      bytes,
      Buffer.alloc(bytes.length),
      bytes.subarray(1),
      Buffer.from((await scene.proof()).split('.')[2] ?? '', 'base64url'),
    ]

    for (const other of others) {
      const reply = await scene.broker.exchange(`${header}.${payload}.${other.toString('base64url')}`)

      expectProofRefused(scene.broker, reply, 'signature_invalid')
    }
    expectIssued(scene.broker, await scene.broker.exchange(proof))
  })

  test('RPL-06 a proof that was refused takes nothing from the one that it was made of', async () => {
    const proof = await scene.proof()
    const [header = '', payload = ''] = proof.split('.')
    const forged = `${header}.${payload}.${Buffer.alloc(256, 7).toString('base64url')}`

    const replies = await Promise.all([forged, proof, forged, proof].map((one) => scene.broker.exchange(one)))

    expect(replies.map(({ status }) => status)).toEqual([400, 200, 400, 200])
  })

  test('RPL-06 two proofs that differ in aud alone, or in sub alone, are two', async () => {
    const claims = scene.cluster.claimsFor({ namespace: 'payments', serviceAccount: 'api', audiences: [BROKER] })
    const admin = scene.cluster.claimsFor({ namespace: 'payments', serviceAccount: 'admin', audiences: [BROKER] })
    const { jti } = claims
    const ours = await scene.cluster.sign(claims)
    const others = await scene.cluster.sign({ ...claims, aud: ['https://somebody.else.example'] })
    const admins = await scene.cluster.sign({ ...admin, jti })

    for (let round = 0; round < 2; round++) {
      expect(await claimsOf(ours)).toMatchObject({ client_id: 'payments/api' })
      expectProofRefused(scene.broker, await scene.broker.exchange(others), 'audience_mismatch')
      expect(await claimsOf(admins)).toMatchObject({ client_id: 'payments/admin' })
    }
  })

  test('RPL-06 what a cluster said of one proof is not believed of another', async () => {
    const other = 'https://broker.other.example'
    const reviewed = await openReviewScene({ parts: { proof_audiences: [BROKER, other] } })
    const claims = reviewed.cluster.claimsFor(POD)
    const first = await reviewed.cluster.sign(claims)
    const forOther = await reviewed.cluster.sign({ ...claims, aud: [other] })
    const reordered = await reviewed.cluster.sign(Object.fromEntries(Object.entries(claims).reverse()))
    expectIssued(reviewed.broker, await reviewed.broker.exchange(first))

    reviewed.cluster.deletePod('payments', 'api-1')

    for (const proof of [forOther, reordered]) {
      expectProofRefused(reviewed.broker, await reviewed.broker.exchange(proof), 'subject_not_live')
    }
    expect(reviewed.countReviews()).toBe(3)
    await reviewed.close()
  })
})
