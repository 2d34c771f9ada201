/** The verifier of AWS: which of its two halves a proof goes to, what an operator is shown, and what outlives a reload. */

import { describe, expect, test } from 'vitest'
import { AWS_ATTRIBUTES, AWS_PINS } from '../../providers/aws/attributes.ts'
import { AWS4_REQUEST_TYPE } from '../../providers/aws/signed-request.ts'
import { stsErrorAnswer } from '../../providers/aws/stand-in/sts-answers.ts'
import { awsVerifier } from '../../providers/aws/verifier.ts'
import type { UnverifiedProof } from '../../providers/contract/proof.ts'
import type { ProofVerifier } from '../../providers/contract/provider.ts'
import {
  ACCOUNT,
  LONG_AUDIENCE,
  OTHER_ACCOUNT,
  openVerifierBench,
  type VerifierBench,
} from '../support/aws-verifier-bench.ts'
import { BROKER } from '../support/document.ts'
import { rejection } from '../support/rejection.ts'

const JWT = 'urn:ietf:params:oauth:token-type:jwt'
const JWT_TYPES = [JWT, 'urn:ietf:params:oauth:token-type:id_token', 'urn:ietf:params:oauth:token-type:access_token']
const NEVER = new AbortController().signal

const recognises = (verifier: ProofVerifier, proof: string, type: string) =>
  verifier.recognises(proof as UnverifiedProof, type)

/** A bench whose account signs tokens as well. */
async function openBoth() {
  const bench = await openVerifierBench()
  const { issuer } = bench.aws.account(ACCOUNT)
  const trusts = { 'aws-prod': { settings: { accounts: { [ACCOUNT]: { web_identity_issuer: issuer } } } } }
  const verifier = bench.reload(trusts)
  const token = await bench.aws.webIdentityToken(bench.session, { audiences: [BROKER] })
  return { ...bench, verifier, token, trusts }
}

test('is the provider "aws", of four token types', async () => {
  expect((await openVerifierBench()).verifier.provider).toBe('aws')
  expect(awsVerifier).toMatchObject({ name: 'aws', attributes: AWS_ATTRIBUTES, pins: AWS_PINS })
  expect(awsVerifier.subjectTokenTypes).toEqual([AWS4_REQUEST_TYPE, ...JWT_TYPES])
  expect(AWS4_REQUEST_TYPE).toBe('urn:ietf:params:aws:token-type:aws4_request')
})

describe('recognises', () => {
  test('a token of a trusted account’s issuer, under the types of JWTs alone', async () => {
    const { verifier, token } = await openBoth()

    expect(JWT_TYPES.map((type) => recognises(verifier, token, type))).toEqual([true, true, true])
    expect(recognises(verifier, token, AWS4_REQUEST_TYPE)).toBe(false)
    expect(recognises(verifier, token, 'urn:ietf:params:oauth:token-type:saml2')).toBe(false)
  })

  test('no token of another issuer', async () => {
    const { verifier, aws, session } = await openBoth()
    const claims = { ...aws.claimsFor(session, { audiences: [BROKER] }), iss: 'https://other.example' }

    expect(recognises(verifier, await aws.sign(ACCOUNT, claims), JWT)).toBe(false)
  })

  test('whatever comes as a signed request and is no JWT, so that the record says what is wrong with it', async () => {
    const { verifier, sign } = await openBoth()
    const proofs = [
      sign(),
      'k8s-aws-v1.aHR0',
      'POST / HTTP/1.1',
      '{}',
      '',
      'a.b',
      'a.b.c.d',
      'a%2Eb.c.d',
      'a.b%.c',
      'a.b.c%',
    ]

    expect(proofs.filter((proof) => !recognises(verifier, proof, AWS4_REQUEST_TYPE))).toEqual([])
    expect(proofs.filter((proof) => JWT_TYPES.some((type) => recognises(verifier, proof, type)))).toEqual([])
    expect(['a.b.c', '..', 'x'].map((proof) => recognises(verifier, proof, AWS4_REQUEST_TYPE))).toEqual([
      false,
      false,
      true,
    ])
  })
})

describe('verifies', () => {
  const verify = ({ verifier }: { readonly verifier: ProofVerifier }, proof: string, request = {}, signal = NEVER) =>
    verifier.verify(proof as UnverifiedProof, request, signal)

  test('each of the two proofs by its half', async () => {
    const bench = await openBoth()
    const ofToken = await verify(bench, bench.token)
    const ofRequest = await verify(bench, bench.sign())

    expect(ofToken.attributes.get('aws.proof')).toBe('web_identity')
    expect(ofRequest.attributes.get('aws.proof')).toBe('signed_request')
    expect(ofToken.attributes.get('aws.role_name')).toBe(ofRequest.attributes.get('aws.role_name'))
  })

  test('a signed request for the target and on the turn of whom it came from', async () => {
    const bench = await openBoth()
    const google = bench.sign({ shape: 'google' })

    expect((await verify(bench, google, { target: LONG_AUDIENCE })).audience).toBe(LONG_AUDIENCE)
    expect((await rejection(verify(bench, google, { target: `${LONG_AUDIENCE}x` }))).code).toBe('audience_mismatch')
  })

  test('nothing for a caller who has gone while it waited', async () => {
    const bench = await openBoth()
    bench.aws.fail('/', 'slow')
    const before = bench.asked()
    const running = Array.from({ length: 64 }, (_, index) =>
      rejection(verify(bench, bench.sign({ date: bench.clock.now() - index }))),
    )
    await expect.poll(() => bench.asked() - before).toBe(64)

    expect(
      (await rejection(verify(bench, bench.sign({ date: bench.clock.now() - 64 }), {}, AbortSignal.abort()))).code,
    ).toBe('upstream_timeout')
    await bench.aws.close()
    await Promise.all(running)
    expect(bench.asked() - before).toBe(64)
  })

  test('a source address in its turn', async () => {
    const bench = await openBoth()
    bench.aws.fail('/', 'slow')
    let age = 0
    const askAs = (clientAddress: string) =>
      rejection(
        verify(
          bench,
          bench.sign({
            date: bench.clock.now() - (age++ % 300),
            host: age > 300 ? 'sts.eu-west-1.amazonaws.com' : 'sts.us-east-1.amazonaws.com',
          }),
          { clientAddress },
        ),
      )
    const waiting = Array.from({ length: 64 + 256 }, () => askAs('10.0.0.1'))
    await expect.poll(bench.asked).toBeGreaterThanOrEqual(64)

    expect((await askAs('10.0.0.1')).code).toBe('upstream_busy')
    const other = askAs('10.0.0.2')
    await bench.aws.close()
    await Promise.all(waiting)
    expect((await other).code).not.toBe('upstream_busy')
  })
})

describe('inspects', () => {
  const inspectWith = (verifier: ProofVerifier, proof: string) => verifier.inspect(proof as UnverifiedProof)

  test('a signed request: where it would go and what it is signed over, and nothing of who signed', async () => {
    const { inspect, sign, asked } = await openVerifierBench()

    expect(inspect(sign())).toEqual({
      trustedIssuer: 'aws-prod',
      attributes: new Map(),
      trouble: undefined,
      facts: {
        host: 'sts.us-east-1.amazonaws.com',
        shape: 'chancery',
        signed_headers: 'content-type;host;x-amz-date;x-amz-security-token;x-chancery-audience',
      },
    })
    expect(inspect(sign({ shape: 'google' }))).toMatchObject({ trouble: undefined, facts: { shape: 'google' } })
    expect(asked()).toBe(0)
  })

  test('a signed request that two trusted issuers may be meant by, without naming one', async () => {
    const { inspect, sign } = await openVerifierBench({
      'aws-prod': {},
      'aws-test': { settings: { accounts: { [OTHER_ACCOUNT]: {} } } },
    })

    expect(inspect(sign())).toMatchObject({ trustedIssuer: undefined, trouble: undefined })
  })

  test.each<[string, (bench: VerifierBench) => string, string]>([
    ['for another audience', ({ sign }) => sign({ audience: 'https://other.example' }), 'audience_mismatch'],
    [
      'for another broker, in Google’s shape',
      ({ sign }) => sign({ shape: 'google', audience: 'https://a.example/audiences/x' }),
      'audience_mismatch',
    ],
    ['that is too old', ({ sign, clock }) => sign({ date: clock.now() - 301 }), 'proof_expired'],
    ['for a host that is not taken', ({ sign }) => sign({ host: 'sts.amazonaws.com' }), 'endpoint_not_accepted'],
    ['of another partition', ({ sign }) => sign({ host: 'sts.cn-north-1.amazonaws.com.cn' }), 'issuer_not_trusted'],
    ['of Vault', () => encodeURIComponent('{"iam_request_url":"x"}'), 'envelope_foreign'],
    ['that is none', () => 'x', 'proof_malformed'],
  ])('a request %s, and says what would stop it', async (_, make, code) => {
    const bench = await openVerifierBench()
    const { trouble, facts, trustedIssuer, attributes } = bench.inspect(make(bench))

    expect(trouble?.code).toBe(code)
    expect(facts).toEqual(trouble?.facts)
    expect({ trustedIssuer, size: attributes.size }).toEqual({ trustedIssuer: undefined, size: 0 })
    expect(bench.asked()).toBe(0)
  })

  test('a token: whom it is about', async () => {
    const { verifier, token, aws } = await openBoth()
    const { attributes, ...inspected } = inspectWith(verifier, token)

    expect(inspected).toEqual({
      trustedIssuer: 'aws-prod',
      trouble: undefined,
      facts: { issuer: aws.account(ACCOUNT).issuer, subject: `arn:aws:iam::${ACCOUNT}:role/api` },
    })
    expect(attributes.get('aws.role_name')).toBe('api')
  })

  test('does not hide a bug', async () => {
    const bench = await openVerifierBench()
    const proof = bench.sign()
    Object.assign(bench.ports, {
      now: () => {
        throw new TypeError('bug')
      },
    })

    expect(() => bench.inspect(proof)).toThrow(TypeError)
  })
})

describe('over a reload of the document', () => {
  const refuse = async (verifier: ProofVerifier, proof: string) =>
    (await rejection(verifier.verify(proof as UnverifiedProof, {}, NEVER))).code

  test('remembers what STS has refused', async () => {
    const { aws, verifier, reload, sign, asked } = await openVerifierBench()
    aws.fail('/', stsErrorAnswer('key unknown', 'json'))
    const proof = sign()

    expect(await refuse(verifier, proof)).toBe('key_unknown')
    const trusts = {
      'aws-new': {},
      'aws-test': { settings: { accounts: { [OTHER_ACCOUNT]: {} }, regions: ['us-east-1'] } },
    }
    expect(await refuse(reload(trusts), proof)).toBe('key_unknown')
    expect(asked()).toBe(1)
  })

  test('asks anew where it would ask elsewhere, or believe another authority', async () => {
    const { aws, verifier, reload, sign, asked } = await openVerifierBench()
    aws.fail('/', stsErrorAnswer('key unknown', 'json'))
    const proof = sign()
    await refuse(verifier, proof)

    expect(await refuse(reload({ 'aws-prod': { settings: { sts_endpoint: `${aws.origin}/` } } }), proof)).toBe(
      'key_unknown',
    )
    expect(asked()).toBe(2)
    expect(await refuse(reload({ 'aws-prod': { settings: { ca_file: 'ca.pem' } } }), proof)).toBe('file_unreadable')
    expect(asked()).toBe(2)
  })

  test('remembers it, too, where private hosts are named in another order, or once more', async () => {
    const { aws, reload, sign, asked } = await openVerifierBench()
    aws.fail('/', stsErrorAnswer('key unknown', 'json'))
    const proof = sign()
    const hostsOf = (...private_hosts: readonly string[]) => ({ settings: { private_hosts } })
    const other = { accounts: { [OTHER_ACCOUNT]: {} }, private_hosts: ['a.corp.example'] }

    await refuse(reload({ 'aws-prod': hostsOf('a.corp.example', 'b.corp.example') }), proof)
    await refuse(reload({ 'aws-prod': hostsOf('b.corp.example', 'a.corp.example'), other: { settings: other } }), proof)
    expect(asked()).toBe(1)
  })

  test('keeps one partition from another, and counts each by its name', async () => {
    const { aws, reload, sign, asked, ports } = await openVerifierBench()
    const both = reload({ 'aws-prod': {}, 'aws-china': { settings: { partition: 'aws-cn' } } })
    aws.fail('/', stsErrorAnswer('key unknown', 'json'))

    expect(await refuse(both, sign())).toBe('key_unknown')
    expect(await refuse(both, sign({ host: 'sts.cn-north-1.amazonaws.com.cn' }))).toBe('key_unknown')
    expect(asked()).toBe(2)
    expect(ports.events).toEqual([
      expect.objectContaining({ trustedIssuer: 'aws', purpose: 'sts sts.us-east-1.amazonaws.com' }),
      expect.objectContaining({ trustedIssuer: 'aws-cn', purpose: 'sts sts.cn-north-1.amazonaws.com.cn' }),
    ])
  })
})
