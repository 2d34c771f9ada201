/** `chancery credential gcp`, started by Google's own library, whose STS takes our token. */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ExternalAccountClient } from 'google-auth-library'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { type StandInServer, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { snippetOf } from '../support/credential-page.ts'
import { type CredentialScene, openCredentialScene } from '../support/credential-scene.ts'
import { type Finished, findFreePort } from '../support/process.ts'
import { makeScratch } from '../support/scratch.ts'

const POOL_PROVIDER = '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/chancery'
const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt'

let scene: CredentialScene
let sts: StandInServer
beforeAll(async () => {
  scene = await openCredentialScene([`https:${POOL_PROVIDER}`, 'ledger'])
  const keys = createRemoteJWKSet(new URL(`${scene.broker.origin}/.well-known/jwks.json`))
  sts = await startStandInServer({
    async route({ body }) {
      const form = new URLSearchParams(body)
      const expected = { issuer: scene.broker.origin, audience: `https:${form.get('audience')}` }
      const { payload } = await jwtVerify(form.get('subject_token') ?? '', keys, expected)
      const answer = {
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'Bearer',
        expires_in: 3_600,
      }
      return { status: 200, body: { ...answer, access_token: `ya29.of-${String(payload.client_id)}` } }
    },
  })
})
afterAll(async () => {
  await sts.close()
  await scene.close()
})

const PROOF = ['--proof', '--audience', 'ledger']
const COMMAND = `chancery credential gcp --audience https:${POOL_PROVIDER}`

/** What Google's library makes of the page's file, with another STS and whatever else a test changes. */
async function accessToken(executable: object, audience = POOL_PROVIDER): Promise<string> {
  for (const [name, value] of Object.entries(scene.environment())) vi.stubEnv(name, value)
  vi.stubEnv('GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES', '1')
  const replaced = { 'https://sts.googleapis.com': sts.origin, 'https://broker.corp.example': scene.broker.origin }
  const file = JSON.parse(snippetOf("Google's libraries, for Google Cloud", 'json', replaced)) as ExternalAccountFile
  Object.assign(file.credential_source.executable, executable)
  const client = ExternalAccountClient.fromJSON({ ...file, audience })
  return (await client?.getAccessToken())?.token ?? ''
}

type ExternalAccountFile = Exclude<Parameters<typeof ExternalAccountClient.fromJSON>[0], never> & {
  readonly credential_source: { readonly executable: object }
}

/** Runs the command as a library does, with another environment. */
async function run(env: Record<string, string>, args: readonly string[] = []): Promise<Finished> {
  const given = {
    GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES: '1',
    GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE: POOL_PROVIDER,
    GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE: JWT_TYPE,
    GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE: '0',
  }
  return await scene.run([...COMMAND.split(' '), ...args], { env: { ...given, ...env } })
}

test('Google’s library exchanges our token at Google’s STS', async () => {
  expect(await accessToken({})).toBe('ya29.of-payments/api')
})

test('Google’s library takes our token from the agent, and needs no command for it', async () => {
  const place = `127.0.0.1:${await findFreePort()}`
  const agent = spawn('chancery', ['agent', '--listen', place], { env: scene.environment(), stdio: 'ignore' })
  const ended = once(agent, 'exit')
  onTestFinished(async () => {
    agent.kill()
    await ended
  })
  await expect
    .poll(
      () =>
        fetch(`http://${place}/healthz`).then(
          ({ status }) => status,
          () => 0,
        ),
      { timeout: 10_000 },
    )
    .toBe(200)
  const replaced = { 'https://sts.googleapis.com': sts.origin, '127.0.0.1:9465': place }
  const file = snippetOf("Google's libraries, for Google Cloud, by the agent", 'json', replaced)

  const client = ExternalAccountClient.fromJSON(JSON.parse(file) as ExternalAccountFile)

  expect((await client?.getAccessToken())?.token).toBe('ya29.of-payments/api')
})

test('a token is kept where the file says, for this user alone, and taken from there', async () => {
  const outputFile = join(makeScratch(), 'kept.json')

  await accessToken({ output_file: outputFile })
  const before = scene.issued()
  await accessToken({ output_file: outputFile })

  expect(scene.issued()).toBe(before)
  expect(statSync(outputFile).mode & 0o777).toBe(0o600)
  const { id_token: token = '', expiration_time: end } = JSON.parse(readFileSync(outputFile, 'utf8')) as Record<
    string,
    string
  >
  expect(decodeJwt(token).exp).toBe(end)
})

test('a file for another audience gets nothing, and its library says why', async () => {
  const before = scene.issued()

  const other = POOL_PROVIDER.replace('/pool/', '/evil/')

  await expect(accessToken({}, other)).rejects.toThrow(/audience_mismatch/)
  expect(scene.issued()).toBe(before)
})

test('tells what goes wrong as the library reads it: exit code 0, and nothing beside it', async () => {
  const signed = join(makeScratch(), 'signed-request')
  writeFileSync(signed, '{"url":"https://sts.us-east-1.amazonaws.com/"}')
  const pipe = join(makeScratch(), 'pipe')
  spawnSync('mkfifo', [pipe])
  const longLedger = `${scene.broker.origin}/audiences/ledger`
  const reasons = [
    [await run({ GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES: '0' }), 'executables_not_allowed'],
    [await run({ GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE: 'urn:ietf:params:oauth:token-type:saml2' }), 'token_type_unknown'],
    [
      await run({ GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE: longLedger, CHANCERY_PROOF_FILE: signed }, PROOF),
      'proof_not_a_jwt',
    ],
    [
      await run({ GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE: longLedger, CHANCERY_PROOF_FILE: pipe }, PROOF),
      'proof_unavailable',
    ],
    [await run({ CHANCERY_BROKER: 'http://127.0.0.1:9' }), 'broker_unreachable'],
    [await run({ GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE: 'vault' }, ['--audience', 'vault']), 'target_refused'],
  ] as const

  for (const [{ code, out, err }, reason] of reasons) {
    expect({ code, err }, reason).toEqual({ code: 0, err: '' })
    expect(JSON.parse(out)).toEqual({
      version: 1,
      success: false,
      code: reason,
      message: expect.stringMatching(/^chancery: /),
    })
  }
})

test('a proof is given for the broker’s own long audience alone, and never kept', async () => {
  const outputFile = join(makeScratch(), 'kept.json')
  const proof = (audience: string): Promise<Finished> =>
    run({ GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE: audience, GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE: outputFile }, PROOF)

  const given = JSON.parse((await proof(`${scene.broker.origin}/audiences/ledger`)).out) as Record<string, string>
  const others = [
    await proof(POOL_PROVIDER),
    await proof('ledger'),
    await proof('https://evil.example/audiences/ledger'),
  ]

  expect(`${given.id_token}\n`).toBe(readFileSync(join(scene.directory, 'proof'), 'utf8'))
  expect(existsSync(outputFile)).toBe(false)
  expect(others.map(({ out }) => (JSON.parse(out) as { code: string }).code)).toEqual(
    Array(3).fill('audience_mismatch'),
  )
})

test('is not for people: without the library’s variables it says whose work it does', async () => {
  const { code, out, err } = await scene.run(COMMAND.split(' '))

  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toMatch(/google-config/)
  const aimless = await scene.run(['chancery', 'credential', 'gcp'])
  expect(aimless).toMatchObject({ code: 2, out: '', err: expect.stringContaining('--audience') as string })
})
