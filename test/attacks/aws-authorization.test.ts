/** Attacks through the Authorization header: AWS-10, AWS-11, AWS-22, AWS-31 and AWS-41 of the catalogue. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type SignedRequest, withHeader } from '../../providers/aws/stand-in/signed-request.ts'
import type { SigningWishNow } from '../../providers/aws/stand-in/stand-in.ts'
import { expectRefusedBySts, expectRefusedUnasked, expectTaken } from '../support/aws-answers.ts'
import { type AwsScene, awsDocumentFor, openAwsScene } from '../support/aws-scene.ts'
import { BROKER } from '../support/document.ts'

let scene: AwsScene

/** A broker for each group of tests, as a broker records no more than a hundred refusals of a second one by one. */
function openBeforeAll(): void {
  beforeAll(async () => {
    scene = await openAwsScene({ document: (aws) => awsDocumentFor(aws, { endpoints: ['regional', 'global'] }) })
  })
  afterAll(() => scene.close())
}

/** A genuine request whose Authorization header is written differently. */
function rewritten(rewrite: (authorization: string) => string, wish: Partial<SigningWishNow> = {}): SignedRequest {
  const request = scene.sign(wish)
  const before = authorizationOf(request)
  const after = rewrite(before)
  expect(after, 'the rewriting does something').not.toBe(before)
  return withHeader(request, 'authorization', after)
}

function authorizationOf({ headers }: SignedRequest): string {
  return headers.find(({ key }) => key === 'authorization')?.value ?? ''
}

describe('the scope', () => {
  openBeforeAll()

  const SCOPES: readonly Partial<SigningWishNow>[] = [
    ...['iam', 's3', 'STS', 'sts2', 'execute-api', '', 'sts/sts', 'sts '].map((service) => ({ service })),
    ...['20260114', '20260116', '20250115', '2026011', '202601150', '2026-01-15', '', '20260115T120000Z'].map(
      (scopeDate) => ({ scopeDate }),
    ),
  ]

  test.each(SCOPES)('AWS-10 refuses a request that was signed for the scope %j', async (wish) => {
    await expectRefusedUnasked(scene, scene.sign(wish), 'proof_malformed')
  })

  test.each(['aws4_request ', 'AWS4_REQUEST', 'aws4_request/x', 'aws5_request', 'aws4', ''])(
    'AWS-10 refuses the terminator %j',
    async (terminator) => {
      const bent = rewritten((text) => text.replace('/aws4_request,', `/${terminator},`))

      await expectRefusedUnasked(scene, bent, 'proof_malformed')
    },
  )

  test('AWS-10 refuses the scope of yesterday a second after midnight, and takes that of today', async () => {
    scene.clock.advance(12 * 3_600 + 1)
    const yesterday = { scopeDate: '20260115' }

    await expectRefusedUnasked(scene, scene.sign(yesterday), 'proof_malformed')
    await expectTaken(scene, scene.sign({ scopeDate: '20260116' }))
    await expectTaken(scene, scene.sign({ ...yesterday, date: scene.clock.now() - 2 }))
  })

  const REGIONS: readonly Partial<SigningWishNow>[] = [
    { region: 'eu-west-1' },
    { region: 'us-east-2' },
    { region: 'us-east-1a' },
    { region: 'us-east' },
    { region: 'aws-global' },
    { region: 'US-EAST-1' },
    { region: '*' },
    { region: '' },
    { region: 'us-east-1/us-east-1' },
    { host: 'sts.eu-west-1.amazonaws.com', region: 'us-east-1' },
    { host: 'sts.amazonaws.com', region: 'eu-west-1' },
    { host: 'sts.amazonaws.com', region: 'aws-global' },
    { host: 'sts.us-gov-west-1.amazonaws.com', region: 'us-east-1' },
    { region: 'us-gov-west-1' },
    { region: 'cn-north-1' },
  ]

  test.each(REGIONS)('AWS-31 refuses a region that is not its host’s: %j', async (wish) => {
    await expectRefusedUnasked(scene, scene.sign(wish), 'proof_malformed')
  })

  test('AWS-31 takes the region of the host, and us-east-1 for the host of all regions', async () => {
    await expectTaken(scene, scene.sign({ host: 'sts.eu-west-1.amazonaws.com', region: 'eu-west-1' }))
    await expectTaken(scene, scene.sign({ host: 'sts.amazonaws.com', region: 'us-east-1' }))
  })
})

describe('the algorithm', () => {
  openBeforeAll()

  const ALGORITHMS = [
    'AWS4-ECDSA-P256-SHA256',
    'AWS4-HMAC-SHA1',
    'AWS4-HMAC-SHA512',
    'AWS4-HMAC-SHA256-PAYLOAD',
    'AWS4-HMAC-SHA2',
    'aws4-hmac-sha256',
    'AWS3-HTTPS',
    'AWS',
    'Basic',
    'Bearer',
    'none',
    '',
    'AWS4-HMAC-SHA256,',
    'AWS4-HMAC-SHA256 ',
    ' AWS4-HMAC-SHA256',
    'AWS4-HMAC-SHA256 AWS4-HMAC-SHA1',
  ]

  test.each(ALGORITHMS)('AWS-11 refuses the algorithm %j', async (algorithm) => {
    const bent = rewritten((text) => text.replace('AWS4-HMAC-SHA256', algorithm))

    await expectRefusedUnasked(scene, bent, 'proof_malformed')
  })

  test('AWS-11 refuses the headers of SigV4a, signed or not', async () => {
    const headers = { 'x-amz-region-set': '*' }
    const asymmetric = rewritten((text) => text.replace('HMAC-SHA256', 'ECDSA-P256-SHA256'), { headers })

    await expectRefusedUnasked(scene, asymmetric, 'proof_malformed')
    await expectRefusedUnasked(scene, scene.sign({ headers }), 'proof_malformed')
    await expectTaken(scene, scene.sign({ headers, unsigned: ['x-amz-region-set'] }))
  })
})

type Rewrite = (authorization: string) => string

const SIGNATURE = /[0-9a-f]{64}$/

const REWRITES: readonly (readonly [string, Rewrite])[] = [
  ['two SignedHeaders', (text) => text.replace('SignedHeaders=', 'SignedHeaders=host, SignedHeaders=')],
  ['two SignedHeaders at the end', (text) => `${text}, SignedHeaders=host`],
  [
    'two Credentials',
    (text) =>
      text.replace('Credential=', 'Credential=AKIAIOSFODNN7EXAMPLE/20260115/us-east-1/sts/aws4_request, Credential='),
  ],
  [
    'two Credentials at the end',
    (text) => `${text}, Credential=AKIAIOSFODNN7EXAMPLE/20260115/us-east-1/sts/aws4_request`,
  ],
  ['two Signatures', (text) => `${text}, Signature=${'0'.repeat(64)}`],
  ['a component of another name', (text) => `${text}, X=1`],
  ['a component in another case', (text) => text.replace('SignedHeaders', 'signedheaders')],
  ['another order', (text) => text.replace(/(Credential=\S+), (SignedHeaders=\S+),/, '$2, $1,')],
  ['no commas', (text) => text.replaceAll(',', '')],
  ['semicolons', (text) => text.replaceAll(', ', '; ')],
  ['two spaces', (text) => text.replaceAll(', ', ',  ')],
  ['tabs', (text) => text.replaceAll(', ', ',\t')],
  ['quotes', (text) => text.replace(SIGNATURE, (hex) => `"${hex}"`)],
  ['percent-encoding', (text) => text.replaceAll('/', '%2F')],
  ['no signed headers', (text) => text.replace(/SignedHeaders=[^,]+/, 'SignedHeaders=')],
  ['no SignedHeaders', (text) => text.replace(/SignedHeaders=[^,]+, /, '')],
  ['headers in upper case', (text) => text.replace('host;', 'HOST;')],
  ['headers in another order', (text) => text.replace('host;x-amz-date', 'x-amz-date;host')],
  ['a header twice', (text) => text.replace('host;', 'host;host;')],
  ['an empty header', (text) => text.replace('host;', 'host;;')],
  ['an empty header at the beginning', (text) => text.replace('SignedHeaders=', 'SignedHeaders=;')],
  ['an empty header at the end', (text) => text.replace(', Signature', ';, Signature')],
  ['headers with spaces', (text) => text.replace('host;', 'host; ')],
  ['headers with commas', (text) => text.replace('host;', 'host,')],
  ['a header that is not sent', (text) => text.replace('host;', 'host;x-amz-content-sha512;')],
  ['no host', (text) => text.replace('host;', '')],
  ['no date', (text) => text.replace('x-amz-date;', '')],
  ['a key id in lower case', (text) => text.replace(/ASIA\w+/, (id) => id.toLowerCase())],
  ['a short key id', (text) => text.replace(/ASIA\w+/, 'ASIA')],
  ['no key id', (text) => text.replace(/ASIA\w+/, '')],
  ['a key id with a slash', (text) => text.replace('ASIA', 'ASIA/')],
  ['a signature in upper case', (text) => text.replace(SIGNATURE, 'A'.repeat(64))],
  ['63 digits', (text) => text.slice(0, -1)],
  ['65 digits', (text) => `${text}0`],
  ['no signature', (text) => text.replace(SIGNATURE, '')],
  ['a signature in base64', (text) => text.replace(SIGNATURE, (hex) => Buffer.from(hex, 'hex').toString('base64'))],
  ['a digit that is none', (text) => text.replace(SIGNATURE, 'g'.repeat(64))],
]

describe('the components', () => {
  openBeforeAll()

  test.each(REWRITES)('AWS-22 refuses an Authorization header with %s', async (_, rewrite) => {
    await expectRefusedUnasked(scene, rewritten(rewrite), 'proof_malformed')
  })

  test('AWS-22 has STS refuse a well-formed signature that is not the signer’s', async () => {
    await expectRefusedBySts(
      scene,
      rewritten((text) => text.replace(SIGNATURE, '0'.repeat(64))),
    )
    await expectRefusedBySts(
      scene,
      rewritten((text) => text.replace(/ASIA\w+/, 'ASIAIOSFODNN7EXAMPLE')),
      'key_unknown',
    )
  })

  test('AWS-22 takes commas with a space and without', async () => {
    await expectTaken(
      scene,
      rewritten((text) => text.replaceAll(', ', ',')),
    )
    await expectTaken(scene, scene.sign())
  })
})

describe('the session token', () => {
  openBeforeAll()
  const TOKEN = 'x-amz-security-token'

  test('AWS-41 refuses a session token that is not signed, and takes one that is', async () => {
    await expectRefusedUnasked(scene, scene.sign({ unsigned: [TOKEN] }), 'proof_malformed')
    await expectRefusedUnasked(scene, scene.sign({ shape: 'google', unsigned: [TOKEN] }), 'proof_malformed')
    await expectTaken(scene, scene.sign())
  })

  test('AWS-41 refuses a session token that is signed and missing', async () => {
    const request = scene.sign()
    const headers = request.headers.filter(({ key }) => key !== TOKEN)

    await expectRefusedUnasked(scene, { ...request, headers }, 'proof_malformed')
    await expectRefusedUnasked(scene, withHeader(request, TOKEN, ''), 'proof_malformed')
  })

  test('AWS-41 has STS refuse a session without its token, and another session’s token', async () => {
    const stolen = { ...scene.assume(), sessionToken: scene.session.sessionToken }

    await expectRefusedBySts(scene, scene.sign({ without: [TOKEN] }), 'key_unknown')
    await expectRefusedBySts(scene, scene.aws.signedRequest(stolen, { audience: BROKER }), 'key_unknown')
  })

  test('AWS-41 takes no token from the query', async () => {
    const query = `X-Amz-Security-Token=${encodeURIComponent(scene.session.sessionToken ?? '')}`

    await expectRefusedUnasked(scene, scene.sign({ without: [TOKEN], query }), 'proof_malformed')
  })
})
