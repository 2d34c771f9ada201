/** Web-identity tokens: what is read of their claims, and which accounts' issuers make them. */

import { describe, expect, test } from 'vitest'
import { AWS_CLAIM } from '../../providers/aws/stand-in/web-identity.ts'
import { readWebIdentityClaims } from '../../providers/aws/web-identity-claims.ts'
import type { JsonObject } from '../../providers/contract/strict-json.ts'
import { createClaimsLedger } from '../../providers/kit/claims.ts'
import { refusalOf } from '../support/rejection.ts'

const [A, B] = ['123456789012', '210987654321']
const SUBJECT = `arn:aws:iam::${A}:role/service-role/api`
const CLAIMS = { sub: SUBJECT, jti: 'one', [AWS_CLAIM]: { aws_account: A, source_region: 'us-east-1' } }

const read = (claims: JsonObject) => readWebIdentityClaims(createClaimsLedger(claims), A)
const readOwn = (own: object) => read({ ...CLAIMS, [AWS_CLAIM]: { aws_account: A, ...own } })
const codeOf = (claims: JsonObject) => refusalOf(() => read(claims)).code
const INVALID = (claim: string) => expect.objectContaining({ code: 'claim_invalid', facts: { claim } })

describe('of the claims are read', () => {
  test('the role with its path, the token’s id, and the session', () => {
    expect(read(CLAIMS)).toEqual({
      subject: SUBJECT,
      tokenId: 'one',
      role: { partition: 'aws', accountId: A, kind: 'role', roleName: 'api', rolePath: '/service-role/' },
      session: {
        sourceRegion: 'us-east-1',
        orgId: undefined,
        ouPath: undefined,
        instanceId: undefined,
        functionArn: undefined,
        principalTags: new Map(),
      },
    })
  })

  test('all that AWS documents, and nothing of it is counted as unknown', () => {
    const own = {
      aws_account: A,
      source_region: 'us-east-1',
      org_id: 'o-abc1234567',
      ou_path: ['o-abc1234567/r-ab12/'],
      principal_tags: { team: 'payments' },
      principal_id: SUBJECT,
      ec2_source_instance_arn: `arn:aws:ec2:us-east-1:${A}:instance/i-0123456789abcdef0`,
      lambda_source_function_arn: `arn:aws:lambda:us-east-1:${A}:function:api`,
      ...{ original_session_exp: 'x', source_identity: 'x', federated_provider: 'x', ec2_instance_source_vpc: 'x' },
      ...{ ec2_instance_source_private_ipv4: 'x', ec2_role_delivery: '2', identity_store_user_id: 'x' },
      ...{ identity_store_arn: 'x', glue_credential_issuing_service: 'x', request_tags: { team: 'admin' } },
    }
    const ledger = createClaimsLedger({ ...CLAIMS, [AWS_CLAIM]: own })

    expect(readWebIdentityClaims(ledger, A).session).toEqual({
      sourceRegion: 'us-east-1',
      orgId: 'o-abc1234567',
      ouPath: 'o-abc1234567/r-ab12/',
      instanceId: 'i-0123456789abcdef0',
      functionArn: own.lambda_source_function_arn,
      principalTags: new Map([['team', 'payments']]),
    })
    expect(ledger.unknown()).toBe(0)
  })

  test('and one that AWS adds is counted', () => {
    const ledger = createClaimsLedger({ ...CLAIMS, more: 1, [AWS_CLAIM]: { aws_account: A, new_claim: 1 } })
    readWebIdentityClaims(ledger, A)

    expect(ledger.unknown()).toBe(2)
  })

  test.each([
    ['a text', 'o-abc1234567/r-ab12/', 'o-abc1234567/r-ab12/'],
    ['a list of one', ['o-abc1234567/r-ab12/'], 'o-abc1234567/r-ab12/'],
    ['nothing', undefined, undefined],
  ])('where an account stands in its organization, from %s', (_, ou_path, expected) => {
    expect(readOwn({ ou_path }).session.ouPath).toBe(expected)
  })

  test.each([
    [`arn:aws:ec2:us-east-1:${A}:instance/i-0123456789abcdef0`, 'i-0123456789abcdef0'],
    [`arn:aws-us-gov:ec2:${'r'.repeat(32)}:${A}:instance/i-0`, 'i-0'],
    [`arn:aws-cn:ec2:r:${A}:instance/i-${'0'.repeat(32)}`, `i-${'0'.repeat(32)}`],
  ])('the instance of %s', (ec2_source_instance_arn, expected) => {
    expect(readOwn({ ec2_source_instance_arn }).session.instanceId).toBe(expected)
  })
})

test('a subject of AWS’s own is taken, whether or not the token says so', () => {
  const mode = { subject_mode: 'AWSIdentity' }

  expect(read({ ...CLAIMS, ...mode })).toEqual(read(CLAIMS))
  expect(readOwn({ ...mode, source_region: 'us-east-1' })).toEqual(read(CLAIMS))
})

describe('of the claims are refused', () => {
  test.each(['Custom', 'awsidentity', '', null, 1, ['AWSIdentity']])(
    'a subject that the caller chose: %j',
    (subject_mode) => {
      expect(codeOf({ ...CLAIMS, subject_mode })).toBe('principal_not_accepted')
      expect(refusalOf(() => readOwn({ subject_mode })).code).toBe('principal_not_accepted')
    },
  )

  test.each([
    ['no subject', { ...CLAIMS, sub: undefined }, 'claim_missing'],
    ['no id, as the token could not be spent', { ...CLAIMS, jti: undefined }, 'claim_missing'],
    ['an empty id', { ...CLAIMS, jti: '' }, 'claim_invalid'],
    ['an id that is no text', { ...CLAIMS, jti: 1 }, 'claim_invalid'],
    ['a user', { ...CLAIMS, sub: `arn:aws:iam::${A}:user/ada` }, 'principal_not_accepted'],
    ['root', { ...CLAIMS, sub: `arn:aws:iam::${A}:root` }, 'principal_not_accepted'],
    ['a session', { ...CLAIMS, sub: `arn:aws:sts::${A}:assumed-role/api/one` }, 'principal_not_accepted'],
    ['a role of another account', { ...CLAIMS, sub: `arn:aws:iam::${B}:role/api` }, 'claims_inconsistent'],
    ['another account', { ...CLAIMS, [AWS_CLAIM]: { aws_account: B } }, 'claims_inconsistent'],
    ['no account', { ...CLAIMS, [AWS_CLAIM]: {} }, 'claim_missing'],
    ['an account that is a number', { ...CLAIMS, [AWS_CLAIM]: { aws_account: Number(A) } }, 'claim_invalid'],
    ['no claims of AWS', { sub: SUBJECT, jti: 'one' }, 'claim_missing'],
    ['claims of AWS at the top', { sub: SUBJECT, jti: 'one', aws_account: A }, 'claim_missing'],
    [
      'their name without its slash',
      { sub: SUBJECT, jti: 'one', 'https://sts.amazonaws.com': { aws_account: A } },
      'claim_missing',
    ],
    ['claims of AWS as a text', { ...CLAIMS, [AWS_CLAIM]: `{"aws_account":"${A}"}` }, 'claim_invalid'],
    ['claims of AWS as a list', { ...CLAIMS, [AWS_CLAIM]: [{ aws_account: A }] }, 'claim_invalid'],
  ])('%s', (_, claims, code) => {
    expect(codeOf(claims)).toBe(code)
  })

  test.each<[string, unknown]>([
    ['a list of none', []],
    ['a list of two', ['o-abc1234567/r-ab12/', 'o-abc1234567/r-cd34/']],
    ['a list of a number', [1]],
    ['null', null],
    ['a number', 1],
    ['an object', { path: 'o-abc1234567/r-ab12/' }],
  ])('a place in an organization that is %s', (_, ou_path) => {
    expect(refusalOf(() => readOwn({ ou_path }))).toEqual(INVALID('ou_path'))
  })

  test.each([
    ...['i-0123456789abcdef0', `arn:aws:ec2:us-east-1:${A}:instance/`, `arn:aws:ec2:us-east-1:${A}:volume/i-01234567`],
    ...[`arn:aws:ec2:us-east-1:${A}:instance/i-0123/x`, `arn:aws:ec2:us-east-1:12:instance/i-01234567`],
    ...[`xarn:aws:ec2:us-east-1:${A}:instance/i-01234567`, `arn:aws:ec2:us-east-1:${A}:instance/i-01234567\n`],
    ...[`arn:aws:ec2:us-east-1:${A}0:instance/i-01234567`, `arn:aws:ec2:${'r'.repeat(33)}:${A}:instance/i-01234567`],
    ...[`arn:aws:ec2:us-east-1:${A}:instance/i-`, `arn:aws-:ec2:us-east-1:${A}:instance/i-01234567`],
    ...[`arn:aws:ec2::${A}:instance/i-01234567`, `arn:AWS:ec2:us-east-1:${A}:instance/i-01234567`],
    ...[`arn:aws:ec2:us-east-1:${A}:instance/${'i-'.padEnd(35, '0')}`, `arn:aws:s3:us-east-1:${A}:instance/i-01234567`],
  ])('the instance %j', (ec2_source_instance_arn) => {
    expect(refusalOf(() => readOwn({ ec2_source_instance_arn }))).toEqual(INVALID('ec2_source_instance_arn'))
  })

  test.each<[string, unknown]>([
    ['null', null],
    ['a list', [{ team: 'payments' }]],
    ['a text', 'team=payments'],
    ['an object with a number', { team: 1 }],
    ['an object with a list', { team: ['payments'] }],
    ['an object with null', { team: null }],
  ])('tags that are %s', (_, principal_tags) => {
    expect(refusalOf(() => readOwn({ principal_tags }))).toEqual(INVALID('principal_tags'))
  })

  test.each(['source_region', 'org_id', 'lambda_source_function_arn', 'ec2_source_instance_arn'])(
    '%s that is no text, or empty',
    (claim) => {
      const facts = { claim: `${AWS_CLAIM}.${claim}` }

      expect(refusalOf(() => readOwn({ [claim]: ['x'] }))).toMatchObject({ code: 'claim_invalid', facts })
      expect(refusalOf(() => readOwn({ [claim]: '' }))).toMatchObject({ code: 'claim_invalid', facts })
    },
  )
})
