/** What STS answers: an identity in one shape, the caller's fault, or somebody else's trouble. */

import { describe, expect, test } from 'vitest'
import { readCaller } from '../../providers/aws/arn.ts'
import {
  type ClaimedCaller,
  type StsErrorName,
  stsErrorAnswer,
  WRONG_ANSWERS,
  wrongAnswer,
} from '../../providers/aws/stand-in/sts-answers.ts'
import { MAX_ANSWER_BYTES, readCallerIdentity } from '../../providers/aws/sts-answer.ts'
import { PROOF_OUTAGES } from '../../providers/contract/errors.ts'
import type { StandInAnswer } from '../../providers/kit/stand-in-server.ts'
import { refusalOf } from '../support/rejection.ts'

const CALLER: ClaimedCaller = {
  account: '123456789012',
  arn: 'arn:aws:sts::123456789012:assumed-role/payments-api/i-0123456789abcdef0',
  userId: 'AROAQ3EGTESTEXAMPLE77:i-0123456789abcdef0',
}
const JSON_TYPE = { 'content-type': 'application/json' }

function right({ account, arn, userId }: ClaimedCaller = CALLER): object {
  return {
    GetCallerIdentityResponse: {
      GetCallerIdentityResult: { Account: account, Arn: arn, UserId: userId },
      ResponseMetadata: { RequestId: 'c025e1ba-c36b-4078-9407-fdd02eaee5aa' },
    },
  }
}

const read = ({ status, headers = JSON_TYPE, body = '' }: StandInAnswer) =>
  readCallerIdentity({ status, headers, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) })
const trouble = (answer: StandInAnswer) => refusalOf(() => read(answer))

const jsonError = (code: unknown, more: object = {}) => ({
  Error: { Code: code, Message: 'x', Type: 'Sender', ...more },
  RequestId: 'x',
})
const xmlError = (code: string) =>
  `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">\n  <Error>\n    <Type>Sender</Type>\n    <Code>${code}</Code>\n    <Message>x</Message>\n  </Error>\n</ErrorResponse>\n`

describe('an identity', () => {
  test('is read in its one shape', () => {
    expect(read({ status: 200, body: right() })).toEqual(CALLER)
  })

  test('keeps the zero at the beginning of an account', () => {
    expect(read({ status: 200, body: right({ ...CALLER, account: '012345678901' }) }).account).toBe('012345678901')
  })

  test.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'Application/JSON',
  ])('may be declared as %s', (type) => {
    expect(read({ status: 200, headers: { 'content-type': type }, body: right() })).toEqual(CALLER)
  })

  test.each([
    ...[
      'text/html',
      'text/xml',
      'application/xml',
      'application/jsonp',
      'application/json, text/html',
      'xapplication/json',
    ],
    ...[
      'application/json; charset=utf-16',
      'application/x-amz-json-1.1',
      ' application/json',
      'application/json;  charset=utf-8',
      '',
    ],
  ])('may not be declared as %j', (type) => {
    expect(trouble({ status: 200, headers: { 'content-type': type }, body: right() }).code).toBe('upstream_malformed')
  })

  test.each(WRONG_ANSWERS)('is never: %s', (name) => {
    const { headers = {}, ...answer } = wrongAnswer(name, CALLER)

    expect(refusalOf(() => readCaller(read({ ...answer, headers }))).code).toBe('upstream_malformed')
  })

  test.each([
    ['a member beside the response', { ...right(), Extra: 1 }],
    ['a member beside the result', { GetCallerIdentityResponse: { ...Object.values(right())[0], Extra: 1 } }],
    [
      'an error in place of the metadata',
      {
        GetCallerIdentityResponse: { ...Object.values(right())[0], ResponseMetadata: undefined, Error: { Code: 'X' } },
      },
    ],
    [
      'no metadata',
      { GetCallerIdentityResponse: { GetCallerIdentityResult: { Account: '1', Arn: 'a', UserId: 'u' } } },
    ],
    ['a response that is a list', { GetCallerIdentityResponse: [] }],
    ['a response that is null', { GetCallerIdentityResponse: null }],
    ['a result that is a text', { GetCallerIdentityResponse: { GetCallerIdentityResult: 'x', ResponseMetadata: {} } }],
    [
      'the result of another action within',
      { GetCallerIdentityResponse: { AssumeRoleResult: {}, ResponseMetadata: {} } },
    ],
    ['an ARN that is a number', right({ ...CALLER, arn: 1 as unknown as string })],
    ['a user id that is a list', right({ ...CALLER, userId: [] as unknown as string })],
    ['an account of eleven digits', right({ ...CALLER, account: '12345678901' })],
    ['an account of thirteen digits', right({ ...CALLER, account: '1234567890123' })],
    ['an account with a line break', right({ ...CALLER, account: '123456789012\n' })],
    ['an account of letters', right({ ...CALLER, account: 'aaaaaaaaaaaa' })],
  ])('is never: %s', (_, body) => {
    expect(trouble({ status: 200, body }).code).toBe('upstream_malformed')
  })

  test('is never read from an answer that is not 200, however right it looks', () => {
    for (const status of [100, 201, 202, 204, 206, 299, 400, 401, 403, 404, 500, 503]) {
      expect(trouble({ status, body: right() })).toMatchObject({ code: 'upstream_status', facts: { status } })
    }
  })

  test('is never a refusal where the status is 200', () => {
    expect(trouble({ status: 200, body: jsonError('SignatureDoesNotMatch') }).code).toBe('upstream_malformed')
  })

  test('is at most 16 KiB long', () => {
    expect(MAX_ANSWER_BYTES).toBe(16_384)
  })
})

describe('a refusal', () => {
  const CODES: Readonly<Record<string, string>> = {
    SignatureDoesNotMatch: 'signature_invalid',
    InvalidClientTokenId: 'key_unknown',
    UnrecognizedClientException: 'key_unknown',
    InvalidAccessKeyId: 'key_unknown',
    ExpiredToken: 'proof_expired',
    ExpiredTokenException: 'proof_expired',
    RequestExpired: 'proof_expired',
    IncompleteSignature: 'proof_malformed',
    MissingAuthenticationToken: 'proof_malformed',
    RegionDisabledException: 'endpoint_not_accepted',
    AccessDenied: 'signature_invalid',
    AccessDeniedException: 'signature_invalid',
  }

  test.each(Object.entries(CODES))('%s is told as %s, in JSON and in XML', (sts, code) => {
    for (const status of [400, 401, 403]) {
      for (const body of [jsonError(sts), xmlError(sts)]) {
        expect(trouble({ status, body })).toMatchObject({ code, facts: { sts } })
      }
    }
  })

  test('is never believed with a status that STS does not refuse with', () => {
    for (const status of [404, 418, 429, 500, 503]) {
      expect(trouble({ status, body: jsonError('SignatureDoesNotMatch') }).code).toBe('upstream_status')
    }
  })

  test.each<[StsErrorName, string]>([
    ['signature expired', 'signature_invalid'],
    ['key unknown', 'key_unknown'],
    ['token expired', 'proof_expired'],
    ['throttled', 'upstream_status'],
    ['internal failure', 'upstream_status'],
    ['unavailable', 'upstream_status'],
  ])('as STS writes it, "%s", is told as %s', (name, code) => {
    for (const format of ['json', 'xml'] as const) expect(trouble(stsErrorAnswer(name, format)).code).toBe(code)
  })

  test('is read behind an XML declaration, and without JSON’s other members', () => {
    const declared = `<?xml version="1.0" encoding="UTF-8"?>\n${xmlError('ExpiredToken').replace('Sender', 'Receiver')}`

    expect(trouble({ status: 403, body: declared }).code).toBe('proof_expired')
    expect(trouble({ status: 403, body: { Error: { Code: 'ExpiredToken' } } }).code).toBe('proof_expired')
  })

  test('says nothing of the message, which may hold the request', () => {
    const body = jsonError('SignatureDoesNotMatch', { Message: 'The Canonical String should have been SECRET' })
    const refusal = trouble({ status: 403, body })

    expect(`${refusal.message} ${JSON.stringify(refusal.facts)}`).not.toContain('SECRET')
  })
})

describe('trouble', () => {
  test.each([
    ...['Throttling', 'ThrottlingException', 'ThrottledException', 'RequestThrottled', 'RequestThrottledException'],
    ...['TooManyRequestsException', 'RequestLimitExceeded', 'BandwidthLimitExceeded', 'SlowDown'],
  ])('%s is being told to come slower, whatever the status', (sts) => {
    for (const status of [400, 403, 503]) {
      expect(trouble({ status, body: jsonError(sts) })).toMatchObject({
        code: 'upstream_status',
        facts: { status, sts, throttled: true },
      })
    }
  })

  test('429 is, whatever the code', () => {
    expect(trouble({ status: 429, body: '' }).facts).toEqual({ status: 429, throttled: true })
  })

  test.each(['XThrottling', 'ThrottlingX', 'NotThrottled', 'InternalFailure', 'EC', 'Unthrottled'])(
    '%s is not',
    (sts) => {
      expect(trouble({ status: 400, body: jsonError(sts) }).facts).toEqual({ status: 400, sts })
    },
  )

  test.each<[string, StandInAnswer['body']]>([
    ['nothing', ''],
    ['HTML', '<html><Code>SignatureDoesNotMatch</Code></html>'],
    ['XML of another namespace', xmlError('SignatureDoesNotMatch').replace('sts.amazonaws.com', 'evil.example')],
    [
      'XML of a namespace that looks alike',
      xmlError('SignatureDoesNotMatch').replace('sts.amazonaws', 'stsXamazonaws'),
    ],
    ['XML of another one that does', xmlError('SignatureDoesNotMatch').replace('amazonaws.com', 'amazonawsXcom')],
    ['XML without a namespace', xmlError('SignatureDoesNotMatch').replace(/ xmlns="[^"]+"/, '')],
    ['a code that is not the first', xmlError('X').replace('<Error>', '<Other>').replace('</Error>', '</Other>')],
    ['a declaration with an element in it', `<?xml <x>?>${xmlError('SignatureDoesNotMatch')}`],
    ['a DOCTYPE', `<!DOCTYPE x>${xmlError('SignatureDoesNotMatch')}`],
    ['text before the XML', `x${xmlError('SignatureDoesNotMatch')}`],
    ['another type of error', xmlError('SignatureDoesNotMatch').replace('Sender', 'Other')],
    ['a code beyond letters', xmlError('SignatureDoesNotMatch ')],
    ['JSON with the code at the top', { Code: 'SignatureDoesNotMatch' }],
    ['JSON with __type alone', { __type: 'SignatureDoesNotMatch' }],
    ['a code that is a list', jsonError(['SignatureDoesNotMatch'])],
    ['a code that is inherited', jsonError('constructor')],
    ['an error that is a text', { Error: 'SignatureDoesNotMatch' }],
    ['an error that is null', { Error: null }],
    ['a list', [jsonError('SignatureDoesNotMatch')]],
    ['a code that is there twice', '{"Error":{"Code":"ExpiredToken","Code":"SignatureDoesNotMatch"}}'],
    ['JSON that is cut off', JSON.stringify(jsonError('SignatureDoesNotMatch')).slice(0, -1)],
  ])('%s says nothing against the caller', (_, body) => {
    for (const status of [400, 401, 403]) {
      const found = trouble({ status, ...(body === undefined ? {} : { body }) })
      expect(PROOF_OUTAGES).toContain(found.code)
      expect(found.facts.status).toBe(status)
    }
  })

  test.each([
    ['a code that is too long', 'x'.repeat(65)],
    ['an empty code', ''],
    ['a code with spaces', 'Signature Does Not Match'],
    ['a code with a line break', 'SignatureDoesNotMatch\n'],
  ])('%s is not repeated', (_, code) => {
    expect(trouble({ status: 400, body: jsonError(code) }).facts).toEqual({ status: 400 })
    expect(trouble({ status: 400, body: xmlError(code) }).facts).toEqual({ status: 400 })
  })

  test.each(['x', 'x.'.repeat(32)])('the code %s is repeated', (sts) => {
    for (const body of [jsonError(sts), xmlError(sts)]) {
      expect(trouble({ status: 400, body }).facts).toEqual({ status: 400, sts })
    }
  })

  test.each([
    ['', true],
    ['version="1.0"'.padEnd(64), true],
    ['version="1.0"'.padEnd(65), false],
  ])('XML declared with "%s" is read: %s', (declaration, isRead) => {
    const { facts } = trouble({ status: 400, body: `<?xml ${declaration}?>${xmlError('Other')}` })

    expect(facts).toEqual(isRead ? { status: 400, sts: 'Other' } : { status: 400 })
  })
})
