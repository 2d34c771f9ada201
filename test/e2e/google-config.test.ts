/** `chancery google-config`, whose files Google's own library takes as they are, to a real broker. */

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { GoogleAuth } from 'google-auth-library'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { AWS4_REQUEST_TYPE } from '../../providers/aws/signed-request.ts'
import { type AwsStandIn, startAwsStandIn } from '../../providers/aws/stand-in/stand-in.ts'
import { type AzureStandIn, startAzureStandIn } from '../../providers/azure/stand-in/stand-in.ts'
import { type GoogleStandIn, startGoogleStandIn } from '../../providers/gcp/stand-in/stand-in.ts'
import { azureBinding, entraEntry, settle } from '../support/azure-scene.ts'
import { snippetOf } from '../support/credential-page.ts'
import { type CredentialScene, openCredentialScene } from '../support/credential-scene.ts'
import { APP_URI } from '../support/entra-tokens.ts'
import { writeAsGo } from '../support/google-libraries.ts'
import { googleBinding, subjectOf } from '../support/google-scene.ts'

const ACCOUNT = '123456789012'

let scene: CredentialScene
let aws: AwsStandIn
let azure: AzureStandIn
let google: GoogleStandIn
beforeAll(async () => {
  ;[aws, azure, google] = await Promise.all([startAwsStandIn(), startAzureStandIn(), startGoogleStandIn()])
  const { issuer } = aws.createAccount(ACCOUNT)
  const parts = settle(azure)
  const awsMatch = { 'aws.account_id': ACCOUNT, 'aws.role_name': 'payments-api' }
  scene = await openCredentialScene(['ledger', 'https://orders.example'], {
    trusted_issuers: {
      google: { provider: 'gcp', keys: { from: 'url', url: google.keysUrl } },
      entra: entraEntry(parts),
      aws: {
        provider: 'aws',
        partition: 'aws',
        sts_endpoint: aws.origin,
        accounts: { [ACCOUNT]: { web_identity_issuer: issuer } },
      },
    },
    bindings: {
      'payments-api-gcp': googleBinding(subjectOf(google)),
      'payments-api-azure': azureBinding(azure.systemIdentity.objectId),
      'payments-api-aws': { trusted_issuer: 'aws', match: awsMatch, identity: 'payments/api' },
    },
    hosts: [google.host, azure.host, aws.host],
  })
})
afterAll(async () => {
  await scene.close()
  await Promise.all([aws.close(), azure.close(), google.close()])
})

/** Writes a file by the command, and has the library do with it what it does. */
async function accessTokenBy(args: readonly string[]): Promise<string> {
  return await accessTokenOf(await configure(args))
}

async function accessTokenOf(file: string): Promise<string> {
  for (const [name, value] of Object.entries(scene.environment())) vi.stubEnv(name, value)
  vi.stubEnv('CHANCERY_BROKER', undefined)
  vi.stubEnv('GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES', '1')
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', file)
  const auth = new GoogleAuth({ scopes: ['https://www.googleapis.com/auth/cloud-platform'] })
  return (await (await auth.getClient()).getAccessToken()).token ?? ''
}

async function configure(args: readonly string[]): Promise<string> {
  const file = join(scene.directory, 'external-account.json')
  const { code, out } = await scene.run([
    'chancery',
    'google-config',
    '--audience',
    'ledger',
    '--output',
    file,
    ...args,
  ])
  expect({ code, out }).toEqual({ code: 0, out: '' })
  return file
}

test('a projected token file is exchanged without a line of code', async () => {
  const file = join(scene.directory, 'page.json')
  const proof = `--provider kubernetes --proof-file ${join(scene.directory, 'proof')}`
  const replaced = {
    'https://broker.corp.example': scene.broker.origin,
    '--provider kubernetes': proof,
    '/etc/chancery.json': file,
  }
  const script = snippetOf("Google's libraries, for every other service", 'sh', replaced)
  expect(await scene.run(['sh', '-e', '-c', script])).toEqual({ code: 0, out: '', err: '' })

  const token = await accessTokenOf(file)

  expect(decodeJwt(token)).toMatchObject({ aud: 'ledger', proof: { provider: 'kubernetes' } })
})

test('Google’s metadata server is asked by the library itself', async () => {
  const token = await accessTokenBy(['--provider', 'gcp', '--metadata-origin', google.origin])

  expect(decodeJwt(token)).toMatchObject({ aud: 'ledger', proof: { provider: 'gcp' } })
})

test('Azure’s metadata service is asked by the library itself', async () => {
  const token = await accessTokenBy([
    '--provider',
    'azure',
    '--metadata-origin',
    azure.origin,
    '--proof-audience',
    APP_URI,
  ])

  expect(decodeJwt(token)).toMatchObject({ aud: 'ledger', proof: { provider: 'azure' } })
})

test('the command gives the proof where the library may start it', async () => {
  const token = await accessTokenBy(['--source', 'executable', '--proof-file', join(scene.directory, 'proof')])

  expect(decodeJwt(token)).toMatchObject({ aud: 'ledger', proof: { provider: 'kubernetes' } })
})

test('why the command has none is what the library says', async () => {
  const file = ['--source', 'executable', '--proof-file', join(scene.directory, 'nothing')]

  await expect(accessTokenBy(file)).rejects.toThrow(/proof_unavailable.*nothing cannot be read/)
})

test('on AWS the file works for libraries that sign its audience, as Go’s, and for no other', async () => {
  const file = await configure(['--provider', 'aws'])
  const session = aws.assumeRole(aws.createRole(ACCOUNT, 'payments-api'), 'one')
  const { audience, subject_token_type: subjectTokenType } = JSON.parse(readFileSync(file, 'utf8')) as Record<
    string,
    string
  >
  vi.stubEnv('AWS_REGION', 'us-east-1')
  vi.stubEnv('AWS_ACCESS_KEY_ID', session.accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', session.secretAccessKey)
  vi.stubEnv('AWS_SESSION_TOKEN', session.sessionToken)

  const signed = writeAsGo(aws.signedRequest(session, { shape: 'google', audience: audience ?? '' }))
  const go = await scene.broker.exchange(signed, { audience, subject_token_type: subjectTokenType })

  expect({ subjectTokenType, status: go.status }).toEqual({ subjectTokenType: AWS4_REQUEST_TYPE, status: 200 })
  await expect(accessTokenBy(['--provider', 'aws'])).rejects.toThrow(/subject token refused/)
})

test('names the audience by its long form, and the broker once', async () => {
  const { code, out, err } = await scene.run([
    'chancery',
    'google-config',
    '--audience',
    'https://orders.example',
    '--provider',
    'kubernetes',
  ])

  expect({ code, err, file: JSON.parse(out) as unknown }).toEqual({
    code: 0,
    err: '',
    file: {
      type: 'external_account',
      audience: `${scene.broker.origin}/audiences/https%3A%2F%2Forders.example`,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${scene.broker.origin}/token`,
      credential_source: { file: '/var/run/secrets/chancery/token', format: { type: 'text' } },
    },
  })
})

test('warns of the libraries that AWS’s source does not serve, and writes a file that others may read', async () => {
  const file = join(scene.directory, 'aws.json')

  const { err } = await scene.run([
    'chancery',
    'google-config',
    '--audience',
    'ledger',
    '--provider',
    'aws',
    '--output',
    file,
  ])

  expect(err).toMatch(/only the libraries of Go and Java/)
  expect(statSync(file).mode & 0o777).toBe(0o644)
})

test('refuses what would make a file that nobody can use', async () => {
  const config = async (...args: string[]) => await scene.run(['chancery', 'google-config', ...args])
  const bad = [
    await config(),
    await config('--audience', 'ledger', '--broker', 'http://broker.corp.example'),
    await config('--audience', 'ledger', '--source', 'url', '--provider', 'kubernetes'),
    await config('--audience', 'a b', '--source', 'executable'),
    await config('--audience', 'ledger', '--scope', 'entries:read'),
    await config('--audience', 'ledger', '--provider', 'gcp', '--prover-setting', 'a=b'),
    await config('--audience', 'ledger', '--provider', 'aws', '--metadata-origin', 'http://127.0.0.1:1'),
    await config('--audience', 'ledger', '--source', 'aws', '--proof-file', '/proof'),
    await config('--audience', 'ledger', '--output', '/dev/null/file'),
  ]

  for (const { code, out, err } of bad) {
    expect({ code, out }, err).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^chancery: /)
  }
})
