/** Which session of AWS is given: a kept one, a new one, or an old one while nobody answers. */

import { expect, test } from 'vitest'
import { type AwsHelper, answerAws } from '../../src/cli/credential/aws.ts'
import { sessionNameFor } from '../../src/cli/credential/aws-assume-role.ts'
import { parseAwsCredentials, writeAwsCredentials } from '../../src/cli/credential/aws-credentials.ts'
import { keyOf } from '../../src/cli/credential-aws.ts'
import { recordedObtain } from '../support/helper-outcomes.ts'

const NOW = 1_768_478_400
const SESSION = { accessKeyId: 'ASIA', secretAccessKey: 'secret', sessionToken: 'session' }

/** A helper whose cache holds a text, and whose broker gives nothing. */
function helper(kept: string | undefined, ending: 'refused' | 'later' = 'later'): AwsHelper {
  return {
    role: { roleArn: 'arn:aws:iam::123456789012:role/reader' },
    audience: 'sts.amazonaws.com',
    obtain: recordedObtain(ending).obtain,
    cache: { read: async () => kept, write: async () => true },
    now: () => NOW,
  }
}

const lasting = (seconds: number): string => writeAwsCredentials({ ...SESSION, expiresAt: NOW + seconds })

test('a kept session is given until five minutes before its end', async () => {
  expect(await answerAws(helper(lasting(301)))).toEqual({ ending: 'done', out: lasting(301) })
  expect((await answerAws(helper(lasting(300)))).err).toContain('there is none')
})

test('where no new one can be had, it is given until half a minute before its end', async () => {
  expect(await answerAws(helper(lasting(31)))).toEqual({
    ending: 'done',
    out: lasting(31),
    err: 'chancery: there is none\n',
  })
  expect(await answerAws(helper(lasting(30)))).toEqual({ ending: 'later', err: 'chancery: there is none\n' })
  expect(await answerAws(helper(lasting(-1)))).toMatchObject({ ending: 'later' })
})

test('a refusal counts at once', async () => {
  expect(await answerAws(helper(lasting(299), 'refused'))).toEqual({
    ending: 'refused',
    err: 'chancery: there is none\n',
  })
})

test('what is kept is believed only as it was written', () => {
  const text = lasting(600)
  expect(parseAwsCredentials(text)).toEqual({ ...SESSION, expiresAt: NOW + 600 })
  const answer = JSON.parse(text) as Record<string, unknown>
  const bent = [
    ...['', '{', '[]', 'null', text.slice(0, -3), `${text.slice(0, -2)},"Version":1}`],
    ...Object.keys(answer).map((name) => JSON.stringify({ ...answer, [name]: undefined })),
    ...['', 'soon', 1].map((end) => JSON.stringify({ ...answer, Expiration: end })),
    JSON.stringify({ ...answer, Version: 2 }),
  ]
  for (const other of bent) expect(parseAwsCredentials(other), other).toBeUndefined()
})

test('a session is called like the identity, as far as AWS takes its name', () => {
  const named = (claims: object): string =>
    sessionNameFor(`${encode({ alg: 'ES256' })}.${encode(claims)}.${'A'.repeat(86)}`)

  expect(named({ client_id: 'payments/api' })).toBe('payments-api')
  expect(named({ client_id: 'a'.repeat(100) })).toBe('a'.repeat(64))
  for (const claims of [{ client_id: 'a' }, { client_id: 7 }, {}]) expect(named(claims)).toBe('chancery')
  expect(sessionNameFor('nonsense')).toBe('chancery')
})

test('everything that a session depends on is in its key', () => {
  const settings = { broker: 'https://broker.example', audience: 'a', scope: 's', proof: { file: '/f', audience: 'p' } }
  const options = { roleArn: 'r', sessionName: 'n', region: 'g', durationSeconds: 900 }
  const environment = { CHANCERY_PROOF_FILE: '/g', AWS_PROFILE: 'x', AWS_ENDPOINT_URL_STS: 'http://127.0.0.1' }
  const absent = {
    AWS_SHARED_CREDENTIALS_FILE: '/h',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1/a',
    HOME: '/i',
  }
  const digest = (...[s, o, e]: Parameters<typeof keyOf>): string => JSON.stringify(keyOf(s, o, e))
  const others = [
    ...Object.keys(settings).map((name) =>
      digest({ ...settings, [name]: name === 'proof' ? {} : 'other' }, options, environment),
    ),
    digest({ ...settings, proof: { ...settings.proof, settings: { tenant: 't' } } }, options, environment),
    digest({ ...settings, proof: { ...settings.proof, provider: 'aws' } }, options, environment),
    ...Object.keys(options).map((name) => digest(settings, { ...options, [name]: 'other' }, environment)),
    ...Object.entries(absent).map(([name, value]) => digest(settings, options, { ...environment, [name]: value })),
    ...Object.keys(environment).map((name) => digest(settings, options, { ...environment, [name]: 'other' })),
  ]

  expect(new Set([digest(settings, options, environment), ...others]).size).toBe(others.length + 1)
  expect(digest(settings, options, { ...environment, PATH: '/bin' })).toBe(digest(settings, options, environment))
})

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
