/** Who an ARN names, and what must agree with it. */

import { describe, expect, test } from 'vitest'
import {
  PRINCIPAL_KINDS,
  PRINCIPAL_NAME,
  ROLE_ID as ROLE_ID_FORM,
  readCaller,
  readRole,
  SESSION_NAME,
  USER_ID as USER_ID_FORM,
} from '../../providers/aws/arn.ts'
import type { CallerIdentity } from '../../providers/aws/sts-answer.ts'
import { refusalOf } from '../support/rejection.ts'

const ACCOUNT = '123456789012'
const ROLE_ID = 'AROAQ3EGTESTEXAMPLE77'
const USER_ID = 'AIDAQ3EGTESTEXAMPLE77'
const SESSION_ARN = `arn:aws:sts::${ACCOUNT}:assumed-role/payments-api/i-0123456789abcdef0`
const CALLER: CallerIdentity = { account: ACCOUNT, arn: SESSION_ARN, userId: `${ROLE_ID}:i-0123456789abcdef0` }
const USER: CallerIdentity = { account: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:user/ada`, userId: USER_ID }

const codeOf = (caller: Partial<CallerIdentity>, base = CALLER) =>
  refusalOf(() => readCaller({ ...base, ...caller })).code

/** A session of a role, where the name of both is open. */
function sessionOf(roleName: string, session: string): CallerIdentity {
  const arn = `arn:aws:sts::${ACCOUNT}:assumed-role/${roleName}/${session}`
  return { account: ACCOUNT, arn, userId: `${ROLE_ID}:${session}` }
}

describe('reads, of what STS says,', () => {
  test('a session of a role', () => {
    expect(readCaller(CALLER)).toEqual({
      arn: SESSION_ARN,
      partition: 'aws',
      accountId: ACCOUNT,
      kind: 'role',
      roleName: 'payments-api',
      roleId: ROLE_ID,
      sessionName: 'i-0123456789abcdef0',
    })
  })

  test('a person of Identity Center, by the name that IAM keeps for them', () => {
    const roleName = 'AWSReservedSSO_Admin_0123456789abcdef'

    expect(readCaller(sessionOf(roleName, 'ada@corp.example'))).toMatchObject({ kind: 'identity_center', roleName })
    expect(readCaller(sessionOf('xAWSReservedSSO_Admin', 'ada')).kind).toBe('role')
    expect(readCaller(sessionOf('AWSReservedSSOAdmin', 'ada')).kind).toBe('role')
    expect(readCaller(sessionOf('awsreservedsso_admin', 'ada')).kind).toBe('role')
  })

  test.each(['user/ada', 'user/a/ada', 'user/division_abc/subdivision_xyz/ada', `user/${'p'.repeat(510)}/ada`])(
    'a user: %s',
    (resource) => {
      const arn = `arn:aws:iam::${ACCOUNT}:${resource}`

      expect(readCaller({ ...USER, arn })).toEqual({
        ...{ arn, partition: 'aws', accountId: ACCOUNT, kind: 'user', userName: 'ada', userId: USER_ID },
      })
    },
  )

  test.each(['aws', 'aws-cn', 'aws-us-gov', 'aws-eusc'])('the partition %s', (partition) => {
    expect(readCaller({ ...CALLER, arn: SESSION_ARN.replace(':aws:', `:${partition}:`) })).toMatchObject({ partition })
  })

  test.each([
    ['r', 'ab'],
    ['x'.repeat(64), 's'.repeat(64)],
    ['a_b+c=d,e.f@g-h', 'a_b+c=d,e.f@g-h'],
    ['payments-api', 'role'],
    ['0', '12'],
  ])('a role named %s in a session named %s', (roleName, sessionName) => {
    expect(readCaller(sessionOf(roleName, sessionName))).toMatchObject({ roleName, sessionName })
  })

  test('an account with a leading zero, whole', () => {
    const account = '012345678901'

    expect(readCaller({ ...CALLER, account, arn: SESSION_ARN.replace(ACCOUNT, account) }).accountId).toBe(account)
  })
})

describe('refuses the principal', () => {
  test.each([
    ...[`arn:aws:iam::${ACCOUNT}:root`, `arn:aws:sts::${ACCOUNT}:federated-user/ada`, `arn:aws:sts::${ACCOUNT}:self`],
    ...[`arn:aws:sts::${ACCOUNT}:assumed-role/payments-api`, `arn:aws:sts::${ACCOUNT}:assumed-role/a/b/c`],
    ...[`arn:aws:sts::${ACCOUNT}:assumed-role/a/b/c/d`, `arn:aws:sts::${ACCOUNT}:assumed-role//session`],
    ...[`arn:aws:sts::${ACCOUNT}:assumed-role/payments-api/`, `arn:aws:sts::${ACCOUNT}:assumed-role/payments-api/a`],
    ...[
      `arn:aws:sts::${ACCOUNT}:assumed-role/${'x'.repeat(65)}/session`,
      `arn:aws:sts::${ACCOUNT}:assumed-role/r/${'x'.repeat(65)}`,
    ],
    ...[
      `arn:aws:sts::${ACCOUNT}:assumed-role/pay ments/session`,
      `arn:aws:sts::${ACCOUNT}:assumed-role/päyments/session`,
    ],
    ...[`arn:aws:sts::${ACCOUNT}:assumed-role/r/ses sion`, `arn:aws:sts::${ACCOUNT}:assumed-role/r/séssion`],
    ...[`arn:aws:sts::${ACCOUNT}:Assumed-Role/r/session`, `arn:aws:sts::${ACCOUNT}:xassumed-role/r/session`],
    ...[`arn:aws:sts::${ACCOUNT}:assumed-role/r/session\n`, `arn:aws:sts::${ACCOUNT}:\nassumed-role/r/session`],
    ...[
      `arn:aws:sts::${ACCOUNT}:assumed-role/aws:ec2-instance/i-0123`,
      `arn:aws:sts::${ACCOUNT}:assumed-role/r/session:x`,
      `arn:aws:iam::${ACCOUNT}:user/ada:x`,
    ],
    ...[
      `arn:aws:iam::${ACCOUNT}:assumed-role/r/session`,
      `arn:aws:sts::${ACCOUNT}:user/ada`,
      `arn:aws:sts::${ACCOUNT}:role/r`,
    ],
    ...[
      `arn:aws:iam::${ACCOUNT}:role/r`,
      `arn:aws:s3::${ACCOUNT}:assumed-role/r/session`,
      `arn:aws:lambda::${ACCOUNT}:user/ada`,
    ],
    ...[`arn:aws:sts:us-east-1:${ACCOUNT}:assumed-role/r/session`, 'arn:aws:sts::12345678901:assumed-role/r/session'],
    ...[
      'arn:aws:sts::1234567890123:assumed-role/r/session',
      'arn:aws:sts::aws:assumed-role/r/session',
      'arn:aws:sts:::assumed-role/r/session',
    ],
    ...['arn:aws:sts::١٢٣٤٥٦٧٨٩٠١٢:assumed-role/r/session', `ARN:aws:sts::${ACCOUNT}:assumed-role/r/session`],
    ...[`arn:AWS:sts::${ACCOUNT}:assumed-role/r/session`, `arn:aws-iso:sts::${ACCOUNT}:assumed-role/r/session`],
    ...[
      `arn::sts::${ACCOUNT}:assumed-role/r/session`,
      ` arn:aws:sts::${ACCOUNT}:assumed-role/r/session`,
      'arn:aws',
      '',
    ],
    ...[
      `arn:aws:iam::${ACCOUNT}:user/`,
      `arn:aws:iam::${ACCOUNT}:user`,
      `arn:aws:iam::${ACCOUNT}:user//ada`,
      `arn:aws:iam::${ACCOUNT}:user/a b`,
    ],
    ...[
      `arn:aws:iam::${ACCOUNT}:user/a/`,
      `arn:aws:iam::${ACCOUNT}:xuser/ada`,
      `arn:aws:iam::${ACCOUNT}:user/${'p'.repeat(511)}/ada`,
    ],
    ...[
      `arn:aws:iam::${ACCOUNT}:user/ö/ada`,
      `arn:aws:iam::${ACCOUNT}:user/${'x'.repeat(65)}`,
      `arn:aws:iam::${ACCOUNT}:user/ada\n`,
    ],
    ...[
      `arn:aws:iam::${ACCOUNT}:group/ada`,
      `arn:aws:iam::${ACCOUNT}:instance-profile/x`,
      `arn:aws:iam::${ACCOUNT}:user/a b/ada`,
    ],
  ])('%j', (arn) => {
    const account = arn.split(':')[4] ?? ''
    const userId = arn.includes(':user') ? USER_ID : `${ROLE_ID}:session`

    expect(codeOf({ arn, account, userId })).toBe('principal_not_accepted')
  })
})

describe('finds that STS contradicts itself where', () => {
  test.each([
    ['the account is not the ARN’s', { account: '999999999999' }],
    ['the session is not the user id’s', { userId: `${ROLE_ID}:other` }],
    ['the session differs in case', { userId: `${ROLE_ID}:I-0123456789ABCDEF0` }],
    ['there is no session in the user id', { userId: ROLE_ID }],
    ['the user id has a third part', { userId: `${CALLER.userId}:x` }],
    ['the user id is a user’s', { userId: `${USER_ID}:i-0123456789abcdef0` }],
    ['the user id is in lower case', { userId: CALLER.userId.toLowerCase() }],
    ['the user id is too short', { userId: 'AROA01234567890:i-0123456789abcdef0' }],
    ['the user id is too long', { userId: `AROA${'A'.repeat(125)}:i-0123456789abcdef0` }],
    ['the user id has more before it', { userId: `x${CALLER.userId}` }],
    ['the user id is that of instance credentials', { userId: `${ACCOUNT}:aws:ec2-instance:i-0123456789abcdef0` }],
    ['the user id is empty', { userId: '' }],
  ])('%s', (_, change) => {
    expect(codeOf(change)).toBe('upstream_malformed')
  })

  test.each([
    ['a user has a role’s id', { userId: ROLE_ID }],
    ['a user has a session', { userId: `${USER_ID}:x` }],
    ['a user has no id', { userId: '' }],
    ['a user is of another account', { account: '999999999999' }],
  ])('%s', (_, change) => {
    expect(codeOf(change, USER)).toBe('upstream_malformed')
  })

  test('the credentials that every instance has are no principal at all', () => {
    const arn = `arn:aws:sts::${ACCOUNT}:assumed-role/aws:ec2-instance/i-0123456789abcdef0`

    expect(codeOf({ arn, userId: `${ACCOUNT}:aws:ec2-instance:i-0123456789abcdef0` })).toBe('principal_not_accepted')
  })
})

describe('reads a role with its path', () => {
  test.each([
    ['role/payments-api', '/', 'payments-api'],
    ['role/service-role/payments-api', '/service-role/', 'payments-api'],
    ['role/a/b/c/r', '/a/b/c/', 'r'],
    [`role/${'p'.repeat(510)}/r`, `/${'p'.repeat(510)}/`, 'r'],
    ['role/!~/r', '/!~/', 'r'],
  ])('%s', (resource, rolePath, roleName) => {
    expect(readRole(`arn:aws-cn:iam::${ACCOUNT}:${resource}`)).toEqual({
      ...{ partition: 'aws-cn', accountId: ACCOUNT, kind: 'role', rolePath, roleName },
    })
  })

  test('of a person of Identity Center', () => {
    const arn = `arn:aws:iam::${ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123`

    expect(readRole(arn)).toMatchObject({ kind: 'identity_center', rolePath: '/aws-reserved/sso.amazonaws.com/' })
  })

  test.each([
    ...[
      SESSION_ARN,
      USER.arn,
      `arn:aws:iam::${ACCOUNT}:root`,
      `arn:aws:iam::${ACCOUNT}:role`,
      `arn:aws:iam::${ACCOUNT}:role/`,
    ],
    ...[`arn:aws:sts::${ACCOUNT}:role/r`, `arn:aws:iam::${ACCOUNT}:role//r`, `arn:aws:iam::${ACCOUNT}:role/a b/r`],
    ...[
      `arn:aws:iam::${ACCOUNT}:xrole/r`,
      `arn:aws:iam::${ACCOUNT}:role/r:x`,
      `arn:aws:iam::${ACCOUNT}:role/r\n`,
      `arn:aws:iam::${ACCOUNT}:role/a/`,
      'r',
      '',
    ],
    ...[`arn:aws:iam::${ACCOUNT}:role/${'p'.repeat(511)}/r`, `arn:aws:iam::${ACCOUNT}:role/${'x'.repeat(65)}`],
    ...[`arn:aws:iam:us-east-1:${ACCOUNT}:role/r`, 'arn:aws:iam::1234:role/r', `arn:gcp:iam::${ACCOUNT}:role/r`],
  ])('and refuses %j', (arn) => {
    expect(refusalOf(() => readRole(arn)).code).toBe('principal_not_accepted')
  })
})

test.each([
  [
    'a name',
    PRINCIPAL_NAME,
    ['a', 'x'.repeat(64), 'a_b+c=d,e.f@g-h'],
    ['', 'x'.repeat(65), 'a b', 'a/b', 'a:b', 'é', 'a\n', '\na'],
  ],
  [
    'a session',
    SESSION_NAME,
    ['ab', 'x'.repeat(64), 'a_b+c=d,e.f@g-h'],
    ['', 'a', 'x'.repeat(65), 'a b', 'a/b', 'ab\n', '\nab'],
  ],
  [
    'the id of a role',
    ROLE_ID_FORM,
    [ROLE_ID, `AROA${'A'.repeat(12)}`, `AROA${'A'.repeat(124)}`],
    ['', USER_ID, `x${ROLE_ID}`, `${ROLE_ID}\n`, `AROA${'A'.repeat(11)}`, `AROA${'A'.repeat(125)}`],
  ],
  [
    'the id of a user',
    USER_ID_FORM,
    [USER_ID, `AIDA${'A'.repeat(12)}`, `AIDA${'A'.repeat(124)}`],
    ['', ROLE_ID, `x${USER_ID}`, `${USER_ID}\n`, `AIDA${'A'.repeat(11)}`, `AIDA${'A'.repeat(125)}`],
  ],
])('%s is what its platform could give', (_, form, good, bad) => {
  expect(good.filter((text) => !form.test(text))).toEqual([])
  expect(bad.filter((text) => form.test(text))).toEqual([])
})

test('the kinds that settings can name are these', () => {
  expect(PRINCIPAL_KINDS).toEqual(['role', 'user', 'identity_center'])
})

test('no refusal repeats the ARN', () => {
  expect(refusalOf(() => readCaller({ ...CALLER, arn: 'arn:aws:sts::x:secret' })).message).not.toContain('secret')
})
