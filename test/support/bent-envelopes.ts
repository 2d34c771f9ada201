/** Envelopes near the real one: genuine requests that are bent in their values, their headers, their JSON or their bytes. */

import fc from 'fast-check'
import { encodeSignedRequest, type SignedRequest } from '../../providers/aws/stand-in/signed-request.ts'
import type { SigningWishNow } from '../../providers/aws/stand-in/stand-in.ts'
import { LONG_AUDIENCE } from './aws-scene.ts'
import { BROKER } from './document.ts'

const ACTION = 'Action=GetCallerIdentity&Version=2011-06-15'

const HOSTS = [
  'sts.us-east-1.amazonaws.com',
  'sts.eu-west-1.amazonaws.com',
  'sts.amazonaws.com',
  'sts-fips.us-east-1.amazonaws.com',
  'sts.us-east-1.api.aws',
  'sts.cn-north-1.amazonaws.com.cn',
  'sts.amazonaws.com.evil.example',
  'evil.example',
  '127.0.0.1',
  'STS.us-east-1.amazonaws.com',
] as const

/** Pieces that change what a request means wherever a reader is careless. */
const POISON = [
  '\r\nX-Injected: 1',
  '\n',
  '\r',
  '\u0000',
  '\t',
  ' ',
  ', ',
  ';',
  '/',
  '..',
  '#',
  '?',
  '&',
  '%0d%0a',
  'é',
  '\u010a',
  '"',
]

const NAMES = [
  ...[
    'host',
    'Host',
    'x-amz-date',
    'x-amz-security-token',
    'authorization',
    'content-type',
    'content-length',
    'accept',
  ],
  ...[
    'x-chancery-audience',
    'x-goog-cloud-target-resource',
    'x-amz-content-sha256',
    'x-amz-target',
    'cookie',
    'expect',
  ],
  ...[
    'transfer-encoding',
    'connection',
    'upgrade',
    'te',
    'x-http-method-override',
    ':authority',
    'x-forwarded-host',
    '',
  ],
]

const VALUES = [
  'x',
  '0',
  '43',
  'chunked',
  'close',
  'application/json',
  'text/xml',
  BROKER,
  LONG_AUDIENCE,
  ...HOSTS,
  ...POISON,
]

/** What to sign: the genuine one as often as everything else together, so that some requests do reach STS. */
export const signingWish: fc.Arbitrary<Partial<SigningWishNow>> = fc.oneof(
  fc.constantFrom<Partial<SigningWishNow>>({}, { shape: 'google' }, { without: ['content-type'] }),
  fc.record(
    {
      shape: fc.constantFrom('chancery', 'google'),
      host: fc.constantFrom(...HOSTS),
      region: fc.constantFrom('us-east-1', 'eu-west-1', 'us-east-1/x'),
      audience: fc.constantFrom(BROKER, LONG_AUDIENCE, 'https://vault.example'),
      method: fc.constantFrom('POST', 'GET', 'PUT', 'post'),
      query: fc.constantFrom('', ACTION, 'Action=AssumeRole', `${ACTION}&Action=AssumeRole`),
      body: fc.constantFrom('', ACTION, 'Action=AssumeRole', `${ACTION}&Action=AssumeRole`),
      headers: fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom(...VALUES), { maxKeys: 2 }),
      unsigned: fc.subarray(NAMES, { maxLength: 3 }),
      without: fc.subarray(NAMES, { maxLength: 1 }),
    },
    { requiredKeys: [] },
  ),
)

type Bend = (request: SignedRequest) => object

const value = fc.oneof(fc.constantFrom(...VALUES), fc.string({ unit: 'binary', maxLength: 12 }))
const name = fc.oneof(fc.constantFrom(...NAMES), fc.string({ maxLength: 8 }))
const index = fc.nat(7)

const atHeader =
  (at: number, bend: (header: SignedRequest['headers'][number]) => object): Bend =>
  (request) => ({
    ...request,
    headers: request.headers.map((header, place) => (place === at ? bend(header) : header)),
  })

/** One change to a request. */
const bend: fc.Arbitrary<Bend> = fc.oneof(
  fc.constant<Bend>((request) => request),
  fc.tuple(name, value).map(
    ([key, text]): Bend =>
      (request) => ({
        ...request,
        headers: [...request.headers, { key, value: text }],
      }),
  ),
  fc.tuple(index, fc.constantFrom(...POISON), fc.nat(80)).map(([at, poison, place]) =>
    atHeader(at, (header) => ({
      ...header,
      value: header.value.slice(0, place) + poison + header.value.slice(place),
    })),
  ),
  fc.tuple(index, value).map(([at, text]) => atHeader(at, (header) => ({ ...header, value: text }))),
  fc.tuple(index, name).map(([at, key]) => atHeader(at, (header) => ({ ...header, key }))),
  index.map((at) => atHeader(at, (header) => ({ ...header, key: header.key.toUpperCase() }))),
  index.map(
    (at): Bend =>
      (request) => ({ ...request, headers: request.headers.filter((_, place) => place !== at) }),
  ),
  index.map(
    (at): Bend =>
      (request) => ({ ...request, headers: [...request.headers, ...request.headers.slice(at, at + 1)] }),
  ),
  fc.tuple(fc.constantFrom('url', 'method', 'body', 'headers', 'extra'), fc.jsonValue()).map(
    ([member, json]): Bend =>
      (request) => ({ ...request, [member]: json }),
  ),
  fc.constantFrom(...HOSTS).map(
    (host): Bend =>
      (request) => ({ ...request, url: `https://${host}/` }),
  ),
  fc.tuple(fc.constantFrom(...POISON), fc.nat(70)).map(
    ([poison, place]): Bend =>
      (request) => ({
        ...request,
        url: request.url.slice(0, place) + poison + request.url.slice(place),
      }),
  ),
)

/** Up to two changes to a request, written as a proof. */
export const bentText: fc.Arbitrary<(request: SignedRequest) => string> = fc
  .array(bend, { maxLength: 2 })
  .map((bends) => (request) => {
    const bent = bends.reduce<object>((before, change) => (hasHeaders(before) ? change(before) : before), request)
    return encodeURIComponent(JSON.stringify(bent).replaceAll(/[\ud800-\udfff]/g, ''))
  })

function hasHeaders(value: object): value is SignedRequest {
  const { url, headers } = value as Partial<SignedRequest>
  return (
    typeof url === 'string' && Array.isArray(headers) && headers.every((header) => typeof header?.value === 'string')
  )
}

/** Up to three changes to the characters of a proof. */
export const tornText: fc.Arbitrary<(request: SignedRequest) => string> = fc
  .array(
    fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      removed: fc.constantFrom(0, 0, 1, 2, 3),
      put: fc.oneof(
        fc.constantFrom('%', '%0D%0A', '%00', '%22', '%2C', '+', '%7D', '%7B', 'A', '0', '.', '%C3%A9', '%5Cu0000', ''),
        fc.string({ maxLength: 2 }),
      ),
    }),
    { maxLength: 3 },
  )
  .map(
    (tears) => (request) =>
      tears.reduce((text, { at, removed, put }) => {
        const place = Math.floor(at * text.length)
        return text.slice(0, place) + put + text.slice(place + removed)
      }, encodeSignedRequest(request)),
  )
