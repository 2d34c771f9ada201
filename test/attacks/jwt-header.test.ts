/** Attacks with header parameters that bring a key along, or change what was signed. */

import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type StandInServer, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { expectIssued } from '../support/answers.ts'
import { documentFor } from '../support/document.ts'
import { encodePart, joinSegments, type Part, rawJws, type Signer, signerOf, signWith } from '../support/raw-jws.ts'
import { expectRefusedUnasked } from '../support/refused-unasked.ts'
import { openScene, POD, type Scene } from '../support/scene.ts'

const ATTACKER = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ATTACKER_JWK = { ...ATTACKER.publicKey.export({ format: 'jwk' }), kid: 'attacker', alg: 'ES256', use: 'sig' }
const CERTIFICATE = ATTACKER.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')

/** Headers that bring the attacker's key, or the place where it is. */
const KEY_BRINGERS: readonly (readonly [
  string,
  (attacker: string, cluster: string) => Readonly<Record<string, unknown>>,
])[] = [
  ['jwk', () => ({ jwk: ATTACKER_JWK })],
  ['a private jwk', () => ({ jwk: ATTACKER.privateKey.export({ format: 'jwk' }) })],
  ['a jwk of null', () => ({ jwk: null })],
  ['jku', (attacker) => ({ jku: `${attacker}/keys` })],
  ['the cluster’s own jku', (_, cluster) => ({ jku: `${cluster}/openid/v1/jwks` })],
  ['an empty jku', () => ({ jku: '' })],
  ['x5u', (attacker) => ({ x5u: `${attacker}/certificate.pem` })],
  ['x5c', () => ({ x5c: [CERTIFICATE] })],
  ['an empty x5c', () => ({ x5c: [] })],
  ['all of them', (attacker) => ({ jwk: ATTACKER_JWK, jku: attacker, x5u: attacker, x5c: [CERTIFICATE] })],
]

const UNENCODED: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['b64 false', { b64: false }],
  ['b64 false in crit', { b64: false, crit: ['b64'] }],
  ['b64 true', { b64: true }],
  ['b64 true in crit', { b64: true, crit: ['b64'] }],
  ['b64 in text', { b64: 'false' }],
  ['b64 null', { b64: null }],
  ['crit without b64', { crit: ['b64'] }],
  ['crit of a claim', { crit: ['exp'] }],
  ['crit of something unknown', { crit: ['x-unknown'], 'x-unknown': true }],
  ['an empty crit', { crit: [] }],
  ['a crit that is no list', { crit: 'b64' }],
]

let scene: Scene
let attacker: StandInServer
beforeAll(async () => {
  attacker = await startStandInServer({ route: () => ({ status: 200, body: { keys: [ATTACKER_JWK] } }) })
  const insecureHosts = [attacker.host]
  scene = await openScene({
    cluster: { algorithm: 'ES256' },
    document: (cluster) => {
      insecureHosts.push(cluster.host)
      return documentFor(cluster.issuer)
    },
    broker: { insecureHosts },
  })
})
afterAll(async () => {
  await scene.close()
  await attacker.close()
})

describe('a key that comes along', () => {
  test.each(KEY_BRINGERS)('JWT-07 refuses %s under the attacker’s signature, and asks nobody', async (_, bring) => {
    const brought = bring(attacker.origin, scene.cluster.origin)
    for (const kid of ['attacker', scene.cluster.key.keyId]) {
      const proof = forge({ kid, ...brought }, signWith(ATTACKER.privateKey, 'ES256'))
      await expectRefusedUnasked(scene, proof, 'header_forbidden')
    }

    expect(attacker.requests).toEqual([])
  })

  test.each(KEY_BRINGERS)('JWT-07 refuses %s even under the cluster’s own signature', async (_, bring) => {
    await expectRefusedUnasked(scene, forge(bring(attacker.origin, scene.cluster.origin)), 'header_forbidden')

    expect(attacker.requests).toEqual([])
  })

  test('JWT-07 refuses a jwk whose name is spelled with an escape', async () => {
    const { keyId } = scene.cluster.key
    const header = `{"alg":"ES256","kid":"${keyId}","j\\u0077k":${JSON.stringify(ATTACKER_JWK)}}`
    const proof = rawJws(header, scene.cluster.claimsFor(POD), signWith(ATTACKER.privateKey, 'ES256'))

    await expectRefusedUnasked(scene, proof, 'header_forbidden')
  })
})

describe('another reading of what was signed', () => {
  test.each(UNENCODED)('JWT-21 refuses %s over an encoded payload', async (_, header) => {
    await expectRefusedUnasked(scene, forge(header), 'header_forbidden')
  })

  test.each(UNENCODED)('JWT-21 refuses %s over a payload that was signed as it is', async (_, header) => {
    const claims = JSON.stringify(scene.cluster.claimsFor(POD))
    const encoded = encodePart({ ...headerOf(), ...header })
    const sign = signerOf(scene.cluster.key)
    const signature = sign(Buffer.from(`${encoded}.${claims}`)).toString('base64url')

    await expectRefusedUnasked(scene, `${encoded}.${encodePart(claims)}.${signature}`, 'header_forbidden')
    await expectRefusedUnasked(scene, `${encoded}.${claims}.${signature}`, 'proof_malformed')
  })

  test('JWT-21 refuses a detached payload', async () => {
    const [header, , signature] = forge({ b64: false, crit: ['b64'] }).split('.')

    await expectRefusedUnasked(scene, `${header}..${signature}`, 'proof_malformed')
    await expectRefusedUnasked(
      scene,
      joinSegments(encodePart(headerOf()), '', signerOf(scene.cluster.key)),
      'proof_malformed',
    )
  })
})

test('the same header without them gets a token', async () => {
  expectIssued(scene.broker, await scene.broker.exchange(forge({})))
})

function headerOf() {
  return { alg: 'ES256', kid: scene.cluster.key.keyId }
}

/** The pod's claims under more of a header, with the cluster's own signature or another. */
function forge(header: Readonly<Record<string, unknown>>, signer: Signer = signerOf(scene.cluster.key)): string {
  const whole: Part = { ...headerOf(), ...header }
  return rawJws(whole, scene.cluster.claimsFor(POD), signer)
}
