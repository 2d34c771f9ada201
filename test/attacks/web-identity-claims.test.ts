/** Attacks with the claims of web-identity tokens: subject, audience, life, and what AWS says of the session. */

import { afterAll, beforeAll, describe, onTestFinished, test } from 'vitest'
import type { RefusalReason } from '../../src/audit/reasons.ts'
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
import { forgeAwsClaims, forgeToken, type Members, tokenOf } from '../support/sts-tokens.ts'

const ALL_PRINCIPALS = { principals: ['role', 'user', 'identity_center'] }
const ORG = 'o-a1b2c3d4e5'
const OU = `${ORG}/r-ab12/ou-ab12-11111111/ou-ab12-22222222/`

let scene: AwsScene
/** Takes every kind of principal that can be taken. */
let wide: AwsScene

/** Brokers for each group of tests, as one that refuses often does not record every refusal. */
function openBeforeAll(): void {
  beforeAll(async () => {
    scene = await openAwsScene()
    wide = await openAwsScene({ document: (aws) => awsDocumentFor(aws, ALL_PRINCIPALS) })
  })
  afterAll(async () => {
    await scene.close()
    await wide.close()
  })
}

async function expectRefused(claims: Members, reason: RefusalReason, on: AwsScene = scene): Promise<void> {
  expectProofRefused(on.broker, await on.broker.exchange(await forgeToken(on, claims)), reason)
}

const SUBJECTS: readonly string[] = [
  `arn:aws:iam::${ACCOUNT}:user/${ROLE}`,
  `arn:aws:iam::${ACCOUNT}:user/role/${ROLE}`,
  `arn:aws:iam::${ACCOUNT}:root`,
  `arn:aws:sts::${ACCOUNT}:assumed-role/${ROLE}/${SESSION_NAME}`,
  `arn:aws:iam::${ACCOUNT}:assumed-role/${ROLE}/${SESSION_NAME}`,
  `arn:aws:sts::${ACCOUNT}:role/${ROLE}`,
  `arn:aws:sts::${ACCOUNT}:federated-user/${ROLE}`,
  `arn:aws:iam::${ACCOUNT}:group/${ROLE}`,
  `arn:aws:iam::${ACCOUNT}:instance-profile/${ROLE}`,
  `arn:aws:iam::${ACCOUNT}:policy/role/${ROLE}`,
  `arn:aws:iam::${ACCOUNT}:Role/${ROLE}`,
  `arn:aws:iam::${ACCOUNT}:role`,
  `arn:aws:iam::${ACCOUNT}:role/`,
  `arn:aws:iam::${ACCOUNT}:role//${ROLE}`,
  `arn:aws:iam::${ACCOUNT}:role/team-x/`,
  `arn:aws:iam::${ACCOUNT}:/role/${ROLE}`,
  `arn:aws:iam::${ACCOUNT}:role/${ROLE}:x`,
  `arn:aws:iam:us-east-1:${ACCOUNT}:role/${ROLE}`,
  `arn:aws:lambda::${ACCOUNT}:role/${ROLE}`,
  `arn:aws-iso:iam::${ACCOUNT}:role/${ROLE}`,
  `ARN:aws:iam::${ACCOUNT}:role/${ROLE}`,
  ` arn:aws:iam::${ACCOUNT}:role/${ROLE}`,
  `arn:aws:iam::${ACCOUNT}:role/${ROLE} `,
  `arn:aws:iam::${ACCOUNT}:role/${ROLE}\n`,
  `arn:aws:iam::${ACCOUNT}:role/te\u0430m/${ROLE}`,
  `arn:aws:iam::${ACCOUNT.replace('1', '１')}:role/${ROLE}`,
  `role/${ROLE}`,
  ROLE,
]

describe('the subject', () => {
  openBeforeAll()

  test.each(SUBJECTS)('AWJ-06 is a role, whatever kinds of principals are taken: not %j', async (sub) => {
    for (const each of [scene, wide]) await expectRefused({ sub }, 'principal_not_accepted', each)
  })

  test.each([undefined, null, '', 1, ['x'], {}])('AWJ-06 is a text: not %j', async (sub) => {
    await expectRefused({ sub }, sub === undefined ? 'claim_missing' : 'claim_invalid')
  })

  test('AWJ-06 is that of a user where a user has asked for the token, and refused', async () => {
    const session = wide.aws.createAccessKey(wide.aws.createUser(ACCOUNT, ROLE))

    expectProofRefused(wide.broker, await wide.broker.exchange(await tokenOf(wide, session)), 'principal_not_accepted')
    expectIssued(wide.broker, await wide.broker.exchange(await tokenOf(wide)))
  })

  test('AWJ-06 is of the account’s partition', async () => {
    await expectRefused({ sub: `arn:aws-cn:iam::${ACCOUNT}:role/${ROLE}` }, 'claims_inconsistent')
  })

  test('AWJ-06 is a person of Identity Center where those are asked for', async () => {
    for (const [settings, isTaken] of [
      [{}, false],
      [{ principals: ['role', 'user'] }, false],
      [ALL_PRINCIPALS, true],
    ] as const) {
      const people = await openAwsScene()
      onTestFinished(() => people.close())
      const role = people.aws.createIdentityCenterRole(ACCOUNT, 'Admins')
      const bindings = { people: bindRole(ACCOUNT, role.name, 'payments/api') }
      await people.broker.replaceDocument(awsDocumentFor(people.aws, settings, { bindings }))

      const reply = await people.broker.exchange(
        await tokenOf(people, people.aws.assumeRole(role, 'alice@corp.example')),
      )

      if (isTaken) expectIssued(people.broker, reply)
      else expectProofRefused(people.broker, reply, 'principal_not_accepted')
    }
  })

  const ORIGINS = [
    'alice@corp.example',
    'spiffe://corp.example/payments/api',
    ROLE,
    ACCOUNT,
    '0oa1b2c3d4',
    `${BROKER}/x`,
    'ann:aws:iam',
  ]

  test.each(ORIGINS)('AWJ-06 is the caller itself, and not on whose behalf it acts: %s', async (sub) => {
    for (const each of [scene, wide]) {
      const atTop = await forgeToken(each, { sub, subject_mode: 'OriginIdentity' })
      expectProofRefused(each.broker, await each.broker.exchange(atTop), 'principal_not_accepted')
      const within = await forgeAwsClaims(each, { subject_mode: 'OriginIdentity' }, { sub })
      expectProofRefused(each.broker, await each.broker.exchange(within), 'principal_not_accepted')
    }
  })
})

const NOT_OURS: readonly (readonly [unknown, RefusalReason])[] = [
  [[BROKER, 'https://evil.example'], 'audience_not_single'],
  [['https://evil.example', BROKER], 'audience_not_single'],
  [[BROKER, BROKER], 'audience_not_single'],
  [[BROKER, ''], 'audience_not_single'],
  [['sts.amazonaws.com', BROKER, 'vault'], 'audience_not_single'],
  [[], 'audience_mismatch'],
  [[[BROKER]], 'audience_mismatch'],
  [{ aud: BROKER }, 'audience_mismatch'],
  ['sts.amazonaws.com', 'audience_mismatch'],
  ['https://evil.example', 'audience_mismatch'],
  ['ledger', 'audience_mismatch'],
  [`${BROKER}/`, 'audience_mismatch'],
  [`${BROKER}/audiences/ledger`, 'audience_mismatch'],
  [BROKER.toUpperCase(), 'audience_mismatch'],
  [`${BROKER},https://evil.example`, 'audience_mismatch'],
  [`${BROKER} https://evil.example`, 'audience_mismatch'],
  ['*', 'audience_mismatch'],
  ['', 'audience_mismatch'],
  [null, 'audience_mismatch'],
  [undefined, 'audience_mismatch'],
]

describe('the audience', () => {
  openBeforeAll()

  test.each(NOT_OURS)('AWJ-07 is ours, alone: not %j', async (aud, reason) => {
    await expectRefused({ aud }, reason)
  })

  test('AWJ-07 is that of every party that AWS was asked to name', async () => {
    const both = await scene.aws.webIdentityToken(scene.assume(), { audiences: [BROKER, 'https://evil.example'] })
    expectProofRefused(scene.broker, await scene.broker.exchange(both), 'audience_not_single')
    const evil = await scene.aws.webIdentityToken(scene.assume(), { audiences: ['https://evil.example'] })
    expectProofRefused(scene.broker, await scene.broker.exchange(evil), 'audience_mismatch')

    for (const aud of [BROKER, [BROKER]]) {
      expectIssued(scene.broker, await scene.broker.exchange(await forgeToken(scene, { aud })))
    }
  })
})

describe('the life', () => {
  openBeforeAll()

  test('AWJ-09 is an hour at most, to the second', async () => {
    const now = scene.clock.now()

    for (const seconds of [3_601, 3_660, 7_200, 86_400, 10 * 365 * 86_400]) {
      await expectRefused({ exp: now + seconds }, 'proof_lifetime_too_long')
    }
    // An issue date in the past, or just ahead, makes no room.
    await expectRefused({ iat: now - 60, exp: now + 3_541 }, 'proof_lifetime_too_long')
    await expectRefused({ iat: now + 60, exp: now + 3_661 }, 'proof_lifetime_too_long')
    for (const seconds of [3_600, 60, 300]) {
      const token = await forgeToken(scene, { exp: now + seconds })
      expectIssued(scene.broker, await scene.broker.exchange(token))
    }
    const longest = await scene.aws.webIdentityToken(scene.assume(), { audiences: [BROKER], durationSeconds: 3_600 })
    expectIssued(scene.broker, await scene.broker.exchange(longest))
  })

  test('AWJ-09 has an end and a beginning, which are whole numbers in their order', async () => {
    const now = scene.clock.now()

    for (const name of ['exp', 'iat']) {
      await expectRefused({ [name]: undefined }, 'claim_missing')
      for (const value of [String(now + 60), now + 0.5, -1, null, [now], 1e300]) {
        await expectRefused({ [name]: value }, 'claim_invalid')
      }
    }
    await expectRefused({ iat: now, exp: now }, 'claims_inconsistent')
    await expectRefused({ iat: now - 400, exp: now - 100 }, 'proof_expired')
    await expectRefused({ iat: now + 61, exp: now + 300 }, 'proof_not_yet_valid')
    await expectRefused({ nbf: now + 61 }, 'proof_not_yet_valid')
    expectIssued(scene.broker, await scene.broker.exchange(await forgeToken(scene, { nbf: now })))
  })
})

describe('the organization', () => {
  let org: AwsScene
  beforeAll(async () => {
    org = await openAwsScene({
      accounts: { [ACCOUNT]: { organisation: { id: ORG, path: OU } } },
      document: (aws) => {
        const match = { 'aws.org_id': ORG, 'aws.ou_path': OU }
        return awsDocumentFor(aws, {}, { bindings: { org: bindRole(ACCOUNT, ROLE, 'payments/api', match) } })
      },
    })
  })
  afterAll(() => org.close())

  async function expectOrg(own: Members, reason: RefusalReason | 'issued'): Promise<void> {
    const reply = await org.broker.exchange(await forgeAwsClaims(org, own))
    if (reason === 'issued') expectIssued(org.broker, reply)
    else expectProofRefused(org.broker, reply, reason)
  }

  test('AWJ-11 that a binding asks for must be there, as a text, and no other', async () => {
    await expectOrg({}, 'issued')
    for (const org_id of [undefined, 'o-aaaaaaaaaa', `${ORG}0`]) await expectOrg({ org_id }, 'binding_missing')
    for (const org_id of [
      [ORG],
      [],
      {},
      null,
      1,
      '',
      ORG.toUpperCase(),
      ` ${ORG}`,
      `${ORG}\n`,
      'o-1',
      'x'.repeat(3_000),
    ]) {
      await expectOrg({ org_id }, 'claim_invalid')
    }
  })

  test('AWJ-11 is not asked for by a binding without it', async () => {
    const loose = await openAwsScene()
    onTestFinished(() => loose.close())

    expectIssued(loose.broker, await loose.broker.exchange(await tokenOf(loose)))
    expectIssued(loose.broker, await loose.broker.exchange(await forgeAwsClaims(loose, { org_id: ORG, ou_path: OU })))
  })

  test('AWJ-11 has the account in one place, told as a text or as a list of one', async () => {
    for (const ou_path of [OU, [OU]]) await expectOrg({ ou_path }, 'issued')
    const elsewhere = OU.replace('11111111', '33333333')
    for (const ou_path of [elsewhere, [elsewhere], `${ORG}/r-ab12/`, undefined])
      await expectOrg({ ou_path }, 'binding_missing')
    const wrong = [
      [OU, OU],
      [OU, elsewhere],
      [elsewhere, OU],
      [],
      [[OU]],
      {},
      null,
      1,
      [1],
      [null],
      '',
      [''],
      OU.slice(0, -1),
      `${OU}x`,
      `/${OU}`,
    ]
    for (const ou_path of wrong) await expectOrg({ ou_path }, 'claim_invalid')
  })
})

test('AWJ-06 refuses a token of another subject mode, whatever its subject is, and takes the usual one', async () => {
  const scene = await openAwsScene()
  onTestFinished(() => scene.close())
  const members = { aws_account: '123456789012', source_region: 'us-east-1' }
  const inside = (mode: string) => ({ 'https://sts.amazonaws.com/': { ...members, subject_mode: mode } })

  for (const claims of [{ subject_mode: 'OriginIdentity' }, { subject_mode: '' }, inside('OriginIdentity')]) {
    const reply = await scene.broker.exchange(await forgeToken(scene, claims))
    expectProofRefused(scene.broker, reply, 'principal_not_accepted')
  }
  expectIssued(scene.broker, await scene.broker.exchange(await forgeToken(scene, { subject_mode: 'AWSIdentity' })))
})
