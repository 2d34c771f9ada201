/** Errors of STS: which of them are about the proof, which are about STS, and that nothing is asked twice. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stsErrorAnswer } from '../../providers/aws/stand-in/sts-answers.ts'
import type { StandInAnswer } from '../../providers/kit/stand-in-server.ts'
import type { RefusalReason } from '../../src/audit/reasons.ts'
import { expectIssued, expectProofRefused, expectRefusal } from '../support/answers.ts'
import { type AwsScene, openAwsScene } from '../support/aws-scene.ts'
import { BROKER } from '../support/document.ts'
import {
  askOnce,
  expectNoIdentity,
  expectRemembered,
  failWith,
  identify,
  JSON_TYPE,
  spoil,
  succeedWith,
} from '../support/sts-answers.ts'

let scene: AwsScene

/** A broker for each group of tests, as one that refuses often does not record every refusal. */
function openBeforeAll(): void {
  beforeAll(async () => {
    scene = await openAwsScene()
  })
  afterAll(() => scene.close())
}

const FORMATS = ['json', 'xml'] as const

const EXPIRED = 'Signature expired: 20260115T115442Z is now earlier than 20260115T120938Z (20260115T122438Z - 15 min.)'

/** What is the caller's own fault: status, code, and the reason that is recorded. */
const REFUSALS: readonly (readonly [number, string, RefusalReason])[] = [
  [403, 'InvalidClientTokenId', 'key_unknown'],
  [403, 'UnrecognizedClientException', 'key_unknown'],
  [403, 'InvalidAccessKeyId', 'key_unknown'],
  [403, 'ExpiredToken', 'proof_expired'],
  [400, 'ExpiredToken', 'proof_expired'],
  [403, 'ExpiredTokenException', 'proof_expired'],
  [400, 'RequestExpired', 'proof_expired'],
  [400, 'IncompleteSignature', 'proof_malformed'],
  [403, 'IncompleteSignature', 'proof_malformed'],
  [403, 'MissingAuthenticationToken', 'proof_malformed'],
  [403, 'RegionDisabledException', 'endpoint_not_accepted'],
  [403, 'AccessDenied', 'signature_invalid'],
  [403, 'AccessDeniedException', 'signature_invalid'],
  [401, 'AccessDenied', 'signature_invalid'],
]

describe('a signature that does not hold', () => {
  openBeforeAll()

  test.each(FORMATS)('STS-13 is refused, and remembered: SignatureDoesNotMatch in %s', async (format) => {
    for (const message of [
      EXPIRED,
      'The request signature we calculated does not match',
      '',
      'Signature not yet current',
    ]) {
      await expectRemembered(scene, failWith(403, 'SignatureDoesNotMatch', format, message), 'signature_invalid')
    }
    await expectRemembered(scene, stsErrorAnswer('signature expired', format), 'signature_invalid')
  })

  test('STS-13 is refused by an STS that looks at the signature itself', async () => {
    const request = scene.sign()

    expectProofRefused(scene.broker, await scene.exchange(spoil(request)), 'signature_invalid')
    expectIssued(scene.broker, await scene.exchange(request))
  })

  test('STS-13 is refused by an STS whose clock is ahead by more than the life of a signature', async () => {
    const ahead = await openAwsScene({ aws: { now: () => scene.clock.now() + 1_000 } })
    const request = ahead.aws.signedRequest(ahead.session, { audience: BROKER, date: scene.clock.now() })

    expectProofRefused(ahead.broker, await ahead.exchange(request), 'signature_invalid')
    await ahead.close()
  })
})

describe('a key or a session that STS does not take', () => {
  openBeforeAll()

  test.each(REFUSALS)('STS-14 is refused, and remembered: %i %s', async (status, code, reason) => {
    for (const format of FORMATS) await expectRemembered(scene, failWith(status, code, format), reason)
  })

  test.each(FORMATS)('STS-14 is refused as STS writes it in %s', async (format) => {
    await expectRemembered(scene, stsErrorAnswer('key unknown', format), 'key_unknown')
    await expectRemembered(scene, stsErrorAnswer('token expired', format), 'proof_expired')
  })

  test('STS-14 is refused where the session was revoked, has run out, or was never given', async () => {
    const [revoked, spent] = [scene.assume(), scene.aws.assumeRole(scene.role, 'short', { durationSeconds: 100 })]
    scene.aws.revoke(revoked)
    const refused = scene.aws.signedRequest(revoked, { audience: BROKER })
    expectProofRefused(scene.broker, await scene.exchange(refused), 'key_unknown')

    const inTime = scene.aws.signedRequest(spent, { audience: BROKER })
    expectIssued(scene.broker, await scene.exchange(inTime))
    scene.clock.advance(100)
    const late = scene.aws.signedRequest(spent, { audience: BROKER })
    expectProofRefused(scene.broker, await scene.exchange(late), 'proof_expired')

    const stranger = { ...scene.session, accessKeyId: 'ASIAQ3EGTESTEXAMPLE7' }
    const unknown = scene.aws.signedRequest(stranger, { audience: BROKER })
    expectProofRefused(scene.broker, await scene.exchange(unknown), 'key_unknown')
  })

  test('STS-14 is refused where the session token is that of another session', async () => {
    const { sessionToken } = scene.assume()
    const mixed = scene.aws.signedRequest({ ...scene.assume(), sessionToken }, { audience: BROKER })

    expectProofRefused(scene.broker, await scene.exchange(mixed), 'key_unknown')
  })
})

const TROUBLES: readonly (readonly [number, string])[] = [
  [400, 'ValidationError'],
  [400, 'InvalidAction'],
  [400, 'InvalidParameterValue'],
  [400, 'signaturedoesnotmatch'],
  [403, 'SignatureDoesNotMatchX'],
  [403, 'OptInRequired'],
  [403, 'NotAuthorized'],
  [403, ''],
  [404, 'MalformedQueryString'],
  [404, 'SignatureDoesNotMatch'],
  [408, 'RequestTimeout'],
  [413, 'RequestEntityTooLarge'],
  [429, 'SignatureDoesNotMatch'],
  [500, 'InternalFailure'],
  [500, 'SignatureDoesNotMatch'],
  [502, 'ExpiredToken'],
  [503, 'ServiceUnavailable'],
  [503, 'InvalidClientTokenId'],
  [504, 'RequestTimeout'],
  [509, 'BandwidthLimitExceeded'],
]

const SIGNATURE_ERROR = '<Type>Sender</Type><Code>SignatureDoesNotMatch</Code>'
const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/'
const UNREADABLE: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['a page', '<html><h1>403 Forbidden</h1>SignatureDoesNotMatch</html>'],
  ['a code alone', 'SignatureDoesNotMatch'],
  ['a code in a text', '"SignatureDoesNotMatch"'],
  ['a list', '[{"Error":{"Code":"SignatureDoesNotMatch"}}]'],
  ['an error as text', '{"Error":"SignatureDoesNotMatch"}'],
  ['a code in a list', '{"Error":{"Code":["SignatureDoesNotMatch"]}}'],
  ['a code in the root', '{"Code":"SignatureDoesNotMatch"}'],
  ['the type of other services', '{"__type":"SignatureDoesNotMatch"}'],
  ['two codes', '{"Error":{"Code":"Throttling","Code":"SignatureDoesNotMatch"}}'],
  ['an inherited code', '{"Error":{"__proto__":{"Code":"SignatureDoesNotMatch"}}}'],
  ['half of an error', '{"Error":{"Code":"SignatureDoesNotMatch"}'],
  ['a code with more behind it', '{"Error":{"Code":"SignatureDoesNotMatch "}}'],
  ['XML of no namespace', `<ErrorResponse><Error>${SIGNATURE_ERROR}</Error></ErrorResponse>`],
  [
    'XML of another namespace',
    `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error>${SIGNATURE_ERROR}</Error></ErrorResponse>`,
  ],
  [
    'XML with a DOCTYPE',
    `<!DOCTYPE x [<!ENTITY c "x">]><ErrorResponse xmlns="${NAMESPACE}"><Error>${SIGNATURE_ERROR}</Error></ErrorResponse>`,
  ],
  [
    'XML with an entity for a code',
    `<ErrorResponse xmlns="${NAMESPACE}"><Error><Type>Sender</Type><Code>&c;</Code></Error></ErrorResponse>`,
  ],
  [
    'XML with a code in a comment',
    `<ErrorResponse xmlns="${NAMESPACE}"><!-- <Error>${SIGNATURE_ERROR}</Error> --></ErrorResponse>`,
  ],
  [
    'XML with a code in its message',
    `<ErrorResponse xmlns="${NAMESPACE}"><Error><Type>Sender</Type><Message><Code>SignatureDoesNotMatch</Code></Message></Error></ErrorResponse>`,
  ],
  [
    'XML behind something else',
    `x<ErrorResponse xmlns="${NAMESPACE}"><Error>${SIGNATURE_ERROR}</Error></ErrorResponse>`,
  ],
]

describe('trouble of STS’s own', () => {
  openBeforeAll()

  test.each(TROUBLES)('STS-15 is no refusal: %i %j', async (status, code) => {
    for (const format of FORMATS) await expectNoIdentity(scene, failWith(status, code, format), 'upstream_status')
  })

  test.each(UNREADABLE)('STS-15 an error that cannot be read is no refusal: %s', async (_, body) => {
    for (const headers of [JSON_TYPE, { 'content-type': 'text/xml' }]) {
      await expectNoIdentity(scene, { status: 403, headers, body }, 'upstream_status')
    }
  })

  test.each(['internal failure', 'unavailable', 'throttled'] as const)('STS-15 is no refusal: %s', async (name) => {
    for (const format of FORMATS) await expectNoIdentity(scene, stsErrorAnswer(name, format), 'upstream_status')
  })
})

const THROTTLES: readonly (readonly [number, string])[] = [
  [400, 'Throttling'],
  [400, 'ThrottlingException'],
  [400, 'RequestLimitExceeded'],
  [403, 'TooManyRequestsException'],
  [429, ''],
  [503, 'Throttling'],
  [503, 'SlowDown'],
]

const NO_TROUBLE_TO_REPEAT: readonly (readonly [string, StandInAnswer | 'down', RefusalReason])[] = [
  ['a bad signature', failWith(403, 'SignatureDoesNotMatch'), 'signature_invalid'],
  ['an unknown key', failWith(403, 'InvalidClientTokenId', 'xml'), 'key_unknown'],
  ['a throttled call', failWith(400, 'Throttling'), 'upstream_status'],
  [
    'a throttled call that says when to come again',
    { ...failWith(429, 'Throttling'), headers: { ...JSON_TYPE, 'retry-after': '0' } },
    'upstream_status',
  ],
  ['an internal failure', failWith(500, 'InternalFailure'), 'upstream_status'],
  ['an outage', { ...failWith(503, 'ServiceUnavailable', 'xml'), headers: { 'retry-after': '1' } }, 'upstream_status'],
  ['a timeout of a gateway', failWith(504, ''), 'upstream_status'],
  ['a connection that is reset', 'down', 'upstream_unreachable'],
  ['an answer that cannot be read', succeedWith('{'), 'upstream_malformed'],
  ['an answer about nobody', identify({ Account: 'x' }), 'upstream_malformed'],
]

describe('after a call that failed', () => {
  openBeforeAll()

  test.each(NO_TROUBLE_TO_REPEAT)('STS-18 no other one is made by the broker: %s', async (_, answer, reason) => {
    // A connection that was used before: what is reset then, HTTP clients like to send again.
    expectIssued(scene.broker, await scene.exchange(scene.sign()))

    const reply = await askOnce(scene, answer)

    expectRefusal(scene.broker, reply, reply.status === 400 ? 'IR' : 'TU', reason)
  })

  test.each(THROTTLES)('STS-18 a throttled host is not taken for one that is down: %i %j', async (status, code) => {
    for (let calls = 0; calls < 8; calls++) {
      expectRefusal(scene.broker, await askOnce(scene, failWith(status, code)), 'TU', 'upstream_status')
    }
    const reply = await scene.exchange(scene.sign())

    expectIssued(scene.broker, reply)
  })

  test('STS-18 the caller may ask again itself, with the same request', async () => {
    const request = scene.sign()
    for (const answer of ['down', failWith(500, ''), failWith(400, 'Throttling')] as const) {
      expect((await askOnce(scene, answer, request)).headers.get('retry-after')).toBe('2')
    }

    expectIssued(scene.broker, await scene.exchange(request))
  })
})
