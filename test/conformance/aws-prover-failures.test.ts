/** The prover of AWS where AWS says no, or nothing: what is remembered, what is told, and what never is. */

import { inspect } from 'node:util'
import { describe, expect, test, vi } from 'vitest'
import { AWS4_REQUEST_TYPE } from '../../providers/aws/signed-request.ts'
import { errorAnswer, StsError } from '../../providers/aws/stand-in/sts-protocol.ts'
import type { Prover } from '../../providers/contract/provider.ts'
import type { StandInAnswer } from '../../providers/kit/stand-in-server.ts'
import { ACCOUNT, keysOf, openWorkload } from '../support/aws-workload.ts'
import { BROKER } from '../support/document.ts'
import { rejection } from '../support/rejection.ts'

const NEVER = new AbortController().signal
const HOUR = 3_600

const error = (status: number, code: string): StandInAnswer => errorAnswer(new StsError(status, code, 'x'), 'xml')
const typeOf = async (prover: Prover) => (await prover.prove({ proofAudience: BROKER }, NEVER)).subjectTokenType

describe('where tokens are not to be had', () => {
  const REFUSALS = [
    'OutboundWebIdentityFederationDisabledException',
    'OutboundWebIdentityFederationDisabled',
    'AccessDenied',
    'AccessDeniedException',
  ]

  test.each(REFUSALS)('a request is signed after one %s, and for an hour without asking', async (code) => {
    const workload = await openWorkload()
    workload.enter(keysOf(workload.session))
    workload.aws.fail('/', error(403, code))
    const prover = workload.prover()

    expect(await typeOf(prover)).toBe(AWS4_REQUEST_TYPE)
    expect(workload.actions()).toEqual(['GetWebIdentityToken'])
    workload.now += HOUR - 1
    expect(await typeOf(prover)).toBe(AWS4_REQUEST_TYPE)
    expect(workload.actions()).toEqual(['GetWebIdentityToken'])
  })

  test('a token is asked for again after an hour, and given where it can be had by then', async () => {
    const workload = await openWorkload({ hasOutboundFederation: false })
    workload.enter(keysOf(workload.session))
    const prover = workload.prover()
    expect(await typeOf(prover)).toBe(AWS4_REQUEST_TYPE)
    workload.aws.setOutboundFederation(ACCOUNT, true)

    workload.now += HOUR
    expect(await typeOf(prover)).not.toBe(AWS4_REQUEST_TYPE)
    expect(workload.actions()).toEqual(['GetWebIdentityToken', 'GetWebIdentityToken'])
  })

  test('a prover that is told to make tokens fails instead, and asks each time', async () => {
    const workload = await openWorkload({ hasOutboundFederation: false })
    workload.enter(keysOf(workload.session))
    const prover = workload.prover({ proof: 'web_identity' })
    const failures = [await rejection(typeOf(prover)), await rejection(typeOf(prover))]

    expect(failures[0]).toMatchObject({
      code: 'upstream_unreachable',
      message: 'AWS gives no web-identity token: OutboundWebIdentityFederationDisabledException',
      facts: { sts: 'OutboundWebIdentityFederationDisabledException' },
    })
    expect(workload.actions()).toHaveLength(2)
  })

  test('a prover that is told to sign never asks', async () => {
    const workload = await openWorkload()
    workload.enter(keysOf(workload.session))
    await typeOf(workload.prover({ proof: 'signed_request' }))

    expect(workload.aws.requests).toEqual([])
  })

  test('another prover asks for itself', async () => {
    const workload = await openWorkload({ hasOutboundFederation: false })
    workload.enter(keysOf(workload.session))
    await typeOf(workload.prover())
    await typeOf(workload.prover())

    expect(workload.actions()).toEqual(['GetWebIdentityToken', 'GetWebIdentityToken'])
  })
})

describe('what may pass is no reason to sign, and is not remembered:', () => {
  test.each<[string, StandInAnswer, string]>([
    ['a token that has expired', error(403, 'ExpiredTokenException'), 'ExpiredTokenException'],
    ['an audience that is not taken', error(400, 'ValidationError'), 'ValidationError'],
    ['unknown credentials', error(403, 'InvalidClientTokenId'), 'InvalidClientTokenId'],
    ['a name with more in it', error(403, 'AccessDenied by 10.0.0.1'), 'Error'],
    ['a name with more before it', error(403, '10.0.0.1 AccessDenied'), 'Error'],
    ['a name of one letter', error(403, 'X'), 'X'],
    ['a long name', error(403, 'X'.repeat(80)), 'X'.repeat(80)],
    ['a name that is too long', error(403, 'X'.repeat(81)), 'Error'],
  ])('%s', async (_, answer, sts) => {
    const workload = await openWorkload()
    workload.enter(keysOf(workload.session))
    workload.aws.fail('/', answer)
    const prover = workload.prover()

    expect(await rejection(typeOf(prover))).toMatchObject({ code: 'upstream_unreachable', facts: { sts } })
    workload.aws.recover()
    expect(await typeOf(prover)).not.toBe(AWS4_REQUEST_TYPE)
  })

  test.each<[string, Parameters<Awaited<ReturnType<typeof openWorkload>>['aws']['fail']>[1]]>([
    ['an STS that is down', 'down'],
    ['one that is out of order', { status: 500 }],
    ['one that says something else', 'wrong'],
  ])('%s', async (_, failure) => {
    const workload = await openWorkload()
    workload.enter({ ...keysOf(workload.session), AWS_MAX_ATTEMPTS: '1' })
    workload.aws.fail('/', failure)
    const prover = workload.prover()

    await rejection(typeOf(prover))
    workload.aws.recover()
    expect(await typeOf(prover)).not.toBe(AWS4_REQUEST_TYPE)
  })

  test('an answer without a token', async () => {
    const { enter, prove, session, aws } = await openWorkload()
    enter(keysOf(session))
    const body =
      '<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetWebIdentityTokenResult/></GetWebIdentityTokenResponse>'
    aws.fail('/', { status: 200, headers: { 'content-type': 'text/xml' }, body })

    expect((await rejection(prove())).code).toBe('upstream_malformed')
  })

  test('a token that is none', async () => {
    const { enter, prove, session, aws } = await openWorkload()
    enter(keysOf(session))
    const result = '<GetWebIdentityTokenResult><WebIdentityToken>x</WebIdentityToken></GetWebIdentityTokenResult>'
    const body = `<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${result}</GetWebIdentityTokenResponse>`
    aws.fail('/', { status: 200, headers: { 'content-type': 'text/xml' }, body })

    expect((await rejection(prove())).code).toBe('proof_malformed')
  })
})

describe('without credentials', () => {
  test.each([
    [{}, 'AWS gives no web-identity token: CredentialsProviderError'],
    [{ proof: 'signed_request' }, expect.stringMatching(/^the AWS SDK did not sign: CredentialsProviderError: /)],
  ])('and the settings %o it ends in an error that says so, and asks nobody', async (settings, message) => {
    const { enter, prove, aws } = await openWorkload()
    enter({})

    expect(await rejection(prove(settings))).toMatchObject({ code: 'upstream_unreachable', message })
    expect(aws.requests).toEqual([])
  })
})

test.each([{}, { proof: 'signed_request' }])('no error tells a secret, with the settings %o', async (settings) => {
  const workload = await openWorkload()
  const { secretAccessKey, sessionToken = '' } = workload.session
  const entries = [
    { ...keysOf(workload.session), AWS_REGION: 'us-east-9' },
    { ...keysOf(workload.session), AWS_USE_FIPS_ENDPOINT: 'true' },
    { ...keysOf(workload.session) },
  ]
  workload.aws.fail('/', error(403, 'ExpiredTokenException'))
  const texts: string[] = []
  for (const entry of entries) {
    workload.enter(entry)
    const outcome = await workload.prove(settings).catch((caught: unknown) => caught)
    if (outcome instanceof Error) texts.push(inspect(outcome, { depth: null }))
  }

  expect(texts.length).toBeGreaterThan(1)
  for (const text of texts) {
    expect(text).not.toContain(secretAccessKey)
    expect(text).not.toContain(sessionToken)
  }
})

describe('stops waiting for STS', () => {
  test('when the signal says so', async () => {
    const { enter, prove, session, aws } = await openWorkload()
    enter(keysOf(session))
    aws.fail('/', 'slow')
    const controller = new AbortController()

    const refusal = rejection(prove({}, controller.signal))
    await vi.waitUntil(() => aws.requests.length > 0)
    controller.abort()

    expect((await refusal).code).toMatch(/^upstream_/)
  })

  test('before it has begun, when the signal has already said so', async () => {
    const { enter, prove, session, aws } = await openWorkload()
    enter(keysOf(session))

    expect((await rejection(prove({}, AbortSignal.abort()))).code).toMatch(/^upstream_/)
    expect(aws.requests).toEqual([])
  })
})
