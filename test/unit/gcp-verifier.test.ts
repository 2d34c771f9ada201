/** The verifier of Google's identity tokens: what it makes of a genuine one, and why it refuses every other. */

import { inspect } from 'node:util'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { ProofError } from '../../providers/contract/errors.ts'
import { GOOGLE_ISSUER, gcpVerifier } from '../../providers/gcp/verifier.ts'
import { JWT_TYPES } from '../../providers/kit/jwt-verifier.ts'
import { type Claims, generateStandInKey, signClaims } from '../../providers/kit/stand-in-keys.ts'
import { type BareVerifier, createBareVerifier } from '../support/bare-verifier.ts'
import { createTestClock } from '../support/clock.ts'
import { BROKER } from '../support/document.ts'
import {
  ACCOUNT_EMAIL,
  ACCOUNT_ID,
  COMPUTE_ENGINE,
  createGoogle,
  type Google,
  googleClaims,
} from '../support/google-tokens.ts'
import { createTestPorts, type TestPorts } from '../support/provider-ports.ts'
import { rejection } from '../support/rejection.ts'

const HOUR = 3_600
const clock = createTestClock()
const NOW = clock.now()

let google: Google
let ports: TestPorts
let verifier: BareVerifier
beforeAll(async () => {
  google = await createGoogle(clock.now)
  ports = createTestPorts({ clock })
  verifier = createBareVerifier(gcpVerifier, { google: { keys: google.inline } }, { ports })
})

const codeOf = async (claims: Claims, header?: Claims): Promise<string> =>
  verifier.codeOf(await google.sign(claims, header))
const verified = async (claims: Claims = {}) => verifier.verify(await google.sign(claims))

describe('a genuine token', () => {
  test('of a VM is verified for all that it says', async () => {
    const proof = await verified()

    expect({ ...proof, attributes: Object.fromEntries(proof.attributes) }).toEqual({
      provider: 'gcp',
      trustedIssuer: 'google',
      issuer: 'https://accounts.google.com',
      subject: ACCOUNT_ID,
      instance: COMPUTE_ENGINE.instance_id,
      audience: BROKER,
      issuedAt: NOW,
      expiresAt: NOW + HOUR,
      replay: {
        key: expect.stringMatching(/^\["gcp","https:\/\/accounts\.google\.com","[\w-]{43}"\]$/),
        singleUse: false,
      },
      live: false,
      attributes: {
        'gcp.subject': ACCOUNT_ID,
        'gcp.project_id': 'prod-123456',
        'gcp.project_number': '716149158341',
        'gcp.zone': 'us-central1-a',
        'gcp.instance_id': '4340508760561261530',
        'gcp.instance_name': 'vm-1',
        'gcp.email': ACCOUNT_EMAIL,
      },
    })
  })

  test('of no VM is verified for its account alone', async () => {
    const proof = await verified({ google: undefined, email: undefined, email_verified: undefined })

    expect(proof.instance).toBeUndefined()
    expect([...proof.attributes]).toEqual([['gcp.subject', ACCOUNT_ID]])
  })

  test('may come again, and is known again by what was signed, even where it has a jti', async () => {
    const proof = await google.sign({ jti: 'one' })
    const [first, second] = [await verifier.verify(proof), await verifier.verify(proof)]

    expect(second.replay).toEqual(first.replay)
    expect((await verified({ jti: 'one', exp: NOW + 600 })).replay.key).not.toBe(first.replay.key)
  })

  test('lives for an hour, and not a second longer', async () => {
    expect((await verified({ iat: NOW - 60, exp: NOW - 60 + HOUR })).expiresAt).toBe(NOW - 60 + HOUR)
    expect(await codeOf({ exp: NOW + HOUR + 1 })).toBe('proof_lifetime_too_long')
    expect(await codeOf({ iat: NOW - HOUR, exp: NOW + 1 })).toBe('proof_lifetime_too_long')
  })

  test('ends when it ends, whatever the clocks, and begins a minute early at most', async () => {
    expect((await verified({ iat: NOW - 600, exp: NOW + 1 })).expiresAt).toBe(NOW + 1)
    expect(await codeOf({ iat: NOW - 600, exp: NOW })).toBe('proof_expired')
    expect((await verified({ iat: NOW + 60, exp: NOW + 600 })).issuedAt).toBe(NOW + 60)
    expect(await codeOf({ iat: NOW + 61, exp: NOW + 600 })).toBe('proof_not_yet_valid')
    expect(await codeOf({ nbf: NOW + 61 })).toBe('proof_not_yet_valid')
  })

  test('has its unknown claims counted, and not its known ones', async () => {
    ports.events.length = 0
    await verified()
    expect(ports.events).toEqual([])

    await verified({ one: 1, google: { compute_engine: { ...COMPUTE_ENGINE, two: 2 } } })

    expect(ports.events).toEqual([{ kind: 'unknown_claims', trustedIssuer: 'google', count: 2 }])
  })
})

describe('a token that is not', () => {
  const USER = '32555940559.apps.googleusercontent.com'

  test.each<[string, Claims, string]>([
    ['for us, but for a name that ends as ours does', { aud: `x${BROKER}` }, 'audience_mismatch'],
    ['for us, but for a name that begins as ours does', { aud: `${BROKER}/` }, 'audience_mismatch'],
    ['for anybody', { aud: undefined }, 'audience_mismatch'],
    ['for anybody on a list', { aud: [] }, 'audience_mismatch'],
    ['for us alone', { aud: [BROKER, 'https://other.example'] }, 'audience_not_single'],
    ['an account’s, but a person’s', { aud: BROKER, azp: USER, hd: 'corp.example' }, 'claim_forbidden'],
    ['an account’s, but a client’s', { azp: USER }, 'claims_inconsistent'],
    ['made for an account', { azp: undefined }, 'claim_missing'],
    ['about an account', { sub: ACCOUNT_EMAIL, azp: ACCOUNT_EMAIL }, 'claim_invalid'],
    ['a workload’s, but a login’s', { nonce: 'x' }, 'claim_forbidden'],
    ['a workload’s, but bound to another token', { at_hash: 'x' }, 'claim_forbidden'],
    ['sure of its address', { email_verified: false }, 'claim_invalid'],
    ['of an account’s address', { email: 'someone@gmail.com' }, 'claim_invalid'],
    ['of a VM’s form', { google: { compute_engine: { ...COMPUTE_ENGINE, project_number: '1' } } }, 'claim_invalid'],
  ])('%s is refused, and its issuer told', async (_, claims, code) => {
    expect(await rejection(verified(claims))).toMatchObject({
      code,
      origin: { trustedIssuer: 'google', issuer: GOOGLE_ISSUER },
    })
  })

  test.each([
    'accounts.google.com',
    'https://accounts.google.com/',
    'http://accounts.google.com',
    'https://accounts.google.com:443',
    'https://Accounts.google.com',
    'https://accounts.google.com.evil.example',
    'https://securetoken.google.com/prod-123456',
    'https://cloud.google.com/iap',
    'https://confidentialcomputing.googleapis.com',
    'https://www.googleapis.com',
    '',
  ])('of Google’s own issuer, but of %j, is refused', async (iss) => {
    const proof = await google.sign({ iss })

    expect(await rejection(verifier.verify(proof))).toMatchObject({ code: 'issuer_not_trusted', origin: undefined })
    expect(verifier.recognises(proof)).toBe(false)
  })

  test('signed as Google signs is refused, whatever key there is', async () => {
    const elliptic = await generateStandInKey('ES256', 'google-1')
    const stranger = await generateStandInKey('RS256', 'google-1')

    expect(await verifier.codeOf(await signClaims(googleClaims(NOW), elliptic))).toBe('algorithm_not_allowed')
    expect(await verifier.codeOf(await signClaims(googleClaims(NOW), stranger))).toBe('signature_invalid')
    expect(await codeOf({}, { kid: 'unknown' })).toBe('key_unknown')
    expect(await codeOf({}, { kid: undefined })).toBe('key_id_missing')
  })

  test('signed with an elliptic key that the document has is refused all the same', async () => {
    const elliptic = await generateStandInKey('ES256', 'ec')
    const keys = { from: 'inline', jwks: { keys: [elliptic.jwk] } }
    const { codeOf: code } = createBareVerifier(gcpVerifier, { google: { keys } }, { ports })

    expect(await code(await signClaims(googleClaims(NOW), elliptic))).toBe('algorithm_not_allowed')
    expect(await code(await google.sign({}, { kid: 'ec' }))).toBe('key_unsuitable')
  })

  test('to be taken tells nothing of itself in its error', async () => {
    const proof = await google.sign({ aud: 'vault', email: 'hunter2@gmail.com' })

    const shown = inspect(await rejection(verifier.verify(proof)), { depth: null, showHidden: true })

    for (const part of [...proof.split('.'), 'hunter2']) expect(shown).not.toContain(part)
  })
})

describe('recognising', () => {
  test('takes a proof by its exact issuer and the type of a JWT', async () => {
    const proof = await google.sign()

    expect(gcpVerifier.subjectTokenTypes).toEqual(JWT_TYPES)
    expect(JWT_TYPES.map((type) => verifier.recognises(proof, type))).toEqual([true, true, true])
    expect(verifier.recognises(proof, 'urn:ietf:params:oauth:token-type:saml2')).toBe(false)
  })
})

describe('inspecting', () => {
  test('tells what a proof says, without its signature', async () => {
    const proof = await google.sign()

    const result = verifier.inspect(`${proof.slice(0, proof.lastIndexOf('.'))}.AAAA`)

    expect(result).toMatchObject({ trustedIssuer: 'google', trouble: undefined })
    expect(result.facts).toEqual({ issuer: GOOGLE_ISSUER, subject: ACCOUNT_ID })
    expect(result.attributes).toEqual((await verifier.verify(proof)).attributes)
  })

  test('tells what would stop it, with as much as could be read before', async () => {
    const expired = verifier.inspect(await google.sign({ iat: NOW - 600, exp: NOW - 100 }))
    const personal = verifier.inspect(await google.sign({ hd: 'corp.example' }))

    expect(expired).toMatchObject({ trouble: { code: 'proof_expired' }, facts: { expired_seconds_ago: 100 } })
    expect(expired.attributes.get('gcp.subject')).toBe(ACCOUNT_ID)
    expect(personal).toMatchObject({ trustedIssuer: 'google', trouble: { code: 'claim_forbidden' } })
    expect(personal.attributes.size).toBe(0)
  })

  test('never throws, and neither does recognising', () => {
    const text = fc.oneof(
      fc.string(),
      fc.jsonValue().map((value) => `e30.${Buffer.from(JSON.stringify(value)).toString('base64url')}.AA`),
    )
    const property = fc.property(text, (proof) => {
      expect(verifier.inspect(proof).trouble).toBeInstanceOf(ProofError)
      expect(verifier.recognises(proof)).toBe(false)
    })

    fc.assert(property, { numRuns: 300 })
  })
})

test('whatever Google signs, what is verified is within the catalogue, and what is not is refused', async () => {
  const odd = fc.oneof(fc.constantFrom('', 'a', 'prod-123456', '1', 'A_'), fc.jsonValue({ maxDepth: 1 }))
  const engine = fc
    .record(
      { project_id: odd, zone: odd, instance_id: odd, instance_name: odd, project_number: odd },
      { requiredKeys: [] },
    )
    .map((more) => ({ ...COMPUTE_ENGINE, ...more }))
  const claims = fc.record(
    {
      email: odd,
      google: fc.oneof(
        odd,
        engine.map((compute_engine) => ({ compute_engine })),
      ),
    },
    { requiredKeys: [] },
  )
  const codes = new Set<string>()
  const property = fc.asyncProperty(claims, async (more) => {
    const outcome = await verified(more).catch((error: unknown) => error)

    codes.add(outcome instanceof ProofError ? outcome.code : 'verified')
    if (outcome instanceof ProofError) return
    const { attributes } = outcome as Awaited<ReturnType<typeof verified>>
    for (const [name, text] of attributes) expect(gcpVerifier.attributes.get(name)?.isValue(text)).toBe(true)
  })

  await fc.assert(property, { numRuns: 200 })
  expect(codes).toContain('verified')
  expect(codes).toContain('claim_invalid')
})
