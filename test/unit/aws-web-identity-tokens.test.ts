/** Web-identity tokens from end to end: signed by an account’s issuer, and taken for what they say or refused. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { type AwsStandIn, startAwsStandIn } from '../../providers/aws/stand-in/stand-in.ts'
import { AWS_CLAIM } from '../../providers/aws/stand-in/web-identity.ts'
import { awsVerifier } from '../../providers/aws/verifier.ts'
import type { UnverifiedProof } from '../../providers/contract/proof.ts'
import { createTestClock } from '../support/clock.ts'
import { BROKER } from '../support/document.ts'
import { createTestPorts } from '../support/provider-ports.ts'
import { rejection } from '../support/rejection.ts'

const [A, B] = ['123456789012', '210987654321']
const NEVER = new AbortController().signal

/** Two accounts, of which trusted issuers take what a test says. */
async function openTwoAccounts(settings: (aws: AwsStandIn) => object = () => ({})) {
  const clock = createTestClock()
  const aws = await startAwsStandIn({ now: clock.now })
  onTestFinished(() => aws.close())
  const issuers = [A, B].map((id) => aws.createAccount(id).issuer)
  const ports = createTestPorts({ clock, insecureHosts: [aws.host] })
  const context = { insecureHosts: ports.egress.insecureHosts, proofAudiences: [BROKER] }
  const accounts = { [A]: { web_identity_issuer: issuers[0] }, [B]: { web_identity_issuer: issuers[1] } }
  const parsed = awsVerifier.parseSettings({ accounts, sts_endpoint: aws.origin, ...settings(aws) }, context)
  const verifier = awsVerifier.createVerifier([{ name: 'aws-prod', proofAudiences: [BROKER], settings: parsed }], ports)
  const session = aws.assumeRole(aws.createRole(A, 'api', { path: '/service-role/' }), 'one')
  return {
    clock,
    aws,
    ports,
    session,
    claims: aws.claimsFor(session, { audiences: [BROKER] }),
    verify: (proof: string) => verifier.verify(proof as UnverifiedProof, {}, NEVER),
    inspect: (proof: string) => verifier.inspect(proof as UnverifiedProof),
  }
}

describe('a token', () => {
  test.each(['RS256', 'ES384'] as const)('signed with %s is verified for all that it says', async (algorithm) => {
    const { aws, session, verify, clock } = await openTwoAccounts()
    const sourced = {
      ...session,
      sourceClaims: { ec2_source_instance_arn: `arn:aws:ec2:us-east-1:${A}:instance/i-01234567` },
    }
    const verified = await verify(await aws.webIdentityToken(sourced, { audiences: [BROKER], algorithm }))

    expect(verified).toMatchObject({
      provider: 'aws',
      trustedIssuer: 'aws-prod',
      issuer: aws.account(A).issuer,
      subject: `arn:aws:iam::${A}:role/service-role/api`,
      instance: 'i-01234567',
      audience: BROKER,
      issuedAt: clock.now(),
      expiresAt: clock.now() + 300,
      replay: { key: expect.stringContaining(aws.account(A).issuer), singleUse: true },
      live: false,
    })
    expect(verified.attributes.get('aws.role_path')).toBe('/service-role/')
    expect(verified.attributes.get('aws.proof')).toBe('web_identity')
  })

  test('is one proof by its id, however it is signed, and another account’s of the same id is another', async () => {
    const { aws, claims, verify } = await openTwoAccounts()
    const of = (id: string) => ({
      ...claims,
      iss: aws.account(id).issuer,
      sub: `arn:aws:iam::${id}:role/api`,
      [AWS_CLAIM]: { aws_account: id },
    })
    const keys = await Promise.all([
      aws.sign(A, claims, 'ES384').then(verify),
      aws.sign(A, { ...claims, exp: Number(claims.exp) + 60 }, 'RS256').then(verify),
      aws.sign(B, of(B)).then(verify),
    ])
    const [first, again, other] = keys.map(({ replay }) => replay.key)

    expect(again).toBe(first)
    expect(other).not.toBe(first)
  })

  test('lives an hour at most', async () => {
    const { aws, claims, verify, clock } = await openTwoAccounts()
    const living = (seconds: number) => aws.sign(A, { ...claims, exp: clock.now() + seconds })

    await expect(verify(await living(3_600))).resolves.toBeDefined()
    expect((await rejection(verify(await living(3_601)))).code).toBe('proof_lifetime_too_long')
  })

  test.each(['ES256', 'PS256', 'RS384', 'HS256', 'none'])('may not claim to be signed with %s', async (alg) => {
    const { aws, claims, verify } = await openTwoAccounts()
    const [, payload, signature] = (await aws.sign(A, claims)).split('.')
    const header = Buffer.from(JSON.stringify({ alg, kid: 'EC384_0', typ: 'JWT' })).toString('base64url')

    expect((await rejection(verify(`${header}.${payload}.${signature}`))).code).toBe('algorithm_not_allowed')
  })

  test('of one account is not another’s, though their keys have the same ids', async () => {
    const { aws, claims, verify } = await openTwoAccounts()
    const forged = await aws.sign(B, claims)

    expect((await rejection(verify(forged))).code).toBe('signature_invalid')
  })

  test('is for the broker alone', async () => {
    const { aws, session, verify } = await openTwoAccounts()
    const madeFor = async (...audiences: string[]) =>
      (await rejection(verify(await aws.webIdentityToken(session, { audiences })))).code

    expect(await madeFor('https://other.example')).toBe('audience_mismatch')
    expect(await madeFor(BROKER, 'https://other.example')).toBe('audience_not_single')
  })

  test('is of a role of the partition that its account is in', async () => {
    const { aws, claims, verify } = await openTwoAccounts()
    const forged = await aws.sign(A, { ...claims, sub: `arn:aws-cn:iam::${A}:role/api` })

    expect((await rejection(verify(forged))).code).toBe('claims_inconsistent')
  })

  test('of a person is taken where the trusted issuer takes people', async () => {
    const people = await openTwoAccounts(() => ({ principals: ['identity_center'] }))
    const roles = await openTwoAccounts()
    const tokenOf = ({ aws }: typeof roles) =>
      aws.webIdentityToken(aws.assumeRole(aws.createIdentityCenterRole(A, 'Admin'), 'ada'), { audiences: [BROKER] })

    await expect(people.verify(await tokenOf(people))).resolves.toMatchObject({ trustedIssuer: 'aws-prod' })
    expect(await rejection(roles.verify(await tokenOf(roles)))).toMatchObject({
      code: 'principal_not_accepted',
      facts: { principal: 'identity_center' },
      origin: { trustedIssuer: 'aws-prod' },
    })
    const role = await people.aws.webIdentityToken(people.session, { audiences: [BROKER] })
    expect((await rejection(people.verify(role))).facts).toEqual({ principal: 'role' })
  })

  test('of an account without an issuer is nobody’s', async () => {
    const { aws, session, verify } = await openTwoAccounts((stand) => ({
      accounts: { [A]: {}, [B]: { web_identity_issuer: stand.account(B).issuer } },
    }))
    const before = aws.requests.length
    const refusal = await rejection(verify(await aws.webIdentityToken(session, { audiences: [BROKER] })))

    expect(refusal.code).toBe('issuer_not_trusted')
    expect(aws.requests.length).toBe(before)
  })
})
