/** What every cloud of JWTs has alike: the order of the checks, what a verified proof is, and what is told of one that is not. */

import { createHash } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ProofError } from '../../providers/contract/errors.ts'
import type { UnverifiedProof } from '../../providers/contract/proof.ts'
import {
  createJwtVerifier,
  JWT_TYPES,
  type JwtCloud,
  type JwtTrust,
  type JwtWorkload,
} from '../../providers/kit/jwt-verifier.ts'
import { createStaticKeySet, type KeySet } from '../../providers/kit/key-set.ts'
import { type Claims, generateStandInKey, type StandInKey, signClaims } from '../../providers/kit/stand-in-keys.ts'
import { createTestClock } from '../support/clock.ts'
import { BROKER } from '../support/document.ts'
import { createTestPorts } from '../support/provider-ports.ts'
import { rejection } from '../support/rejection.ts'

const ISSUER = 'https://issuer.example'
const NEVER = new AbortController().signal
const UNLISTED = 'algorithm_not_allowed'
const clock = createTestClock()

/** What was asked, in order. */
let steps: string[]
let key: StandInKey
let keys: KeySet
beforeAll(async () => {
  key = await generateStandInKey('ES256', 'k1')
  const set = createStaticKeySet([key.jwk])
  keys = {
    find(keyId) {
      steps.push('keys')
      return set.find(keyId)
    },
  }
})
beforeEach(() => {
  steps = []
})

const sign = (claims: Claims = {}, header: Claims = {}): Promise<string> => {
  const now = clock.now()
  return signClaims({ iss: ISSUER, aud: BROKER, sub: 'w', iat: now, exp: now + 600, ...claims }, key, header)
}

function trust(name = 'one', isReusable = true): JwtTrust {
  const rules = { algorithms: ['ES256'] as const, maxLifetimeSeconds: 3_600, proofAudiences: [BROKER], isReusable }
  return { trusted: { name }, rules, keys }
}

function verifierOf(more: Partial<JwtCloud<JwtTrust, JwtWorkload>> = {}) {
  const ports = createTestPorts({ clock })
  const cloud: JwtCloud<JwtTrust, JwtWorkload> = {
    provider: 'gcp',
    algorithms: ['ES256'],
    trusts: new Map([[ISSUER, [trust()]]]),
    choose: ([first]) => {
      steps.push('choose')
      return first
    },
    readWorkload(claims) {
      steps.push('workload')
      const attributes = new Map([['gcp.subject', claims.requireString('sub')]])
      return { subject: 'w', instance: 'i', tokenId: claims.optionalString('jti'), attributes }
    },
    ...more,
  }
  const verifier = createJwtVerifier(cloud, ports)
  const verify = (proof: string) => verifier.verify(proof as UnverifiedProof, {}, NEVER)
  return {
    ports,
    verify,
    refusal: (proof: string) => rejection(verify(proof)),
    inspect: (proof: string) => verifier.inspect(proof as UnverifiedProof),
    recognises: (proof: string, type: string) => verifier.recognises(proof as UnverifiedProof, type),
  }
}

describe('a proof', () => {
  test('is verified for what it says', async () => {
    const { verify } = verifierOf()

    expect(await verify(await sign({ jti: 'one' }))).toEqual({
      provider: 'gcp',
      trustedIssuer: 'one',
      issuer: ISSUER,
      subject: 'w',
      instance: 'i',
      audience: BROKER,
      issuedAt: clock.now(),
      expiresAt: clock.now() + 600,
      replay: { key: JSON.stringify(['gcp', ISSUER, 'one']), singleUse: false },
      live: false,
      attributes: new Map([['gcp.subject', 'w']]),
    })
  })

  test('is chosen for, then its key is found, then it is read', async () => {
    await verifierOf().verify(await sign())

    expect(steps).toEqual(['choose', 'keys', 'workload'])
  })

  test('without an id of its own goes by the digest of what was signed', async () => {
    const proof = await sign()
    const input = proof.slice(0, proof.lastIndexOf('.'))

    expect((await verifierOf().verify(proof)).replay.key).toBe(
      JSON.stringify(['gcp', ISSUER, createHash('sha256').update(input).digest('base64url')]),
    )
  })

  test('stays the same proof when its trusted issuer gets another name', async () => {
    const proof = await sign()
    const keyOf = async (name: string) =>
      (await verifierOf({ trusts: new Map([[ISSUER, [trust(name)]]]) }).verify(proof)).replay.key

    expect(await keyOf('one')).toBe(await keyOf('other'))
  })

  test('may come once where its rules say so', async () => {
    const { verify } = verifierOf({ trusts: new Map([[ISSUER, [trust('one', false)]]]) })

    expect((await verify(await sign())).replay.singleUse).toBe(true)
  })

  test('has its unknown claims counted, and only where there are any', async () => {
    const { verify, ports } = verifierOf()
    await verify(await sign({ jti: 'known' }))
    expect(ports.events).toEqual([])

    for (const claims of [{ other: 1 }, { other: 1, more: 2 }]) await verify(await sign(claims))
    expect(ports.events).toEqual([1, 2].map((count) => ({ kind: 'unknown_claims', trustedIssuer: 'one', count })))
  })
})

describe('whoever shares an issuer', () => {
  test('is chosen by what else the proof says', async () => {
    const trusts = new Map([[ISSUER, [trust('one'), trust('two')]]])
    const { verify } = verifierOf({
      trusts,
      choose: ([first, second], jws) => (jws.claims.tenant === 'two' ? (second ?? first) : first),
    })

    expect((await verify(await sign({ tenant: 'two' }))).trustedIssuer).toBe('two')
    expect((await verify(await sign())).trustedIssuer).toBe('one')
  })

  test('is not asked for a key where none can be chosen', async () => {
    const { refusal } = verifierOf({
      choose() {
        throw new ProofError('claims_inconsistent', 'nobody')
      },
    })

    expect((await refusal(await sign())).code).toBe('claims_inconsistent')
    expect(steps).toEqual([])
  })

  test('is nobody where there is no one', async () => {
    const { refusal } = verifierOf({ trusts: new Map([[ISSUER, []]]) })

    expect((await refusal(await sign())).code).toBe('issuer_not_trusted')
    expect(steps).toEqual([])
  })
})

describe('asking the platform', () => {
  test('makes a proof live where it says yes, and gets all that was found before', async () => {
    const proof = await sign()
    const asked: unknown[] = []
    const { verify } = verifierOf({
      async confirm(...given) {
        asked.push(...given)
        return true
      },
    })

    expect((await verify(proof)).live).toBe(true)
    expect(asked).toMatchObject([proof, BROKER, { subject: 'w', instance: 'i' }, { trusted: { name: 'one' } }])
  })

  test('leaves a proof as it is where it was not asked', async () => {
    expect((await verifierOf({ confirm: async () => false }).verify(await sign())).live).toBe(false)
  })

  test('refuses where it says no, and its issuer is told', async () => {
    const { refusal } = verifierOf({
      async confirm() {
        throw new ProofError('subject_not_live', 'gone')
      },
    })

    expect(await refusal(await sign())).toMatchObject({
      code: 'subject_not_live',
      origin: { trustedIssuer: 'one', issuer: ISSUER },
    })
  })

  test('comes after every other check', async () => {
    const { refusal } = verifierOf({
      async confirm() {
        steps.push('confirm')
        return true
      },
    })

    for (const claims of [{ sub: 1 }, { aud: 'other' }, { exp: clock.now() }]) await refusal(await sign(claims))

    expect(steps).not.toContain('confirm')
  })
})

describe('a refusal', () => {
  test('names its issuer once that is known, and keeps one that is named already', async () => {
    const origin = { trustedIssuer: 'earlier', issuer: 'https://earlier.example' }
    const { refusal } = verifierOf({
      readWorkload() {
        throw new ProofError('claim_invalid', 'x', { origin })
      },
    })

    expect((await refusal(await sign())).origin).toEqual(origin)
    expect((await refusal(await sign({ aud: 'x' }))).origin).toEqual({ trustedIssuer: 'one', issuer: ISSUER })
    expect((await refusal(await sign({ iss: `${ISSUER}/` }))).origin).toBeUndefined()
  })

  test('comes in the order of the checks', async () => {
    const { refusal } = verifierOf()
    const wrong = { iss: 'https://other.example', aud: 'x', sub: 1 }
    const ours = { ...wrong, iss: ISSUER }
    const codeOf = async (claims: Claims, header?: Claims) => (await refusal(await sign(claims, header))).code

    expect(await codeOf(wrong, { kid: 'unknown', jku: 'x' })).toBe('header_forbidden')
    expect(await verifierOf({ algorithms: ['RS256'] }).refusal(await sign(wrong))).toMatchObject({ code: UNLISTED })
    expect(await codeOf(wrong, { kid: 'unknown' })).toBe('issuer_not_trusted')
    expect(await codeOf(ours, { kid: 'unknown' })).toBe('key_unknown')
    expect(await codeOf(ours)).toBe('audience_mismatch')
    expect(await codeOf({ sub: 1 })).toBe('claim_invalid')
  })

  test('is made of nothing but what was thrown on purpose', async () => {
    const bug = new RangeError('a bug')
    const { verify, inspect } = verifierOf({
      readWorkload() {
        throw bug
      },
    })
    const proof = await sign()

    await expect(verify(proof)).rejects.toBe(bug)
    expect(() => inspect(proof)).toThrow(bug)
  })
})

test('a proof is recognised by its exact issuer and as any JWT', async () => {
  const { recognises } = verifierOf()
  const proof = await sign()
  const recognised = (type: string): boolean => recognises(proof, `urn:ietf:params:oauth:token-type:${type}`)

  expect(['jwt', 'id_token', 'access_token'].map(recognised)).toEqual([true, true, true])
  expect(['saml2', 'JWT', ''].map(recognised)).toEqual([false, false, false])
  for (const iss of [`${ISSUER}/`, 'constructor', '', undefined]) {
    expect(recognises(await sign({ iss }), JWT_TYPES[0])).toBe(false)
  }
  expect(steps).toEqual([])
})

test('inspecting asks nobody, observes nothing, and tells as much as could be read', async () => {
  const { inspect, ports } = verifierOf()

  expect(inspect(await sign({ other: 1 }, { kid: 'unknown' }))).toEqual({
    trustedIssuer: 'one',
    attributes: new Map([['gcp.subject', 'w']]),
    trouble: undefined,
    facts: { issuer: ISSUER, subject: 'w' },
  })
  const foreign = inspect(await sign({ aud: 'https://other.example' }))
  expect(foreign).toMatchObject({ trustedIssuer: 'one', trouble: { code: 'audience_mismatch' } })
  expect(foreign.attributes.get('gcp.subject')).toBe('w')
  expect(foreign.facts).toEqual({ issuer: ISSUER, subject: 'w', audience: 'https://other.example' })
  expect(inspect(await sign({ sub: 1 }))).toMatchObject({
    trustedIssuer: 'one',
    attributes: new Map(),
    trouble: { code: 'claim_invalid' },
    facts: { claim: 'sub' },
  })
  expect(inspect(await sign({ iss: 'https://other.example' }))).toMatchObject({
    trustedIssuer: undefined,
    trouble: { code: 'issuer_not_trusted' },
  })
  expect(verifierOf({ algorithms: ['RS256'] }).inspect(await sign()).trouble).toMatchObject({ code: UNLISTED })
  expect(inspect('x').trouble).toMatchObject({ code: 'proof_malformed' })
  expect(steps).not.toContain('keys')
  expect(ports.events).toEqual([])
})
