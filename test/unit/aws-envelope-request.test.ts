/** The request within an envelope: nothing but GetCallerIdentity at an STS host, signed over the closed set and the audience. */

import { describe, expect, test } from 'vitest'
import { SIGNABLE_HEADERS } from '../../providers/aws/signed-request.ts'
import { withHeader } from '../../providers/aws/stand-in/signed-request.ts'
import { CREDENTIALS, readWire, signedRequest, signWire, USER_CREDENTIALS, withHeaders } from '../support/aws-parts.ts'
import { BROKER } from '../support/document.ts'
import { refusalOf } from '../support/rejection.ts'

const ACTION = 'Action=GetCallerIdentity&Version=2011-06-15'
const HOST = 'sts.us-east-1.amazonaws.com'
const LONG = `${BROKER}/audiences/ledger`
const GOOGLE_AUDIENCE = 'x-goog-cloud-target-resource'

const codeOf = (request: object) => refusalOf(() => readWire(request)).code

describe('refuses the URL', () => {
  test.each([
    ...['', `http://${HOST}/`, `https://${HOST}`, `${HOST}/`, `//${HOST}/`, `HTTPS://${HOST}/`, `https:/${HOST}/`],
    ...[`https://${HOST}:443/`, `https://${HOST}:8443/`, `https://${HOST}./`, `https://${HOST.toUpperCase()}/`],
    ...[`https://user@${HOST}/`, `https://${HOST}@evil.example/`, `https://evil.example/${HOST}/`, `https://${HOST}/#`],
    ...[
      `https://${HOST}#/`,
      `https://${HOST}\\/`,
      `https://${HOST}/%2e%2e/`,
      `https://${HOST}//`,
      `https://${HOST}/./`,
    ],
    ...[`https://${HOST}/x`, `https://${HOST}/?`, `https://${HOST}?`, `https://${HOST}/?Action=GetCallerIdentity`],
    ...[
      `https://${HOST}/?${ACTION}&Action=GetSessionToken`,
      `https://${HOST}/?Version=2011-06-15&Action=GetCallerIdentity`,
    ],
    ...[`https://${HOST}/?${ACTION}#`, `https://${HOST}/?${ACTION} `, `https://${HOST}/?${ACTION.toLowerCase()}`],
    ...[
      `https://${HOST}/ `,
      ` https://${HOST}/`,
      `https://${HOST}/\n`,
      `https://${HOST}\n/`,
      `https://${HOST}/\n?${ACTION}`,
    ],
    ...[
      'https://sts.amazonaws.com.evil.example/',
      'https://evilsts.us-east-1.amazonaws.com/',
      'https://stsXamazonaws.com/',
    ],
    ...[
      'https://sts。us-east-1。amazonaws。com/',
      'https://ſts.us-east-1.amazonaws.com/',
      'https://sts%2eamazonaws.com/',
    ],
    ...['https://sts.s3.amazonaws.com/', 'https://vpce-1.sts.us-east-1.vpce.amazonaws.com/', 'https://127.0.0.1/'],
    ...[
      'https://2130706433/',
      'https://[::1]/',
      'https://sts.us-east-1.evil.example/',
      'https://sts.us-east-1\t.amazonaws.com/',
    ],
    ...[`https://${HOST}?action=GetCallerIdentity&Action=AssumeRole`, `https://${'a'.repeat(129)}/`],
    ...[`https://${HOST}/?Action=AssumeRole&Version=2011-06-15`, `https://${HOST}?${ACTION}&X-Amz-Expires=60`],
  ])('%j', (url) => {
    expect(codeOf({ ...signWire(), url })).toBe('proof_malformed')
    expect(codeOf({ ...signWire({ shape: 'google', audience: LONG }), url })).toBe('proof_malformed')
  })

  test.each([[undefined], [null], [1], [[`https://${HOST}/`]], [{}]])('%j', (url) => {
    expect(codeOf({ ...signWire(), url })).toBe('proof_malformed')
  })
})

test.each(['GET', 'PUT', 'post', 'POST ', 'Post', '', 1, null, undefined])('refuses the method %j', (method) => {
  expect(codeOf({ ...signWire(), method })).toBe('proof_malformed')
})

describe('refuses the body', () => {
  test.each([
    ...[
      '',
      `${ACTION}&`,
      `&${ACTION}`,
      `${ACTION}&Action=GetSessionToken`,
      'Action=AssumeRoleWithWebIdentity&Version=2011-06-15',
    ],
    ...['Version=2011-06-15&Action=GetCallerIdentity', 'Action=GetCallerIdentity', `${ACTION}\n`, ` ${ACTION}`],
    ...[
      'Action=GetCallerIdentity&Version=2011%2D06%2D15',
      null,
      undefined,
      1,
      [ACTION],
      { Action: 'GetCallerIdentity' },
    ],
  ])('%j in our shape', (body) => {
    expect(codeOf({ ...signWire(), body })).toBe('proof_malformed')
  })

  test.each([ACTION, ' ', 'Action=AssumeRole', 0, false, [], {}])('%j in Google’s', (body) => {
    expect(codeOf({ ...signWire({ shape: 'google', audience: LONG }), body })).toBe('proof_malformed')
  })
})

describe('refuses a scope', () => {
  test.each([
    ['of another day', { scopeDate: '20260114' }],
    ['of another region than the host’s', { region: 'us-east-2' }],
    ['of a region that there is not', { region: 'us-east-9' }],
    ['of another service', { service: 's3' }],
    ['of another region than the global host’s', { host: 'sts.amazonaws.com', region: 'eu-west-1' }],
  ])('%s', (_, wish) => {
    expect(codeOf(signWire(wish))).toBe('proof_malformed')
  })

  test('and a host header that is not the URL’s, though both are STS’s', () => {
    const wire = signWire({ host: 'sts.us-east-1.api.aws' })

    expect(codeOf({ ...wire, url: `https://${HOST}/` })).toBe('proof_malformed')
    expect(codeOf(withHeader(signWire(), 'host', `${HOST}:443`))).toBe('proof_malformed')
    expect(codeOf(withHeader(signWire(), 'host', HOST.toUpperCase()))).toBe('proof_malformed')
  })

  test('and a date that the calendar does not have', () => {
    expect(codeOf(signWire({ amzDate: '20260132T120000Z' }))).toBe('proof_malformed')
  })
})

describe('refuses signed headers', () => {
  test.each([
    ...[
      'x-forwarded-host',
      'x-amz-target',
      'cookie',
      'expect',
      'proxy-authorization',
      'user-agent',
      'x-vault-aws-iam-server-id',
    ],
    ...['accept-encoding', 'amz-sdk-invocation-id', 'x-k8s-aws-id', 'x-teleport-challenge', 'authorization'],
  ])('with %s among them', (name) => {
    expect(codeOf(signWire({ headers: { [name]: 'x' } }))).toBe('proof_malformed')
  })

  test.each(['host', 'x-amz-date', 'x-amz-security-token'])('without %s', (name) => {
    expect(codeOf(signWire({ unsigned: [name] }))).toBe('proof_malformed')
  })

  test.each(['host', 'x-amz-date', 'x-amz-security-token', 'authorization', 'x-chancery-audience'])(
    'with %s in the envelope no more',
    (name) => {
      const bent = withHeaders(signWire(), (headers) => headers.filter(({ key }) => key !== name))

      expect(codeOf(bent)).toBe('proof_malformed')
    },
  )

  test('with a session token that was never there', () => {
    const wire = signWire({ headers: { 'x-amz-security-token': 'x' }, without: [] }, USER_CREDENTIALS)
    const bent = withHeaders(wire, (headers) => headers.filter(({ key }) => key !== 'x-amz-security-token'))

    expect(readWire(wire)).toMatchObject({ sessionToken: 'x' })
    expect(codeOf(bent)).toBe('proof_malformed')
  })

  test('with a session token that was put in afterwards', () => {
    const wire = signWire({}, USER_CREDENTIALS)
    const bent = withHeaders(wire, (headers) => [...headers, { key: 'x-amz-security-token', value: 'x' }])

    expect(codeOf(bent)).toBe('proof_malformed')
  })

  test.each(['chancery', 'google'] as const)('with the constants of the other shape than %s', (shape) => {
    const other = shape === 'google' ? 'chancery' : 'google'
    const signWith = (name: string, of: typeof shape) =>
      signWire({ shape, audience: LONG, headers: { [name]: SIGNABLE_HEADERS.get(name)?.(of) ?? '' } })

    for (const name of ['content-length', 'x-amz-content-sha256']) {
      expect(readWire(signWith(name, shape)).signedHeaders).toContain(name)
      expect(codeOf(signWith(name, other))).toBe('proof_malformed')
    }
  })

  test.each([
    ['accept', '*/*'],
    ['accept', 'application/xml'],
    ['content-type', 'application/x-www-form-urlencoded'],
    ['content-type', 'application/json'],
    ['content-length', '5'],
    ['content-length', '043'],
    ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
  ])('with %s: %s, signed or not', (name, value) => {
    expect(codeOf(signWire({ headers: { [name]: value } }))).toBe('proof_malformed')
    expect(codeOf(signWire({ headers: { [name]: value }, unsigned: [name] }))).toBe('proof_malformed')
  })
})

describe('the audience header', () => {
  test('has to be signed', () => {
    expect(codeOf(signWire({ unsigned: ['x-chancery-audience'] }))).toBe('audience_not_signed')
    expect(codeOf(signWire({ without: ['x-chancery-audience'] }))).toBe('audience_not_signed')
    expect(codeOf(signWire({ shape: 'google', audience: LONG, unsigned: [GOOGLE_AUDIENCE] }))).toBe(
      'audience_not_signed',
    )
  })

  test('has to be one', () => {
    expect(codeOf(signWire({ headers: { [GOOGLE_AUDIENCE]: LONG } }))).toBe('audience_not_single')
  })

  test('is the signed one, whatever else the envelope says', () => {
    const ours = signWire({ headers: { [GOOGLE_AUDIENCE]: LONG }, unsigned: [GOOGLE_AUDIENCE] })
    const googles = signWire({
      shape: 'google',
      audience: LONG,
      headers: { 'x-chancery-audience': BROKER },
      unsigned: ['x-chancery-audience'],
    })

    expect(readWire(ours)).toMatchObject({ audienceHeader: 'x-chancery-audience', audience: BROKER })
    expect(readWire(googles)).toMatchObject({ audienceHeader: GOOGLE_AUDIENCE, audience: LONG })
  })

  test('is either one in either shape', () => {
    const crossed = [
      signedRequest({ audienceHeader: GOOGLE_AUDIENCE, audience: LONG }),
      signedRequest({ shape: 'google', audienceHeader: 'x-chancery-audience' }),
    ]

    expect(crossed.map(({ shape, audienceHeader }) => [shape, audienceHeader])).toEqual([
      ['chancery', GOOGLE_AUDIENCE],
      ['google', 'x-chancery-audience'],
    ])
  })
})

test('what is sent unsigned and unknown is dropped', () => {
  const odd = { 'x-forwarded-host': 'evil.example', cookie: 'a=b', 'x-amz-target': 'x', 'user-agent': 'y' }

  expect(signedRequest({ headers: odd, unsigned: Object.keys(odd) })).toEqual(signedRequest())
})

test('no refusal repeats what it was given', () => {
  const refusal = refusalOf(() => readWire(signWire({ headers: { cookie: 'a-secret-of-24-characters' } })))

  expect(`${refusal.message} ${JSON.stringify(refusal.facts)} ${refusal.stack}`).not.toContain('a-secret-of-24')
  expect(refusal.message).not.toContain(CREDENTIALS.sessionToken ?? '')
})
