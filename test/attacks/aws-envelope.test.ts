/** Attacks with the envelope itself, and with envelopes of other tools: AWS-42 and AWS-43 of the catalogue. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeSignedRequest } from '../../providers/aws/stand-in/signed-request.ts'
import { expectIssued, expectProofRefused, expectRefusal } from '../support/answers.ts'
import { expectRefusedUnasked, expectTaken } from '../support/aws-answers.ts'
import { type AwsScene, awsDocumentFor, openAwsScene } from '../support/aws-scene.ts'
import { ACCESS_TOKEN_TYPE, JWT_TYPE } from '../support/broker.ts'
import { BROKER, documentFor } from '../support/document.ts'

const ID_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:id_token'
const SAML2_TYPE = 'urn:ietf:params:oauth:token-type:saml2'

let scene: AwsScene
beforeAll(async () => {
  scene = await openAwsScene()
})
afterAll(() => scene.close())

/** A genuine request as JSON. */
const json = (): string => JSON.stringify(scene.sign())

const encoded = (text: string): string => encodeURIComponent(text)

describe('the encoding', () => {
  const ENCODINGS: readonly (readonly [string, () => string])[] = [
    ['not at all', json],
    ['twice', () => encoded(encoded(json()))],
    ['three times', () => encoded(encoded(encoded(json())))],
    ['in base64', () => Buffer.from(json()).toString('base64')],
    ['in base64url', () => Buffer.from(json()).toString('base64url')],
    ['in part', () => encoded(json()).replaceAll('%22', '"')],
    ['with a percent sign alone', () => `${encoded(json())}%`],
    ['with half an escape', () => `${encoded(json())}%2`],
    ['with an escape that is none', () => encoded(json()).replace('%22', '%GG')],
    ['with a Unicode escape', () => encoded(json()).replace('%22', '%u0022')],
    ['with a byte that is no UTF-8', () => encoded(json()).replace('%22', '%22%ff')],
    ['with an overlong byte', () => encoded(json()).replace('%2F', '%c0%af')],
    ['with half a surrogate pair', () => encoded(json()).replace('%22', '%22%ed%a0%80')],
    ['with NUL', () => `${encoded(json())}%00`],
    ['with a byte order mark', () => `%EF%BB%BF${encoded(json())}`],
    ['with a quote that is left', () => encoded(json()).replace('%22', '"')],
    ['with a letter beyond ASCII', () => `${encoded(json())}é`],
    ['with another one behind it', () => encoded(json()) + encoded(json())],
  ]

  test.each(ENCODINGS)('AWS-42 refuses an envelope that is encoded %s', async (_, encode) => {
    await expectRefusedUnasked(scene, encode(), 'proof_malformed')
  })

  test('AWS-42 takes one that is encoded once', async () => {
    await expectTaken(scene, encoded(json()))
  })

  test('AWS-42 refuses an envelope of more than 16 KiB, and a body that is too large for any', async () => {
    const padded = (length: number): string => encoded(json()).padEnd(length, '+')

    await expectTaken(scene, padded(16_384))
    await expectRefusedUnasked(scene, padded(16_385), 'proof_too_large')
    const before = scene.aws.requests.length
    expectRefusal(scene.broker, await scene.exchange(padded(102_400)), 'TL', 'body_too_large')
    expect(scene.aws.requests.length).toBe(before)
  })
})

describe('the JSON', () => {
  const TEXTS: readonly (readonly [string, () => string])[] = [
    ['an array', () => `[${json()}]`],
    ['a text', () => JSON.stringify(json())],
    ['null', () => 'null'],
    ['a number', () => '1'],
    ['an empty object', () => '{}'],
    ['nothing', () => ' '],
    ['a truncated object', () => json().slice(0, -1)],
    ['two objects', () => json() + json()],
    ['a trailing comma', () => json().replace(/\}$/, ',}')],
    ['a comment', () => `${json()}//`],
    ['single quotes', () => json().replaceAll('"', "'")],
    ['a line break in a text', () => json().replace('POST', 'PO\nST')],
    ['the URL twice', () => json().replace('{', '{"url":"https://evil.example/",')],
    ['the URL twice, escaped', () => json().replace('{', '{"\\u0075rl":"https://evil.example/",')],
    ['the method twice', () => json().replace('{', '{"method":"GET",')],
    ['a key twice in a header', () => json().replace('{"key":', '{"key":"x","key":')],
    ['__proto__', () => json().replace('{', '{"__proto__":{"method":"GET"},')],
    ['a member more', () => json().replace('{', '{"region":"eu-west-1",')],
    ['the URL in another case', () => json().replace('"url"', '"URL"')],
    ['the members in an object of their own', () => `{"request":${json()}}`],
    ['more depth than there is', () => json().replace('"POST"', '[[[["POST"]]]]')],
    ['a hundred thousand brackets', () => '['.repeat(5_000)],
  ]

  test.each(TEXTS)('AWS-42 refuses %s', async (_, write) => {
    await expectRefusedUnasked(scene, encoded(write()), 'proof_malformed')
  })

  test.each(['url', 'method', 'headers', 'body'] as const)(
    'AWS-42 refuses an envelope without its %s',
    async (name) => {
      const { [name]: _, ...rest } = scene.sign()

      await expectRefusedUnasked(scene, rest, 'proof_malformed')
    },
  )
})

describe('envelopes of other tools', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const headersOf = (): Record<string, string> =>
    Object.fromEntries(scene.sign({ without: ['content-type'] }).headers.map(({ key, value }) => [key, value]))

  const FOREIGN: readonly (readonly [string, () => string])[] = [
    [
      'Vault',
      () =>
        encoded(
          JSON.stringify({
            iam_http_request_method: 'POST',
            iam_request_url: base64('https://sts.amazonaws.com/'),
            iam_request_body: base64('Action=GetCallerIdentity&Version=2011-06-15'),
            iam_request_headers: base64(JSON.stringify(headersOf())),
          }),
        ),
    ],
    [
      'Infisical',
      () =>
        encoded(
          JSON.stringify({
            iamHttpRequestMethod: 'POST',
            iamRequestBody: base64('Action=GetCallerIdentity&Version=2011-06-15'),
            iamRequestHeaders: base64(JSON.stringify(headersOf())),
          }),
        ),
    ],
    ['Conjur', () => encoded(JSON.stringify(headersOf()))],
    [
      'aws-iam-authenticator',
      () => `k8s-aws-v1.${Buffer.from('https://sts.amazonaws.com/?Action=x').toString('base64url')}`,
    ],
    ['Teleport', () => 'POST / HTTP/1.1\r\nHost: sts.us-east-1.amazonaws.com\r\n\r\nAction=GetCallerIdentity'],
  ]

  test.each(FOREIGN)('AWS-43 says that it is one of %s', async (_, write) => {
    await expectRefusedUnasked(scene, write(), 'envelope_foreign')
  })
})

describe('the token type', () => {
  const webIdentityToken = (): Promise<string> => scene.aws.webIdentityToken(scene.assume(), { audiences: [BROKER] })

  test('AWS-43 refuses a JWT as a signed request, and takes it as a JWT', async () => {
    const token = await webIdentityToken()

    await expectRefusedUnasked(scene, token, 'issuer_not_trusted')
    expectIssued(scene.broker, await scene.broker.exchange(token))
  })

  test.each([JWT_TYPE, ID_TOKEN_TYPE, ACCESS_TOKEN_TYPE])('AWS-43 refuses a signed request as %s', async (type) => {
    const envelope = encodeSignedRequest(scene.sign())

    await expectRefusedUnasked(scene, envelope, 'issuer_not_trusted', { subject_token_type: type })
    await expectTaken(scene, envelope)
  })

  test('AWS-43 refuses a signed request under a type that there is not', async () => {
    const reply = await scene.exchange(scene.sign(), { subject_token_type: SAML2_TYPE })

    expectRefusal(scene.broker, reply, 'IR', 'subject_token_type_unsupported')
  })

  test('AWS-43 refuses a JWT around a signed request, and a signed request around a JWT', async () => {
    const token = await webIdentityToken()
    const around = await scene.aws.sign('123456789012', { request: encodeSignedRequest(scene.sign()) })

    await expectRefusedUnasked(scene, encoded(JSON.stringify({ ...scene.sign(), token })), 'proof_malformed')
    const reply = await scene.broker.exchange(around)
    expectProofRefused(scene.broker, reply, 'issuer_not_trusted')
  })

  test('AWS-43 has no type for signed requests where no account is trusted', async () => {
    await scene.broker.replaceDocument(documentFor('https://cluster.example'))
    const reply = await scene.exchange(scene.sign())
    await scene.broker.replaceDocument(awsDocumentFor(scene.aws))

    expectRefusal(scene.broker, reply, 'IR', 'subject_token_type_unsupported')
    await expectTaken(scene, scene.sign())
  })
})
