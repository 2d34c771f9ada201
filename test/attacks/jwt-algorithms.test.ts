/** Attacks on the choice of the algorithm: none at all, one that is no name, one of another family. */

import { generateKeyPairSync, KeyObject } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { constantSigner, type Part, rawJws, signerOf, signWith } from '../support/raw-jws.ts'
import { expectRefusedUnasked } from '../support/refused-unasked.ts'
import { openScene, POD, type Scene } from '../support/scene.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterAll(() => scene.close())

const NONES = ['none', 'None', 'nOnE', 'NONE', 'none ', ' none', 'none\u0000', '', 'null', 'undefined', 'false', '0']

/** Values of `alg` that are no text, the last of them the right one in a list. */
const NO_TEXT: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['a number', 256],
  ['true', true],
  ['an object', { name: 'RS256' }],
  ['an object that turns into text', { toString: 'RS256' }],
  ['an empty list', []],
  ['a list of the right one', ['RS256']],
]

/** Names that are not on the list, near as they are to one that is. */
const OTHER_NAMES = [
  'rs256',
  'Rs256',
  'RS256 ',
  ' RS256',
  'RS256\u0000',
  'RS-256',
  'R\u017F256',
  'SHA256withRSA',
  'RS',
  'RS1',
]

const OTHER_ALGORITHMS = ['RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const

const OTHER_FAMILIES = ['HS256', 'EdDSA', 'Ed25519', 'ES256K', 'RSA1_5', 'RSA-OAEP-256', 'dir', 'A256GCM', 'ML-DSA-44']

describe('before any key was fetched', () => {
  test.each(NONES)('JWT-01 refuses alg %j without a signature, and asks nobody', async (alg) => {
    await expectRefusedUnasked(scene, forge({ alg }, Buffer.alloc(0)), 'proof_malformed')
  })

  test.each(NONES)('JWT-01 refuses alg %j with some signature, and asks nobody', async (alg) => {
    const genuine = await scene.proof()
    const signature = genuine.split('.')[2] ?? ''

    await expectRefusedUnasked(scene, forge({ alg }, Buffer.alloc(1)), 'algorithm_not_allowed')
    await expectRefusedUnasked(scene, forge({ alg }, Buffer.from(signature, 'base64url')), 'algorithm_not_allowed')
  })

  test('JWT-01 refuses alg none in a header without kid, and asks nobody', async () => {
    const proof = rawJws({ alg: 'none' }, scene.cluster.claimsFor(POD), constantSigner(Buffer.alloc(1)))

    await expectRefusedUnasked(scene, proof, 'algorithm_not_allowed')
  })

  test('JWT-01 refuses an empty signature under the right alg, and asks nobody', async () => {
    const [header, payload] = (await scene.proof()).split('.')

    await expectRefusedUnasked(scene, `${header}.${payload}.`, 'proof_malformed')
    await expectRefusedUnasked(scene, `${header}.${payload}`, 'proof_malformed')
  })

  test('JWT-02 refuses a header without alg, and asks nobody', async () => {
    const { keyId } = scene.cluster.key

    await expectRefusedUnasked(scene, signed({ kid: keyId }), 'proof_malformed')
    await expectRefusedUnasked(scene, signed({ kid: keyId, ALG: 'RS256' }), 'proof_malformed')
    await expectRefusedUnasked(scene, signed(`{"kid":"${keyId}","__proto__":{"alg":"RS256"}}`), 'proof_malformed')
    await expectRefusedUnasked(scene, signed('{}'), 'proof_malformed')
  })

  test.each(NO_TEXT)('JWT-02 refuses %s for alg, and asks nobody', async (_, alg) => {
    await expectRefusedUnasked(scene, signed({ alg, kid: scene.cluster.key.keyId }), 'proof_malformed')
  })

  test.each(OTHER_NAMES)('JWT-02 refuses alg %j, and asks nobody', async (alg) => {
    await expectRefusedUnasked(scene, signed({ alg, kid: scene.cluster.key.keyId }), 'algorithm_not_allowed')
  })

  test.each(OTHER_ALGORITHMS)('JWT-02 refuses %s, although the same key made a good signature', async (alg) => {
    const header = { alg, kid: scene.cluster.key.keyId }
    const proof = rawJws(
      header,
      scene.cluster.claimsFor(POD),
      signWith(KeyObject.from(scene.cluster.key.privateKey), alg),
    )

    await expectRefusedUnasked(scene, proof, 'algorithm_not_allowed')
  })

  test.each(OTHER_FAMILIES)('JWT-02 refuses %s, and asks nobody', async (alg) => {
    await expectRefusedUnasked(scene, signed({ alg, kid: scene.cluster.key.keyId }), 'algorithm_not_allowed')
  })
})

describe('with the keys at hand', () => {
  test('JWT-01 refuses a signature of one byte', async () => {
    const { algorithm: alg } = scene.cluster.key

    expectProofRefused(scene.broker, await scene.broker.exchange(forge({ alg }, Buffer.alloc(1))), 'signature_invalid')
  })

  test('JWT-02 refuses ES256 with a key that is for RS256', async () => {
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    for (const [alg, signer] of [
      ['ES256', signWith(stranger, 'ES256')],
      ['ES256', signerOf(scene.cluster.key)],
      ['ES384', signerOf(scene.cluster.key)],
    ] as const) {
      const proof = rawJws({ alg, kid: scene.cluster.key.keyId }, scene.cluster.claimsFor(POD), signer)

      expectProofRefused(scene.broker, await scene.broker.exchange(proof), 'key_unsuitable')
    }
  })

  test('a token that is made the same way, but as an API server makes it, gets one', async () => {
    const reply = await scene.broker.exchange(signed({ alg: 'RS256', kid: scene.cluster.key.keyId }))

    expect(expectIssued(scene.broker, reply).record).toMatchObject({ identity: 'payments/api' })
  })
})

/** The pod's claims under any header, with any signature. */
function forge(header: object, signature: Uint8Array): string {
  const whole = { kid: scene.cluster.key.keyId, ...header }
  return rawJws(whole, scene.cluster.claimsFor(POD), constantSigner(signature))
}

/** The pod's claims under any header, with the cluster's own signature. */
function signed(header: Part): string {
  return rawJws(header, scene.cluster.claimsFor(POD), signerOf(scene.cluster.key))
}
