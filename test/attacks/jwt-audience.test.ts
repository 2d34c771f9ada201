/** Attacks with tokens that were made for somebody else, or for somebody else as well. */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { BROKER, documentFor } from '../support/document.ts'
import { openScene, type Scene } from '../support/scene.ts'

/** Audiences that are not ours to the byte. */
const OTHERS = [
  'https://someone.else.example',
  'ledger',
  'https://broker.example/token',
  'https://broker.example/',
  'https://broker.example#',
  'https://broker.example?',
  'https://broker.example:443',
  'https://broker.example.',
  'https://broker.example.evil.example',
  'https://evil.example/https://broker.example',
  'https://evil-broker.example',
  'https://broker.exampl',
  'https://broker.example ',
  ' https://broker.example',
  'https://broker.example\n',
  'https://broker.example\u0000',
  'https://broker.example,https://evil.example',
  'https://broker.example https://evil.example',
  '["https://broker.example"]',
  'HTTPS://BROKER.EXAMPLE',
  'https://Broker.example',
  'http://broker.example',
  '//broker.example',
  'broker.example',
  'https://broker%2Eexample',
  'https://broker.\u0435xample',
  'https://broker\u3002example',
  'https://br\u00f6ker.example',
  '*',
  'https://*',
  '.*',
]

/** Values of `aud` that name nobody. */
const NOBODY: readonly (readonly [string, unknown])[] = [
  ['an empty list', []],
  ['an empty text', ''],
  ['an empty object', {}],
  ['a list in a list', [[BROKER]]],
  ['a number', 0],
  ['a great number', 1e300],
  ['null', null],
  ['true', true],
  ['false', false],
  ['a list of null', [null]],
  ['a list of nothing', ['']],
  ['a list of a number', [7]],
  ['a list of an object', [{ aud: BROKER }]],
  ['an object like a list', { 0: BROKER, length: 1 }],
  ['an object with our name for a member', { [BROKER]: true }],
  ['an object that turns into text', { toString: BROKER }],
]

/** Lists of more than one party, the last of them with nobody beside us. */
const SEVERAL: readonly (readonly [string, readonly unknown[]])[] = [
  ['us and another', [BROKER, 'https://evil.example']],
  ['another and us', ['https://evil.example', BROKER]],
  ['two others', ['https://evil.example', 'https://someone.else.example']],
  ['us and the cluster’s own API', [BROKER, 'https://kubernetes.default.svc']],
  ['us and nobody', [BROKER, '']],
  ['us and null', [BROKER, null]],
  ['us and an empty list', [BROKER, []]],
  ['us and a hundred others', [BROKER, ...Array.from({ length: 100 }, (_, index) => `https://${index}.example`)]],
  ['us and us', [BROKER, BROKER]],
]

/** Claims of a login, of a delegated user and of a logout: nothing that a workload's proof has. */
const FOREIGN_CLAIMS: readonly (readonly [string, unknown])[] = [
  ['nonce', 'n-0S6_WzA2Mj'],
  ['at_hash', '77QmUPtjPfzWtF2AnpK9RQ'],
  ['c_hash', 'LDktKdoQak3Pk0cnXxCltA'],
  ['s_hash', '77QmUPtjPfzWtF2AnpK9RQ'],
  ['events', { 'http://schemas.openid.net/event/backchannel-logout': {} }],
  ['scp', 'user_impersonation'],
  ['cnf', { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' }],
]

describe('a broker with one proof audience', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene({ cluster: { algorithm: 'ES256' } })
  })
  afterAll(() => scene.close())

  test.each(OTHERS)('JWT-10 refuses a token for %j, alone or in a list', async (aud) => {
    for (const value of [aud, [aud]]) await expectRefused({ aud: value }, 'audience_mismatch')
  })

  test('JWT-10 refuses a token without aud, whatever its other claims say', async () => {
    await expectRefused({ aud: undefined }, 'audience_mismatch')
    await expectRefused({ aud: undefined, azp: BROKER, client_id: BROKER, AUD: BROKER }, 'audience_mismatch')
  })

  test('JWT-10 refuses a token that the cluster made for its own API', async () => {
    const forApi = await scene.proof({ audiences: [] })

    expectProofRefused(scene.broker, await scene.broker.exchange(forApi), 'audience_mismatch')
  })

  test('JWT-10 refuses a token for another, whatever the request says of it', async () => {
    const proof = await scene.forge({ aud: 'https://someone.else.example' })
    const asking = {
      resource: 'https://orders.example',
      audience: undefined,
      client_id: 'https://someone.else.example',
    }

    expectProofRefused(scene.broker, await scene.broker.exchange(proof, asking), 'audience_mismatch')
  })

  test('JWT-10 tells the operator, and not the caller, whom the token was made for', async () => {
    const reply = await scene.broker.exchange(await scene.forge({ aud: 'https://named.example' }))

    const refusal = scene.broker.logs().find((line) => line.request_id === reply.requestId)
    expect(refusal).toMatchObject({ reason: 'audience_mismatch', facts: { audience: 'https://named.example' } })
    expect(reply.text).not.toContain('named.example')
  })

  test.each(SEVERAL)('JWT-11 refuses a token for %s', async (_, aud) => {
    await expectRefused({ aud }, 'audience_not_single')
  })

  test.each([BROKER, [BROKER]])('a token for us alone (%j) gets one', async (aud) => {
    expectIssued(scene.broker, await scene.broker.exchange(await scene.forge({ aud })))
  })

  async function expectRefused(
    claims: Readonly<Record<string, unknown>>,
    reason: 'audience_mismatch' | 'audience_not_single',
  ): Promise<void> {
    expectProofRefused(scene.broker, await scene.broker.exchange(await scene.forge(claims)), reason)
  }
})

describe('a token of another kind', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene({ cluster: { algorithm: 'ES256' } })
  })
  afterAll(() => scene.close())

  test.each(NOBODY)('JWT-13 refuses %s for aud', async (_, aud) => {
    const reply = await scene.broker.exchange(await scene.forge({ aud }))

    expectProofRefused(scene.broker, reply, 'audience_mismatch')
  })

  test.each(FOREIGN_CLAIMS)('JWT-33 refuses a token that has all of a proof’s claims and %s', async (name, value) => {
    for (const claim of [value, '', null, false]) {
      const reply = await scene.broker.exchange(await scene.forge({ [name]: claim }))

      expectProofRefused(scene.broker, reply, 'claim_forbidden')
    }
  })

  test('JWT-33 refuses the ID token of a browser’s login, under any of the types', async () => {
    const login = { sub: 'alice', nonce: 'n-0S6_WzA2Mj', at_hash: '77QmUPtjPfzWtF2AnpK9RQ', 'kubernetes.io': undefined }
    const forBrowser = await scene.forge({ ...login, aud: 'browser-client', azp: 'browser-client' })
    const forUs = await scene.forge(login)
    const withoutNonce = await scene.forge({ ...login, nonce: undefined, at_hash: undefined, auth_time: 1 })
    for (const type of ['jwt', 'id_token', 'access_token']) {
      const asking = { subject_token_type: `urn:ietf:params:oauth:token-type:${type}` }

      expectProofRefused(scene.broker, await scene.broker.exchange(forBrowser, asking), 'audience_mismatch')
      expectProofRefused(scene.broker, await scene.broker.exchange(forUs, asking), 'claim_forbidden')
      expectProofRefused(scene.broker, await scene.broker.exchange(withoutNonce, asking), 'claim_missing')
    }
  })
})

describe('a broker with several proof audiences', () => {
  const SECOND = 'https://second.broker.example'

  test('JWT-11 refuses a token for two of our own names', async () => {
    const scene = await openScene({
      cluster: { algorithm: 'ES256' },
      document: ({ issuer }) => documentFor(issuer, { proof_audiences: [BROKER, SECOND] }),
    })
    onTestFinished(() => scene.close())

    const forBoth = await scene.broker.exchange(await scene.forge({ aud: [BROKER, SECOND] }))
    const forSecond = await scene.broker.exchange(await scene.forge({ aud: [SECOND] }))

    expectProofRefused(scene.broker, forBoth, 'audience_not_single')
    expectIssued(scene.broker, forSecond)
  })

  test('JWT-10 refuses a token for the document’s audience where the trusted issuer has its own', async () => {
    const scene = await openScene({
      cluster: { algorithm: 'ES256' },
      document: ({ issuer }) => {
        const cluster = { provider: 'kubernetes', issuers: [issuer], proof_audiences: [SECOND] }
        return documentFor(issuer, { trusted_issuers: { cluster } })
      },
    })
    onTestFinished(() => scene.close())

    const forDocument = await scene.broker.exchange(await scene.forge({ aud: [BROKER] }))
    const forIssuer = await scene.broker.exchange(await scene.forge({ aud: [SECOND] }))

    expectProofRefused(scene.broker, forDocument, 'audience_mismatch')
    expectIssued(scene.broker, forIssuer)
  })

  test('JWT-10 takes a token for the broker’s own issuer and for nobody else where the document names none', async () => {
    const scene = await openScene({
      cluster: { algorithm: 'ES256' },
      document: ({ issuer }) => ({ ...documentFor(issuer), proof_audiences: undefined }),
    })
    onTestFinished(() => scene.close())

    const forOther = await scene.broker.exchange(await scene.forge({ aud: 'https://someone.else.example' }))
    const forUs = await scene.broker.exchange(await scene.forge({ aud: BROKER }))

    expectProofRefused(scene.broker, forOther, 'audience_mismatch')
    expectIssued(scene.broker, forUs)
  })
})
