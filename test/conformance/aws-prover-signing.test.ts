/** What the official SDK signs for the broker: the closed set, at a host of the table, good from end to end. */

import { describe, expect, test } from 'vitest'
import { readEnvelope } from '../../providers/aws/envelope.ts'
import { AWS4_REQUEST_TYPE } from '../../providers/aws/signed-request.ts'
import { awsVerifier } from '../../providers/aws/verifier.ts'
import type { UnverifiedProof } from '../../providers/contract/proof.ts'
import { ACCOUNT, keysOf, openWorkload, type Workload } from '../support/aws-workload.ts'
import { BROKER } from '../support/document.ts'
import { createTestPorts } from '../support/provider-ports.ts'
import { rejection } from '../support/rejection.ts'

const NEVER = new AbortController().signal
const SIGNED = { proof: 'signed_request' }

/** The SDK takes no endpoint of one's own together with FIPS or dual-stack ones. */
const NO_ENDPOINT = { AWS_ENDPOINT_URL_STS: undefined }

/** A verifier that trusts the workload's account, at every kind of host. */
function verifierFor({ aws }: Workload, settings: object = {}) {
  const now = (): number => Math.floor(Date.now() / 1_000)
  const ports = createTestPorts({ clock: { now, advance: () => undefined }, insecureHosts: [aws.host] })
  const context = { insecureHosts: ports.egress.insecureHosts, proofAudiences: [BROKER] }
  const endpoints = ['regional', 'global', 'fips', 'dualstack', 'fips_dualstack']
  const account = { web_identity_issuer: aws.account(ACCOUNT).issuer }
  const whole = { accounts: { [ACCOUNT]: account }, sts_endpoint: aws.origin, endpoints, ...settings }
  const trusted = { name: 'aws-prod', proofAudiences: [BROKER], settings: awsVerifier.parseSettings(whole, context) }
  return awsVerifier.createVerifier([trusted], ports)
}

describe('a signed request of the SDK', () => {
  test('is in the shape that the broker builds again, and holds nothing else', async () => {
    const { enter, prove, session } = await openWorkload()
    enter(keysOf(session))
    const { subjectToken } = await prove(SIGNED)
    const { url, method, body, headers, ...more } = JSON.parse(decodeURIComponent(subjectToken)) as {
      readonly [member: string]: unknown
      readonly headers: readonly { readonly key: string; readonly value: string }[]
    }

    expect({ url, method, body, more }).toEqual({
      url: 'https://sts.us-east-1.amazonaws.com/',
      method: 'POST',
      body: 'Action=GetCallerIdentity&Version=2011-06-15',
      more: {},
    })
    const always = ['authorization', 'host', 'x-amz-content-sha256', 'x-amz-date', 'x-amz-security-token']
    const optional = ['accept', 'content-length', 'content-type']
    expect(
      headers
        .map(({ key }) => key)
        .filter((key) => !optional.includes(key))
        .toSorted(),
    ).toEqual([...always, 'x-chancery-audience'])
    expect(readEnvelope(subjectToken)).toMatchObject({
      shape: 'chancery',
      accessKeyId: session.accessKeyId,
      sessionToken: session.sessionToken,
      audience: BROKER,
      signedHeaders: headers
        .map(({ key }) => key)
        .filter((name) => name !== 'authorization')
        .toSorted(),
    })
  })

  test('says when it ends: five minutes after it was signed', async () => {
    const { enter, prove, session } = await openWorkload()
    enter(keysOf(session))
    const { subjectToken, expiresAt } = await prove(SIGNED)

    expect(expiresAt).toBe(readEnvelope(subjectToken).signedAt + 300)
    expect(Math.abs(readEnvelope(subjectToken).signedAt - Date.now() / 1_000)).toBeLessThan(30)
  })

  test('of a user’s lasting keys has no session token', async () => {
    const { enter, prove, aws } = await openWorkload()
    enter(keysOf(aws.createAccessKey(aws.createUser(ACCOUNT, 'ada'))))

    expect(readEnvelope((await prove(SIGNED)).subjectToken).sessionToken).toBeUndefined()
  })

  test.each(['https://broker.example/a b', 'https://broker.example/"a"?b=%20&c', 'x', 'a,b; c=d'])(
    'is signed over the audience %j as it is',
    async (proofAudience) => {
      const { enter, prover, session } = await openWorkload()
      enter(keysOf(session))

      expect(readEnvelope((await prover(SIGNED).prove({ proofAudience }, NEVER)).subjectToken).audience).toBe(
        proofAudience,
      )
    },
  )
})

describe('is taken by the verifier', () => {
  test.each([
    ['us-east-1', {}, 'sts.us-east-1.amazonaws.com'],
    ['sa-west-1', {}, 'sts.sa-west-1.amazonaws.com'],
    ['eu-west-1', { AWS_USE_DUALSTACK_ENDPOINT: 'true' }, 'sts.eu-west-1.api.aws'],
    ['us-west-2', { AWS_USE_FIPS_ENDPOINT: 'true' }, 'sts-fips.us-west-2.amazonaws.com'],
    ['ca-west-1', { AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true' }, 'sts-fips.ca-west-1.api.aws'],
    ['fips-us-east-2', {}, 'sts-fips.us-east-2.amazonaws.com'],
  ])('from the region %s with %o', async (region, environment, host) => {
    const workload = await openWorkload()
    workload.enter({ ...keysOf(workload.session), ...NO_ENDPOINT, AWS_REGION: region, ...environment })
    const { subjectToken, subjectTokenType = '' } = await workload.prove(SIGNED)
    const verifier = verifierFor(workload)
    const proof = subjectToken as UnverifiedProof

    expect(readEnvelope(subjectToken).endpoint.host).toBe(host)
    expect(verifier.recognises(proof, subjectTokenType)).toBe(true)
    const verified = await verifier.verify(proof, {}, NEVER)
    expect(Object.fromEntries(verified.attributes)).toMatchObject({
      'aws.account_id': ACCOUNT,
      'aws.role_name': 'payments-api',
      'aws.role_id': workload.role.id,
      'aws.session_name': 'one',
      'aws.proof': 'signed_request',
    })
    expect(verified).toMatchObject({ audience: BROKER, live: true, replay: { singleUse: true } })
  })

  test.each([
    ['aws-cn', 'cn-north-1', {}, 'sts.cn-north-1.amazonaws.com.cn'],
    [
      'aws-cn',
      'cn-northwest-1',
      { AWS_USE_DUALSTACK_ENDPOINT: 'true' },
      'sts.cn-northwest-1.api.amazonwebservices.com.cn',
    ],
    ['aws-us-gov', 'us-gov-west-1', {}, 'sts.us-gov-west-1.amazonaws.com'],
    ['aws-us-gov', 'us-gov-east-1', { AWS_USE_FIPS_ENDPOINT: 'true' }, 'sts.us-gov-east-1.amazonaws.com'],
    [
      ...(['aws-us-gov', 'us-gov-west-1'] as const),
      { AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true' },
      'sts.us-gov-west-1.api.aws',
    ],
    ['aws-eusc', 'eusc-de-east-1', {}, 'sts.eusc-de-east-1.amazonaws.eu'],
  ])('of the partition %s from %s with %o', async (partition, region, environment, host) => {
    const workload = await openWorkload({ partition })
    workload.enter({ ...keysOf(workload.session), ...NO_ENDPOINT, AWS_REGION: region, ...environment })
    const { subjectToken } = await workload.prove(SIGNED)
    const verified = await verifierFor(workload, { partition }).verify(subjectToken as UnverifiedProof, {}, NEVER)

    expect(readEnvelope(subjectToken).endpoint.host).toBe(host)
    expect(verified.issuer).toBe(partition)
  })

  test('without an endpoint of its own: none is asked', async () => {
    const workload = await openWorkload()
    workload.enter({ ...keysOf(workload.session), AWS_ENDPOINT_URL_STS: undefined })
    const { subjectToken } = await workload.prove(SIGNED)

    expect(workload.aws.requests).toEqual([])
    const verified = await verifierFor(workload).verify(subjectToken as UnverifiedProof, {}, NEVER)
    expect(verified.subject).toBe(workload.session.caller.arn)
  })

  test('with an endpoint of its own that has a path: STS has none', async () => {
    const workload = await openWorkload()
    workload.enter({ ...keysOf(workload.session), AWS_ENDPOINT_URL_STS: `${workload.aws.origin}/sts/prefix` })
    const { subjectToken } = await workload.prove(SIGNED)
    const verified = await verifierFor(workload).verify(subjectToken as UnverifiedProof, {}, NEVER)

    expect(verified.subject).toBe(workload.session.caller.arn)
  })

  test('and so is the token that it makes, where it makes one', async () => {
    const workload = await openWorkload()
    workload.enter(keysOf(workload.session))
    const { subjectToken, subjectTokenType = '' } = await workload.prove()
    const verifier = verifierFor(workload)
    const proof = subjectToken as UnverifiedProof

    expect(subjectTokenType).not.toBe(AWS4_REQUEST_TYPE)
    expect(verifier.recognises(proof, subjectTokenType)).toBe(true)
    expect((await verifier.verify(proof, {}, NEVER)).attributes.get('aws.proof')).toBe('web_identity')
  })
})

describe('signs for no host of which STS is not known:', () => {
  test.each([
    ['us-east-9', {}, 'no regional host of STS is known for the region us-east-9'],
    ['aws-global', {}, 'no regional host of STS is known for the region aws-global'],
    ['us-iso-east-1', {}, 'no regional host of STS is known for the region us-iso-east-1'],
    ['eu-west-1', { AWS_USE_FIPS_ENDPOINT: 'true' }, 'no fips host of STS is known for the region eu-west-1'],
    [
      ...(['cn-north-1', { AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true' }] as const),
      'no fips_dualstack host of STS is known for the region cn-north-1',
    ],
  ])('%s with %o', async (region, environment, message) => {
    const { enter, prove, session } = await openWorkload()
    enter({ ...keysOf(session), AWS_REGION: region, ...environment })

    expect(await rejection(prove(SIGNED))).toMatchObject({ code: 'endpoint_not_accepted', message })
  })
})
