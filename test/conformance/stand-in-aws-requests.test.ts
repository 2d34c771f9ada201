/** Signed requests as workloads hand them to a broker, brought to the stand-in under the names of the real STS. */

import { readFileSync } from 'node:fs'
import { request as startRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Session } from '../../providers/aws/stand-in/sessions.ts'
import { encodeSignedRequest, type SignedRequest, withHeader } from '../../providers/aws/stand-in/signed-request.ts'
import { type AwsStandIn, startAwsStandIn } from '../../providers/aws/stand-in/stand-in.ts'
import { redirectAnswer, stsErrorAnswer, WRONG_ANSWERS, wrongAnswer } from '../../providers/aws/stand-in/sts-answers.ts'
import { createTestClock } from '../support/clock.ts'

const ACCOUNT = '123456789012'
const AUDIENCE = 'https://broker.example.com'
const ACTION = 'Action=GetCallerIdentity&Version=2011-06-15'

/** Requests that were signed elsewhere, at the moment of the test clock. */
const recorded = JSON.parse(
  readFileSync(new URL('../vectors/aws-sigv4/get-caller-identity.json', import.meta.url), 'utf8'),
) as {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly vectors: readonly { readonly name: string; readonly subjectToken?: string }[]
}

const clock = createTestClock()
let aws: AwsStandIn
let session: Session

beforeAll(async () => {
  aws = await startAwsStandIn({ now: clock.now })
  aws.createAccount(ACCOUNT)
  const { accessKeyId, secretAccessKey, sessionToken } = recorded
  session = aws.assumeRole(aws.createRole(ACCOUNT, 'payments-api'), 'i-0123456789abcdef0', {
    credentials: { accessKeyId, secretAccessKey, sessionToken },
  })
})
afterEach(() => aws.recover())
afterAll(() => aws.close())

interface Reply {
  readonly status: number
  readonly type: string | undefined
  readonly text: string
}

/** Sends a request as it is to where the stand-in listens, under the `Host` that it names. */
async function send({ method, url, headers, body = '' }: SignedRequest, accept = 'application/json'): Promise<Reply> {
  const { pathname, search } = new URL(url)
  const sent = Object.fromEntries(headers.map(({ key, value }) => [key, value]))
  const outgoing = startRequest(aws.origin, { method, path: pathname + search, headers: { ...sent, accept } })
  const reply = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    outgoing.on('response', resolve).on('error', reject).end(body)
  })
  return { status: reply.statusCode ?? 0, type: reply.headers['content-type'], text: await text(reply) }
}

async function codeOf(request: SignedRequest): Promise<string> {
  const { status, text: json } = await send(request)
  const { Error: error } = JSON.parse(json) as { readonly Error?: { readonly Code: string } }
  return `${status} ${error?.Code}`
}

const signed = (wish: Partial<Parameters<AwsStandIn['signedRequest']>[1]> = {}) =>
  aws.signedRequest(session, { audience: AUDIENCE, ...wish })

describe('the request', () => {
  test.each([
    ['chancery', { audience: AUDIENCE }],
    ['google for chancery', { audience: `${AUDIENCE}/audiences/ledger`, shape: 'google' as const }],
  ])('in the form "%s" is, character by character, the one that was recorded', (name, wish) => {
    const found = recorded.vectors.find((vector) => vector.name === name)?.subjectToken ?? ''

    expect(aws.signGetCallerIdentity(session, wish)).toBe(found)
  })

  test.each(recorded.vectors.filter(({ subjectToken }) => subjectToken !== undefined))(
    'that was recorded as "$name" is taken for genuine',
    async ({ subjectToken = '' }) => {
      const { status, text: json } = await send(JSON.parse(decodeURIComponent(subjectToken)) as SignedRequest)

      expect(status).toBe(200)
      expect(json).toContain(':assumed-role/payments-api/')
    },
  )

  test('is JSON, percent-encoded, as Google’s clients send it', () => {
    const request = signed({ shape: 'google' })

    expect(request.url).toBe(`https://sts.us-east-1.amazonaws.com?${ACTION}`)
    expect(decodeURIComponent(encodeSignedRequest(request))).toBe(JSON.stringify(request))
  })
})

describe('the answer', () => {
  test('is JSON where JSON is accepted', async () => {
    const reply = await send(signed())

    expect(reply).toMatchObject({ status: 200, type: 'application/json' })
    expect(JSON.parse(reply.text)).toEqual({
      GetCallerIdentityResponse: {
        GetCallerIdentityResult: {
          Account: ACCOUNT,
          Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/payments-api/i-0123456789abcdef0`,
          UserId: session.caller.userId,
        },
        ResponseMetadata: { RequestId: expect.any(String) },
      },
    })
  })

  test('is XML else, element by element as it was recorded', async () => {
    const reply = await send(signed(), '*/*')

    expect(reply).toMatchObject({ status: 200, type: 'text/xml' })
    expect(reply.text.replace(/<RequestId>[0-9a-f-]{36}</, '<RequestId>ID<')).toBe(
      `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>arn:aws:sts::${ACCOUNT}:assumed-role/payments-api/i-0123456789abcdef0</Arn>
    <UserId>${session.caller.userId}</UserId>
    <Account>${ACCOUNT}</Account>
  </GetCallerIdentityResult>
  <ResponseMetadata>
    <RequestId>ID</RequestId>
  </ResponseMetadata>
</GetCallerIdentityResponse>
`,
    )
  })

  test('to an error has no envelope in JSON', async () => {
    const reply = await send(signed({ amzDate: '20260115T114459Z' }))

    expect(reply).toMatchObject({ status: 403, type: 'application/json' })
    expect(JSON.parse(reply.text)).toEqual({
      Error: {
        Code: 'SignatureDoesNotMatch',
        Message:
          'Signature expired: 20260115T114459Z is now earlier than 20260115T114500Z (20260115T120000Z - 15 min.)',
        Type: 'Sender',
      },
      RequestId: expect.any(String),
    })
  })
})

describe('the signature', () => {
  test.each([
    'sts.us-west-2.amazonaws.com',
    'sts-fips.us-east-1.amazonaws.com',
    'sts.eu-central-1.api.aws',
    'sts.amazonaws.com',
  ])('is checked for the region that %s stands for', async (host) => {
    expect((await send(signed({ host }))).status).toBe(200)
    expect(await codeOf(signed({ host, region: 'sa-east-1' }))).toBe('403 SignatureDoesNotMatch')
  })

  test('of one partition is nothing in another, and what is no STS answers nobody', async () => {
    expect(await codeOf(signed({ host: 'sts.cn-north-1.amazonaws.com.cn' }))).toBe('403 InvalidClientTokenId')
    expect(await codeOf(signed({ host: 'sts.us-east-1.amazonaws.com.evil.example' }))).toBe('404 NotFound')
    expect(await codeOf(signed({ host: 'sts.cn-north-1.amazonaws.com' }))).toBe('404 NotFound')
  })

  test.each([
    ['the audience', (request: SignedRequest) => withHeader(request, 'x-chancery-audience', 'https://other.example')],
    ['the host', (request: SignedRequest) => withHeader(request, 'host', 'sts-fips.us-east-1.amazonaws.com')],
    ['the date', (request: SignedRequest) => withHeader(request, 'x-amz-date', '20260115T120001Z')],
    ['the token', (request: SignedRequest) => withHeader(request, 'x-amz-security-token', 'other')],
    ['the body', (request: SignedRequest) => ({ ...request, body: `${ACTION}&` })],
    ['the query', (request: SignedRequest) => ({ ...request, url: `${request.url}?a=b` })],
    ['the method', (request: SignedRequest) => ({ ...request, method: 'PUT' })],
  ])('covers %s', async (_, bend) => {
    expect(await codeOf(bend(signed()))).toBe('403 SignatureDoesNotMatch')
  })

  test('does not cover what it does not name, and a token need not be covered', async () => {
    const unsigned = signed({ unsigned: ['x-chancery-audience', 'x-amz-security-token'] })

    expect((await send(withHeader(unsigned, 'x-chancery-audience', 'https://other.example'))).status).toBe(200)
    expect(await codeOf(signed({ unsigned: ['host'] }))).toBe('403 SignatureDoesNotMatch')
    expect(await codeOf(signed({ without: ['x-amz-security-token'] }))).toBe('403 InvalidClientTokenId')
  })

  test.each([
    ['service', { service: 'iam' }],
    ['date', { scopeDate: '20260114' }],
    ['time, past', { date: clock.now() - 901 }],
    ['time, to come', { date: clock.now() + 901 }],
  ])('is refused for a wrong %s', async (_, wish) => {
    expect(await codeOf(signed(wish))).toBe('403 SignatureDoesNotMatch')
  })

  test('is refused where its scope ends in other words', async () => {
    const request = signed()
    const authorization = request.headers.at(-1)?.value.replace('/aws4_request', '/aws4_other') ?? ''

    expect(await codeOf(withHeader(request, 'authorization', authorization))).toBe('403 SignatureDoesNotMatch')
  })

  test.each([-900, 900])('is taken with a time %i seconds off', async (seconds) => {
    expect((await send(signed({ date: clock.now() + seconds }))).status).toBe(200)
  })

  test.each([
    ['no signature', ', Signature=', ', Other='],
    ['another algorithm', 'AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256'],
    ['a credential in four parts', '/aws4_request', ''],
    ['a part twice', 'Signature=', 'SignedHeaders=host, Signature='],
  ])('must be whole: %s', async (_, part, other) => {
    const request = signed()
    const authorization = request.headers.at(-1)?.value.replace(part, other) ?? ''

    expect(await codeOf(withHeader(request, 'authorization', authorization))).toBe('400 IncompleteSignature')
  })

  test('must be there, and so must its date', async () => {
    const request = signed()
    const unsigned = { ...request, headers: request.headers.filter(({ key }) => key !== 'authorization') }
    const undated = { ...request, headers: request.headers.filter(({ key }) => key !== 'x-amz-date') }

    expect(await codeOf(unsigned)).toBe('403 MissingAuthenticationToken')
    expect(await codeOf(undated)).toBe('400 IncompleteSignature')
    expect(await codeOf(signed({ body: 'Action=GetSessionToken&Version=2011-06-15' }))).toBe('400 InvalidAction')
    expect(await codeOf(signed({ body: 'Action=GetCallerIdentity&Version=2010-05-08' }))).toBe('400 InvalidAction')
  })

  test('for a JWT is nothing to the global endpoint', async () => {
    const body =
      'Action=GetWebIdentityToken&Version=2011-06-15&Audience.member.1=https%3A%2F%2Fa.example&SigningAlgorithm=RS256'

    expect((await send(signed({ body }))).status).toBe(200)
    expect(await codeOf(signed({ body, host: 'sts.amazonaws.com' }))).toBe('400 InvalidAction')
  })
})

describe('an STS that lies', () => {
  const caller = () => ({ account: ACCOUNT, arn: session.caller.arn, userId: session.caller.userId })
  const honest = () =>
    `{"GetCallerIdentityResponse":{"GetCallerIdentityResult":{"Account":"${ACCOUNT}","Arn":"${session.caller.arn}","UserId":"${session.caller.userId}"},"ResponseMetadata":{"RequestId":"c025e1ba-c36b-4078-9407-fdd02eaee5aa"}}}`

  test.each(WRONG_ANSWERS)('answers with: %s', async (name) => {
    aws.fail('/', wrongAnswer(name, caller()))
    const reply = await send(signed())

    expect(reply.status).toBe(200)
    expect({ type: reply.type, text: reply.text }).not.toEqual({ type: 'application/json', text: honest() })
  })

  test.each([301, 302, 303, 307, 308] as const)('redirects with %i', async (status) => {
    aws.fail('/', redirectAnswer(status, 'https://elsewhere.example/'))

    expect((await send(signed())).status).toBe(status)
  })

  test.each([
    ['signature expired', '403 SignatureDoesNotMatch'],
    ['key unknown', '403 InvalidClientTokenId'],
    ['token expired', '403 ExpiredToken'],
    ['throttled', '400 Throttling'],
    ['internal failure', '500 InternalFailure'],
    ['unavailable', '503 ServiceUnavailable'],
  ] as const)('is in trouble: %s', async (name, code) => {
    aws.fail('/', stsErrorAnswer(name, 'json'))

    expect(await codeOf(signed())).toBe(code)
  })
})
