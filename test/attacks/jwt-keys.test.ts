/** Attacks with keys that must not verify, published by an issuer or written in the document. */

import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { documentFor } from '../support/document.ts'
import { makeOddKeys, type OddKey } from '../support/odd-keys.ts'
import { rawJws, signerOf } from '../support/raw-jws.ts'
import { runCheck } from '../support/run-check.ts'
import { openScene, POD, type Scene } from '../support/scene.ts'

const ODD_KEYS = makeOddKeys()

/** One that there is nothing wrong with. */
const GOOD_KEY = {
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
  kid: 'good',
}

/** Members of a set that no token can even name. */
const NAMELESS_KEYS: readonly (readonly [string, unknown])[] = [
  ['not_an_object', null],
  ['not_an_object', 'RSA'],
  ['not_an_object', [{ kty: 'RSA' }]],
  ['no_key_id', { kty: 'RSA' }],
  ['no_key_id', { kty: 'RSA', kid: '' }],
  ['no_key_id', { kty: 'RSA', kid: 7 }],
]

describe('keys that an issuer publishes', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene()
    const [before, after] = [ODD_KEYS.slice(0, 20), ODD_KEYS.slice(20)]
    const jwksOf = (keys: readonly OddKey[]): readonly unknown[] => keys.map(({ jwk }) => jwk)
    const keys = [...jwksOf(before), scene.cluster.key.jwk, ...jwksOf(after), ...NAMELESS_KEYS.map(([, jwk]) => jwk)]
    scene.cluster.fail('/openid/v1/jwks', { status: 200, body: { keys } })
  })
  afterAll(() => scene.close())

  test.each(ODD_KEYS)('JWT-05 refuses a token under $name, and counts the key as ignored', async (odd) => {
    const proof = signUnder(scene, odd)

    expectProofRefused(scene.broker, await scene.broker.exchange(proof), 'key_unknown')
    expect(Object.keys(await ignoredKeys(scene))).toContain(odd.why)
  })

  test('JWT-05 asks for the keys once, however many tokens name unfit ones', () => {
    const paths = scene.cluster.requests.map(({ path }) => path)

    expect(paths).toEqual(['/.well-known/openid-configuration', '/openid/v1/jwks'])
  })

  test('JWT-05 counts each of them as ignored once, and members that are no keys as well', async () => {
    const reasons = [...ODD_KEYS.map(({ why }) => why), ...NAMELESS_KEYS.map(([why]) => why)]
    const counts = new Map<string, number>()
    for (const why of reasons) counts.set(why, (counts.get(why) ?? 0) + 1)

    expect(await ignoredKeys(scene)).toEqual(Object.fromEntries(counts))
  })

  test('JWT-05 lets the good key of the same set verify', async () => {
    expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
  })
})

describe('two keys under one kid', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene({ cluster: { algorithm: 'ES256' } })
  })
  afterAll(() => scene.close())

  test('JWT-05 refuses both of them, as nobody knows which is meant', async () => {
    const old = scene.cluster.key
    await scene.cluster.rotateKeys()
    const twins = [old.jwk, { ...scene.cluster.key.jwk, kid: old.keyId }]
    scene.cluster.fail('/openid/v1/jwks', { status: 200, body: { keys: twins } })
    const header = { alg: 'ES256', kid: old.keyId }

    for (const key of [old, scene.cluster.key]) {
      const proof = rawJws(header, scene.cluster.claimsFor(POD), signerOf(key))
      expectProofRefused(scene.broker, await scene.broker.exchange(proof), 'key_unknown')
    }

    expect(await ignoredKeys(scene)).toEqual({ ambiguous: 1 })
  })
})

describe('a key without alg', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene({ cluster: { algorithm: 'ES384' } })
    const { alg: _, ...jwk } = scene.cluster.key.jwk
    scene.cluster.fail('/openid/v1/jwks', { status: 200, body: { keys: [jwk] } })
  })
  afterAll(() => scene.close())

  test('JWT-05 refuses a curve under the algorithm of another', async () => {
    for (const alg of ['ES256', 'ES512', 'RS256']) {
      const header = { alg, kid: scene.cluster.key.keyId }
      const proof = rawJws(header, scene.cluster.claimsFor(POD), signerOf(scene.cluster.key))

      expectProofRefused(scene.broker, await scene.broker.exchange(proof), 'key_unsuitable')
    }
  })

  test('JWT-05 lets it verify the one algorithm of its curve', async () => {
    expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
  })
})

describe('keys in the document', () => {
  test('JWT-05 refuses each of them when the document is checked, and not the good one beside them', async () => {
    const keys = [...ODD_KEYS.map(({ jwk }) => jwk), GOOD_KEY]

    const { code, findings } = await runCheck(documentWith(keys))

    expect(code).toBe(1)
    expect(findings.map(({ path, code: found, message }) => ({ path, code: found, message }))).toEqual(
      ODD_KEYS.map(({ why }, index) => ({
        path: `/trusted_issuers/cluster/keys/jwks/keys/${index}`,
        code: 'key_refused',
        message: `the key cannot be used: ${why}`,
      })),
    )
  })

  test('JWT-05 refuses two keys under one kid, and no keys at all', async () => {
    const repeated = await runCheck(documentWith([GOOD_KEY, GOOD_KEY]))
    const none = await runCheck(documentWith([]))

    expect(repeated).toMatchObject({ code: 1, findings: [{ code: 'key_id_repeated' }] })
    expect(repeated.findings[0]?.path).toBe('/trusted_issuers/cluster/keys/jwks/keys/1')
    expect(none).toMatchObject({ code: 1, findings: [{ code: 'keys_empty' }] })
  })

  test('JWT-05 never repeats a private key that stands in the document', async () => {
    const leaked = ODD_KEYS.filter(({ why }) => why === 'private')

    const { findings } = await runCheck(documentWith(leaked.map(({ jwk }) => jwk)))

    const told = JSON.stringify(findings)
    const secrets = leaked.flatMap(({ jwk }) =>
      [jwk.d, jwk.p, jwk.k].filter((secret) => typeof secret === 'string' && secret !== ''),
    )
    expect(secrets.length).toBeGreaterThan(0)
    expect(secrets.filter((secret) => told.includes(String(secret)))).toEqual([])
  })

  test('JWT-05 keeps the last good document where a reload brings such a key', async () => {
    const scene = await openScene()
    onTestFinished(() => scene.close())
    for (const { jwk } of ODD_KEYS) for (const secret of [jwk.d, jwk.p, jwk.k]) scene.broker.watch(String(secret))

    await scene.broker.replaceDocument(
      documentWith(
        ODD_KEYS.map(({ jwk }) => jwk),
        scene.cluster.issuer,
      ),
    )

    expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
    expect(scene.broker.logs()).toContainEqual(expect.objectContaining({ msg: 'document refused' }))
  })

  function documentWith(keys: readonly object[], issuer = 'https://oidc.cluster.example/id/1'): object {
    const cluster = { provider: 'kubernetes', issuers: [issuer], keys: { from: 'inline', jwks: { keys } } }
    return documentFor(issuer, { trusted_issuers: { cluster } })
  }
})

/** A token of the pod under an odd key. */
function signUnder(scene: Scene, { jwk, alg, signer }: OddKey): string {
  return rawJws({ alg, kid: jwk.kid }, scene.cluster.claimsFor(POD), signer)
}

/** Gives how many keys of the cluster have been ignored so far and why, as the operator's metrics tell it. */
async function ignoredKeys(scene: Scene): Promise<Readonly<Record<string, number>>> {
  const metrics = await scene.broker.metrics()
  const counted = /^chancery_upstream_keys_ignored_total\{trusted_issuer="cluster",why="(\w+)"\} (\d+)/gm
  return Object.fromEntries([...metrics.matchAll(counted)].map(([, why = '', count]) => [why, Number(count)]))
}
