/** Attacks that make STS do something else than to tell who signed: AWS-05 to AWS-09 and AWS-13 to AWS-15 of the catalogue. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeSignedRequest, withHeader } from '../../providers/aws/stand-in/signed-request.ts'
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

const BODIES: readonly (readonly [id: string, body: string])[] = [
  ['AWS-05', 'Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn&RoleSessionName=x&WebIdentityToken=y'],
  ['AWS-05', 'Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::123456789012:role/admin&RoleSessionName=x'],
  ['AWS-05', 'Action=GetSessionToken&Version=2011-06-15'],
  [
    'AWS-05',
    'Action=GetWebIdentityToken&Version=2011-06-15&Audience.member.1=https://vault.example&SigningAlgorithm=RS256',
  ],
  ['AWS-05', 'Action=GetCallerIdentityX&Version=2011-06-15'],
  ['AWS-05', 'action=GetCallerIdentity&Version=2011-06-15'],
  ['AWS-05', 'Action=getcalleridentity&Version=2011-06-15'],
  ['AWS-05', 'Version=2011-06-15&Action=GetCallerIdentity'],
  ['AWS-05', 'Action=GetCallerIdentity'],
  ['AWS-05', 'Action=GetCallerIdentity&Version=2010-05-08'],
  ['AWS-05', 'Action=Get%43allerIdentity&Version=2011-06-15'],
  ['AWS-05', `${ACTION} `],
  ['AWS-05', `${ACTION}\n`],
  ['AWS-05', `\uFEFF${ACTION}`],
  ['AWS-05', `${ACTION}\u0000`],
  ['AWS-05', '{"Action":"GetCallerIdentity","Version":"2011-06-15"}'],
  ['AWS-05', ''],
  ['AWS-06', `${ACTION}&Action=GetSessionToken`],
  ['AWS-06', `Action=GetSessionToken&${ACTION}`],
  ['AWS-06', `${ACTION}&${ACTION}`],
  ['AWS-06', `${ACTION}&action=AssumeRole`],
  ['AWS-06', `${ACTION};Action=AssumeRole`],
  ['AWS-06', `${ACTION}&%41ction=AssumeRole`],
  ['AWS-06', `${ACTION}&Version=2010-05-08`],
  ['AWS-06', `${ACTION}&`],
  ['AWS-06', `&${ACTION}`],
  ['AWS-06', `${ACTION}&X-Amz-Expires=86400`],
  ['AWS-13', `${ACTION}&action=AssumeRole&RoleArn=arn:aws:iam::123456789012:role/admin`],
]

describe('the body', () => {
  openBeforeAll()

  test.each(BODIES)('%s refuses a request that was signed with the body %j', async (_, body) => {
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

const QUERIES: readonly (readonly [id: string, Partial<SigningWishNow>])[] = [
  ['AWS-07', { query: ACTION, body: 'Action=AssumeRole&Version=2011-06-15' }],
  ['AWS-07', { query: ACTION, body: ACTION }],
  ['AWS-07', { query: 'Action=AssumeRole&Version=2011-06-15', body: ACTION }],
  ['AWS-07', { query: 'Action=AssumeRoleWithWebIdentity', body: ACTION }],
  ['AWS-07', { query: 'Version=2011-06-15' }],
  ['AWS-07', { query: 'x' }],
  ['AWS-07', { query: `${ACTION}&Action=AssumeRole` }],
  ['AWS-07', { shape: 'google', query: 'Action=AssumeRole&Version=2011-06-15' }],
  ['AWS-07', { shape: 'google', query: 'Version=2011-06-15&Action=GetCallerIdentity' }],
  ['AWS-07', { shape: 'google', query: `${ACTION}&` }],
  ['AWS-07', { shape: 'google', query: `${ACTION}&X-Broker-Audience=https%3A%2F%2Fbroker.example` }],
  ['AWS-13', { shape: 'google', query: `${ACTION}&action=AssumeRole` }],
  ['AWS-13', { shape: 'google', query: `${ACTION}&ACTION=AssumeRole` }],
  ['AWS-13', { shape: 'google', query: `action=AssumeRole&${ACTION}` }],
  ['AWS-13', { shape: 'google', query: `${ACTION}&%61ction=AssumeRole` }],
  ['AWS-14', { shape: 'google', query: `${ACTION}&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&x-amz-signedheaders=host` }],
  ['AWS-15', { shape: 'google', query: `${ACTION}&X-Amz-Credential=AKIDONE&X-Amz-Credential=AKIDOTHER` }],
]

describe('the query', () => {
  openBeforeAll()

  test.each(QUERIES)('%s refuses a request that was signed with %j', async (_, wish) => {
    await expectRefusedUnasked(scene, scene.sign(wish), 'proof_malformed', GOOGLES)
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

describe('a presigned URL', () => {
  openBeforeAll()

  const ADDED: readonly (readonly [id: string, added: string])[] = [
    ['AWS-13', ''],
    ['AWS-13', '&action=AssumeRole'],
    ['AWS-13', '&Action=AssumeRole'],
    ['AWS-14', '&x-amz-signedheaders=host'],
    ['AWS-14', '&X-Amz-SignedHeaders=host'],
    ['AWS-14', '&X-AMZ-SIGNEDHEADERS=host'],
    ['AWS-15', '&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20260115%2Fus-east-1%2Fsts%2Faws4_request'],
    ['AWS-15', '&x-amz-credential=AKIAIOSFODNN7EXAMPLE%2F20260115%2Fus-east-1%2Fsts%2Faws4_request'],
  ]

  test.each(ADDED)('%s is refused in an envelope (with %j)', async (_, added) => {
    const url = `https://${HOST}/?${presigned(added)}`

    for (const method of ['GET', 'POST']) {
      await expectRefusedUnasked(scene, { ...scene.sign(), url, method }, 'proof_malformed')
      await expectRefusedUnasked(scene, { url, method, headers: [{ key: 'host', value: HOST }] }, 'proof_malformed')
    }
  })

  test.each(ADDED)('%s is refused as a token of aws-iam-authenticator (with %j)', async (_, added) => {
    const token = `k8s-aws-v1.${Buffer.from(`https://${HOST}/?${presigned(added)}`).toString('base64url')}`

    await expectRefusedUnasked(scene, token, 'envelope_foreign')
  })

  test.each([
    ['AWS-15', (text: string) => `${text}, ${text.slice('AWS4-HMAC-SHA256 '.length)}`],
    ['AWS-14', (text: string) => text.replace('SignedHeaders=', 'SignedHeaders=host, SignedHeaders=')],
  ])('%s is as hopeless in the Authorization header', async (_, bend) => {
    const request = scene.sign()
    const authorization = request.headers.find(({ key }) => key === 'authorization')?.value ?? ''

    await expectRefusedUnasked(scene, withHeader(request, 'authorization', bend(authorization)), 'proof_malformed')
    await expectTaken(scene, encodeSignedRequest(withHeader(request, 'authorization', authorization)))
  })
})
