/** Getting a proof: from a file, and from a platform in trouble. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startGoogleStandIn } from '../../providers/gcp/stand-in/stand-in.ts'
import { environmentOf } from '../../providers/gcp/stand-in/stand-in-provider.ts'
import { lendEnvironment } from '../../providers/kit/stand-in-environment.ts'
import { createTokenSource, type ProofSettings, type TokenSourceSettings } from '../../src/client/client.ts'
import { type ClientScene, openClientScene, sourceError } from '../support/client-scene.ts'
import { makeScratch } from '../support/scratch.ts'

const JWT = 'urn:ietf:params:oauth:token-type:jwt'
const AWS4_REQUEST = 'urn:ietf:params:aws:token-type:aws4_request'
const PROOF = 'eyJoZWFkZXIi.eyJwYXlsb2FkIjoib2YtYS1wcm9vZiJ9.c2lnbmF0dXJl'

describe('a proof in a file', () => {
  /** Gives what is sent for what a file holds. */
  async function sentFor(settings: Partial<TokenSourceSettings>): Promise<URLSearchParams | undefined> {
    const sent: URLSearchParams[] = []
    const source = createTokenSource({
      broker: 'https://broker.example',
      async fetch(_, init) {
        if (init?.body instanceof URLSearchParams) sent.push(init.body)
        return new Response('{}', { status: 400 })
      },
      ...settings,
    })
    await sourceError(source.token())
    return sent[0]
  }
  const sentOf = (text: string, proof: ProofSettings = {}) =>
    sentFor({ proof: { file: '/proof', ...proof }, readFile: async () => text })

  test.each([
    ['a JWT', PROOF, PROOF, JWT],
    ['a JWT with white space around it', ` \n${PROOF}\r\n`, PROOF, JWT],
    ['a signed request of AWS', '%7B%22url%22%3A1%7D', '%7B%22url%22%3A1%7D', AWS4_REQUEST],
    ['one that nobody has percent-encoded', '{"url":1}\n', '{"url":1}', AWS4_REQUEST],
  ])('is %s, as its content says', async (_, text, subjectToken, type) => {
    const sent = await sentOf(text)

    expect([sent?.get('subject_token'), sent?.get('subject_token_type')]).toEqual([subjectToken, type])
  })

  test('is of the type that the settings name', async () => {
    const type = 'urn:ietf:params:oauth:token-type:id_token'

    expect((await sentOf(PROOF, { subjectTokenType: type }))?.get('subject_token_type')).toBe(type)
  })

  test('is sent with the audience and the scopes, and with nothing that was not asked for', async () => {
    const given = { audience: 'ledger', scope: ['b', 'a'], proof: { file: '/proof' }, readFile: async () => PROOF }

    expect([...((await sentFor(given)) ?? [])]).toEqual([
      ['grant_type', 'urn:ietf:params:oauth:grant-type:token-exchange'],
      ['subject_token', PROOF],
      ['subject_token_type', JWT],
      ['audience', 'ledger'],
      ['scope', 'a b'],
    ])
    expect([...((await sentOf(PROOF))?.keys() ?? [])]).toEqual(['grant_type', 'subject_token', 'subject_token_type'])
  })

  test.each([
    ['is empty', ' \n', 'is empty'],
    ['is something else', 'not a proof', 'neither a JWT nor a signed AWS request'],
    ['is encrypted', 'a.b.c.d.e', 'neither a JWT nor a signed AWS request'],
  ])('that %s is not sent', async (_, text, said) => {
    const source = createTokenSource({
      broker: 'https://broker.example',
      proof: { file: '/proof' },
      readFile: async () => text,
    })

    const error = await sourceError(source.token())
    expect(error).toMatchObject({ code: 'proof_unavailable', kind: 'setup' })
    expect(error.message).toContain(said)
    if (text.trim() !== '') expect(inspect(error, { depth: null })).not.toContain(text)
  })

  test('that is larger than any proof, or cannot be read, is not read', async () => {
    const directory = makeScratch()
    const files = { large: join(directory, 'large'), none: join(directory, 'none') }
    writeFileSync(files.large, `${PROOF}${' '.repeat(70_000)}`)
    const read = (file: string) =>
      sourceError(createTokenSource({ broker: 'https://broker.example', proof: { file } }).token())

    expect((await read(files.large)).message).toContain('EFBIG')
    expect((await read(files.none)).message).toContain('ENOENT')
  })
})

test('of an error that says why a file cannot be read, nothing is repeated but a code that is one', async () => {
  const readFile = () => Promise.reject(Object.assign(new Error(PROOF), { code: PROOF }))
  const source = createTokenSource({ broker: 'https://broker.example', proof: { file: '/proof' }, readFile })

  const error = await sourceError(source.token())
  expect(error.message).toContain('cannot be read (no code)')
  expect(inspect(error, { depth: null, showHidden: true })).not.toContain(PROOF)
})

describe('a platform in trouble', () => {
  let scene: ClientScene
  let google: Awaited<ReturnType<typeof startGoogleStandIn>>
  let giveBack: () => void
  beforeAll(async () => {
    scene = await openClientScene()
    google = await startGoogleStandIn()
    giveBack = lendEnvironment(environmentOf(google.host))
  })
  afterAll(async () => {
    giveBack()
    await google.close()
    await scene.close()
  })
  beforeEach(() => google.recover())

  const IDENTITY = '/computeMetadata/v1/instance/service-accounts/default/identity'
  const prove = (proof: ProofSettings = {}) =>
    sourceError(scene.source({ proof: { provider: 'gcp', ...proof } }).token())

  test.each([
    ['gives something else than a token', { status: 200, body: PROOF }, 'platform_unavailable'],
    ['says no', { status: 404, body: PROOF }, 'proof_unavailable'],
  ] as const)('%s, and the error says nothing of what it gave', async (_, answer, code) => {
    google.fail(IDENTITY, answer)

    const error = await prove()
    expect(error).toMatchObject({ code, message: expect.stringContaining('gcp') })
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain(PROOF.slice(0, 20))
    expect(scene.exchanges()).toBe(0)
  })

  test('is worth another try where it is not there', async () => {
    google.fail('*', 'down')

    expect(await prove()).toMatchObject({ code: 'platform_unavailable', kind: 'later' })
    expect(scene.waits).toEqual([])
  })

  test('is not waited for longer than fifteen seconds', async () => {
    google.fail('*', 'slow')
    const limits: number[] = []
    const deadline = (seconds: number) => {
      limits.push(seconds)
      return AbortSignal.timeout(20)
    }

    const error = await sourceError(scene.source({ proof: { provider: 'gcp' }, deadline }).token())
    expect(error).toMatchObject({ code: 'platform_unavailable', kind: 'later' })
    expect(limits).toEqual([15])
  })

  test('is not waited for once the source is closed', async () => {
    google.fail('*', 'slow')
    const before = google.requests.length
    const source = scene.source({ proof: { provider: 'gcp' } })
    const waiting = sourceError(source.token())
    await expect.poll(() => google.requests.length).toBeGreaterThan(before)
    source.close()

    expect((await waiting).code).toBe('source_closed')
  })

  test('and an audience that it cannot take is a setting to be corrected', async () => {
    const error = await prove({ audience: 'https://broker.example/?a b' })

    expect(error).toMatchObject({ code: 'settings_invalid', kind: 'setup' })
  })
})
