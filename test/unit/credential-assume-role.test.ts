/** What is made of STS's answers, by the official SDK. */

import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { errorAnswer, StsError, successAnswer } from '../../providers/aws/stand-in/sts-protocol.ts'
import { type StandInAnswer, type StandInServer, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { assumeRole } from '../../src/cli/credential/aws-assume-role.ts'

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const TOKEN = `${encode({ alg: 'ES256' })}.${encode({ aud: 'sts.amazonaws.com', client_id: 'payments/api' })}.${'A'.repeat(86)}`
const ACTION = 'AssumeRoleWithWebIdentity'
const CREDENTIALS = {
  AccessKeyId: 'ASIA',
  SecretAccessKey: 'secret',
  SessionToken: 'session',
  Expiration: new Date(9e11),
}

let sts: StandInServer
let answer: StandInAnswer
beforeAll(async () => {
  sts = await startStandInServer({ route: () => answer })
})
afterAll(() => sts.close())
beforeEach(() => {
  vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.origin)
  vi.stubEnv('AWS_MAX_ATTEMPTS', '1')
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent/config')
})

const ask = () => assumeRole(TOKEN, { roleArn: 'arn:aws:iam::123456789012:role/reader', region: 'eu-west-1' })

test('asks without a signature, in the identity’s name', async () => {
  answer = successAnswer(ACTION, { Credentials: CREDENTIALS }, 'xml')

  const outcome = await ask()

  expect(outcome).toEqual({
    got: { accessKeyId: 'ASIA', secretAccessKey: 'secret', sessionToken: 'session', expiresAt: 900_000_000 },
  })
  const { headers, body } = sts.requests.at(-1) ?? {}
  expect(headers?.authorization).toBeUndefined()
  expect(Object.fromEntries(new URLSearchParams(body))).toMatchObject({
    Action: ACTION,
    RoleSessionName: 'payments-api',
    WebIdentityToken: TOKEN,
  })
})

test.each(Object.keys(CREDENTIALS))('an answer without %s is none', async (name) => {
  answer = successAnswer(ACTION, { Credentials: { ...CREDENTIALS, [name]: undefined } }, 'xml')

  expect(await ask()).toMatchObject({ failure: { ending: 'later', code: 'sts_answer' } })
})

test.each([
  [403, 'AccessDenied', 'refused'],
  [400, 'InvalidIdentityToken', 'refused'],
  [400, 'IDPCommunicationError', 'later'],
  [400, 'Throttling', 'later'],
  [500, 'InternalFailure', 'later'],
  [503, 'Whatever', 'later'],
])('an error with status %i, %s, is %s', async (status, code, ending) => {
  answer = errorAnswer(new StsError(status, code, 'no'), 'xml')

  expect(await ask()).toMatchObject({ failure: { ending } })
})

test('repeats neither the token nor what a terminal would obey', async () => {
  answer = errorAnswer(new StsError(400, 'InvalidIdentityToken', `bad ${TOKEN} \u009b31m\u202e`), 'xml')

  const { message } = ((await ask()) as { readonly failure: { readonly message: string } }).failure

  expect(message).toContain('STS refuses: InvalidIdentityToken')
  expect(message).not.toContain('eyJ')
  expect(message).not.toMatch(/\p{Cc}|\u202e/u)
})
