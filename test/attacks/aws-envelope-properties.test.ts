/** Whatever comes in an envelope, STS gets one of two requests, made of constants and six checked values, or none at all. */

import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ENDPOINT_KINDS, endpointsOf } from '../../providers/aws/endpoints.ts'
import { AWS4_REQUEST_TYPE } from '../../providers/aws/signed-request.ts'
import type { SignedRequest } from '../../providers/aws/stand-in/signed-request.ts'
import type { StandInRequest } from '../../providers/kit/stand-in-server.ts'
import { type AwsScene, awsDocumentFor, LONG_AUDIENCE, openAwsScene } from '../support/aws-scene.ts'
import { bentText, signingWish, tornText } from '../support/bent-envelopes.ts'
import { formOf } from '../support/broker.ts'
import { BROKER } from '../support/document.ts'

const RUNS = 500
const ACTION = 'Action=GetCallerIdentity&Version=2011-06-15'

let scene: AwsScene
beforeAll(async () => {
  scene = await openAwsScene({ document: (aws) => awsDocumentFor(aws, { endpoints: ENDPOINT_KINDS }) })
})
afterAll(() => scene.close())

/** Sends a proof, and gives what reached the stand-in because of it. */
async function sendUpstream(proof: string): Promise<readonly StandInRequest[]> {
  const before = scene.aws.requests.length
  const body = formOf(proof, { subject_token_type: AWS4_REQUEST_TYPE, audience: LONG_AUDIENCE })
  const { status } = await scene.broker.send('/token', { method: 'POST', body })
  expect([200, 400, 413]).toContain(status)
  return scene.aws.requests.slice(before)
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([A-Z0-9]{16,128})\/(\d{8})\/([a-z0-9-]+)\/sts\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/

/** What each shape is made of beside the values of the proof: this test's own copy of it. */
const SHAPES = [
  { target: '/', body: ACTION, digest: 'ab821ae955788b0e33ebd34c208442ccfc2d406e2edc5e7a39bd6458fbb4f843', type: true },
  {
    target: `/?${ACTION}`,
    body: '',
    digest: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    type: false,
  },
]

/** Asserts that a request is, byte for byte, one of the two, and that all that is not constant stood in the proof. */
function expectRebuilt(request: StandInRequest, proof: string): void {
  const { headers, rawHeaders } = request
  const shape = SHAPES.find(({ target }) => target === request.target)
  if (shape === undefined) throw new Error(`a third shape: ${request.target}`)
  const [, keyId = '', day = '', region = '', signed = '', signature = ''] =
    AUTHORIZATION.exec(headers.authorization ?? '') ?? []
  const names = signed.split(';')
  const endpoint = endpointsOf('aws').find(({ host }) => host === headers.host)
  const date = String(headers['x-amz-date'])
  const token = headers['x-amz-security-token']
  const [audienceHeader, audience] = names.includes('x-chancery-audience')
    ? ['x-chancery-audience', BROKER]
    : ['x-goog-cloud-target-resource', LONG_AUDIENCE]
  const expected: Readonly<Record<string, string | undefined>> = {
    accept: 'application/json',
    'accept-encoding': 'identity',
    'user-agent': 'chancery',
    connection: 'keep-alive',
    'content-length': String(shape.body.length),
    host: endpoint?.host,
    authorization: `AWS4-HMAC-SHA256 Credential=${keyId}/${date.slice(0, 8)}/${endpoint?.region}/sts/aws4_request, SignedHeaders=${signed}, Signature=${signature}`,
    'x-amz-date': date,
    [audienceHeader]: audience,
    ...(names.includes('x-amz-security-token') ? { 'x-amz-security-token': String(token) } : {}),
    ...(shape.type || names.includes('content-type')
      ? { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
      : {}),
    ...(names.includes('x-amz-content-sha256') ? { 'x-amz-content-sha256': shape.digest } : {}),
  }
  const pairs = Array.from({ length: rawHeaders.length / 2 }, (_, at) => rawHeaders.slice(2 * at, 2 * at + 2))
  const sorted = (entries: readonly (readonly unknown[])[]) => entries.map(String).toSorted()
  expect(request.method).toBe('POST')
  expect(request.body).toBe(shape.body)
  expect(sorted(pairs.map(([key = '', value]) => [key.toLowerCase(), value]))).toEqual(sorted(Object.entries(expected)))
  expect(date).toMatch(/^\d{8}T\d{6}Z$/)
  expect(String(token ?? 'none')).toMatch(/^[\x21-\x7e]+( +[\x21-\x7e]+)*$/)
  const text = decodeURIComponent(proof.replaceAll('+', ' '))
  for (const taken of [keyId, day, region, signed, signature, date]) expect(text).toContain(taken)
}

interface Tally {
  upstream: number
  nothing: number
}

async function check(text: fc.Arbitrary<(request: SignedRequest) => string>): Promise<Tally> {
  const tally = { upstream: 0, nothing: 0 }
  const property = fc.asyncProperty(signingWish, text, async (wish, write) => {
    const proof = write(scene.sign(wish))
    const requests = await sendUpstream(proof)
    expect(requests.length).toBeLessThanOrEqual(1)
    for (const request of requests) expectRebuilt(request, proof)
    tally[requests.length === 0 ? 'nothing' : 'upstream']++
  })
  await fc.assert(property, { numRuns: RUNS })
  return tally
}

test('AWS-05 AWS-17 AWS-18 AWS-21 a bent request reaches STS as one of two, or not', async () => {
  const { upstream, nothing } = await check(bentText)

  expect(upstream).toBeGreaterThan(RUNS / 20)
  expect(nothing).toBeGreaterThan(RUNS / 20)
})

test('AWS-42 a proof whose characters are changed reaches STS as one of two, or not', async () => {
  const { upstream, nothing } = await check(tornText)

  expect(upstream).toBeGreaterThan(RUNS / 20)
  expect(nothing).toBeGreaterThan(RUNS / 20)
})

test('AWS-42 arbitrary JSON reaches nobody', async () => {
  const property = fc.asyncProperty(fc.json(), async (json) => {
    expect(await sendUpstream(encodeURIComponent(json.replaceAll(/[\ud800-\udfff]/g, '')))).toEqual([])
  })

  await fc.assert(property, { numRuns: RUNS })
})
