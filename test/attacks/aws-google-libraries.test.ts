/** Google's auth libraries as clients: those that sign the audience get a token, and those that do not are told what to do. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AwsClient, IdentityPoolClient } from 'google-auth-library'
import { AwsRequestSigner } from 'google-auth-library/build/src/auth/awsrequestsigner.js'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { AWS4_REQUEST_TYPE } from '../../providers/aws/signed-request.ts'
import { runExplain } from '../../src/cli/explain.ts'
import { expectRefusedUnasked, expectTaken } from '../support/aws-answers.ts'
import { type AwsScene, awsDocumentFor, LONG_AUDIENCE, openAwsScene } from '../support/aws-scene.ts'
import { ACCESS_TOKEN_TYPE, JWT_TYPE } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { BROKER } from '../support/document.ts'
import { writeAsGo, writeAsJava, writeAsPython } from '../support/google-libraries.ts'

const HEADER = 'x-goog-cloud-target-resource'
const ORDERS = `${BROKER}/audiences/https%3A%2F%2Forders.example`
const VERIFICATION_URL = 'https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15'

/** What the libraries send beside the proof. */
const GO = {
  audience: LONG_AUDIENCE,
  requested_token_type: ACCESS_TOKEN_TYPE,
  scope: '',
  options: '{"userProject":"x"}',
}
const JAVA = { ...GO, scope: 'https://www.googleapis.com/auth/cloud-platform' }

let scene: AwsScene
beforeAll(async () => {
  const identities = { 'payments/api': { grants: { ledger: ['entries:read'], 'https://orders.example': [] } } }
  scene = await openAwsScene({
    document: (aws) => awsDocumentFor(aws, {}, { identities }),
    // The libraries sign by the system's clock.
    broker: { clock: createTestClock(Math.floor(Date.now() / 1_000)) },
  })
})
afterAll(() => scene.close())

describe.each([
  ['Go', writeAsGo, GO],
  ['Java', writeAsJava, JAVA],
] as const)('the library for %s', (_, write, parameters) => {
  test('AWS-02 gets a token, as it signs the audience that it asks for', async () => {
    const { record } = await expectTaken(scene, write(scene.sign({ shape: 'google' })), parameters)

    expect(record).toMatchObject({ identity: 'payments/api', audience: 'ledger' })
  })

  test('AWS-02 gets one for an audience that is a URL, in the one spelling that was signed', async () => {
    const sign = () => write(scene.sign({ shape: 'google', audience: ORDERS }))

    await expectRefusedUnasked(scene, sign(), 'audience_mismatch', { ...parameters, audience: ORDERS.toLowerCase() })
    await expectRefusedUnasked(scene, sign(), 'audience_mismatch', {
      ...parameters,
      audience: 'https://orders.example',
    })
    await expectTaken(scene, sign(), { ...parameters, audience: ORDERS })
  })

  test('AWS-02 gets none where the header was not signed', async () => {
    const unsigned = write(scene.sign({ shape: 'google', unsigned: [HEADER] }))

    await expectRefusedUnasked(scene, unsigned, 'audience_not_signed', parameters)
  })

  test.each([
    ['of another name of ours', ORDERS, LONG_AUDIENCE],
    [
      'of a pool of Google’s',
      '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x',
      LONG_AUDIENCE,
    ],
    ['of another broker', 'https://other.example/audiences/ledger', LONG_AUDIENCE],
    ['of a broker whose name ours begins', `${BROKER}.evil.example/audiences/ledger`, LONG_AUDIENCE],
    ['in its short form', 'ledger', LONG_AUDIENCE],
    ['in its short form, as it was asked for', 'ledger', 'ledger'],
    ['in its long form, and asked for in the short one', LONG_AUDIENCE, 'ledger'],
    ['that is ours, and asked for as such', BROKER, BROKER],
    [
      'that is another’s, and asked for as such',
      'https://other.example/audiences/ledger',
      'https://other.example/audiences/ledger',
    ],
    ['in another spelling', `${BROKER}/audiences/%6cedger`, LONG_AUDIENCE],
    ['with a slash more', `${LONG_AUDIENCE}/`, LONG_AUDIENCE],
  ])('AWS-03 gets none for an audience %s', async (_name, audience, asked) => {
    const proof = write(scene.sign({ shape: 'google', audience }))

    await expectRefusedUnasked(scene, proof, 'audience_mismatch', { ...parameters, audience: asked })
  })

  test('AWS-03 gets none where two targets are asked for, or none', async () => {
    const proof = () => write(scene.sign({ shape: 'google' }))

    await expectRefusedUnasked(scene, proof(), 'audience_mismatch', {
      ...parameters,
      audience: [LONG_AUDIENCE, 'ledger'],
    })
    await expectRefusedUnasked(scene, proof(), 'audience_mismatch', { ...parameters, audience: undefined })
    await expectTaken(scene, proof(), { ...parameters, audience: undefined, resource: LONG_AUDIENCE })
  })
})

describe('the library for Python', () => {
  test('AWS-02 is refused, and the record says that it signs no audience', async () => {
    const unsigned = writeAsPython(scene.sign({ shape: 'google', unsigned: [HEADER] }))

    expect(unsigned).toMatch(/https%3A\/\/sts\./)
    await expectRefusedUnasked(scene, unsigned, 'audience_not_signed', JAVA)
  })

  test('writes envelopes that are taken where the audience is signed, as any program’s with its encoding', async () => {
    await expectTaken(scene, writeAsPython(scene.sign({ shape: 'google' })), JAVA)
  })
})

describe('the library for Node', () => {
  /** The credentials of a session, where the library looks for them. */
  function holdCredentials(): { accessKeyId: string; secretAccessKey: string; token: string } {
    const { accessKeyId, secretAccessKey, sessionToken = '' } = scene.assume()
    vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey)
    vi.stubEnv('AWS_SESSION_TOKEN', sessionToken)
    vi.stubEnv('AWS_REGION', 'us-east-1')
    onTestFinished(() => void vi.unstubAllEnvs())
    return { accessKeyId, secretAccessKey, token: sessionToken }
  }

  const configuration = () => ({
    type: 'external_account' as const,
    audience: LONG_AUDIENCE,
    subject_token_type: AWS4_REQUEST_TYPE,
    token_url: `${scene.broker.origin}/token`,
    credential_source: { environment_id: 'aws1', regional_cred_verification_url: VERIFICATION_URL },
  })

  test('AWS-02 is refused with the one sentence, and the record says that it signs no audience', async () => {
    holdCredentials()
    const before = { requests: scene.aws.requests.length, records: scene.broker.records().length }

    const answer = new AwsClient(configuration()).getAccessToken()

    await expect(answer).rejects.toThrow('Error code invalid_request: subject token refused')
    expect(scene.aws.requests.length).toBe(before.requests)
    const records = scene.broker.records().slice(before.records)
    expect(records.map(({ decision, reason, provider }) => ({ decision, reason, provider }))).toEqual([
      { decision: 'refused', reason: 'audience_not_signed', provider: 'aws' },
    ])
  })

  test('AWS-02 "explain --proof" says the same of its proof, and what to do', async () => {
    holdCredentials()
    const directory = mkdtempSync(join(tmpdir(), 'chancery-node-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const files = { federation: join(directory, 'federation.json'), proof: join(directory, 'proof') }
    writeFileSync(files.federation, JSON.stringify(awsDocumentFor(scene.aws)))
    writeFileSync(files.proof, await new AwsClient(configuration()).retrieveSubjectToken())
    const written: string[] = []
    const terminal = { out: (text: string) => void written.push(text), err: (text: string) => void written.push(text) }

    const code = await runExplain(
      { ...files, insecureHost: [scene.aws.host], issuer: BROKER },
      terminal,
      scene.clock.now,
    )

    expect(code).toBe(1)
    expect(written.join('')).toContain('refused: audience_not_signed')
    expect(written.join('')).toContain('give them a web-identity token by their file or URL source')
    expect(written.join('')).toContain('x-chancery-audience')
  })

  test('AWS-02 its own signer would do, were it told to sign the header', async () => {
    const credentials = holdCredentials()
    const signer = new AwsRequestSigner(async () => credentials, 'us-east-1')
    const options = { url: VERIFICATION_URL.replace('{region}', 'us-east-1'), method: 'POST' as const }
    const envelope = async (headers: Readonly<Record<string, string>>) => {
      const {
        url,
        method,
        headers: signed = {},
      } = await signer.getRequestOptions({ ...options, headers: { ...headers } })
      return { url: String(url), method, headers: Array.from(new Headers(signed), ([key, value]) => ({ key, value })) }
    }

    await expectRefusedUnasked(scene, await envelope({}), 'audience_not_signed', { audience: LONG_AUDIENCE })
    await expectTaken(scene, await envelope({ [HEADER]: LONG_AUDIENCE }), { audience: LONG_AUDIENCE })
  })

  test('AWS-02 gets a token for a web-identity token in a file, as it is told to', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'chancery-node-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const file = join(directory, 'token')
    writeFileSync(file, `${await scene.aws.webIdentityToken(scene.assume(), { audiences: [BROKER] })}\n`)
    const source = { subject_token_type: JWT_TYPE, credential_source: { file } }

    const { token } = await new IdentityPoolClient({ ...configuration(), ...source }).getAccessToken()

    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    expect(scene.broker.records().at(-1)).toMatchObject({ decision: 'issued', identity: 'payments/api' })
  })
})
