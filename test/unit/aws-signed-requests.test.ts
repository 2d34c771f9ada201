/** Signed requests: what is checked before STS is asked and after, and what a genuine one becomes. */

import { describe, expect, test } from 'vitest'
import { encodeSignedRequest, withHeader } from '../../providers/aws/stand-in/signed-request.ts'
import {
  ACCOUNT,
  LONG_AUDIENCE,
  OTHER_ACCOUNT,
  openVerifierBench,
  type Trust,
  type VerifierBench,
} from '../support/aws-verifier-bench.ts'
import { BROKER } from '../support/document.ts'
import { rejection } from '../support/rejection.ts'

const TEAM = 'https://team.example'
const PROD: Trust = { settings: { accounts: { [ACCOUNT]: {} } } }

/** The code that a request is refused with, and how often STS was asked about it. */
async function outcome(bench: VerifierBench, proof: string, request = {}) {
  const before = bench.asked()
  const { code } = await rejection(bench.verify(proof, request))
  return `${code}, asked ${bench.asked() - before}`
}

describe('a genuine request', () => {
  test('of a role becomes what STS says of it', async () => {
    const { verify, sign, session, clock } = await openVerifierBench()
    const { attributes, replay, ...verified } = await verify(sign())

    expect(verified).toEqual({
      provider: 'aws',
      trustedIssuer: 'aws-prod',
      issuer: 'aws',
      subject: session.caller.arn,
      instance: 'one',
      audience: BROKER,
      issuedAt: clock.now(),
      expiresAt: clock.now() + 300,
      live: true,
    })
    expect(replay.singleUse).toBe(true)
    expect(Object.fromEntries(attributes)).toMatchObject({ 'aws.role_name': 'api', 'aws.proof': 'signed_request' })
  })

  test('of a user has no instance, and needs the trusted issuer to take users', async () => {
    const users = await openVerifierBench({ 'aws-prod': { settings: { principals: ['user'] } } })
    const { aws, verify } = users
    const key = aws.createAccessKey(aws.createUser(ACCOUNT, 'ada'))
    const signed = aws.signGetCallerIdentity(key, { audience: BROKER })

    expect(await verify(signed)).toMatchObject({ instance: undefined, subject: `arn:aws:iam::${ACCOUNT}:user/ada` })
    expect(await outcome(users, users.sign())).toBe('principal_not_accepted, asked 1')
  })

  test('in Google’s shape is for the target that it names', async () => {
    const { verify, sign } = await openVerifierBench()
    const proof = sign({ shape: 'google' })

    expect(await verify(proof, { target: LONG_AUDIENCE })).toMatchObject({ audience: LONG_AUDIENCE })
  })

  test.each(['aws-cn', 'aws-us-gov', 'aws-eusc'])('of the partition %s is its own', async (partition) => {
    const hosts = { 'aws-cn': 'sts.cn-north-1.amazonaws.com.cn', 'aws-us-gov': 'sts.us-gov-west-1.amazonaws.com' }
    const host = hosts[partition as keyof typeof hosts] ?? 'sts.eusc-de-east-1.amazonaws.eu'
    const bench = await openVerifierBench({ other: { settings: { partition } } })
    const { aws, verify } = bench
    aws.createAccount(ACCOUNT, { partition })
    const session = aws.assumeRole(aws.createRole(ACCOUNT, 'api'), 'one')

    expect(await verify(aws.signGetCallerIdentity(session, { audience: BROKER, host }))).toMatchObject({
      issuer: partition,
      trustedIssuer: 'other',
    })
    expect(await outcome(bench, bench.sign())).toBe('issuer_not_trusted, asked 0')
  })
})

describe('before STS is asked', () => {
  test('a request has to be for the broker, by a name of its own', async () => {
    const bench = await openVerifierBench({ 'aws-prod': { proofAudiences: [BROKER, TEAM] } })

    expect(await outcome(bench, bench.sign({ audience: 'https://other.example' }))).toBe('audience_mismatch, asked 0')
    expect(await outcome(bench, bench.sign({ audience: `${BROKER}/` }))).toBe('audience_mismatch, asked 0')
    expect(await outcome(bench, bench.sign({ audience: LONG_AUDIENCE }))).toBe('audience_mismatch, asked 0')
    expect(await bench.verify(bench.sign({ audience: TEAM }))).toMatchObject({ audience: TEAM })
  })

  test.each([
    ['of another target', LONG_AUDIENCE, `${BROKER}/audiences/orders`],
    ['where no target is named', LONG_AUDIENCE, undefined],
    ['of another broker', 'https://other.example/audiences/ledger', 'https://other.example/audiences/ledger'],
    [
      'of a broker with a longer name',
      `${BROKER}.evil.example/audiences/ledger`,
      `${BROKER}.evil.example/audiences/ledger`,
    ],
    ['that is no long form', 'ledger', 'ledger'],
    ['that is the broker itself', BROKER, BROKER],
    ['of another path', `${BROKER}/x/audiences/ledger`, `${BROKER}/x/audiences/ledger`],
  ])('one in Google’s shape may not be for an audience %s', async (_, audience, target) => {
    const bench = await openVerifierBench()
    const request = target === undefined ? {} : { target }

    expect(await outcome(bench, bench.sign({ shape: 'google', audience }), request)).toBe('audience_mismatch, asked 0')
  })

  test.each([
    [0, undefined],
    [300, undefined],
    [301, 'proof_expired'],
    [899, 'proof_expired'],
    [-60, undefined],
    [-61, 'proof_not_yet_valid'],
  ])('a request that was signed %i seconds ago is refused: %s', async (age, code) => {
    const bench = await openVerifierBench()
    const proof = bench.sign({ date: bench.clock.now() - age })

    if (code === undefined) await expect(bench.verify(proof)).resolves.toBeDefined()
    else expect(await outcome(bench, proof)).toBe(`${code}, asked 0`)
  })

  test('how old or young a refused request is can be read in the record', async () => {
    const { verify, sign, clock } = await openVerifierBench()
    const factsOf = async (age: number) => (await rejection(verify(sign({ date: clock.now() - age })))).facts

    expect(await factsOf(1_000)).toEqual({ signed_seconds_ago: 1_000 })
    expect(await factsOf(-100)).toEqual({ valid_in_seconds: 100 })
  })

  test.each([
    ['of a region that is not among them', { regions: ['us-east-1'] }, 'sts.eu-west-1.amazonaws.com'],
    ['that is the global one', {}, 'sts.amazonaws.com'],
    ['that is a FIPS one', {}, 'sts-fips.us-east-1.amazonaws.com'],
    ['that is a dual-stack one', {}, 'sts.us-east-1.api.aws'],
    ['that is regional where only others are taken', { endpoints: ['global', 'fips'] }, 'sts.us-east-1.amazonaws.com'],
    [
      'that is global, of a region that is not taken',
      { endpoints: ['global'], regions: ['eu-west-1'] },
      'sts.amazonaws.com',
    ],
  ])('a host %s is refused', async (_, settings, host) => {
    const bench = await openVerifierBench({ 'aws-prod': { settings } })
    const refusal = await rejection(bench.verify(bench.sign({ host })))

    expect(refusal).toMatchObject({ code: 'endpoint_not_accepted', facts: { host } })
    expect(bench.asked()).toBe(0)
  })

  test.each([
    ['global', 'sts.amazonaws.com'],
    ['fips', 'sts-fips.us-east-1.amazonaws.com'],
    ['dualstack', 'sts.us-east-1.api.aws'],
    ['fips_dualstack', 'sts-fips.us-east-1.api.aws'],
  ])('a host of the kind %s is taken where the kind is', async (kind, host) => {
    const { verify, sign } = await openVerifierBench({ 'aws-prod': { settings: { endpoints: [kind] } } })

    await expect(verify(sign({ host }))).resolves.toBeDefined()
  })

  test('a proof that was spent is not asked about', async () => {
    const bench = await openVerifierBench()
    const { replay } = await bench.verify(bench.sign())
    const spent: string[] = []
    const ports = Object.assign(bench.ports, {
      isSpent: async (key: string) => spent.push(key) > 0 && key === replay.key,
    })

    expect(await outcome(bench, bench.sign())).toBe('proof_replayed, asked 0')
    expect(ports.isSpent).toBeDefined()
    expect(spent).toEqual([replay.key])
  })

  test('whether it was spent is asked of a request only that could be taken', async () => {
    const bench = await openVerifierBench()
    const asked: string[] = []
    Object.assign(bench.ports, { isSpent: async (key: string) => asked.push(key) > 0 })

    await rejection(bench.verify(bench.sign({ audience: TEAM })))
    await rejection(bench.verify(bench.sign({ host: 'sts.amazonaws.com' })))
    expect(asked).toEqual([])
  })
})

describe('after STS has answered', () => {
  const TWO: Readonly<Record<string, Trust>> = {
    'aws-prod': PROD,
    team: {
      settings: { accounts: { [OTHER_ACCOUNT]: {} }, endpoints: ['dualstack'], principals: ['role', 'user'] },
      proofAudiences: [TEAM],
    },
  }

  test('the account selects the trusted issuer', async () => {
    const { aws, sign, verify } = await openVerifierBench(TWO)
    const session = aws.assumeRole(aws.createRole(OTHER_ACCOUNT, 'api'), 'one')
    const other = aws.signGetCallerIdentity(session, { audience: TEAM, host: 'sts.us-east-1.api.aws' })

    expect(await verify(sign())).toMatchObject({ trustedIssuer: 'aws-prod' })
    expect(await verify(other)).toMatchObject({ trustedIssuer: 'team', audience: TEAM })
  })

  test('what another trusted issuer takes does not help', async () => {
    const bench = await openVerifierBench(TWO)
    const refusalOf = async (wish: object) => rejection(bench.verify(bench.sign(wish)))
    const origin = { trustedIssuer: 'aws-prod', issuer: 'aws' }

    expect(await refusalOf({ audience: TEAM })).toMatchObject({ code: 'audience_mismatch', origin })
    expect(await refusalOf({ host: 'sts.us-east-1.api.aws' })).toMatchObject({ code: 'endpoint_not_accepted', origin })
    const key = bench.aws.createAccessKey(bench.aws.createUser(ACCOUNT, 'ada'))
    const user = await rejection(bench.verify(bench.aws.signGetCallerIdentity(key, { audience: BROKER })))
    expect(user).toMatchObject({ code: 'principal_not_accepted', facts: { principal: 'user' }, origin })
    expect(bench.asked()).toBe(3)
  })

  test('Google’s shape is for the target, whatever the trusted issuer’s own audiences are', async () => {
    const { verify, sign } = await openVerifierBench({ 'aws-prod': { proofAudiences: [TEAM] } })

    expect(await verify(sign({ shape: 'google' }), { target: LONG_AUDIENCE })).toMatchObject({
      trustedIssuer: 'aws-prod',
    })
  })

  test('an account that nobody names is refused, and named in the record', async () => {
    const bench = await openVerifierBench()
    const session = bench.aws.assumeRole(bench.aws.createRole(OTHER_ACCOUNT, 'api'), 'one')
    const refusal = await rejection(bench.verify(bench.aws.signGetCallerIdentity(session, { audience: BROKER })))

    expect(refusal).toMatchObject({ code: 'issuer_not_trusted', facts: { account: OTHER_ACCOUNT } })
    expect(refusal.origin).toBeUndefined()
  })

  test('a principal of another partition than its STS is refused', async () => {
    const bench = await openVerifierBench()
    const arn = `arn:aws-cn:sts::${ACCOUNT}:assumed-role/api/one`
    const GetCallerIdentityResult = { Account: ACCOUNT, Arn: arn, UserId: bench.session.caller.userId }
    const body = { GetCallerIdentityResponse: { GetCallerIdentityResult, ResponseMetadata: {} } }
    bench.aws.fail('/', { status: 200, body })

    expect(await outcome(bench, bench.sign())).toBe('claims_inconsistent, asked 1')
  })

  test('root and federated users are refused, whoever names them', async () => {
    const everybody = { principals: ['role', 'user', 'identity_center'] }
    const bench = await openVerifierBench({ 'aws-prod': { settings: everybody } })
    const { aws } = bench
    const holders = [aws.createRootKey(ACCOUNT), aws.federateUser(ACCOUNT, 'ada')]
    const outcomes = []
    for (const holder of holders) {
      outcomes.push(await outcome(bench, aws.signGetCallerIdentity(holder, { audience: BROKER })))
    }

    expect(outcomes).toEqual(['principal_not_accepted, asked 1', 'principal_not_accepted, asked 1'])
  })

  test('a signature over anything else than what was rebuilt does not hold', async () => {
    const bench = await openVerifierBench()
    const { aws, session } = bench
    const bent = withHeader(aws.signedRequest(session, { audience: TEAM }), 'x-chancery-audience', BROKER)

    expect(await outcome(bench, encodeSignedRequest(bent))).toBe('signature_invalid, asked 1')
  })
})

describe('the replay key', () => {
  test('is of what was signed, when and by whom: the same for every spelling', async () => {
    const { aws, session, verify, sign } = await openVerifierBench()
    const request = aws.signedRequest(session, { audience: BROKER })
    const spellings = [
      sign(),
      encodeSignedRequest({ ...request, headers: request.headers.toReversed() }),
      sign().replaceAll('%3A', '%3a'),
      encodeSignedRequest({ ...request, headers: [...request.headers, { key: 'X-Extra', value: 'x' }] }),
    ]
    const keys = await Promise.all(spellings.map(async (proof) => (await verify(proof)).replay.key))

    expect(new Set(keys).size).toBe(1)
  })

  test('differs for each signature, time, key and partition', async () => {
    const { aws, verify, sign, clock, session } = await openVerifierBench({
      'aws-prod': { settings: { endpoints: ['regional', 'dualstack'] } },
    })
    const other = aws.assumeRole(aws.createRole(ACCOUNT, 'other'), 'one')
    const proofs = [
      sign(),
      sign({ date: clock.now() - 1 }),
      sign({ host: 'sts.eu-west-1.amazonaws.com' }),
      sign({ host: 'sts.us-east-1.api.aws' }),
      aws.signGetCallerIdentity(other, { audience: BROKER }),
    ]
    const keys = await Promise.all(proofs.map(async (proof) => (await verify(proof)).replay.key))

    expect(new Set(keys).size).toBe(proofs.length)
    expect(JSON.parse(keys[0] ?? '')).toEqual([
      ...['aws', 'aws', session.accessKeyId, '20260115T120000Z', expect.stringMatching(/^[0-9a-f]{64}$/)],
    ])
  })
})
