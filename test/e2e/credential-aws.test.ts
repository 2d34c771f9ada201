/** `chancery credential aws`, started by the official SDK as a profile's `credential_process`, before an STS that verifies our token. */

import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { type AwsStandIn, startAwsStandIn } from '../../providers/aws/stand-in/stand-in.ts'
import { snippetOf } from '../support/credential-page.ts'
import { type CredentialScene, openCredentialScene } from '../support/credential-scene.ts'
import type { Finished } from '../support/process.ts'
import { makeScratch } from '../support/scratch.ts'

const ACCOUNT = '123456789012'
const ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/reader`

let scene: CredentialScene
let aws: AwsStandIn
beforeAll(async () => {
  scene = await openCredentialScene()
  aws = await startAwsStandIn({ region: 'eu-west-1' })
  aws.createAccount(ACCOUNT)
  const issuer = scene.broker.origin
  aws.addOidcProvider(ACCOUNT, { issuer, clientIds: ['sts.amazonaws.com'] })
  aws.createRole(ACCOUNT, 'reader', { trusts: [{ issuer, subject: 'spiffe://corp.example/payments/api' }] })
})
afterAll(async () => {
  await aws.close()
  await scene.close()
})

let env: Record<string, string>
beforeEach(() => {
  env = scene.environment({
    AWS_ENDPOINT_URL_STS: aws.origin,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_MAX_ATTEMPTS: '1',
    XDG_CACHE_HOME: join(makeScratch(), 'cache'),
  })
})

async function credential(args: readonly string[] = [], more: Record<string, string> = {}): Promise<Finished> {
  const all = ['chancery', 'credential', 'aws', '--role-arn', ROLE_ARN, '--region', 'eu-west-1', ...args]
  return await scene.run(all, { env: { ...env, ...more } })
}

/** What was asked of the broker and of STS so far. */
function asked(): object {
  return { broker: scene.issued(), sts: aws.requests.length }
}

function keptFiles(): readonly string[] {
  const directory = join(env.XDG_CACHE_HOME ?? '', 'chancery')
  return existsSync(directory) ? readdirSync(directory).map((name) => join(directory, name)) : []
}

test('the SDK is in the role, with a session that is called like the identity', async () => {
  const config = join(scene.directory, 'aws-config')
  writeFileSync(config, snippetOf('AWS', 'ini', { 'https://broker.corp.example': scene.broker.origin }))
  const settings = {
    ...env,
    AWS_CONFIG_FILE: config,
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
    AWS_PROFILE: 'reader',
  }
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value)

  const client = new STSClient({})
  const { Arn } = await client.send(new GetCallerIdentityCommand({}))

  expect(Arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/reader/payments-api`)
})

test('a session is kept for this user alone, and given again without asking anybody', async () => {
  const first = await credential()
  const before = asked()

  const second = await credential()

  expect({ code: first.code, err: first.err, out: second.out }).toEqual({ code: 0, err: '', out: first.out })
  expect(asked()).toEqual(before)
  const [file = '', ...others] = keptFiles()
  expect(others).toEqual([])
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(join(file, '..')).mode & 0o777).toBe(0o700)
  expect(readFileSync(file, 'utf8')).not.toContain('eyJ')
})

test('what is kept is given for no other settings, and not where others may read it', async () => {
  const { out } = await credential()
  const others: readonly (readonly [readonly string[], Record<string, string>])[] = [
    [['--session-name', 'other'], {}],
    [['--duration-seconds', '900'], {}],
    [['--audience', 'sts.amazonaws.com'], {}],
    [['--no-cache'], {}],
    [[], { AWS_PROFILE: 'another' }],
  ]

  const outs = []
  for (const [args, more] of others) outs.push((await credential(args, more)).out)
  for (const file of keptFiles()) chmodSync(file, 0o640)
  outs.push((await credential()).out)

  expect(outs).not.toContain('')
  expect(new Set([out, ...outs]).size).toBe(7)
})

test('a session that cannot be kept is given all the same, with a word to people', async () => {
  const { code, out, err } = await credential([], { XDG_CACHE_HOME: '/dev/null/cache' })

  expect(code).toBe(0)
  expect(Object.keys(JSON.parse(out) as object)).toEqual([
    'Version',
    'AccessKeyId',
    'SecretAccessKey',
    'SessionToken',
    'Expiration',
  ])
  expect(err).toMatch(/cannot be kept/)
})

test('what STS refuses is told with what the account should trust, and without the token', async () => {
  const { code, out, err } = await credential(['--audience', 'ledger'])

  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(err).toMatch(
    /^chancery: STS refuses: InvalidIdentityTokenException: .*for the audience ledger, and that arn:aws:iam/,
  )
  expect(err).not.toContain('eyJ')
})

test('an STS that is away is something for later, and a wrong setting something to correct', async () => {
  expect((await credential([], { AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:9' })).code).toBe(3)
  expect((await credential(['--duration-seconds', '60'])).code).toBe(2)
  expect((await credential(['--session-name', 'a b'])).code).toBe(2)
  expect((await scene.run(['chancery', 'credential', 'aws', '--role-arn', ROLE_ARN], { env })).err).toContain(
    '--region',
  )
})

test('does not start itself for ever where its own profile is to prove who it is', async () => {
  const config = join(scene.directory, 'aws-loop')
  const process = `chancery credential aws --role-arn ${ROLE_ARN} --provider aws 2>>${scene.directory}/loop.log`
  writeFileSync(config, `[profile loop]\nregion = eu-west-1\ncredential_process = ${process}\n`)

  const { code } = await credential(['--provider', 'aws'], {
    AWS_CONFIG_FILE: config,
    AWS_PROFILE: 'loop',
    CHANCERY_PROOF_FILE: '',
  })

  expect(code).not.toBe(0)
  const lines = readFileSync(join(scene.directory, 'loop.log'), 'utf8').trim().split('\n')
  expect(lines.length).toBeLessThanOrEqual(2)
  expect(lines[0]).toContain('env -u AWS_PROFILE')
})
