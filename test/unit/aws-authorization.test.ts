/** The Authorization header of SigV4, in its one spelling. */

import { describe, expect, test } from 'vitest'
import { readAuthorization } from '../../providers/aws/authorization.ts'
import { refusalOf } from '../support/rejection.ts'

const SIGNATURE = '3e6b3c5d18dcf8ab7190c0f42b719da7b5b12101ff910b1dff38fb9fd6e8679e'
const NAMES = 'host;x-amz-date;x-chancery-audience'
const CREDENTIAL = 'ASIAIOSFODNN7EXAMPLE/20260115/us-east-1/sts/aws4_request'

interface Parts {
  readonly algorithm?: string
  readonly credential?: string
  readonly names?: string
  readonly signature?: string
}

function write(parts: Parts = {}): string {
  const { algorithm = 'AWS4-HMAC-SHA256', credential = CREDENTIAL, names = NAMES, signature = SIGNATURE } = parts
  return `${algorithm} Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`
}

const codeOf = (text: string) => refusalOf(() => readAuthorization(text)).code

test('takes the header apart', () => {
  expect(readAuthorization(write())).toEqual({
    accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
    scopeDate: '20260115',
    region: 'us-east-1',
    signedHeaders: ['host', 'x-amz-date', 'x-chancery-audience'],
    signature: SIGNATURE,
  })
})

test.each([
  ['no space after the commas, as some signers write it', write().replaceAll(', ', ',')],
  ['an id as short as AWS has them', write({ credential: CREDENTIAL.replace(/^\w+/, 'A'.repeat(16)) })],
  ['an id as long as AWS may make them', write({ credential: CREDENTIAL.replace(/^\w+/, 'A'.repeat(128)) })],
  ['a name alone', write({ names: 'h' })],
])('takes %s', (_, text) => {
  expect(readAuthorization(text)).toMatchObject({ signature: SIGNATURE, region: 'us-east-1' })
})

describe('refuses', () => {
  test.each(['AWS4-ECDSA-P256-SHA256', 'AWS4-HMAC-SHA1', 'AWS4-HMAC-SHA512', 'aws4-hmac-sha256', 'AWS3', 'Bearer', ''])(
    'the algorithm "%s"',
    (algorithm) => {
      expect(codeOf(write({ algorithm }))).toBe('proof_malformed')
    },
  )

  test.each([
    ...[
      'ASIAIOSFODNN7EXAMPLE/20260115/us-east-1/iam/aws4_request',
      'ASIAIOSFODNN7EXAMPLE/20260115/us-east-1/s3/aws4_request',
    ],
    ...[
      'ASIAIOSFODNN7EXAMPLE/20260115/us-east-1/sts/aws4',
      'ASIAIOSFODNN7EXAMPLE/20260115/us-east-1/sts/aws4_request/x',
    ],
    ...['ASIAIOSFODNN7EXAMPLE/20260115/us-east-1/STS/aws4_request', 'ASIAIOSFODNN7EXAMPLE/20260115/us-east-1/sts'],
    ...['ASIAIOSFODNN7EXAMPLE/20260115//sts/aws4_request', 'ASIAIOSFODNN7EXAMPLE/20260115/US-EAST-1/sts/aws4_request'],
    ...[
      'ASIAIOSFODNN7EXAMPLE/20260115/us-east-1.evil.example/sts/aws4_request',
      `${CREDENTIAL.replace('us-east-1', 'a'.repeat(33))}`,
    ],
    ...[
      'ASIAIOSFODNN7EXAMPLE/2026011/us-east-1/sts/aws4_request',
      'ASIAIOSFODNN7EXAMPLE/202601150/us-east-1/sts/aws4_request',
    ],
    ...[
      'asiaiosfodnn7example/20260115/us-east-1/sts/aws4_request',
      'ASIA-OSFODNN7EXAMPLE/20260115/us-east-1/sts/aws4_request',
    ],
    ...[CREDENTIAL.replace(/^\w+/, 'A'.repeat(15)), CREDENTIAL.replace(/^\w+/, 'A'.repeat(129)), ''],
    ...[CREDENTIAL.replace('20260115', '٢٠٢٦٠١١٥'), CREDENTIAL.replaceAll('/', '%2F'), `${CREDENTIAL} `],
  ])('the credential "%s"', (credential) => {
    expect(codeOf(write({ credential }))).toBe('proof_malformed')
  })

  test.each([
    ...['', ';', 'host;', ';host', 'host;;x-amz-date', 'x-amz-date;host', 'host;host', 'host;x-amz-date;x-amz-date'],
    ...['Host;x-amz-date', 'host;X-Amz-Date', 'host; x-amz-date', 'host,x-amz-date', 'host:x-amz-date', 'host_x'],
    ...['b;a;c', 'a;c;b', 'a'.repeat(513), 'höst'],
  ])('the signed headers "%s"', (names) => {
    expect(codeOf(write({ names }))).toBe('proof_malformed')
  })

  test.each([
    ...['', SIGNATURE.slice(1), `${SIGNATURE}0`, SIGNATURE.toUpperCase(), `g${SIGNATURE.slice(1)}`, `${SIGNATURE}=`],
    ...[`${SIGNATURE}\n`, `${SIGNATURE} `, ` ${SIGNATURE}`, `0x${SIGNATURE.slice(2)}`],
  ])('the signature %j', (signature) => {
    expect(codeOf(write({ signature }))).toBe('proof_malformed')
  })

  test.each([
    ['a component twice', `${write()}, Signature=${SIGNATURE}`],
    ['two credentials', write().replace('Credential=', `Credential=${CREDENTIAL}, Credential=`)],
    ['two lists of signed headers', write().replace('SignedHeaders=', 'SignedHeaders=host, SignedHeaders=')],
    ['another order', `AWS4-HMAC-SHA256 SignedHeaders=${NAMES}, Credential=${CREDENTIAL}, Signature=${SIGNATURE}`],
    ['a component that is missing', `AWS4-HMAC-SHA256 Credential=${CREDENTIAL}, Signature=${SIGNATURE}`],
    ['no comma', write().replace(',', '')],
    ['two spaces', write().replace(', ', ',  ')],
    ['a tab', write().replace(', ', ',\t')],
    ['a space before', ` ${write()}`],
    ['names of components in another case', write().replace('Credential', 'credential')],
    ['more behind it', `${write()}, X=1`],
    ['more before it', `X=1 ${write()}`],
    ['nothing at all', ''],
  ])('%s', (_, text) => {
    expect(codeOf(text)).toBe('proof_malformed')
  })
})

test.each(['a', 'a'.repeat(32)])('takes the region %s, of which another step knows whether it is one', (region) => {
  expect(readAuthorization(write({ credential: CREDENTIAL.replace('us-east-1', region) })).region).toBe(region)
})

test('takes 512 characters of names', () => {
  expect(readAuthorization(write({ names: 'a'.repeat(512) })).signedHeaders).toEqual(['a'.repeat(512)])
})
