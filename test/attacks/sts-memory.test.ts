/** What the broker remembers of STS’s refusals, whom that can harm, and what it repeats of STS’s words: nothing. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeSignedRequest, type SignedRequest, withHeader } from '../../providers/aws/stand-in/signed-request.ts'
import type { StandInAnswer } from '../../providers/kit/stand-in-server.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { expectRefusedUnasked, expectTaken } from '../support/aws-answers.ts'
import { type AwsScene, awsDocumentFor, openAwsScene } from '../support/aws-scene.ts'
import type { Reply } from '../support/broker.ts'
import { BROKER } from '../support/document.ts'
import {
  askOnce,
  expectNoIdentity,
  failWith,
  identify,
  identityOf,
  JSON_TYPE,
  spoil,
  succeedWith,
} from '../support/sts-answers.ts'

const REFUSED = failWith(403, 'SignatureDoesNotMatch')

let scene: AwsScene

/** A broker for each group of tests, as one that refuses often does not record every refusal. */
function openBeforeAll(): void {
  beforeAll(async () => {
    scene = await openAwsScene()
  })
  afterAll(() => scene.close())
}

/** Asserts that a request is refused by STS, which is asked this once. */
async function refuse(request: SignedRequest): Promise<void> {
  expectProofRefused(scene.broker, await askOnce(scene, REFUSED, request), 'signature_invalid')
}

describe('a request that STS has refused', () => {
  openBeforeAll()

  test('STS-18 is refused again without a question, as long as anybody could take it', async () => {
    const request = scene.sign()
    await refuse(request)

    for (const seconds of [0, 1, 60, 238]) {
      scene.clock.advance(seconds)
      await expectRefusedUnasked(scene, request, 'signature_invalid')
    }
    scene.clock.advance(2)
    await expectRefusedUnasked(scene, request, 'proof_expired')
  })

  test('STS-18 is the same one in every spelling of its envelope', async () => {
    const request = scene.sign()
    await refuse(request)

    const { url, method, headers, body } = request
    const shouted = headers.map(({ key, value }) => ({ value, key: key.toUpperCase() }))
    const spellings = [
      { body, headers, method, url },
      { url, method, headers: headers.toReversed(), body },
      { url, method, headers: shouted, body },
      { url, method, headers: [...headers, { key: 'x-more', value: '1' }], body },
      encodeURIComponent(JSON.stringify(request, undefined, 2)),
      encodeSignedRequest(request).replaceAll(/%[0-9A-F]{2}/g, (octet) => octet.toLowerCase()),
      encodeSignedRequest(request).replace('Version', '%56ersion'),
    ]
    for (const spelling of spellings) await expectRefusedUnasked(scene, spelling, 'signature_invalid')
  })

  test('STS-18 stays refused when the document is replaced', async () => {
    const request = scene.sign()
    await refuse(request)

    await scene.broker.replaceDocument(awsDocumentFor(scene.aws, { regions: ['us-east-1', 'eu-west-1'] }))
    await expectRefusedUnasked(scene, request, 'signature_invalid')
    await expectTaken(scene, scene.sign())
  })

  test('STS-18 says nothing about another one of the same session, or of the same second', async () => {
    const at = (date: number) => scene.aws.signedRequest(scene.session, { audience: BROKER, date })
    await refuse(at(scene.clock.now()))

    await expectTaken(scene, at(scene.clock.now() - 1))
    await expectTaken(scene, scene.sign())
  })
})

describe('a spoiled copy of a good request', () => {
  openBeforeAll()

  const COPIES: readonly (readonly [string, (request: SignedRequest) => SignedRequest])[] = [
    ['with another signature', spoil],
    [
      'with the session token of somebody else',
      (request) => withHeader(request, 'x-amz-security-token', tokenOf(scene)),
    ],
    ['with a signature over fewer headers', (request) => bend(request, 'content-type;', '')],
    ['with another key', (request) => bend(request, /ASIA[A-Z0-9]+/, 'ASIAQ3EGTESTEXAMPLE7')],
    ['for another region', (request) => moved(request, 'eu-west-1')],
    ['signed a second later', (request) => withHeader(request, 'x-amz-date', '20260115T120001Z')],
  ]

  function bend(request: SignedRequest, what: string | RegExp, other: string): SignedRequest {
    const authorization = request.headers.find(({ key }) => key === 'authorization')?.value ?? ''
    return withHeader(request, 'authorization', authorization.replace(what, other))
  }

  function moved(request: SignedRequest, region: string): SignedRequest {
    const host = `sts.${region}.amazonaws.com`
    return { ...withHeader(bend(request, 'us-east-1', region), 'host', host), url: `https://${host}/` }
  }

  const tokenOf = ({ assume }: AwsScene): string => assume().sessionToken ?? ''

  test.each(COPIES)('STS-18 is refused, and does not spoil the good one: %s', async (_, copyOf) => {
    const request = scene.sign()
    const copy = copyOf(request)
    for (let times = 0; times < 3; times++) expect((await scene.exchange(copy)).status).toBe(400)

    await expectTaken(scene, request)
  })

  test('STS-18 does not make the used one good again, nor is it asked about', async () => {
    const request = scene.sign()
    await expectTaken(scene, request)
    expectProofRefused(scene.broker, await scene.exchange(spoil(request)), 'signature_invalid')

    await expectRefusedUnasked(scene, request, 'proof_replayed')
    await expectRefusedUnasked(scene, spoil(request), 'signature_invalid')
  })

  test('STS-18 costs a question, however often it is sent', async () => {
    const bad = Array.from({ length: 20 }, () => spoil(scene.sign()))
    const asked = await scene.upstreamRequests(async () => {
      for (const request of [...bad, ...bad, ...bad]) expect((await scene.exchange(request)).status).toBe(400)
    })

    expect(asked).toBe(20)
    await expectTaken(scene, scene.sign())
  })
})

describe('what STS writes', () => {
  openBeforeAll()

  /** Looks like nothing that anybody else writes. */
  const MARK = 'mark-7f3a9c51e0d24b68-of-sts'

  function expectSilence(reply: Reply): void {
    const headers = JSON.stringify([...reply.headers])
    const log = JSON.stringify(scene.broker.logs())
    const audit = JSON.stringify(scene.broker.records())
    const told = [reply.text, headers, log, audit]
    expect(told.map((text) => text.includes(MARK))).toEqual([false, false, false, false])
    expect([log, audit].map((text) => text.includes(reply.requestId))).toEqual([reply.status !== 200, true])
  }

  const ERRORS: readonly StandInAnswer[] = [
    failWith(403, 'SignatureDoesNotMatch', 'json', MARK),
    failWith(403, 'SignatureDoesNotMatch', 'xml', MARK),
    failWith(403, 'InvalidClientTokenId', 'json', MARK),
    failWith(400, 'Throttling', 'xml', MARK),
    failWith(500, 'InternalFailure', 'json', MARK),
    failWith(403, MARK),
    failWith(403, MARK, 'xml'),
    { status: 403, headers: { 'x-amzn-requestid': MARK, 'content-type': MARK, date: MARK }, body: MARK },
    { status: 302, headers: { location: `https://${MARK}.example/` } },
    { status: 200, headers: { 'content-encoding': MARK }, body: MARK },
    { status: 200, headers: { 'content-type': MARK }, body: MARK },
    succeedWith(MARK),
    succeedWith({ [MARK]: MARK }),
    succeedWith(`{"${MARK}":`),
    succeedWith(identityOf({ [MARK]: MARK })),
    identify({ Account: MARK }),
    identify({ Arn: MARK }),
    identify({ Arn: `arn:aws:iam::123456789012:${MARK}` }),
    identify({ UserId: `${MARK}:x` }),
    identify({ UserId: MARK, Arn: 'arn:aws:iam::123456789012:root' }),
  ]

  test.each(ERRORS)('STS-15 STS-17 is repeated to nobody: $status $body', async (answer) => {
    const reply = await askOnce(scene, answer)

    expect(reply.status).toBeGreaterThanOrEqual(400)
    expectSilence(reply)
    expectIssued(scene.broker, await scene.exchange(scene.sign()))
    expect(await scene.broker.metrics()).not.toContain(MARK)
  })

  test('STS-15 is repeated to nobody either where it is an identity', async () => {
    const headers = { ...JSON_TYPE, 'x-amzn-requestid': MARK, server: MARK, 'set-cookie': MARK }
    const right = succeedWith(identityOf({}, { ResponseMetadata: { RequestId: MARK } }))

    const reply = await askOnce(scene, { ...right, headers })

    expectIssued(scene.broker, reply)
    expectSilence(reply)
  })

  test('STS-15 its code alone is told to the operator, where it is a word', async () => {
    const before = scene.broker.logs().length
    await expectNoIdentity(scene, failWith(403, 'OptInRequired', 'json', MARK), 'upstream_status')

    expect(JSON.stringify(scene.broker.logs().slice(before))).toContain('OptInRequired')
    expect(JSON.stringify(scene.broker.records())).not.toContain('OptInRequired')
  })
})
