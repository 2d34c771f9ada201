/** Attacks that make STS do something else than to tell who signed: AWS-05 to AWS-09 and AWS-13 to AWS-15 of the catalogue. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withHeader } from '../../providers/aws/stand-in/signed-request.ts'
import type { SigningWishNow } from '../../providers/aws/stand-in/stand-in.ts'
import { expectIssued } from '../support/answers.ts'
import { expectRefusedUnasked, expectTaken } from '../support/aws-answers.ts'
import { type AwsScene, LONG_AUDIENCE, openAwsScene } from '../support/aws-scene.ts'

const ACTION = 'Action=GetCallerIdentity&Version=2011-06-15'
const HOST = 'sts.us-east-1.amazonaws.com'
const GOOGLES = { audience: LONG_AUDIENCE }

let scene: AwsScene

/** A broker for each group of tests, as a broker records no more than a hundred refusals of a second one by one. */
function openBeforeAll(): void {
  beforeAll(async () => {
    scene = await openAwsScene()
  })
  afterAll(() => scene.close())
}

const OTHER_ACTIONS = [
  'Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn&RoleSessionName=x&WebIdentityToken=y',
  'Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::123456789012:role/admin&RoleSessionName=x',
  'Action=GetSessionToken&Version=2011-06-15',
  'Action=GetWebIdentityToken&Version=2011-06-15&Audience.member.1=https://vault.example&SigningAlgorithm=RS256',
  'Action=GetCallerIdentityX&Version=2011-06-15',
  'action=GetCallerIdentity&Version=2011-06-15',
  'Action=getcalleridentity&Version=2011-06-15',
  'Version=2011-06-15&Action=GetCallerIdentity',
  'Action=GetCallerIdentity',
  'Action=GetCallerIdentity&Version=2010-05-08',
  'Action=Get%43allerIdentity&Version=2011-06-15',
  `${ACTION} `,
  `${ACTION}\n`,
  `\uFEFF${ACTION}`,
  `${ACTION}\u0000`,
  '{"Action":"GetCallerIdentity","Version":"2011-06-15"}',
  '',
]

const MORE_ACTIONS = [
  `${ACTION}&Action=GetSessionToken`,
  `Action=GetSessionToken&${ACTION}`,
  `${ACTION}&${ACTION}`,
  `${ACTION};Action=AssumeRole`,
  `${ACTION}&%41ction=AssumeRole`,
  `${ACTION}&Version=2010-05-08`,
  `${ACTION}&`,
  `&${ACTION}`,
  `${ACTION}&X-Amz-Expires=86400`,
]

/** One parameter in two cases: a reader that folds them sees the one, and STS the other. */
const CASES = [
  `${ACTION}&action=AssumeRole`,
  `${ACTION}&ACTION=AssumeRole`,
  `action=AssumeRole&${ACTION}`,
  `${ACTION}&%61ction=AssumeRole`,
  `${ACTION}&version=2010-05-08`,
]

describe('the body', () => {
  openBeforeAll()

  test.each(OTHER_ACTIONS)('AWS-05 refuses a request that was signed with the body %j', async (body) => {
    await expectRefusedUnasked(scene, scene.sign({ body }), 'proof_malformed')
  })

  test.each(MORE_ACTIONS)('AWS-06 refuses a request that was signed with the body %j', async (body) => {
    await expectRefusedUnasked(scene, scene.sign({ body }), 'proof_malformed')
  })

  test.each(CASES)('AWS-13 refuses a request that was signed with the body %j', async (body) => {
    await expectRefusedUnasked(scene, scene.sign({ body }), 'proof_malformed')
  })

  test.each([null, 0, true, [ACTION], { Action: 'GetCallerIdentity' }])(
    'AWS-05 refuses a body that is no text: %j',
    async (body) => {
      await expectRefusedUnasked(scene, { ...scene.sign(), body }, 'proof_malformed')
    },
  )

  test('AWS-05 AWS-06 takes the one body that there is, and none in the shape of Google', async () => {
    await expectTaken(scene, scene.sign({ body: ACTION }))
    await expectTaken(scene, scene.sign({ shape: 'google' }), GOOGLES)
    await expectTaken(scene, { ...scene.sign({ shape: 'google' }), body: '' }, GOOGLES)
  })

  test('AWS-05 answers for the signer of the request, whatever body another one puts under the signature', async () => {
    const { body: _, ...bodiless } = scene.sign()

    await expectRefusedUnasked(scene, bodiless, 'proof_malformed')
    await expectRefusedUnasked(scene, { ...scene.sign(), body: 'Action=GetSessionToken' }, 'proof_malformed')
  })
})

const QUERIES: readonly Partial<SigningWishNow>[] = [
  { query: ACTION, body: 'Action=AssumeRole&Version=2011-06-15' },
  { query: ACTION, body: ACTION },
  { query: 'Action=AssumeRole&Version=2011-06-15', body: ACTION },
  { query: 'Action=AssumeRoleWithWebIdentity', body: ACTION },
  { query: 'Version=2011-06-15' },
  { query: 'x' },
  { query: `${ACTION}&Action=AssumeRole` },
  { shape: 'google', query: 'Action=AssumeRole&Version=2011-06-15' },
  { shape: 'google', query: 'Version=2011-06-15&Action=GetCallerIdentity' },
  { shape: 'google', query: `${ACTION}&` },
  { shape: 'google', query: `${ACTION}&Action=AssumeRole` },
  { shape: 'google', query: `${ACTION}&X-Broker-Audience=https%3A%2F%2Fbroker.example` },
]

/** Refuses a signed query with a slash before it, and without. */
async function expectQueryRefused(wish: Partial<SigningWishNow>): Promise<void> {
  for (const start of ['.com?', '.com/?']) {
    const request = scene.sign(wish)
    const url = request.url.replace(/\.com\/?\?/, start)
    await expectRefusedUnasked(scene, { ...request, url }, 'proof_malformed', GOOGLES)
  }
}

describe('the query', () => {
  openBeforeAll()

  test.each(QUERIES)('AWS-07 refuses a request that was signed with %j', async (wish) => {
    await expectQueryRefused(wish)
  })

  test.each(CASES)('AWS-13 refuses a request that was signed with the query %j', async (query) => {
    await expectQueryRefused({ shape: 'google', query })
  })

  test('AWS-07 refuses a body beside the action in the query, signed or not', async () => {
    for (const body of [ACTION, 'Action=AssumeRole&Version=2011-06-15', ' ']) {
      const smuggled = { ...scene.sign({ shape: 'google' }), body }
      const signed = { ...scene.sign({ shape: 'google', body }), body }

      await expectRefusedUnasked(scene, smuggled, 'proof_malformed', GOOGLES)
      await expectRefusedUnasked(scene, signed, 'proof_malformed', GOOGLES)
    }
  })
})

describe('the method', () => {
  openBeforeAll()

  const METHODS = [
    'GET',
    'PUT',
    'post',
    'Post',
    'POST ',
    ' POST',
    'POST\n',
    'HEAD',
    'DELETE',
    'PATCH',
    'OPTIONS',
    'CONNECT',
    'M-POST',
    '',
  ]

  test.each(METHODS)('AWS-09 refuses a request that was signed with the method %j', async (method) => {
    await expectRefusedUnasked(scene, scene.sign({ method }), 'proof_malformed')
    await expectRefusedUnasked(scene, scene.sign({ method, shape: 'google' }), 'proof_malformed', GOOGLES)
  })

  test.each([undefined, null, 1, ['POST'], { method: 'POST' }])('AWS-09 refuses the method %j', async (method) => {
    await expectRefusedUnasked(scene, { ...scene.sign(), method }, 'proof_malformed')
  })

  test.each(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', 'x-http-method-override'])(
    'AWS-09 refuses %s, signed or not',
    async (name) => {
      const headers = { [name]: 'GET' }

      await expectRefusedUnasked(scene, scene.sign({ headers }), 'proof_malformed')
      await expectRefusedUnasked(scene, scene.sign({ headers, unsigned: [name.toLowerCase()] }), 'proof_malformed')
    },
  )

  test('AWS-09 sends a POST and nothing else', async () => {
    const before = scene.aws.requests.length

    expectIssued(scene.broker, await scene.exchange(scene.sign()))
    expectIssued(scene.broker, await scene.exchange(scene.sign({ shape: 'google' }), GOOGLES))

    const sent = scene.aws.requests.slice(before).map(({ method, target, body }) => `${method} ${target} ${body}`)
    expect(sent).toEqual([`POST / ${ACTION}`, `POST /?${ACTION} `])
  })
})

/** The query of a presigned URL, as aws-iam-authenticator writes it, with what a test adds to it. */
function presigned(added: string): string {
  const { accessKeyId, sessionToken = '' } = scene.session
  const credential = encodeURIComponent(`${accessKeyId}/20260115/us-east-1/sts/aws4_request`)
  const signing = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${credential}&X-Amz-Date=20260115T120000Z`
  const token = `X-Amz-Security-Token=${encodeURIComponent(sessionToken)}`
  const signature = `X-Amz-Signature=${'0'.repeat(64)}`
  return `${ACTION}&${signing}&X-Amz-Expires=60&${token}&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&${signature}${added}`
}

/** Refuses a presigned URL in an envelope, alone and with the headers of a genuine request, and as aws-iam-authenticator sends it. */
async function expectPresignedRefused(added: string): Promise<void> {
  const url = `https://${HOST}/?${presigned(added)}`
  for (const method of ['GET', 'POST']) {
    await expectRefusedUnasked(scene, { ...scene.sign(), url, method }, 'proof_malformed')
    await expectRefusedUnasked(scene, { url, method, headers: [{ key: 'host', value: HOST }] }, 'proof_malformed')
  }
  await expectRefusedUnasked(scene, `k8s-aws-v1.${Buffer.from(url).toString('base64url')}`, 'envelope_foreign')
}

describe('a presigned URL', () => {
  openBeforeAll()

  test.each(['', '&action=AssumeRole', '&Action=AssumeRole', '&ACTION=AssumeRole'])(
    'AWS-13 is refused with %j',
    async (added) => {
      await expectPresignedRefused(added)
    },
  )

  test.each(['&x-amz-signedheaders=host', '&X-Amz-SignedHeaders=host', '&X-AMZ-SIGNEDHEADERS=host'])(
    'AWS-14 is refused with %j',
    async (added) => {
      await expectPresignedRefused(added)
    },
  )

  test.each(['X-Amz-Credential', 'x-amz-credential', 'X-AMZ-CREDENTIAL'])(
    'AWS-15 is refused with a second %s',
    async (name) => {
      const credential = encodeURIComponent('AKIAIOSFODNN7EXAMPLE/20260115/us-east-1/sts/aws4_request')

      await expectPresignedRefused(`&${name}=${credential}`)
    },
  )

  test('AWS-14 AWS-15 the Authorization header is as strict, and good as it is', async () => {
    const request = scene.sign()
    const authorization = request.headers.find(({ key }) => key === 'authorization')?.value ?? ''
    const twice = `${authorization}, ${authorization.slice('AWS4-HMAC-SHA256 '.length)}`
    const lists = authorization.replace('SignedHeaders=', 'SignedHeaders=host, SignedHeaders=')

    await expectRefusedUnasked(scene, withHeader(request, 'authorization', twice), 'proof_malformed')
    await expectRefusedUnasked(scene, withHeader(request, 'authorization', lists), 'proof_malformed')
    await expectTaken(scene, request)
  })
})
