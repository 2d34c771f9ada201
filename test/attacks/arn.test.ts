/** Names of principals that STS gives, and that look like one that is bound: none of them is it. */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import {
  ACCOUNT,
  type AwsScene,
  awsDocumentFor,
  bindRole,
  openAwsScene,
  ROLE,
  SESSION_NAME,
} from '../support/aws-scene.ts'
import { BROKER } from '../support/document.ts'
import { askOnce, CALLER, identify } from '../support/sts-answers.ts'

const ROLE_ID = 'AROAQ3EGTESTEXAMPLE77'
const USER_ID = 'AIDAQ3EGTESTEXAMPLE77'
const INSTANCE = 'i-0123456789abcdef0'
const ALL_PRINCIPALS = { principals: ['role', 'user', 'identity_center'] }

const bindUser = (userId: string) => ({
  trusted_issuer: 'aws-prod',
  match: { 'aws.account_id': ACCOUNT, 'aws.user_id': userId },
  identity: 'payments/api',
})

let scene: AwsScene
/** Takes every kind of principal that can be taken. */
let wide: AwsScene
beforeAll(async () => {
  scene = await openAwsScene()
  wide = await openAwsScene({
    document: (aws) =>
      awsDocumentFor(aws, ALL_PRINCIPALS, {
        bindings: { role: bindRole(ACCOUNT, ROLE, 'payments/api'), user: bindUser(USER_ID) },
      }),
  })
})
afterAll(async () => {
  await scene.close()
  await wide.close()
})

/** An ARN, and the user id that STS gives with it. */
type Named = readonly [arn: string, userId: string]

/** Asserts that whoever has this name is no principal that a broker takes, whatever kinds it takes. */
async function expectNobody([Arn, UserId]: Named): Promise<void> {
  for (const each of [scene, wide]) {
    const reply = await askOnce(each, identify({ Arn, UserId }))
    expectProofRefused(each.broker, reply, 'principal_not_accepted')
  }
}

const iam = (resource: string): string => `arn:aws:iam::${ACCOUNT}:${resource}`
const sts = (resource: string): string => `arn:aws:sts::${ACCOUNT}:${resource}`

test('the session of the role gets its token', async () => {
  for (const each of [scene, wide]) {
    const { record } = expectIssued(each.broker, await each.exchange(each.sign()))
    expect(record).toMatchObject({ subject: sts(`assumed-role/${ROLE}/${SESSION_NAME}`), identity: 'payments/api' })
    expectIssued(each.broker, await askOnce(each, identify()))
  }
})

const NO_WORKLOADS: readonly Named[] = [
  [iam('root'), ACCOUNT],
  [sts('root'), ACCOUNT],
  [sts(`federated-user/${ROLE}`), `${ACCOUNT}:${ROLE}`],
  [sts('federated-user/admin'), `${ROLE_ID}:admin`],
  [iam(`role/${ROLE}`), ROLE_ID],
  [iam(`role/${ROLE}`), CALLER.UserId],
  [iam(`assumed-role/${ROLE}/${SESSION_NAME}`), CALLER.UserId],
  [sts(`user/${ROLE}`), USER_ID],
  [sts(`role/${ROLE}`), ROLE_ID],
  [iam(`group/${ROLE}`), 'AGPAQ3EGTESTEXAMPLE77'],
  [iam(`instance-profile/${ROLE}`), 'AIPAQ3EGTESTEXAMPLE77'],
  [iam(`policy/${ROLE}`), 'ANPAQ3EGTESTEXAMPLE77'],
  [iam(`oidc-provider/${ROLE}`), CALLER.UserId],
  [iam(`saml-provider/${ROLE}`), CALLER.UserId],
  [sts('self'), ACCOUNT],
  [sts(`assumed-role/aws:ec2-instance/${INSTANCE}`), `${ACCOUNT}:aws:ec2-instance:${INSTANCE}`],
  [sts(`assumed-role/aws:ec2-instance/${INSTANCE}`), `${ROLE_ID}:${INSTANCE}`],
  [sts(`assumed-role/aws:ec2-infrastructure/${INSTANCE}`), `${ACCOUNT}:aws:ec2-infrastructure:${INSTANCE}`],
  [iam('user/'), USER_ID],
  [iam('user'), USER_ID],
  [iam('user//x'), USER_ID],
  [iam('user/team/'), USER_ID],
  [iam('User/x'), USER_ID],
  [iam('user/x y'), USER_ID],
  [iam('user/x:y'), USER_ID],
  [iam(`user/${'x'.repeat(65)}`), USER_ID],
]

describe('who is no workload', () => {
  test.each(NO_WORKLOADS)('ARN-01 is refused, whatever kinds of principals are taken: %s', async (...named) => {
    await expectNobody(named)
  })

  test('ARN-01 root and federated users are refused as STS itself names them', async () => {
    for (const each of [scene, wide]) {
      for (const session of [each.aws.createRootKey(ACCOUNT), each.aws.federateUser(ACCOUNT, ROLE)]) {
        const reply = await each.exchange(each.aws.signedRequest(session, { audience: BROKER }))
        expectProofRefused(each.broker, reply, 'principal_not_accepted')
      }
    }
  })

  test.each(['user/x', 'user/team/x', `user/${ROLE}`, `user/assumed-role/${ROLE}/x`])(
    'ARN-01 a user is refused where roles alone are taken, and is one where users are: %s',
    async (resource) => {
      const answer = identify({ Arn: iam(resource), UserId: USER_ID })

      expectProofRefused(scene.broker, await askOnce(scene, answer), 'principal_not_accepted')
      const { record } = expectIssued(wide.broker, await askOnce(wide, answer))
      expect(record?.attributes).toEqual({
        'aws.partition': 'aws',
        'aws.account_id': ACCOUNT,
        'aws.proof': 'signed_request',
        'aws.user_name': resource.split('/').at(-1),
        'aws.user_id': USER_ID,
      })
    },
  )

  test('ARN-01 a role is refused where users alone are taken', async () => {
    const users = await openAwsScene({ document: (aws) => awsDocumentFor(aws, { principals: ['user'] }) })
    onTestFinished(() => users.close())

    expectProofRefused(users.broker, await users.exchange(users.sign()), 'principal_not_accepted')
  })

  test('ARN-01 people of Identity Center are refused unless they are asked for', async () => {
    for (const [settings, isTaken] of [
      [{}, false],
      [{ principals: ['role', 'user'] }, false],
      [ALL_PRINCIPALS, true],
      [{ principals: ['identity_center'] }, true],
    ] as const) {
      let name = ''
      const people = await openAwsScene({
        document: (aws) => {
          name = aws.createIdentityCenterRole(ACCOUNT, 'Admins').name
          return awsDocumentFor(aws, settings, { bindings: { people: bindRole(ACCOUNT, name, 'payments/api') } })
        },
      })
      onTestFinished(() => people.close())
      const answer = identify({
        Arn: sts(`assumed-role/${name}/alice@corp.example`),
        UserId: `${ROLE_ID}:alice@corp.example`,
      })

      const reply = await askOnce(people, answer)

      if (isTaken) expectIssued(people.broker, reply)
      else expectProofRefused(people.broker, reply, 'principal_not_accepted')
    }
  })

  test('ARN-01 a service-linked role is a role of that name, and nobody else', async () => {
    const name = 'AWSServiceRoleForAutoScaling_payments-api'
    const bound = await openAwsScene({
      document: (aws) => awsDocumentFor(aws, {}, { bindings: { linked: bindRole(ACCOUNT, name, 'payments/api') } }),
    })
    onTestFinished(() => bound.close())
    const answer = identify({ Arn: sts(`assumed-role/${name}/AutoScaling`), UserId: `${ROLE_ID}:AutoScaling` })

    expectProofRefused(wide.broker, await askOnce(wide, answer), 'binding_missing')
    expectIssued(bound.broker, await askOnce(bound, answer))
    expectProofRefused(bound.broker, await bound.exchange(bound.sign()), 'binding_missing')
  })
})

const NO_SESSIONS: readonly string[] = [
  `assumed-role/${ROLE}`,
  `assumed-role/${ROLE}/`,
  `assumed-role//${SESSION_NAME}`,
  'assumed-role//',
  'assumed-role/',
  'assumed-role',
  '',
  `assumed-role/${ROLE}/x/${SESSION_NAME}`,
  `assumed-role/x/${ROLE}/${SESSION_NAME}`,
  `assumed-role/${ROLE}/${SESSION_NAME}/`,
  `assumed-role//${ROLE}/${SESSION_NAME}`,
  `/assumed-role/${ROLE}/${SESSION_NAME}`,
  `Assumed-Role/${ROLE}/${SESSION_NAME}`,
  `assumed-roles/${ROLE}/${SESSION_NAME}`,
  `assumed_role/${ROLE}/${SESSION_NAME}`,
  `assumed-role:${ROLE}:${SESSION_NAME}`,
  `assumed-role/${ROLE}/x`,
  `assumed-role/${ROLE}/${'x'.repeat(65)}`,
  `assumed-role/${'x'.repeat(65)}/${SESSION_NAME}`,
  `assumed-role/${ROLE} /${SESSION_NAME}`,
  `assumed-role/${ROLE}\n/${SESSION_NAME}`,
  `assumed-role/${ROLE}/${SESSION_NAME}\n`,
  `assumed-role/${ROLE}\u0000/${SESSION_NAME}`,
  `assumed-role/payments\u2010api/${SESSION_NAME}`,
  `assumed-role/p\u0430yments-api/${SESSION_NAME}`,
  `assumed-role/${ROLE}%2f${SESSION_NAME}`,
  `assumed-role/../assumed-role/${ROLE}/${SESSION_NAME}`,
  `assumed-role/*/${SESSION_NAME}`,
]

test.each(NO_SESSIONS)('ARN-02 refuses what is no session of a role: %j', async (resource) => {
  await expectNobody([sts(resource), CALLER.UserId])
})

test('ARN-02 takes the shortest and the longest names, and every character that they may have', async () => {
  const names = ['x', 'x'.repeat(64), 'A9_+=,.@-']
  const bindings = Object.fromEntries(
    names.map((name, index) => [`b${index}`, bindRole(ACCOUNT, name, 'payments/api')]),
  )
  const named = await openAwsScene({ document: (aws) => awsDocumentFor(aws, {}, { bindings }) })
  onTestFinished(() => named.close())

  for (const name of names) {
    for (const session of ['xy', 'y'.repeat(64), 'A9_+=,.@-']) {
      const answer = identify({ Arn: sts(`assumed-role/${name}/${session}`), UserId: `${ROLE_ID}:${session}` })
      expectIssued(named.broker, await askOnce(named, answer))
    }
  }
})

const NO_ARNS: readonly string[] = [
  CALLER.Arn.replace('arn', 'ARN'),
  CALLER.Arn.replace('arn', 'Arn'),
  CALLER.Arn.replace('arn', 'urn'),
  CALLER.Arn.replace('sts', 's3'),
  CALLER.Arn.replace('sts', 'lambda'),
  CALLER.Arn.replace('sts', 'STS'),
  CALLER.Arn.replace('sts', ''),
  CALLER.Arn.replace('sts', 'sts '),
  CALLER.Arn.replace('sts::', 'sts:us-east-1:'),
  CALLER.Arn.replace('sts::', 'sts:*:'),
  CALLER.Arn.replace('sts::', 'sts: :'),
  CALLER.Arn.replace('sts::', 'sts:'),
  CALLER.Arn.replace('arn:aws', 'arn:AWS'),
  CALLER.Arn.replace('arn:aws', 'arn:'),
  CALLER.Arn.replace('arn:aws', 'arn:*'),
  CALLER.Arn.replace('arn:aws', 'arn:aws-iso'),
  CALLER.Arn.replace('arn:aws', 'arn:aws-us'),
  CALLER.Arn.replace('arn:aws', 'arn:aws:aws'),
  CALLER.Arn.replace('arn:aws', 'arn:constructor'),
  CALLER.Arn.replace(ACCOUNT, ''),
  CALLER.Arn.replace(ACCOUNT, 'aws'),
  CALLER.Arn.replace(ACCOUNT, `${ACCOUNT} `),
  CALLER.Arn.replace(ACCOUNT, '１２３４５６７８９０１２'),
  `${CALLER.Arn}:x`,
  `x${CALLER.Arn}`,
  ` ${CALLER.Arn}`,
  `${CALLER.Arn}\u0000`,
  `${CALLER.Arn},${CALLER.Arn}`,
  'arn:aws:sts::',
  'arn',
  '',
  ROLE,
  iam(`user/${ROLE}`).replace('iam', 's3'),
  iam(`user/${ROLE}`).replace('iam::', 'iam:us-east-1:'),
]

test.each(NO_ARNS)('ARN-09 refuses what is no ARN of a principal: %j', async (arn) => {
  await expectNobody([arn, arn.includes('user/') ? USER_ID : CALLER.UserId])
})
