/** A proof that was accepted once is never accepted again: not under another spelling, clock, process or store. */

import { copyFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { MAX_SPENT_PROOFS } from '../../src/store/retention.ts'
import { expectIssued, expectProofRefused, expectRefusal } from '../support/answers.ts'
import {
  ACCOUNT,
  type AwsScene,
  awsDocumentFor,
  bindRole,
  openAwsScene,
  ROLE,
  SESSION_NAME,
  trustAccounts,
} from '../support/aws-scene.ts'
import type { TestBroker } from '../support/broker.ts'
import { BROKER } from '../support/document.ts'
import { forgeToken, tokenOf } from '../support/sts-tokens.ts'

const OTHER = '210987654321'

let scene: AwsScene

function openBeforeAll(): void {
  beforeAll(async () => {
    scene = await openAwsScene({
      accounts: { [OTHER]: {} },
      document: (aws) => {
        const bindings = {
          mine: bindRole(ACCOUNT, ROLE, 'payments/api'),
          theirs: bindRole(OTHER, ROLE, 'payments/api'),
        }
        return awsDocumentFor(aws, {}, { bindings })
      },
    })
  })
  afterAll(() => scene.close())
}

async function spend(token: string): Promise<void> {
  expectIssued(scene.broker, await scene.broker.exchange(token))
}

async function expectReplayed(token: string, parameters: Parameters<TestBroker['exchange']>[1] = {}): Promise<void> {
  expectProofRefused(scene.broker, await scene.broker.exchange(token, parameters), 'proof_replayed')
}

describe('a token that was used', () => {
  openBeforeAll()

  test('RPL-02 is refused again, under every token type and for every target', async () => {
    const token = await tokenOf(scene)
    await spend(token)

    await expectReplayed(token)
    for (const type of ['id_token', 'access_token']) {
      await expectReplayed(token, { subject_token_type: `urn:ietf:params:oauth:token-type:${type}` })
    }
    await expectReplayed(token, { audience: `${BROKER}/audiences/ledger` })
    await expectReplayed(token, { audience: undefined })
    await expectReplayed(token, { scope: 'entries:read' })
    scene.clock.advance(299)
    await expectReplayed(token)
  })

  test('RPL-02 is refused where its jti comes again in other clothes', async () => {
    const token = await tokenOf(scene)
    const { jti, exp = 0, iat = 0 } = decodeJwt(token)
    await spend(token)

    for (const claims of [
      { exp: exp + 60 },
      { exp: exp - 60 },
      { exp: exp + 3_000 },
      { iat: iat - 1 },
      { aud: [BROKER] },
      { nbf: iat },
      { extra: true },
    ]) {
      await expectReplayed(await forgeToken(scene, { jti, ...claims }))
    }
    await expectReplayed(await forgeToken(scene, { jti }, { algorithm: 'RS256' }))
    await expectReplayed(await forgeToken(scene, { jti }, { header: { typ: undefined } }))
    const another = scene.aws.assumeRole(scene.role, 'another-session', { tags: { team: 'payments' } })
    await expectReplayed(await forgeToken(scene, { jti }, { session: another }))
  })

  test('RPL-02 is refused when it comes at the same time, and one of them is not', async () => {
    const jti = '3f6f1a36-5b1d-4c34-9f0e-1d2c3b4a5968'
    const tokens = await Promise.all(
      [0, 1, 2, 3, 4, 5].map((more) => forgeToken(scene, { jti, exp: scene.clock.now() + 300 + more })),
    )

    const replies = await Promise.all(tokens.map((token) => scene.broker.exchange(token)))

    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(replies.filter(({ status }) => status === 400)).toHaveLength(5)
  })

  test('RPL-02 is refused when its trusted issuer has another name', async () => {
    const token = await tokenOf(scene)
    await spend(token)
    const binding = { ...bindRole(ACCOUNT, ROLE, 'payments/api'), trusted_issuer: 'renamed' }
    const trusted_issuers = { renamed: trustAccounts(scene.aws) }
    await scene.broker.replaceDocument(awsDocumentFor(scene.aws, {}, { trusted_issuers, bindings: { mine: binding } }))

    await expectReplayed(token)
    await spend(await tokenOf(scene))
    await scene.broker.replaceDocument(awsDocumentFor(scene.aws))
  })

  test('RPL-02 was used also where it gave nothing', async () => {
    const token = await tokenOf(scene)
    await scene.broker.replaceDocument(awsDocumentFor(scene.aws, {}, { bindings: {} }))
    expectProofRefused(scene.broker, await scene.broker.exchange(token), 'binding_missing')
    await scene.broker.replaceDocument(awsDocumentFor(scene.aws))
    await expectReplayed(token)

    const misused = await tokenOf(scene)
    expectRefusal(scene.broker, await scene.broker.exchange(misused, { audience: 'elsewhere' }), 'IT', 'target_refused')
    await expectReplayed(misused)
  })

  test('RPL-02 was not used where it was refused before it was known to be good', async () => {
    const token = await tokenOf(scene)
    const [head, body, signature = ''] = token.split('.')
    const spoiled = `${head}.${body}.${signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))}`
    expectProofRefused(scene.broker, await scene.broker.exchange(spoiled), 'signature_invalid')
    const { jti } = decodeJwt(token)
    const elsewhere = await forgeToken(scene, { jti, aud: 'https://evil.example' })
    expectProofRefused(scene.broker, await scene.broker.exchange(elsewhere), 'audience_mismatch')

    await spend(token)
  })
})

describe('the id of a token', () => {
  openBeforeAll()

  test('RPL-04 must be there, or the token could not be spent', async () => {
    expectProofRefused(
      scene.broker,
      await scene.broker.exchange(await forgeToken(scene, { jti: undefined })),
      'claim_missing',
    )
    for (const jti of [
      null,
      '',
      0,
      1,
      true,
      [],
      ['x'],
      {},
      'x'.repeat(4_096),
      'x'.repeat(2_049),
      '\u00e9'.repeat(4_000),
    ]) {
      expectProofRefused(scene.broker, await scene.broker.exchange(await forgeToken(scene, { jti })), 'claim_invalid')
    }
    for (const jti of ['x', 'x'.repeat(2_048), '","', '\u0000', '\u00e9']) {
      const token = await forgeToken(scene, { jti })
      await spend(token)
      await expectReplayed(token)
    }
  })

  test('RPL-04 is one of its issuer: two accounts may have the same', async () => {
    const jti = '00000000-0000-4000-8000-000000000000'
    const theirs = scene.aws.assumeRole(scene.aws.createRole(OTHER, ROLE), SESSION_NAME)
    const ours = await forgeToken(scene, { jti })
    const others = await forgeToken(scene, { jti }, { session: theirs, signer: OTHER })

    await spend(ours)
    await spend(others)
    await expectReplayed(ours)
    await expectReplayed(others)
  })

  test('RPL-04 is compared whole, and in its own case', async () => {
    for (const jti of ['a0', 'A0', 'a00', 'a', ' a0', 'a0 ', 'a0\u200b']) await spend(await forgeToken(scene, { jti }))
  })
})

/** Opens the store as somebody else would. */
function intrude(path: string): DatabaseSync {
  const database = new DatabaseSync(path)
  onTestFinished(() => database.close())
  return database
}

/** A store that is out of reach until it is told otherwise. */
const OUTAGES: readonly (readonly [string, (path: string) => () => void])[] = [
  [
    'is locked by somebody else',
    (path) => {
      const other = intrude(path)
      other.exec('BEGIN IMMEDIATE')
      return () => other.exec('COMMIT')
    },
  ],
  [
    'is another file than before',
    (path) => {
      const [own, copy] = [`${path}.own`, `${path}.copy`]
      copyFileSync(path, copy)
      renameSync(path, own)
      renameSync(copy, path)
      return () => renameSync(own, path)
    },
  ],
  [
    'is not there any more',
    (path) => {
      renameSync(path, `${path}.away`)
      return () => renameSync(`${path}.away`, path)
    },
  ],
  [
    'has lost its list',
    (path) => {
      const other = intrude(path)
      other.exec('ALTER TABLE spent_proofs RENAME TO lost')
      return () => other.exec('ALTER TABLE lost RENAME TO spent_proofs')
    },
  ],
  [
    'has lost its past',
    (path) => {
      const other = intrude(path)
      other.exec('CREATE TABLE past AS SELECT * FROM spending; DELETE FROM spending')
      return () => other.exec('INSERT INTO spending SELECT * FROM past')
    },
  ],
]

describe('a store that cannot be asked', () => {
  test.each(OUTAGES)('RPL-07 lets nobody through, and says that it is not the proof: it %s', async (_, breakStore) => {
    const own = await openAwsScene()
    onTestFinished(() => own.close())
    const [request, token] = [own.sign(), await tokenOf(own)]
    const used = await tokenOf(own)
    expectIssued(own.broker, await own.broker.exchange(used))

    const repair = breakStore(join(own.broker.directory, 'store.db'))
    const replies = await Promise.all([own.exchange(request), own.broker.exchange(token), own.broker.exchange(used)])
    repair()

    for (const reply of replies) expectRefusal(own.broker, reply, 'TU', 'store_unavailable')
    expectIssued(own.broker, await own.exchange(request))
    expectIssued(own.broker, await own.broker.exchange(token))
    expectProofRefused(own.broker, await own.broker.exchange(used), 'proof_replayed')
  })

  test('RPL-07 costs STS no question where it cannot even be read', async () => {
    const own = await openAwsScene()
    onTestFinished(() => own.close())
    intrude(join(own.broker.directory, 'store.db')).exec('ALTER TABLE spent_proofs RENAME TO lost')

    const asked = await own.upstreamRequests(async () => {
      expectRefusal(own.broker, await own.exchange(own.sign()), 'TU', 'store_unavailable')
    })

    expect(asked).toBe(0)
  })

  test('RPL-07 is full: nobody is forgotten for a new one', async () => {
    const own = await openAwsScene()
    onTestFinished(() => own.close())
    const used = own.sign()
    expectIssued(own.broker, await own.exchange(used))
    const database = intrude(join(own.broker.directory, 'store.db'))
    database.exec(`UPDATE spending SET count = ${MAX_SPENT_PROOFS}`)

    const waiting = own.sign()
    expectRefusal(own.broker, await own.exchange(waiting), 'TU', 'store_full')
    expectProofRefused(own.broker, await own.exchange(used), 'proof_replayed')
    database.exec('UPDATE spending SET count = 1')
    expectIssued(own.broker, await own.exchange(waiting))
  })
})
