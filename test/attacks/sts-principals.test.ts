/** Principals that are real, and not the one that is bound: of another name, another id, another account or another partition. */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Role } from '../../providers/aws/stand-in/aws-state.ts'
import type { AwsStandIn } from '../../providers/aws/stand-in/stand-in.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import {
  ACCOUNT,
  type AwsScene,
  type AwsSceneOptions,
  awsDocumentFor,
  bindRole,
  openAwsScene,
  ROLE,
  SESSION_NAME,
  trustAccounts,
} from '../support/aws-scene.ts'
import type { Reply } from '../support/broker.ts'
import { BROKER, type DocumentParts } from '../support/document.ts'
import { runCheck } from '../support/run-check.ts'
import { askOnce, CALLER, identify } from '../support/sts-answers.ts'

const OTHER_ACCOUNT = '210987654321'
const ROLE_ID = 'AROAQ3EGTESTEXAMPLE77'

async function open(options: AwsSceneOptions = {}): Promise<AwsScene> {
  const opened = await openAwsScene(options)
  onTestFinished(() => opened.close())
  return opened
}

const openWith = (parts: (aws: AwsStandIn) => DocumentParts, settings: object = {}): Promise<AwsScene> =>
  open({ accounts: { [OTHER_ACCOUNT]: {} }, document: (aws) => awsDocumentFor(aws, settings, parts(aws)) })

/** Sends the request of a session of a role, or its token. */
function proveAs(scene: AwsScene, role: Role, sessionName = SESSION_NAME): Promise<Reply> {
  const session = scene.aws.assumeRole(role, sessionName)
  return scene.exchange(scene.aws.signedRequest(session, { audience: BROKER }))
}

async function proveByToken({ aws, broker }: AwsScene, role: Role): Promise<Reply> {
  return await broker.exchange(await aws.webIdentityToken(aws.assumeRole(role, SESSION_NAME), { audiences: [BROKER] }))
}

const PROOFS = [
  ['a signed request', proveAs],
  ['a token', proveByToken],
] as const

describe('another partition', () => {
  test('ARN-03 a role of the same account number in another partition is another one', async () => {
    const china = 'arn:aws-cn:sts::123456789012:assumed-role/payments-api/i-0123456789abcdef0'
    const [HERE, THERE] = ['sts.us-east-1.amazonaws.com', 'sts.cn-north-1.amazonaws.com.cn']
    const scene = await open({
      document: (aws) =>
        awsDocumentFor(
          aws,
          {},
          {
            trusted_issuers: {
              'aws-prod': trustAccounts(aws),
              'aws-china': {
                provider: 'aws',
                partition: 'aws-cn',
                sts_endpoint: aws.origin,
                accounts: { [ACCOUNT]: {} },
              },
            },
          },
        ),
    })
    const ask = (host: string, arn: string) => askOnce(scene, identify({ Arn: arn }), scene.sign({ host }))

    const stranger = await ask(THERE, china)
    expectProofRefused(scene.broker, stranger, 'binding_missing')
    expect(scene.broker.records().at(-1)).toMatchObject({
      trusted_issuer: 'aws-china',
      attributes: { 'aws.partition': 'aws-cn', 'aws.account_id': ACCOUNT, 'aws.role_name': ROLE },
    })
    expectProofRefused(scene.broker, await ask(HERE, china), 'claims_inconsistent')
    expectProofRefused(scene.broker, await ask(THERE, CALLER.Arn), 'claims_inconsistent')
    expectIssued(scene.broker, await ask(HERE, CALLER.Arn))
  })

  test.each(['aws-cn', 'aws-us-gov', 'aws-eusc'])('ARN-03 STS of aws does not speak for %s', async (partition) => {
    const scene = await open()

    const reply = await askOnce(scene, identify({ Arn: CALLER.Arn.replace('arn:aws', `arn:${partition}`) }))

    expectProofRefused(scene.broker, reply, 'claims_inconsistent')
    expectIssued(scene.broker, await askOnce(scene, identify()))
  })
})

describe('another name', () => {
  let scene: AwsScene
  beforeAll(async () => {
    scene = await openAwsScene({
      document: (aws) =>
        awsDocumentFor(
          aws,
          {},
          {
            identities: { 'payments/api': { grants: { ledger: ['entries:read'] } }, admin: { grants: { ledger: [] } } },
            bindings: {
              'payments-api': bindRole(ACCOUNT, ROLE, 'payments/api'),
              admin: bindRole(ACCOUNT, 'Admin', 'admin'),
            },
          },
        ),
    })
  })
  afterAll(() => scene.close())

  test.each(['admin', 'Admin', 'ADMIN', ROLE, 'role=Admin', `${ROLE}@corp.example`])(
    'ARN-05 a session named %j has the role that it has, and no other',
    async (sessionName) => {
      const role = scene.aws.createRole(ACCOUNT, 'reports')

      expectProofRefused(scene.broker, await proveAs(scene, role, sessionName), 'binding_missing')
      const { record } = expectIssued(scene.broker, await proveAs(scene, scene.role, sessionName))
      expect(record).toMatchObject({ identity: 'payments/api', attributes: { 'aws.session_name': sessionName } })
    },
  )

  test.each(['role/Admin', 'x/role/Admin', '/Admin', 'Admin/', '../Admin/x', 'assumed-role/Admin/x'])(
    'ARN-05 a session name with a slash in it is none: %j',
    async (sessionName) => {
      const role = scene.aws.createRole(ACCOUNT, 'reports')

      expectProofRefused(scene.broker, await proveAs(scene, role, sessionName), 'principal_not_accepted')
      expectIssued(scene.broker, await proveAs(scene, scene.aws.createRole(ACCOUNT, 'Admin')))
    },
  )

  const NEAR_NAMES = [
    'payments-api-evil',
    'evil-payments-api',
    'payments-api-',
    'payments-ap',
    'payments-api1',
    'payments_api',
    'payments.api',
    'paymentsapi',
    'Payments-API',
    'PAYMENTS-API',
    'payments-Api',
    'payments-api@corp',
    'payments-api,Admin',
    'api',
  ]

  test.each(NEAR_NAMES)('ARN-06 the role %j is not payments-api', async (name) => {
    const role = scene.aws.createRole(ACCOUNT, name)

    for (const [, prove] of PROOFS) expectProofRefused(scene.broker, await prove(scene, role), 'binding_missing')
    expectIssued(scene.broker, await proveAs(scene, scene.role))
  })

  test('ARN-06 a beginning is matched to its separator, in its own case, and in its own account', async () => {
    const bindings = { team: bindRole(ACCOUNT, 'payments-*', 'payments/api') }
    const prefixed = await openWith(() => ({ bindings }))
    const inAccount = (name: string, account = ACCOUNT) => proveAs(prefixed, prefixed.aws.createRole(account, name))

    for (const name of ['payments-a', 'payments-api-v2']) expectIssued(prefixed.broker, await inAccount(name))
    for (const name of ['payments', 'paymentsx', 'Payments-a', 'payment-s', 'x-payments-a', 'payments_a']) {
      expectProofRefused(prefixed.broker, await inAccount(name), 'binding_missing')
    }
    expectProofRefused(prefixed.broker, await inAccount('payments-a', OTHER_ACCOUNT), 'binding_missing')
  })

  test('ARN-06 a user of the role’s name is not the role, and the role not the user', async () => {
    const users = await openWith(() => ({}), { principals: ['role', 'user'] })
    const user = users.aws.createUser(ACCOUNT, ROLE)
    const ask = () => users.exchange(users.aws.signedRequest(users.aws.createAccessKey(user), { audience: BROKER }))
    expectProofRefused(users.broker, await ask(), 'binding_missing')

    const match = { 'aws.account_id': ACCOUNT, 'aws.user_id': user.id, 'aws.user_name': ROLE }
    const bindings = { user: { trusted_issuer: 'aws-prod', match, identity: 'payments/api' } }
    await users.broker.replaceDocument(awsDocumentFor(users.aws, { principals: ['role', 'user'] }, { bindings }))
    expectIssued(users.broker, await ask())
    expectProofRefused(users.broker, await proveAs(users, users.role), 'binding_missing')
    const again = users.aws.createAccessKey(users.aws.createUser(ACCOUNT, ROLE))
    const recreated = await users.exchange(users.aws.signedRequest(again, { audience: BROKER }))
    expectProofRefused(users.broker, recreated, 'binding_missing')
  })
})

describe('a role that was deleted and made again', () => {
  test('ARN-10 is another one to a binding that pins its id, and the same to one that pins its name', async () => {
    const pin = (aws: AwsStandIn, id: string) => {
      const byId = { 'aws.account_id': ACCOUNT, 'aws.role_id': id }
      const bindings = { pinned: { trusted_issuer: 'aws-prod', match: byId, identity: 'payments/api' } }
      return awsDocumentFor(aws, {}, { bindings })
    }
    const scene = await open()
    const { aws, broker, role } = scene
    await broker.replaceDocument(pin(aws, role.id))
    expectIssued(broker, await proveAs(scene, role))
    const old = scene.sign()

    aws.deleteRole(role)
    const again = aws.createRole(ACCOUNT, ROLE)
    expectProofRefused(broker, await proveAs(scene, again), 'binding_missing')
    expectProofRefused(broker, await scene.exchange(old), 'key_unknown')

    await broker.replaceDocument(pin(aws, again.id))
    expectIssued(broker, await proveAs(scene, again))
    const answer = identify({ UserId: `${role.id}:${SESSION_NAME}` })
    expectProofRefused(broker, await askOnce(scene, answer), 'binding_missing')
    await broker.replaceDocument(awsDocumentFor(aws))
    expectIssued(broker, await proveAs(scene, again))
  })

  test('ARN-10 a token, which says nothing of the id, does not satisfy a pin of it', async () => {
    const match = { 'aws.role_id': ROLE_ID }
    const scene = await openWith(() => ({ bindings: { pinned: bindRole(ACCOUNT, ROLE, 'payments/api', match) } }))

    expectProofRefused(scene.broker, await proveByToken(scene, scene.role), 'binding_missing')
    expectIssued(scene.broker, await askOnce(scene, identify({ UserId: `${ROLE_ID}:${SESSION_NAME}` })))
  })
})

describe('the path of a role', () => {
  const bindPath = (path: string) => bindRole(ACCOUNT, ROLE, 'payments/api', { 'aws.role_path': path })

  test('ARN-07 is not in a signed request: a binding that asks for one is warned of, and not met', async () => {
    const bindings = { pathed: bindPath('/team-x/') }
    const scene = await openWith(() => ({ bindings }))
    const role = scene.aws.createRole(ACCOUNT, ROLE, { path: '/team-x/' })
    const insecureHost = [scene.aws.host]

    expectProofRefused(scene.broker, await proveAs(scene, role), 'binding_missing')
    expectIssued(scene.broker, await proveByToken(scene, role))
    const { code, findings } = await runCheck(awsDocumentFor(scene.aws, {}, { bindings }), { insecureHost })
    expect(code).toBe(0)
    expect(findings.map(({ severity, path, code: found }) => ({ severity, path, found }))).toEqual([
      { severity: 'warning', path: '/bindings/pathed/match/aws.role_path', found: 'attribute_cautioned' },
    ])
  })

  test.each(['/team-y/', '/', '/team-x/more/', '/team/', '/Team-X/', '/x/team-x/'])(
    'ARN-07 is compared whole: /team-x/ is not %s',
    async (path) => {
      const scene = await openWith(() => ({ bindings: { pathed: bindPath(path) } }))

      const of = (own: string) => proveByToken(scene, scene.aws.createRole(ACCOUNT, ROLE, { path: own }))

      expectProofRefused(scene.broker, await of('/team-x/'), 'binding_missing')
      expectIssued(scene.broker, await of(path))
    },
  )

  test.each(['/', '/team-x/', '/team-x/role/', '/role/Admin/', `/${'x'.repeat(500)}/`])(
    'ARN-07 is nothing to a binding without one: %s',
    async (path) => {
      const scene = await open()

      expectIssued(scene.broker, await proveByToken(scene, scene.aws.createRole(ACCOUNT, ROLE, { path })))
    },
  )
})
