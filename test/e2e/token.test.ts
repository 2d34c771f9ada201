/** `chancery token`, as a process, against a broker. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { standIns } from '../../providers/stand-ins.ts'
import { startTestBroker } from '../support/broker.ts'
import { type CommandScene, claimsOf, openCommandScene } from '../support/command-scene.ts'
import { BROKER, documentFor } from '../support/document.ts'
import { findFreePort, runChancery } from '../support/process.ts'

const REAL_CLOCK = { now: () => Math.floor(Date.now() / 1_000), advance: () => undefined }

let scene: CommandScene

beforeAll(async () => {
  scene = await openCommandScene()
})
afterAll(() => scene.close())

describe('what is printed', () => {
  test('is the token and one end of line', async () => {
    const { code, out, err } = await scene.run(['token'])

    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    expect(claimsOf(out)).toMatchObject({ aud: 'ledger', sub: 'spiffe://corp.example/payments/api' })
  })

  test('as JSON is the answer of the token endpoint, with the time at which the token ends', async () => {
    const { code, out } = await scene.run(['token', '--format', 'json'])
    const answer = JSON.parse(out) as Readonly<Record<string, unknown>>

    expect(code).toBe(0)
    expect(answer).toEqual({
      access_token: expect.any(String),
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: expect.any(Number),
      expires_at: expect.any(Number),
      scope: 'entries:read',
    })
    expect(Math.abs(Number(answer.expires_at) - Number(claimsOf(String(answer.access_token)).exp))).toBeLessThan(2)
  })

  test('as a header is one line that curl takes', async () => {
    const { out } = await scene.run(['token', '--format', 'header'])

    expect(out).toMatch(/^Authorization: Bearer [\w.-]+\n$/)
  })

  test('is explained on standard error, with neither proof nor token', async () => {
    const { code, out, err } = await scene.run(['token', '--explain'])
    scene.watch(out.trim())

    expect(code).toBe(0)
    expect(err.split('\n')).toEqual([
      'chancery: looked at the settings: no proof.provider, proof.file or CHANCERY_PROVIDER',
      'chancery: looked at CHANCERY_PROOF_FILE: CHANCERY_PROOF_FILE names a file',
      `chancery: proves by the file ${scene.proofFile}, whatever platform made it`,
      expect.stringMatching(/^chancery: got a token for audience ledger, scope entries:read, for \d+ s$/),
      '',
    ])
  })
})

describe('what is asked for', () => {
  test('an option wins over its variable', async () => {
    const { out } = await scene.run(['token', '--audience', 'orders'], { CHANCERY_AUDIENCE: 'ledger' })

    expect(claimsOf(out)).toMatchObject({ aud: 'orders' })
  })

  test('scopes are repeated or stand in a list', async () => {
    const { code, out } = await scene.run(['token', '--scope', 'entries:read', '--scope', ' entries:read '])

    expect(code).toBe(0)
    expect(claimsOf(out)).toMatchObject({ scope: 'entries:read' })
  })

  test('--explain tells of a refusal too, after what was chosen', async () => {
    const { code, out, err } = await scene.run(['token', '--explain', '--audience', 'other'])

    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain('proves by the file')
    expect(err).toContain('[target_refused]')
  })
})

describe('the exit code, and the advice', () => {
  test('1: the broker refuses the proof, and the request id is told', async () => {
    const file = join(scene.directory, 'stranger')
    const stranger = await scene.proof({ audiences: ['https://somebody.else.example'] })
    writeFileSync(file, stranger)
    scene.watch(stranger)
    const { code, out, err } = await scene.run(['token', '--proof-file', file])

    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(/chancery explain .*--request-id [0-9a-f-]{36} .*\[proof_refused\]\n$/)
  })

  test('1: the identity has no such audience', async () => {
    const { code, err } = await scene.run(['token', '--audience', 'other'])

    expect(code).toBe(1)
    expect(err).toContain('name an audience that this identity is granted')
  })

  test('2: no broker is named', async () => {
    const { code, err } = await runChancery(['token'])

    expect({ code, err }).toEqual({
      code: 2,
      err: 'chancery: which broker? Name it with --broker URL, or in CHANCERY_BROKER\n',
    })
  })

  test.each([
    ['a format that there is not', ['--format', 'xml']],
    ['a provider that there is not', ['--provider', 'mars']],
    ['a setting without a value', ['--prover-setting', 'region']],
    ['a broker in the clear', ['--broker', 'http://broker.example']],
    ['a proof that is not there', ['--proof-file', '/nowhere/token']],
  ])('2: %s', async (_, args) => {
    const { code, out, err } = await scene.run(['token', ...args])

    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).not.toBe('')
  })

  test('3: the broker cannot be reached', async () => {
    const { code, err } = await scene.run(['token', '--broker', `http://127.0.0.1:${await findFreePort()}`])

    expect(code).toBe(3)
    expect(err).toContain('[broker_unreachable]')
  })
})

describe.each(standIns)('on $name', ({ start }) => {
  test('the platform is found or named, its own SDK proves, and the broker knows the workload', async () => {
    const cloud = await start({ now: REAL_CLOCK.now })
    // Entra makes tokens only for whom it knows; this is how its stand-in gets to know the broker.
    await cloud.prover.ports(BROKER)
    const trusted = { ...cloud.trustedIssuer, proof_audiences: [BROKER] }
    const match = { trusted_issuer: 'cloud', match: cloud.attributes, identity: 'payments/api' }
    const broker = await startTestBroker({
      clock: REAL_CLOCK,
      document: documentFor('', { trusted_issuers: { cloud: trusted }, bindings: { workload: match } }),
      insecureHosts: cloud.hosts,
    })
    const file = join(scene.directory, `${cloud.subjectTokenType.replaceAll(/\W/g, '-')}-token`)
    const projected = await cloud.projectedToken?.(BROKER)
    if (projected !== undefined) writeFileSync(file, projected)
    const place = projected === undefined ? [] : ['--proof-file', file]

    const { code, out, err } = await runChancery(
      ['token', '--broker', broker.origin, '--audience', 'ledger', '--proof-audience', BROKER, '--explain', ...place],
      Object.fromEntries(Object.entries(cloud.environment).flatMap(([name, value]) => (value ? [[name, value]] : []))),
    )
    await broker.stop()
    await cloud.close()

    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('got a token for audience ledger') })
    expect(claimsOf(out)).toMatchObject({ sub: 'spiffe://corp.example/payments/api' })
  })
})
