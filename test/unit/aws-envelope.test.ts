/** The envelope of a signed request: what is read of it, and how many spellings lead to the same. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ENDPOINT_KINDS, endpointsOf, findEndpoint, PARTITIONS } from '../../providers/aws/endpoints.ts'
import { readEnvelope } from '../../providers/aws/envelope.ts'
import { SIGNABLE_HEADERS } from '../../providers/aws/signed-request.ts'
import { encodeSignedRequest } from '../../providers/aws/stand-in/signed-request.ts'
import { ProofError } from '../../providers/contract/errors.ts'
import { JsonError } from '../../providers/contract/strict-json.ts'
import { CREDENTIALS, readWire, signedRequest, signWire, USER_CREDENTIALS, withHeaders } from '../support/aws-parts.ts'
import { BROKER } from '../support/document.ts'
import { refusalOf } from '../support/rejection.ts'

const ACTION = 'Action=GetCallerIdentity&Version=2011-06-15'
const LONG = `${BROKER}/audiences/ledger`
const MAX_LENGTH = 16_384

const codeOf = (proof: string) => refusalOf(() => readEnvelope(proof)).code
const codeOfWire = (request: object) => refusalOf(() => readWire(request)).code
/** Writes any object as an envelope. */
const write = (content: unknown): string => encodeURIComponent(JSON.stringify(content))

describe('reads', () => {
  test('our shape', () => {
    const { authorization } = Object.fromEntries(signWire().headers.map(({ key, value }) => [key, value]))

    expect(signedRequest()).toEqual({
      shape: 'chancery',
      endpoint: findEndpoint('sts.us-east-1.amazonaws.com'),
      accessKeyId: CREDENTIALS.accessKeyId,
      date: '20260115T120000Z',
      signedAt: 1_768_478_400,
      sessionToken: CREDENTIALS.sessionToken,
      audienceHeader: 'x-chancery-audience',
      audience: BROKER,
      signedHeaders: ['content-type', 'host', 'x-amz-date', 'x-amz-security-token', 'x-chancery-audience'],
      signature: authorization?.slice(-64),
    })
  })

  test('Google’s, with and without a slash before the query, and with an empty body or none', () => {
    const request = signWire({ shape: 'google', audience: LONG })
    const url = `https://sts.us-east-1.amazonaws.com/?${ACTION}`
    const read = readWire(request)

    expect(read).toMatchObject({ shape: 'google', audienceHeader: 'x-goog-cloud-target-resource', audience: LONG })
    expect(readWire({ ...request, url })).toEqual(read)
    expect(readWire({ ...request, body: '' })).toEqual(read)
    expect(readWire({ ...request, body: null })).toEqual(read)
  })

  test('the request of a user, who has no session token', () => {
    expect(signedRequest({}, USER_CREDENTIALS)).toMatchObject({ sessionToken: undefined })
  })

  test('a request to every host of the table, under its own name', () => {
    const endpoints = PARTITIONS.flatMap(endpointsOf)

    expect(endpoints.map(({ host, region }) => signedRequest({ host, region }).endpoint)).toEqual(endpoints)
    expect(ENDPOINT_KINDS).toHaveLength(5)
  })

  test.each([
    ['a space as +, as Go and Java write it', (text: string) => text.replaceAll('%20', '+')],
    [
      'digits of encoding in lower case',
      (text: string) => text.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    ],
    [
      'every character encoded',
      (text: string) =>
        Buffer.from(decodeURIComponent(text))
          .toString('hex')
          .toUpperCase()
          .replaceAll(/../g, (code) => `%${code}`),
    ],
    ['space around the JSON', (text: string) => `%20%0A+${text}%09+`],
    ['characters escaped within the JSON', (text: string) => text.replaceAll('url', '%5Cu0075rl')],
  ])('%s as the same', (_, respell) => {
    expect(readEnvelope(respell(encodeSignedRequest(signWire())))).toEqual(signedRequest())
  })

  test('headers in any order and any case as the same', () => {
    const wire = signWire()
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...wire.headers], { minLength: wire.headers.length }),
        fc.infiniteStream(fc.boolean()),
        (headers, coin) => {
          const spell = (key: string): string =>
            key.replaceAll(/[a-z]/g, (letter) => (coin.next().value === true ? letter.toUpperCase() : letter))
          const respelled = headers.map(({ key, value }) => ({ value, key: spell(key) }))

          expect(readWire({ headers: respelled, method: 'POST', body: ACTION, url: wire.url })).toEqual(signedRequest())
        },
      ),
    )
  })

  test('an envelope as long as any proof, and none that is longer', () => {
    const envelope = encodeSignedRequest(signWire())

    expect(readEnvelope(envelope.padEnd(MAX_LENGTH, '+'))).toEqual(signedRequest())
    expect(codeOf(envelope.padEnd(MAX_LENGTH + 1, '+'))).toBe('proof_too_large')
  })
})

describe('refuses as no envelope', () => {
  const json = JSON.stringify(signWire())
  const encoded = encodeURIComponent(json)

  test.each([
    ['nothing', ''],
    ['JSON as it is', json],
    ['JSON encoded twice', encodeURIComponent(encoded)],
    ['JSON encoded thrice', encodeURIComponent(encodeURIComponent(encoded))],
    ['half an encoded character', `${encoded}%`],
    ['digits that are none', `${encoded}%zz`],
    ['bytes that are not UTF-8', `${encoded}%FF`],
    ['an overlong character', `${encoded}%C0%A0`],
    ['a raw space', `${encoded} `],
    ['a raw space before', ` ${encoded}`],
    ['a line break before', `\n${encoded}`],
    ['a brace that is not encoded', encoded.replace('%7B', '{')],
    ['a raw character beyond ASCII', `${encoded}é`],
    ['a line break', `${encoded}\n`],
    ['text that is no JSON', 'x'],
    ['JSON that is cut off', encodeURIComponent(json.slice(0, -1))],
    ['two texts', encoded + encoded],
    ['a mark of byte order', `%EF%BB%BF${encoded}`],
    ['a list', write([signWire()])],
    ['a text within JSON', write(json)],
    ['null', write(null)],
    ['a number', '1'],
    ['a member twice', encodeURIComponent(json.replace('{', '{"method":"POST",'))],
    ['a member twice, once escaped', encodeURIComponent(json.replace('{', '{"m\\u0065thod":"POST",'))],
    ['a member __proto__', encodeURIComponent(json.replace('{', '{"__proto__":{},'))],
    ['a key twice within a header', encodeURIComponent(json.replace('{"key"', '{"key":"a","key"'))],
    ['a member that is too many', write({ ...signWire(), note: 'x' })],
    ['a member constructor', write({ ...signWire(), constructor: 'x' })],
    ['deep nesting', write({ ...signWire(), headers: [[[[[[]]]]]] })],
    ['an empty object', write({})],
  ])('%s', (_, proof) => {
    expect(codeOf(proof)).toBe('proof_malformed')
  })

  test('whatever one character of a good one is replaced with, or reads the same as before', () => {
    fc.assert(
      fc.property(fc.nat(encoded.length - 1), fc.string({ minLength: 0, maxLength: 3 }), (at, replacement) => {
        try {
          const read = readEnvelope(encoded.slice(0, at) + replacement + encoded.slice(at + 1))
          expect(read).toMatchObject({ shape: 'chancery', endpoint: { host: 'sts.us-east-1.amazonaws.com' } })
        } catch (error) {
          expect(error).toBeInstanceOf(ProofError)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

test('a refusal keeps its cause, where it has one', () => {
  expect(refusalOf(() => readEnvelope('x')).cause).toBeInstanceOf(JsonError)
  expect(refusalOf(() => readEnvelope(write({}))).cause).toBeUndefined()
})

describe('knows the envelopes of others', () => {
  const sent = signWire({ without: ['content-type'] }).headers
  const headers = Object.fromEntries(sent.map(({ key, value }) => [key, value]))

  test.each([
    ['aws-iam-authenticator', 'k8s-aws-v1.aHR0cHM6Ly9zdHMudXMtZWFzdC0xLmFtYXpvbmF3cy5jb20v'],
    ['Teleport', 'POST / HTTP/1.1\r\nHost: sts.us-west-2.amazonaws.com\r\n\r\n'],
    ['a raw GET', 'GET /?Action=GetCallerIdentity HTTP/1.1\r\n\r\n'],
    ['Vault', write({ iam_http_request_method: 'POST', iam_request_url: 'aHR0', iam_request_body: 'QWN0' })],
    ['Vault, headers first', write({ iam_request_headers: 'e30=' })],
    ['Infisical', write({ iamHttpRequestMethod: 'POST', iamRequestBody: 'x', iamRequestHeaders: 'y' })],
    ['Conjur', write(headers)],
    ['Conjur, with a type first', write({ 'content-type': 'x', ...headers })],
    ['Vault, with a member of ours', write({ url: 'x', note: 'x', iam_request_url: 'x' })],
    ['Conjur, with the names of headers in their usual case', write({ Host: 'x', Authorization: 'y' })],
    ['Conjur, with a date first', write({ 'X-Amz-Date': 'x' })],
    ['Conjur, with the authorization alone', write({ authorization: 'y' })],
  ])('%s', (_, proof) => {
    const refusal = refusalOf(() => readEnvelope(proof))

    expect(refusal.code).toBe('envelope_foreign')
    expect(refusal.message).toContain('sign x-chancery-audience')
  })

  test.each([...['authorizations', 'hostname', 'xiam_request_url', 'x-amz', 'my-host', 'x-iam_http_request', 'URL']])(
    'and takes a member %j for a mistake',
    (name) => {
      expect(codeOf(write({ ...signWire(), [name]: 'x' }))).toBe('proof_malformed')
    },
  )

  test.each([
    'xk8s-aws-v1.abc',
    'k8s-aws-v1xabc',
    'k8s-aws-v2.abc',
    'k8s-aws-v1',
    'POST/',
    'PUT / HTTP/1.1',
    'xPOST / HTTP/1.1',
    'post / x',
  ])('and takes a beginning %j for a mistake', (proof) => {
    expect(codeOf(proof)).toBe('proof_malformed')
  })

  test('and says nothing of either before it has seen how long it is', () => {
    expect(codeOf('k8s-aws-v1.'.padEnd(MAX_LENGTH + 1, 'x'))).toBe('proof_too_large')
  })
})

test('every header that may be signed is signed with its constant, or refused', () => {
  const constants = [...SIGNABLE_HEADERS].filter(([, constant]) => constant !== undefined)

  for (const [name, constant] of constants) {
    const bend = (value: string) => (headers: readonly object[]) => [
      ...headers.filter((header) => !('key' in header) || header.key !== name),
      { key: name, value },
    ]
    const good = constant?.('chancery') ?? ''
    expect(readWire(withHeaders(signWire(), bend(good)))).toEqual(signedRequest())
    expect(codeOfWire(withHeaders(signWire(), bend(`${good}0`)))).toBe('proof_malformed')
    expect(codeOfWire(signWire({ headers: { [name]: `${good}0` } }))).toBe('proof_malformed')
  }
  expect(constants.map(([name]) => name)).toEqual(['accept', 'content-length', 'content-type', 'x-amz-content-sha256'])
})
