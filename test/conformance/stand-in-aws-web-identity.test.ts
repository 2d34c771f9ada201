/** Web identity both ways, by the official SDK: AWS's JWT for others, and others' JWTs for AWS. */

import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityCommandInput,
  GetCallerIdentityCommand,
  GetWebIdentityTokenCommand,
  type GetWebIdentityTokenCommandInput,
  InvalidIdentityTokenException,
  JWTPayloadSizeExceededException,
  OutboundWebIdentityFederationDisabledException,
  SessionDurationEscalationException,
  STSClient,
} from '@aws-sdk/client-sts'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Role } from '../../providers/aws/stand-in/aws-state.ts'
import { credentialsOf, type Session } from '../../providers/aws/stand-in/sessions.ts'
import { type AwsStandIn, startAwsStandIn } from '../../providers/aws/stand-in/stand-in.ts'
import { generateStandInKey, type StandInKey, signClaims } from '../../providers/kit/stand-in-keys.ts'
import { type StandInServer, startStandInServer } from '../../providers/kit/stand-in-server.ts'

const ACCOUNT = '123456789012'
const AUDIENCE = 'https://broker.example'

let aws: AwsStandIn
let role: Role
let session: Session

beforeAll(async () => {
  aws = await startAwsStandIn()
  aws.createAccount(ACCOUNT, { organisation: { id: 'o-abc1234567', path: 'o-abc1234567/r-ab12/ou-ab12-11111111/' } })
  role = aws.createRole(ACCOUNT, 'payments-api', { path: '/service-role/', tags: { team: 'payments', stage: 'prod' } })
  session = aws.assumeRole(role, 'one', { tags: { stage: 'test' } })
})
afterAll(() => aws.close())

function clientOf(holder: Session): STSClient {
  return new STSClient({ region: 'us-east-1', endpoint: aws.origin, credentials: credentialsOf(holder) })
}

const ask = (wish: Partial<GetWebIdentityTokenCommandInput> = {}, holder = session) =>
  clientOf(holder).send(new GetWebIdentityTokenCommand({ Audience: [AUDIENCE], SigningAlgorithm: 'ES384', ...wish }))

describe('GetWebIdentityToken', () => {
  test.each([
    ['RS256', 'RSA_0'],
    ['ES384', 'EC384_0'],
  ])('signs with %s, by a key that the account’s issuer publishes', async (SigningAlgorithm, kid) => {
    const { WebIdentityToken: token = '', Expiration } = await ask({ SigningAlgorithm })
    const { issuer } = aws.account(ACCOUNT)
    const metadata = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as { jwks_uri: string }
    const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(metadata.jwks_uri)), {
      issuer,
      audience: AUDIENCE,
    })

    expect(metadata).toMatchObject({ issuer, id_token_signing_alg_values_supported: ['RS256', 'ES384'] })
    expect(decodeProtectedHeader(token)).toEqual({ alg: SigningAlgorithm, kid, typ: 'JWT' })
    expect(Expiration?.getTime()).toBe((payload.exp ?? 0) * 1_000)
  })

  test('claims what AWS’s tokens do', async () => {
    const { WebIdentityToken: token = '' } = await ask({ Tags: [{ Key: 'job', Value: '7' }] })

    expect(decodeJwt(token)).toEqual({
      aud: AUDIENCE,
      sub: `arn:aws:iam::${ACCOUNT}:role/service-role/payments-api`,
      'https://sts.amazonaws.com/': {
        aws_account: ACCOUNT,
        org_id: 'o-abc1234567',
        original_session_exp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        ou_path: ['o-abc1234567/r-ab12/ou-ab12-11111111/'],
        principal_id: role.arn,
        principal_tags: { team: 'payments', stage: 'test' },
        request_tags: { job: '7' },
        source_region: 'us-east-1',
      },
      iss: aws.account(ACCOUNT).issuer,
      exp: expect.any(Number),
      iat: expect.any(Number),
      jti: expect.any(String),
    })
  })

  test('lives for what was asked, and for five minutes else', async () => {
    const lifetimeOf = async (DurationSeconds?: number) => {
      const { WebIdentityToken = '' } = await ask(DurationSeconds === undefined ? {} : { DurationSeconds })
      const { exp = 0, iat = 0 } = decodeJwt(WebIdentityToken)
      return exp - iat
    }

    expect([await lifetimeOf(60), await lifetimeOf()]).toEqual([60, 300])
    await expect(lifetimeOf(59)).rejects.toThrow('durationSeconds')
    await expect(lifetimeOf(3_601)).rejects.toThrow('durationSeconds')
  })

  test('lists several audiences, and refuses none, eleven and an algorithm of its own', async () => {
    const { WebIdentityToken = '' } = await ask({ Audience: [AUDIENCE, 'other'] })

    expect(decodeJwt(WebIdentityToken).aud).toEqual([AUDIENCE, 'other'])
    await expect(ask({ Audience: [] })).rejects.toThrow('audience')
    await expect(ask({ Audience: Array.from({ length: 11 }, String) })).rejects.toThrow('audience')
    await expect(ask({ SigningAlgorithm: 'ES256' })).rejects.toThrow('signingAlgorithm')
    await expect(ask({ Audience: ['x'.repeat(1_001)] })).rejects.toThrow('audience')
    await expect(
      ask({ Tags: Array.from({ length: 51 }, (_, index) => ({ Key: String(index), Value: '' })) }),
    ).rejects.toThrow('tags')
  })

  test('is refused by the classes of the SDK', async () => {
    aws.createAccount('222222222222', { hasOutboundFederation: false })
    const closed = aws.assumeRole(aws.createRole('222222222222', 'api'), 'one')
    const tags = Array.from({ length: 50 }, (_, index) => ({ Key: `key-${index}`, Value: 'x'.repeat(256) }))

    await expect(ask({}, closed)).rejects.toThrow(OutboundWebIdentityFederationDisabledException)
    await expect(ask({ Tags: tags })).rejects.toThrow(JWTPayloadSizeExceededException)
    await expect(ask({}, aws.assumeRole(role, 'short', { durationSeconds: 120 }))).rejects.toThrow(
      SessionDurationEscalationException,
    )
    await expect(ask({}, aws.createRootKey(ACCOUNT))).rejects.toMatchObject({ name: 'AccessDenied' })
    aws.setOutboundFederation('222222222222', true)
    expect((await ask({}, closed)).WebIdentityToken).toBeDefined()
  })

  test('publishes the RSA key without "alg", and keys of one name in every account', async () => {
    aws.createAccount('333333333333')
    const keysOf = async (id: string) => (await aws.account(id).keys.jwks()).keys
    const [one, other] = [await keysOf(ACCOUNT), await keysOf('333333333333')]

    expect(one.map(({ kid, alg }) => `${kid} ${alg}`).toSorted()).toEqual(['EC384_0 ES384', 'RSA_0 undefined'])
    expect(new Set(other.map(({ kid }) => kid))).toEqual(new Set(['EC384_0', 'RSA_0']))
    expect(other.map(({ n }) => n)).not.toEqual(one.map(({ n }) => n))
  })

  test('signs with new keys once they are rotated, and keeps the old ones published', async () => {
    aws.createAccount('444444444444')
    const { keys } = aws.account('444444444444')
    await keys.jwks()
    keys.rotate()
    const token = await aws.webIdentityToken(aws.assumeRole(aws.createRole('444444444444', 'api'), 'one'), {
      audiences: [AUDIENCE],
    })

    expect(decodeProtectedHeader(token).kid).toBe('EC384_1')
    expect((await keys.jwks()).keys.map(({ kid }) => kid)).toEqual(expect.arrayContaining(['EC384_0', 'EC384_1']))
  })
})

describe('AssumeRoleWithWebIdentity', () => {
  const SUBJECT = 'spiffe://example.org/payments/api'
  let issuer: StandInServer
  let key: StandInKey
  let trusting: Role

  beforeAll(async () => {
    key = await generateStandInKey('ES256')
    issuer = await startStandInServer({
      route: ({ path }) => ({
        status: 200,
        body: path.endsWith('jwks.json')
          ? { keys: [key.jwk] }
          : { issuer: issuer.origin, jwks_uri: `${issuer.origin}/jwks.json` },
      }),
    })
    for (const named of [issuer.origin, `${issuer.origin}/another`]) {
      aws.addOidcProvider(ACCOUNT, { issuer: named, clientIds: [AUDIENCE] })
    }
    trusting = aws.createRole(ACCOUNT, 'trusting', { trusts: [{ issuer: issuer.origin, subject: SUBJECT }] })
  })
  afterAll(() => issuer.close())

  const now = () => Math.floor(Date.now() / 1_000)
  const claims = () => ({ iss: issuer.origin, sub: SUBJECT, aud: AUDIENCE, iat: now(), exp: now() + 300 })
  const enter = (WebIdentityToken: string, wish: Partial<AssumeRoleWithWebIdentityCommandInput> = {}) =>
    new STSClient({ region: 'us-east-1', endpoint: aws.origin }).send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: trusting.arn,
        RoleSessionName: 'entered',
        WebIdentityToken,
        ...wish,
      }),
    )

  test('gives credentials that work for a JWT that the role trusts', async () => {
    const { Credentials, SubjectFromWebIdentityToken, Audience } = await enter(await signClaims(claims(), key))
    const credentials = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    }
    const client = new STSClient({ region: 'us-east-1', endpoint: aws.origin, credentials })

    expect({ SubjectFromWebIdentityToken, Audience }).toEqual({
      SubjectFromWebIdentityToken: SUBJECT,
      Audience: AUDIENCE,
    })
    expect((await client.send(new GetCallerIdentityCommand({}))).Arn).toMatch(/:assumed-role\/trusting\/entered$/)
  })

  test.each([
    ['an issuer that is no provider', { iss: 'https://other.example' }, 'No OpenIDConnect provider found'],
    ['another audience', { aud: 'other' }, 'Incorrect token audience'],
    ['an expired one', { exp: 1 }, 'Token expired'],
    ['no "iat"', { iat: undefined }, "Couldn't retrieve verification key"],
    ['a subject that the role does not trust', { sub: 'spiffe://example.org/other' }, 'Not authorized'],
  ])('refuses a JWT of %s', async (_, changed, message) => {
    await expect(enter(await signClaims({ ...claims(), ...changed }, key))).rejects.toThrow(message)
  })

  test('refuses a JWT of an issuer whose metadata names another, or that another role trusts', async () => {
    const trusts = [{ issuer: 'https://other.example', subject: SUBJECT }]
    const elsewhere = aws.createRole(ACCOUNT, 'elsewhere', { trusts })
    const misnamed = await signClaims({ ...claims(), iss: `${issuer.origin}/another` }, key)

    await expect(enter(misnamed)).rejects.toThrow(InvalidIdentityTokenException)
    await expect(enter(await signClaims(claims(), key), { RoleArn: elsewhere.arn })).rejects.toThrow('Not authorized')
    await expect(enter(await signClaims(claims(), key), { RoleArn: `${trusting.arn}s` })).rejects.toThrow(
      'Not authorized',
    )
  })

  test('refuses a session with a name or a duration that AWS does not take', async () => {
    const token = await signClaims(claims(), key)

    await expect(enter(token, { RoleSessionName: 'a/b' })).rejects.toThrow('roleSessionName')
    await expect(enter(token, { DurationSeconds: 899 })).rejects.toThrow('durationSeconds')
    await expect(enter(token, { DurationSeconds: 43_201 })).rejects.toThrow('durationSeconds')
  })

  test('refuses a forged JWT and something that is none', async () => {
    const forged = await signClaims(claims(), await generateStandInKey('ES256'), { kid: key.keyId })

    await expect(enter(forged)).rejects.toThrow(InvalidIdentityTokenException)
    await expect(enter('not a JWT')).rejects.toThrow(InvalidIdentityTokenException)
  })
})

describe('AssumeRole', () => {
  test('lets a session of the account into another role, with tags, and nobody else', async () => {
    const second = aws.createRole(ACCOUNT, 'second')
    aws.createAccount('555555555555')
    const stranger = aws.assumeRole(aws.createRole('555555555555', 'api'), 'one')
    const command = () =>
      new AssumeRoleCommand({ RoleArn: second.arn, RoleSessionName: 'chained', Tags: [{ Key: 'a', Value: 'b' }] })
    const { Credentials, AssumedRoleUser } = await clientOf(session).send(command())

    expect(AssumedRoleUser?.AssumedRoleId).toBe(`${second.id}:chained`)
    expect(Credentials?.Expiration?.getTime()).toBeGreaterThan(Date.now())
    await expect(clientOf(stranger).send(command())).rejects.toMatchObject({ name: 'AccessDenied' })
  })
})
