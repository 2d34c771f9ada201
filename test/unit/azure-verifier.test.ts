/** The verifier of Entra's tokens: what it makes of a genuine one of either version, and why it refuses every other. */

import { inspect } from 'node:util'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { azureVerifier } from '../../providers/azure/verifier.ts'
import { ProofError } from '../../providers/contract/errors.ts'
import { JWT_TYPES } from '../../providers/kit/jwt-verifier.ts'
import { type Claims, generateStandInKey, signClaims } from '../../providers/kit/stand-in-keys.ts'
import { type BareVerifier, createBareVerifier } from '../support/bare-verifier.ts'
import { createTestClock } from '../support/clock.ts'
import {
  APP_ID,
  APP_URI,
  CLIENT_ID,
  createEntra,
  type Entra,
  IDENTITY,
  inlineKeys,
  OBJECT_ID,
  OTHER_TENANT,
  SUBSCRIPTION,
  TENANT,
  V1_ISSUER,
  V2_ISSUER,
  VM,
  v1Claims,
} from '../support/entra-tokens.ts'
import { createTestPorts, type TestPorts } from '../support/provider-ports.ts'
import { rejection } from '../support/rejection.ts'

const LONGEST = 100_800
const clock = createTestClock()
const NOW = clock.now()

let entra: Entra
let ports: TestPorts
let verifier: BareVerifier
beforeAll(async () => {
  entra = await createEntra(clock.now)
  ports = createTestPorts({ clock })
  verifier = verifierOf({ entra: entra.settings })
})

function verifierOf(issuers: Readonly<Record<string, object>>): BareVerifier {
  return createBareVerifier(azureVerifier, issuers, { ports, proofAudiences: [APP_URI, APP_ID] })
}

const codeOf = async (claims: Claims): Promise<string> => verifier.codeOf(await entra.signV1(claims))
const verified = async (claims: Claims = {}) => verifier.verify(await entra.signV1(claims))

describe('a genuine token', () => {
  test.each([
    ['1', V1_ISSUER, APP_URI, () => entra.signV1()],
    ['2', V2_ISSUER, APP_ID, () => entra.signV2()],
  ])('of version %s is verified for all that it says', async (_, issuer, audience, sign) => {
    const proof = await verifier.verify(await sign())

    expect({ ...proof, attributes: Object.fromEntries(proof.attributes) }).toEqual({
      provider: 'azure',
      trustedIssuer: 'entra',
      issuer,
      subject: OBJECT_ID,
      instance: VM.toLowerCase(),
      audience,
      issuedAt: NOW,
      expiresAt: NOW + 86_700,
      replay: { key: expect.stringMatching(/^\["azure","https:[^"]+","[\w-]{43}"\]$/), singleUse: false },
      live: false,
      attributes: {
        'azure.tenant_id': TENANT,
        'azure.object_id': OBJECT_ID,
        'azure.client_id': CLIENT_ID,
        'azure.identity_resource_id': IDENTITY.toLowerCase(),
        'azure.resource_id': VM.toLowerCase(),
        'azure.subscription_id': SUBSCRIPTION,
        'azure.resource_group': 'rg-pay',
      },
    })
  })

  test('that names no resource is verified for its identity alone', async () => {
    const proof = await verified({ xms_mirid: undefined, xms_az_rid: undefined })

    expect(proof.instance).toBeUndefined()
    expect([...proof.attributes.keys()]).toEqual(['azure.tenant_id', 'azure.object_id', 'azure.client_id'])
  })

  test('may come again, and is known again by what was signed, not by its uti', async () => {
    const proof = await entra.signV1()
    const [first, second] = [await verifier.verify(proof), await verifier.verify(proof)]

    expect(second.replay).toEqual(first.replay)
    expect((await verified({ exp: NOW + 600 })).replay.key).not.toBe(first.replay.key)
    expect((await verified({ jti: 'x', exp: NOW + 600 })).replay.key).not.toContain('"x"')
  })

  test('lives for 28 hours, and not a second longer', async () => {
    expect((await verified({ exp: NOW + LONGEST })).expiresAt).toBe(NOW + LONGEST)
    expect(await codeOf({ exp: NOW + LONGEST + 1 })).toBe('proof_lifetime_too_long')
  })

  test('ends when it ends, whatever the clocks, and begins a minute early at most', async () => {
    expect((await verified({ iat: NOW - 600, nbf: NOW - 600, exp: NOW + 1 })).expiresAt).toBe(NOW + 1)
    expect(await codeOf({ iat: NOW - 600, nbf: NOW - 600, exp: NOW })).toBe('proof_expired')
    expect((await verified({ nbf: NOW + 60 })).issuedAt).toBe(NOW)
    expect(await codeOf({ nbf: NOW + 61 })).toBe('proof_not_yet_valid')
    expect(await codeOf({ iat: NOW + 61, nbf: undefined })).toBe('proof_not_yet_valid')
  })

  test('has its unknown claims counted, and not its known ones', async () => {
    ports.events.length = 0
    await verified()
    await verifier.verify(await entra.signV2())
    expect(ports.events).toEqual([])

    await verified({ one: 1, two: 2 })

    expect(ports.events).toEqual([{ kind: 'unknown_claims', trustedIssuer: 'entra', count: 2 }])
  })
})

describe('a token that is not', () => {
  test.each<[string, Claims, string]>([
    ['for us, but for Azure Resource Manager', { aud: 'https://management.azure.com/' }, 'audience_mismatch'],
    ['for us, but for Graph', { aud: '00000003-0000-0000-c000-000000000000' }, 'audience_mismatch'],
    ['for us, but for a workload’s exchange', { aud: 'api://AzureADTokenExchange' }, 'audience_mismatch'],
    ['for us as we are spelled', { aud: 'API://chancery' }, 'audience_mismatch'],
    ['for us, but for what is below us', { aud: `${APP_URI}/` }, 'audience_mismatch'],
    ['for us alone', { aud: [APP_URI, APP_ID] }, 'audience_not_single'],
    ['of its issuer’s tenant', { tid: OTHER_TENANT }, 'claims_inconsistent'],
    ['of its issuer’s version', { ver: '2.0' }, 'claims_inconsistent'],
    ['an identity’s, but a person’s', { upn: 'someone@corp.example' }, 'claim_forbidden'],
    ['an identity’s, but acts for a person', { scp: 'user_impersonation' }, 'claim_forbidden'],
    ['an identity’s, but a device’s', { idtyp: 'device' }, 'claim_forbidden'],
    ['an identity’s, but a client’s with a secret', { appidacr: '1' }, 'claim_forbidden'],
    ['about its own object', { sub: 'pairwise' }, 'claims_inconsistent'],
    ['about any object', { oid: undefined }, 'claim_missing'],
    ['about an object by id', { oid: 'api', sub: 'api' }, 'claim_invalid'],
    ['of a client by id', { appid: 'api' }, 'claim_invalid'],
    ['of a resource in its one form', { xms_az_rid: VM.slice(1) }, 'claim_invalid'],
    ['a workload’s, but a login’s', { nonce: 'x' }, 'claim_forbidden'],
    ['free for all, but bound to a key', { cnf: { kid: 'x' } }, 'claim_forbidden'],
  ])('%s is refused', async (_, claims, code) => {
    expect(await codeOf(claims)).toBe(code)
  })

  test('right is refused under its issuer’s name, once its signature holds', async () => {
    const origin = { trustedIssuer: 'entra', issuer: V2_ISSUER }

    expect(await rejection(verifier.verify(await entra.signV2({ ver: '1.0' })))).toMatchObject({ origin })
    expect(await rejection(verifier.verify(await entra.signV2({ aud: APP_URI.toUpperCase() })))).toMatchObject({
      origin,
    })
    expect(await rejection(verifier.verify(await entra.signV2({}, { kid: 'unknown' })))).toMatchObject({ origin })
  })

  test.each([
    V1_ISSUER.slice(0, -1),
    `${V2_ISSUER}/`,
    V1_ISSUER.toUpperCase(),
    V1_ISSUER.replace(TENANT, TENANT.toUpperCase()),
    V1_ISSUER.replace(TENANT, OTHER_TENANT),
    V2_ISSUER.replace(TENANT, OTHER_TENANT),
    V2_ISSUER.replace(TENANT, '{tenantid}'),
    V2_ISSUER.replace(TENANT, 'common'),
    V2_ISSUER.replace('/v2.0', ''),
    V2_ISSUER.replace('/v2.0', '/'),
    V2_ISSUER.replace('.com', '.us'),
    V2_ISSUER.replace('login.', 'login.partner.').replace('.com', '.cn'),
    V1_ISSUER.replace('windows.net', 'chinacloudapi.cn'),
    V1_ISSUER.replace('https', 'http'),
    V1_ISSUER.replace('.net/', '.net:443/'),
    `${V1_ISSUER}../${OTHER_TENANT}/`,
    '',
  ])('of this tenant’s issuers, to the letter, but of %j is refused', async (iss) => {
    for (const proof of [await entra.signV1({ iss }), await entra.signV2({ iss })]) {
      expect(await rejection(verifier.verify(proof))).toMatchObject({ code: 'issuer_not_trusted', origin: undefined })
      expect(verifier.recognises(proof)).toBe(false)
    }
  })

  test('of one version under the other’s issuer is refused', async () => {
    expect(await codeOf({ iss: V2_ISSUER })).toBe('claims_inconsistent')
    expect(await verifier.codeOf(await entra.signV2({ iss: V1_ISSUER }))).toBe('claims_inconsistent')
    expect(await codeOf({ iss: V2_ISSUER, ver: '2.0' })).toBe('claim_missing')
    expect(await verifier.codeOf(await entra.signV2({ iss: V1_ISSUER, ver: '1.0' }))).toBe('claim_missing')
  })

  test('signed as Entra signs is refused, whatever key there is', async () => {
    const elliptic = await generateStandInKey('ES256', 'ec')
    const stranger = await generateStandInKey('RS256', 'entra-1')
    const both = verifierOf({ entra: { tenant_id: TENANT, keys: inlineKeys(entra.key.jwk, elliptic.jwk) } })

    expect(await both.codeOf(await signClaims(v1Claims(NOW), elliptic))).toBe('algorithm_not_allowed')
    expect(await verifier.codeOf(await signClaims(v1Claims(NOW), stranger))).toBe('signature_invalid')
    expect(await verifier.codeOf(await entra.signV1({}, { kid: undefined }))).toBe('key_id_missing')
  })

  test('to be taken tells nothing of itself in its error', async () => {
    const proof = await entra.signV1({ appid: 'hunter2' })

    const shown = inspect(await rejection(verifier.verify(proof)), { depth: null, showHidden: true })

    for (const part of [...proof.split('.'), 'hunter2']) expect(shown).not.toContain(part)
  })
})

describe('two tenants', () => {
  test('are told apart by their issuers, and neither’s token is the other’s', async () => {
    const other = await createEntra(clock.now)
    const { verify, codeOf: code } = verifierOf({
      one: entra.settings,
      two: { tenant_id: OTHER_TENANT, keys: inlineKeys({ ...other.key.jwk, kid: 'entra-2' }) },
    })
    const of = { tid: OTHER_TENANT, iss: `https://sts.windows.net/${OTHER_TENANT}/` }

    expect((await verify(await entra.signV1())).trustedIssuer).toBe('one')
    const { trustedIssuer, attributes } = await verify(await other.signV1(of, { kid: 'entra-2' }))
    expect([trustedIssuer, attributes.get('azure.tenant_id')]).toEqual(['two', OTHER_TENANT])
    expect(await code(await entra.signV1(of))).toBe('key_unknown')
    expect(await code(await entra.signV1({ ...of, tid: TENANT }))).toBe('claims_inconsistent')
  })
})

describe('recognising', () => {
  test('takes a proof of either version by its exact issuer and the type of a JWT', async () => {
    expect(azureVerifier.subjectTokenTypes).toEqual(JWT_TYPES)
    for (const proof of [await entra.signV1(), await entra.signV2()]) {
      expect(JWT_TYPES.map((type) => verifier.recognises(proof, type))).toEqual([true, true, true])
      expect(verifier.recognises(proof, 'urn:ietf:params:oauth:token-type:saml2')).toBe(false)
    }
  })
})

describe('inspecting', () => {
  test('tells what a proof says, without its signature', async () => {
    const proof = await entra.signV2()

    const result = verifier.inspect(`${proof.slice(0, proof.lastIndexOf('.'))}.AAAA`)

    expect(result).toMatchObject({ trustedIssuer: 'entra', trouble: undefined })
    expect(result.facts).toEqual({ issuer: V2_ISSUER, subject: OBJECT_ID })
    expect(result.attributes).toEqual((await verifier.verify(proof)).attributes)
  })

  test('tells what would stop it, with as much as could be read before', async () => {
    const foreign = verifier.inspect(await entra.signV1({ aud: 'https://management.azure.com/' }))
    const personal = verifier.inspect(await entra.signV1({ upn: 'someone@corp.example' }))

    expect(foreign).toMatchObject({ trustedIssuer: 'entra', trouble: { code: 'audience_mismatch' } })
    expect(foreign.facts).toMatchObject({ audience: 'https://management.azure.com/', subject: OBJECT_ID })
    expect(foreign.attributes.get('azure.object_id')).toBe(OBJECT_ID)
    expect(personal).toMatchObject({ trustedIssuer: 'entra', trouble: { code: 'claim_forbidden' } })
    expect(personal.attributes.size).toBe(0)
    expect(verifier.inspect(await entra.signV1({ tid: OTHER_TENANT })).trouble?.code).toBe('claims_inconsistent')
  })

  test('never throws, and neither does recognising', () => {
    const claims = fc.record({ iss: fc.constantFrom(V1_ISSUER, 1, null), tid: fc.constantFrom(TENANT, 1) })
    const header = Buffer.from('{"alg":"RS256"}').toString('base64url')
    const property = fc.property(fc.oneof(claims, fc.jsonValue()), (value) => {
      const proof = `${header}.${Buffer.from(JSON.stringify(value)).toString('base64url')}.AA`

      expect(verifier.inspect(proof).trouble).toBeInstanceOf(ProofError)
      expect(verifier.recognises(proof)).toBe(Object(value).iss === V1_ISSUER)
    })

    fc.assert(property, { numRuns: 300 })
  })
})
