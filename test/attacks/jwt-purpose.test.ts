/** Attacks with tokens that were made for another purpose, as their header tells. */

import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, test } from 'vitest'
import { expectIssued } from '../support/answers.ts'
import { rawJws, signerOf } from '../support/raw-jws.ts'
import { expectRefusedUnasked } from '../support/refused-unasked.ts'
import { openScene, POD, type Scene } from '../support/scene.ts'

const EPHEMERAL_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })

/** Parameters of encrypted and of nested tokens, in a header that is signed. */
const OF_ENCRYPTION: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['zip DEF', { zip: 'DEF' }],
  ['enc', { enc: 'A256GCM' }],
  ['p2c of ten million', { p2c: 10_000_000, p2s: 'c2FsdA' }],
  ['p2c alone', { p2c: 10_000_000 }],
  ['p2s alone', { p2s: 'c2FsdA' }],
  ['epk', { epk: EPHEMERAL_KEY }],
]

const CONTENT_TYPES = ['JWT', 'jwt', 'application/jwt', 'JWS', 'sd-jwt', '', null]

const OTHER_TYPES = [
  'dpop+jwt',
  'logout+jwt',
  'secevent+jwt',
  'entity-statement+jwt',
  'at+jwt',
  'AT+JWT',
  'application/at+jwt',
  'resource-server-metadata+jwt',
  'token-introspection+jwt',
  'oauth-authz-req+jwt',
  'client-authentication+jwt',
  'wit+jwt',
  'vc+sd-jwt',
  'kb+jwt',
  'JOSE',
  'JOSE+JSON',
  'JWE',
  'application/jwt',
  'JWT ',
  ' JWT',
  'JWT\u0000',
  'JWT+JWT',
  '',
]

const NO_TYPES: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['a number', 0],
  ['false', false],
  ['a list of the right one', ['JWT']],
  ['an object', { typ: 'JWT' }],
  ['an object that turns into text', { toUpperCase: 'JWT' }],
]

let scene: Scene
beforeAll(async () => {
  scene = await openScene({ cluster: { algorithm: 'ES256' } })
})
afterAll(() => scene.close())

test.each(OF_ENCRYPTION)('JWT-22 refuses %s in a signed token, and asks nobody', async (_, header) => {
  await expectRefusedUnasked(scene, forge(header), 'header_forbidden')
  await expectRefusedUnasked(scene, forge({ alg: 'PBES2-HS256+A128KW', ...header }), 'header_forbidden')
})

test('JWT-22 refuses a password for a key, and asks nobody', async () => {
  for (const alg of ['PBES2-HS256+A128KW', 'PBES2-HS512+A256KW', 'ECDH-ES', 'RSA-OAEP', 'A256KW']) {
    await expectRefusedUnasked(scene, forge({ alg }), 'algorithm_not_allowed')
  }
})

test.each(CONTENT_TYPES)('JWT-19 refuses cty %j, and asks nobody', async (cty) => {
  await expectRefusedUnasked(scene, forge({ cty }), 'header_forbidden')
})

test.each(OTHER_TYPES)('JWT-34 refuses typ %j, and asks nobody', async (typ) => {
  await expectRefusedUnasked(scene, forge({ typ }), 'type_not_accepted')
})

test.each(NO_TYPES)('JWT-34 refuses %s for a typ, and asks nobody', async (_, typ) => {
  await expectRefusedUnasked(scene, forge({ typ }), 'type_not_accepted')
})

test.each([{}, { typ: 'JWT' }, { typ: 'jwt' }])('a token with %j beside alg and kid gets one', async (more) => {
  expectIssued(scene.broker, await scene.broker.exchange(forge(more)))
})

/** The pod's claims under more of a header, with the cluster's own signature. */
function forge(header: Readonly<Record<string, unknown>>): string {
  const whole = { alg: 'ES256', kid: scene.cluster.key.keyId, ...header }
  return rawJws(whole, scene.cluster.claimsFor(POD), signerOf(scene.cluster.key))
}
