/** Attacks with an HMAC whose secret is what everybody knows of the public key. */

import { createPublicKey, KeyObject } from 'node:crypto'
import { afterAll, beforeAll, test } from 'vitest'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { encodePart, hmacSigner, rawJws, signerOf } from '../support/raw-jws.ts'
import { expectRefusedUnasked } from '../support/refused-unasked.ts'
import { openScene, POD, type Scene } from '../support/scene.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterAll(() => scene.close())

/** What a confused verifier could take for the secret, by what it is. */
const SPELLINGS: readonly (readonly [string, (key: PublicKey) => string | Uint8Array])[] = [
  ['the PEM', ({ spki }) => spki],
  ['the PEM without its last line break', ({ spki }) => spki.trim()],
  ['the PEM with the line breaks of Windows', ({ spki }) => spki.replaceAll('\n', '\r\n')],
  ['the PEM after a space', ({ spki }) => ` ${spki}`],
  ['the PEM after a line break and a tab', ({ spki }) => `\n\t${spki}`],
  ['the PEM after a byte order mark', ({ spki }) => `\uFEFF${spki}`],
  ['the PEM of PKCS #1', ({ pkcs1 }) => pkcs1],
  ['the PEM of PKCS #1 after a line break', ({ pkcs1 }) => `\n${pkcs1}`],
  ['the base64url of the PEM', ({ spki }) => encodePart(spki)],
  ['the DER', ({ key }) => key.export({ type: 'spki', format: 'der' })],
  ['the DER of PKCS #1', ({ key }) => key.export({ type: 'pkcs1', format: 'der' })],
  ['the JWK as it is published', ({ jwk }) => JSON.stringify(jwk)],
  ['the bare JWK', ({ key }) => JSON.stringify(key.export({ format: 'jwk' }))],
  ['the key set', ({ jwk }) => JSON.stringify({ keys: [jwk] })],
  ['the modulus as it is published', ({ jwk }) => String(jwk.n)],
  ['the modulus', ({ jwk }) => Buffer.from(String(jwk.n), 'base64url')],
  ['the key id', ({ jwk }) => String(jwk.kid)],
  ['nothing', () => ''],
]

test.each(SPELLINGS)('JWT-03 refuses HS256 whose secret is %s, and asks nobody', async (_, spell) => {
  await expectRefusedUnasked(scene, forge('HS256', spell(publicKey())), 'algorithm_not_allowed')
})

test('JWT-03 refuses the longer HMACs, and one that names no key, and asks nobody', async () => {
  const { spki } = publicKey()
  const nameless = rawJws({ alg: 'HS256' }, scene.cluster.claimsFor(POD), hmacSigner(spki))

  await expectRefusedUnasked(scene, forge('HS384', spki), 'algorithm_not_allowed')
  await expectRefusedUnasked(scene, forge('HS512', spki), 'algorithm_not_allowed')
  await expectRefusedUnasked(scene, nameless, 'algorithm_not_allowed')
})

test.each(SPELLINGS)('JWT-03 refuses an HMAC that calls itself RS256 and whose secret is %s', async (_, spell) => {
  const reply = await scene.broker.exchange(forge('RS256', spell(publicKey())))

  expectProofRefused(scene.broker, reply, 'signature_invalid')
})

test('the same header and claims under the private key get a token', async () => {
  const header = { alg: 'RS256', kid: scene.cluster.key.keyId }
  const genuine = rawJws(header, scene.cluster.claimsFor(POD), signerOf(scene.cluster.key))

  expectIssued(scene.broker, await scene.broker.exchange(genuine))
})

type PublicKey = ReturnType<typeof publicKey>

/** What everybody can know of the cluster's key. */
function publicKey() {
  const key = createPublicKey(KeyObject.from(scene.cluster.key.privateKey))
  const pemOf = (type: 'spki' | 'pkcs1'): string => String(key.export({ type, format: 'pem' }))
  return { key, jwk: scene.cluster.key.jwk, spki: pemOf('spki'), pkcs1: pemOf('pkcs1') }
}

function forge(alg: 'HS256' | 'HS384' | 'HS512' | 'RS256', secret: string | Uint8Array): string {
  const bits = alg === 'HS384' ? '384' : alg === 'HS512' ? '512' : '256'
  const header = { alg, kid: scene.cluster.key.keyId }
  return rawJws(header, scene.cluster.claimsFor(POD), hmacSigner(secret, bits))
}
