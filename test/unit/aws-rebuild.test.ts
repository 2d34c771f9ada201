/** What goes to STS is built from constants, byte for byte, and the signature of an honest client holds over it. */

import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  ACTION,
  AUDIENCE_HEADER,
  bodyOf,
  GOOGLE_AUDIENCE_HEADER,
  MAX_AGE_SECONDS,
  type RequestShape,
  rebuild,
  SIGNABLE_HEADERS,
  type SignedRequest,
} from '../../providers/aws/signed-request.ts'
import { type SigningCredentials, withHeader } from '../../providers/aws/stand-in/signed-request.ts'
import { signatureOf } from '../../providers/aws/stand-in/sigv4.ts'
import { CREDENTIALS, readWire, signedRequest, signWire, USER_CREDENTIALS } from '../support/aws-parts.ts'
import { BROKER } from '../support/document.ts'

const SHAPES = ['chancery', 'google'] as const
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex')

describe('the constants', () => {
  test('are the request of the API’s reference, its digest, and five minutes', () => {
    expect(ACTION).toBe('Action=GetCallerIdentity&Version=2011-06-15')
    expect(SHAPES.map(bodyOf)).toEqual([ACTION, ''])
    expect(MAX_AGE_SECONDS).toBe(300)
  })

  test.each(SHAPES)('of headers that may be signed follow from the body of the shape %s', (shape) => {
    const constants = [...SIGNABLE_HEADERS].map(([name, constant]) => [name, constant?.(shape)])

    expect(Object.fromEntries(constants)).toEqual({
      accept: 'application/json',
      'content-length': String(Buffer.byteLength(bodyOf(shape))),
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      host: undefined,
      'x-amz-content-sha256': digestOf(bodyOf(shape)),
      'x-amz-date': undefined,
      'x-amz-security-token': undefined,
      [AUDIENCE_HEADER]: undefined,
      [GOOGLE_AUDIENCE_HEADER]: undefined,
    })
    expect(SIGNABLE_HEADERS.size).toBe(9)
  })
})

describe('builds, byte for byte,', () => {
  const authorizationOf = (request: SignedRequest): string =>
    `AWS4-HMAC-SHA256 Credential=ASIAIOSFODNN7EXAMPLE/20260115/us-east-1/sts/aws4_request, SignedHeaders=${request.signedHeaders.join(';')}, Signature=${request.signature}`

  test('our shape: the action in the body', () => {
    const request = signedRequest()

    expect(rebuild(request)).toEqual({
      path: '/',
      headers: {
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        host: 'sts.us-east-1.amazonaws.com',
        'x-amz-date': '20260115T120000Z',
        'x-chancery-audience': BROKER,
        'x-amz-security-token': CREDENTIALS.sessionToken,
        authorization: authorizationOf(request),
      },
      body: 'Action=GetCallerIdentity&Version=2011-06-15',
    })
  })

  test('Google’s: the action in the query, no body and no type of one', () => {
    const request = signedRequest({ shape: 'google', audience: `${BROKER}/audiences/ledger` })

    expect(rebuild(request)).toEqual({
      path: '/?Action=GetCallerIdentity&Version=2011-06-15',
      headers: {
        host: 'sts.us-east-1.amazonaws.com',
        'x-amz-date': '20260115T120000Z',
        'x-goog-cloud-target-resource': `${BROKER}/audiences/ledger`,
        'x-amz-security-token': CREDENTIALS.sessionToken,
        authorization: authorizationOf(request),
      },
      body: '',
    })
  })

  test('the request of a user without a session token', () => {
    expect(rebuild(signedRequest({}, USER_CREDENTIALS)).headers).not.toHaveProperty('x-amz-security-token')
  })

  test('a body with its type, signed or not: STS reads it by that', () => {
    const request = signedRequest({ without: ['content-type'] })

    expect(request.signedHeaders).not.toContain('content-type')
    expect(rebuild(request).headers['content-type']).toBe('application/x-www-form-urlencoded; charset=utf-8')
  })

  test('nothing that the caller sent beside', () => {
    const odd = { 'X-Amz-Target': 'x', Cookie: 'a=b', 'X-Forwarded-Host': 'evil.example', Expect: '100-continue' }
    const unsigned = Object.keys(odd).map((name) => name.toLowerCase())
    const request = signedRequest({ headers: odd, unsigned })

    expect(rebuild(request)).toEqual(rebuild(signedRequest()))
  })

  test.each(['accept', 'content-length', 'x-amz-content-sha256'])('%s only where it is signed', (name) => {
    const value = SIGNABLE_HEADERS.get(name)?.('chancery') ?? ''

    expect(rebuild(signedRequest({ headers: { [name]: value }, unsigned: [name] })).headers).not.toHaveProperty(name)
    expect(rebuild(signedRequest({ headers: { [name]: value } })).headers).toHaveProperty(name, value)
  })

  test('the scope from the region of the host, for a host of each kind', () => {
    const scopeOf = (host: string) =>
      /Credential=\w+\/([^,]+),/.exec(rebuild(signedRequest({ host })).headers.authorization ?? '')?.[1]

    expect(scopeOf('sts.amazonaws.com')).toBe('20260115/us-east-1/sts/aws4_request')
    expect(scopeOf('sts-fips.ca-west-1.api.aws')).toBe('20260115/ca-west-1/sts/aws4_request')
    expect(scopeOf('sts.cn-north-1.amazonaws.com.cn')).toBe('20260115/cn-north-1/sts/aws4_request')
  })
})

/** Everything that may be signed beside what must. */
const OPTIONAL = ['accept', 'content-length', 'content-type', 'x-amz-content-sha256'] as const
const SUBSETS = Array.from({ length: 2 ** OPTIONAL.length }, (_, bits) =>
  OPTIONAL.filter((_name, index) => (bits >> index) % 2 === 1),
)

/** The signature that STS would compute of what the broker sends. */
function recompute(request: SignedRequest, { secretAccessKey }: SigningCredentials): string {
  const { path, headers, body } = rebuild(request)
  const list = Object.entries(headers).map(([key, value]) => ({ key, value }))
  const scope = { date: request.date.slice(0, 8), region: request.endpoint.region, service: 'sts' }
  const { date: amzDate, signedHeaders } = request
  return signatureOf(
    { method: 'POST', target: path, headers: list, body },
    { secretAccessKey, scope, amzDate, signedHeaders },
  )
}

describe('an honest signature holds over what is sent', () => {
  const wishOf = (shape: RequestShape, names: readonly string[], audienceHeader: string) => ({
    shape,
    audienceHeader,
    // The type is always there in our shape: where it is not among the names, it is left out.
    without: shape === 'chancery' && !names.includes('content-type') ? ['content-type'] : [],
    headers: Object.fromEntries(names.map((name) => [name, SIGNABLE_HEADERS.get(name)?.(shape) ?? ''])),
  })
  const cases = SHAPES.flatMap((shape) =>
    [AUDIENCE_HEADER, GOOGLE_AUDIENCE_HEADER].flatMap((header) =>
      [CREDENTIALS, USER_CREDENTIALS].flatMap((credentials) =>
        SUBSETS.map((names) => ({ shape, header, credentials, names })),
      ),
    ),
  )

  test('for every set of headers that may be signed', () => {
    const requests = cases.map(({ shape, header, credentials, names }) => ({
      request: signedRequest(wishOf(shape, names, header), credentials),
      credentials,
      names,
    }))

    expect(
      requests.filter(({ request, credentials }) => recompute(request, credentials) !== request.signature),
    ).toEqual([])
    expect(requests).toHaveLength(128)
    expect(requests.every(({ request, names }) => names.every((name) => request.signedHeaders.includes(name)))).toBe(
      true,
    )
  })

  test('and no longer when anything that is taken was changed', () => {
    const good = signedRequest()
    const changed: readonly SignedRequest[] = [
      { ...good, shape: 'google' },
      { ...good, date: '20260115T120001Z' },
      { ...good, audience: 'https://other.example' },
      { ...good, audienceHeader: GOOGLE_AUDIENCE_HEADER },
      { ...good, sessionToken: `${good.sessionToken}x` },
      { ...good, sessionToken: undefined },
      { ...good, endpoint: { ...good.endpoint, host: 'sts.us-east-2.amazonaws.com' } },
      { ...good, endpoint: { ...good.endpoint, region: 'us-east-2' } },
      { ...good, signedHeaders: [...good.signedHeaders, 'accept'] },
    ]

    expect(recompute(good, CREDENTIALS)).toBe(good.signature)
    expect(changed.filter((request) => recompute(request, CREDENTIALS) === good.signature)).toEqual([])
  })

  test('and not where something else was signed than what the envelope shows', () => {
    const shown = withHeader(signWire({ audience: 'https://other.example' }), AUDIENCE_HEADER, BROKER)
    const request = readWire(shown)

    expect(recompute(request, CREDENTIALS)).not.toBe(request.signature)
  })
})
