/** Roles of the same name in two accounts: what is known of one is never used for the other. */

import { describe, expect, onTestFinished, test } from 'vitest'
import type { Role } from '../../providers/aws/stand-in/aws-state.ts'
import type { Session } from '../../providers/aws/stand-in/sessions.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
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
import type { Reply } from '../support/broker.ts'
import { BROKER } from '../support/document.ts'
import { askOnce, CALLER, identify } from '../support/sts-answers.ts'

const OTHER = '210987654321'

interface TwoAccounts {
  readonly scene: AwsScene
  readonly mine: Role
  readonly theirs: Role
}

/** Two accounts that both are trusted, of which one has a binding, unless the bindings say otherwise. */
async function openTwo(
  bindings: Readonly<Record<string, object>> = { mine: bindRole(ACCOUNT, ROLE, 'payments/api') },
): Promise<TwoAccounts> {
  const identities = {
    'payments/api': { grants: { ledger: ['entries:read'] } },
    'billing/api': { grants: { ledger: ['entries:write'] } },
  }
  const scene = await openAwsScene({
    accounts: { [OTHER]: {} },
    document: (aws) => awsDocumentFor(aws, {}, { bindings, identities }),
  })
  onTestFinished(() => scene.close())
  return { scene, mine: scene.role, theirs: scene.aws.createRole(OTHER, ROLE) }
}

type Prove = (scene: AwsScene, session: Session) => Promise<Reply>

const bySignedRequest: Prove = (scene, session) =>
  scene.exchange(scene.aws.signedRequest(session, { audience: BROKER, date: scene.clock.now() }))

const byToken: Prove = async ({ aws, broker }, session) =>
  broker.exchange(await aws.webIdentityToken(session, { audiences: [BROKER] }))

const PROOFS: readonly (readonly [string, Prove])[] = [
  ['a signed request', bySignedRequest],
  ['a token', byToken],
]

describe.each(PROOFS)('by %s', (_, prove) => {
  const proveAs = (scene: AwsScene, role: Role, sessionName = SESSION_NAME): Promise<Reply> =>
    prove(scene, scene.aws.assumeRole(role, sessionName))

  test('MAP-09 the same role name in another account is another role', async () => {
    const { scene, mine, theirs } = await openTwo()

    expectProofRefused(scene.broker, await proveAs(scene, theirs), 'binding_missing')
    expect(scene.broker.records().at(-1)).toMatchObject({
      trusted_issuer: 'aws-prod',
      attributes: { 'aws.account_id': OTHER, 'aws.role_name': ROLE },
    })
    expectIssued(scene.broker, await proveAs(scene, mine))
  })

  test('MAP-09 and one of an account that nobody has named is nobody', async () => {
    const stranger = '999999999999'
    const { scene, mine } = await openTwo()
    scene.aws.createAccount(stranger)

    const reply = await proveAs(scene, scene.aws.createRole(stranger, ROLE))

    expectProofRefused(scene.broker, reply, 'issuer_not_trusted')
    expectIssued(scene.broker, await proveAs(scene, mine))
  })

  test('MAP-09 an account whose number is near to ours is another one', async () => {
    const near = ['123456789013', '123456789021', '012345678901', '112345678901', '000000000000']
    const { scene, mine } = await openTwo()

    for (const account of near) {
      scene.aws.createAccount(account)
      const reply = await proveAs(scene, scene.aws.createRole(account, ROLE))
      expectProofRefused(scene.broker, reply, 'issuer_not_trusted')
    }
    expectIssued(scene.broker, await proveAs(scene, mine))
  })

  test('MAP-10 what is known of one account helps the other to nothing', async () => {
    const { scene, mine, theirs } = await openTwo()

    for (let times = 0; times < 3; times++) {
      expectIssued(scene.broker, await proveAs(scene, mine))
      expectProofRefused(scene.broker, await proveAs(scene, theirs), 'binding_missing')
      await scene.broker.replaceDocument(awsDocumentFor(scene.aws))
    }
  })

  test('MAP-10 two accounts with the same role, session and second have an identity each, at the same time too', async () => {
    const { scene, mine, theirs } = await openTwo({
      mine: bindRole(ACCOUNT, ROLE, 'payments/api'),
      theirs: bindRole(OTHER, ROLE, 'billing/api'),
    })

    for (let times = 0; times < 3; times++) {
      const roles = Array.from({ length: 12 }, (_entry, index) => (index % 2 === 0 ? mine : theirs))
      const replies = await Promise.all(roles.map((role) => proveAs(scene, role)))
      const identities = replies.map((reply) => expectIssued(scene.broker, reply).record?.identity)
      expect(identities).toEqual(roles.map((role) => (role === mine ? 'payments/api' : 'billing/api')))
    }
  })
})

test('MAP-09 an account that one trusted issuer names is none of another’s', async () => {
  const bindings = {
    mine: bindRole(ACCOUNT, ROLE, 'payments/api'),
    // Of the issuer that does not have the account: nobody can satisfy it.
    crossed: { ...bindRole(OTHER, ROLE, 'payments/api'), trusted_issuer: 'aws-prod' },
  }
  const scene = await openAwsScene({
    accounts: { [OTHER]: {} },
    document: (aws) => {
      const trusted_issuers = {
        'aws-prod': trustAccounts(aws, { accounts: { [ACCOUNT]: {} } }),
        'aws-test': trustAccounts(aws, { accounts: { [OTHER]: {} } }),
      }
      return awsDocumentFor(aws, {}, { trusted_issuers, bindings })
    },
  })
  onTestFinished(() => scene.close())
  const theirs = scene.aws.createRole(OTHER, ROLE)

  expectIssued(scene.broker, await bySignedRequest(scene, scene.assume()))
  expectProofRefused(
    scene.broker,
    await bySignedRequest(scene, scene.aws.assumeRole(theirs, SESSION_NAME)),
    'binding_missing',
  )
  expect(scene.broker.records().at(-1)?.trusted_issuer).toBe('aws-test')
})

test('MAP-10 an answer about one account is none about another, whoever asked before', async () => {
  const { scene } = await openTwo()
  const Arn = CALLER.Arn.replace(ACCOUNT, OTHER)

  for (let times = 0; times < 2; times++) {
    expectIssued(scene.broker, await askOnce(scene, identify()))
    expectProofRefused(scene.broker, await askOnce(scene, identify({ Arn, Account: OTHER })), 'binding_missing')
  }
})
