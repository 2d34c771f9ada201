/** Zero code: a configuration file is all that makes a program with Google's auth library a client of the broker. */

import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { GoogleAuth } from 'google-auth-library'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type StandInServer, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { JWT_TYPE } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { findFreePort } from '../support/process.ts'
import { openScene, type Scene } from '../support/scene.ts'
import { makeScratch } from '../support/scratch.ts'

const COMMAND = fileURLToPath(new URL('../../src/launch.mjs', import.meta.url))

let scene: Scene
let issuer: string
/** What serves a proof over HTTP: a side-car, or an agent. */
let sidecar: StandInServer

beforeAll(async () => {
  const port = await findFreePort()
  issuer = `http://127.0.0.1:${port}`
  // The library goes by the system's clock.
  const clock = createTestClock(Math.floor(Date.now() / 1_000))
  scene = await openScene({ broker: { clock, flags: { issuer, listen: `127.0.0.1:${port}` } } })
  sidecar = await startStandInServer({
    async route({ path, headers }) {
      if (headers['x-sidecar'] !== 'yes') return { status: 403 }
      const proof = await scene.proof()
      return path === '/json' ? { status: 200, body: { id_token: proof } } : { status: 200, body: `${proof}\n` }
    },
  })
})
afterAll(async () => {
  await scene.close()
  await sidecar.close()
})
beforeEach(() => {
  // Else the library runs `gcloud` to learn a project, which no exchange has a use for.
  vi.stubEnv('GOOGLE_CLOUD_PROJECT', 'unused')
})

/** Puts a configuration file where the library looks for one, and gives the headers of the next request of a program. */
async function headersWith(source: object, more: object = {}): Promise<Headers> {
  const file = join(makeScratch(), 'credentials.json')
  const configuration = {
    type: 'external_account',
    audience: 'ledger',
    subject_token_type: JWT_TYPE,
    token_url: `${issuer}/token`,
    credential_source: source,
    ...more,
  }
  writeFileSync(file, JSON.stringify(configuration))
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', file)
  return await new GoogleAuth().getRequestHeaders()
}

function expectToken(headers: Headers): void {
  const [scheme, token = ''] = (headers.get('authorization') ?? '').split(' ')
  scene.broker.watch(token)
  expect(scheme).toBe('Bearer')
  expect(decodeJwt(token)).toMatchObject({ iss: issuer, aud: 'ledger', sub: 'spiffe://corp.example/payments/api' })
}

/** A file that holds the proof as the kubelet writes it, or with a final newline. */
async function proofFile(text: (proof: string) => string = (proof) => proof): Promise<string> {
  const file = join(makeScratch(), 'token')
  writeFileSync(file, text(await scene.proof()))
  return file
}

describe('a program gets our token by a file whose source is', () => {
  test('a file', async () => {
    expectToken(await headersWith({ file: await proofFile() }))
  })

  test('a file with a line in it', async () => {
    expectToken(await headersWith({ file: await proofFile((proof) => `${proof}\n`) }))
  })

  test('a member of a JSON file', async () => {
    const file = await proofFile((proof) => JSON.stringify({ id_token: proof }))

    expectToken(await headersWith({ file, format: { type: 'json', subject_token_field_name: 'id_token' } }))
  })

  test('a URL', async () => {
    expectToken(await headersWith({ url: `${sidecar.origin}/text`, headers: { 'x-sidecar': 'yes' } }))
  })

  test('a member of what a URL gives', async () => {
    const format = { type: 'json', subject_token_field_name: 'id_token' }

    expectToken(await headersWith({ url: `${sidecar.origin}/json`, headers: { 'x-sidecar': 'yes' }, format }))
  })

  test('an executable: our own command, by the file that it writes itself', async () => {
    vi.stubEnv('GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES', '1')
    const proof = await proofFile()
    const flags = ['--broker', issuer, '--audience', 'ledger', '--proof-file', proof]
    const args = ['google-config', '--source', 'executable', '--command', COMMAND, ...flags]
    const { stdout } = await promisify(execFile)(process.execPath, [COMMAND, ...args])
    const { credential_source: source, ...more } = JSON.parse(stdout) as { credential_source: object }

    expectToken(await headersWith(source, more))
  })
})

test('client credentials in the file change nothing', async () => {
  const more = { client_id: 'some-client', client_secret: 'some-secret' }

  expectToken(await headersWith({ file: await proofFile() }, more))
})

test('a refusal reaches the program as the broker’s own sentence', async () => {
  const refused = headersWith({ file: await proofFile() }, { audience: 'https://orders.example' })

  await expect(refused).rejects.toThrow('Error code invalid_target: this identity may not have a token for that target')
})
