/** What a binding can match about a workload on AWS. */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Principal, Role } from '../../providers/aws/arn.ts'
import { AWS_ATTRIBUTES, AWS_PINS, attributesOfPrincipal, attributesOfSession } from '../../providers/aws/attributes.ts'
import type { SessionClaims } from '../../providers/aws/web-identity-claims.ts'
import { refusalOf } from '../support/rejection.ts'

const TOKEN_ONLY = ['role_path', 'org_id', 'ou_path', 'source_region', 'ec2_instance_id', 'lambda_function_arn']
const ROLE: Principal = {
  ...{ arn: 'arn:aws:sts::123456789012:assumed-role/api/one', partition: 'aws', accountId: '123456789012' },
  ...{ kind: 'role', roleName: 'api', roleId: 'AROAQ3EGTESTEXAMPLE77', sessionName: 'one' },
}
const PATHED: Role = { partition: 'aws', accountId: '123456789012', kind: 'role', roleName: 'api', rolePath: '/a/' }
const NO_CLAIMS: SessionClaims = {
  sourceRegion: undefined,
  orgId: undefined,
  ouPath: undefined,
  instanceId: undefined,
  functionArn: undefined,
  principalTags: new Map(),
}
const sessionWith = (claims: Partial<SessionClaims>) =>
  Object.fromEntries(attributesOfSession(PATHED, { ...NO_CLAIMS, ...claims }))

describe('the catalogue', () => {
  test('says what the table of the README says', () => {
    const readme = readFileSync(new URL('../../providers/aws/README.md', import.meta.url), 'utf8')
    const rows = [...readme.matchAll(/^\| `(aws\.[\w/<>]+)` \| (.+) \| (\w+) \| (\w+) \|$/gm)].map((row) =>
      row.slice(1),
    )

    expect(rows).toEqual(
      [...AWS_ATTRIBUTES].map(([name, { meaning, grade, prefix }]) => [name, meaning, grade, prefix ? 'yes' : 'no']),
    )
  })

  test('is the one of the design: two of caller grade, a prefix of one, pins of three', () => {
    const named = (is: (name: string) => boolean | undefined) => [...AWS_ATTRIBUTES.keys()].filter(is)

    expect(AWS_ATTRIBUTES.size).toBe(15)
    expect(named((name) => AWS_ATTRIBUTES.get(name)?.grade === 'caller')).toEqual([
      'aws.session_name',
      'aws.principal_tags/<key>',
    ])
    expect(named((name) => AWS_ATTRIBUTES.get(name)?.prefix)).toEqual(['aws.role_name'])
    expect(named((name) => AWS_ATTRIBUTES.get(name)?.mayDecide)).toEqual(['aws.principal_tags/<key>'])
    expect(AWS_PINS).toEqual([
      ['aws.account_id', 'aws.role_name'],
      ['aws.account_id', 'aws.role_id'],
      ['aws.account_id', 'aws.user_id'],
    ])
  })

  test('warns of what only one of the two proofs has', () => {
    const cautions = [...AWS_ATTRIBUTES].flatMap(([name, { caution }]) =>
      caution === undefined ? [] : [[name, caution]],
    )
    const request = 'a signed request does not have it, and so will never match'
    const token = 'a web-identity token does not have it, and so will never match'

    expect(Object.fromEntries(cautions)).toEqual({
      'aws.role_id': token,
      ...Object.fromEntries(TOKEN_ONLY.map((name) => [`aws.${name}`, request])),
      'aws.principal_tags/<key>': request,
    })
  })
})

describe('a signed request gives', () => {
  test('the role, its id and the session', () => {
    expect(Object.fromEntries(attributesOfPrincipal(ROLE))).toEqual({
      'aws.partition': 'aws',
      'aws.account_id': '123456789012',
      'aws.proof': 'signed_request',
      'aws.role_name': 'api',
      'aws.role_id': 'AROAQ3EGTESTEXAMPLE77',
      'aws.session_name': 'one',
    })
  })

  test('a person of Identity Center as the role that they have', () => {
    expect(Object.fromEntries(attributesOfPrincipal({ ...ROLE, kind: 'identity_center' }))).toEqual(
      Object.fromEntries(attributesOfPrincipal(ROLE)),
    )
  })

  test('a user, who has no role and no session', () => {
    const { arn, partition, accountId } = ROLE
    const user = { arn, partition, accountId, kind: 'user', userName: 'ada', userId: 'AIDAQ3EGTESTEXAMPLE77' } as const

    expect(Object.fromEntries(attributesOfPrincipal(user))).toEqual({
      'aws.partition': 'aws',
      'aws.account_id': '123456789012',
      'aws.proof': 'signed_request',
      'aws.user_name': 'ada',
      'aws.user_id': 'AIDAQ3EGTESTEXAMPLE77',
    })
  })
})

describe('a web-identity token gives', () => {
  test('the role with its path, and nothing that it does not say', () => {
    expect(sessionWith({})).toEqual({
      'aws.partition': 'aws',
      'aws.account_id': '123456789012',
      'aws.proof': 'web_identity',
      'aws.role_name': 'api',
      'aws.role_path': '/a/',
    })
  })

  test('all that it says', () => {
    const claims = {
      sourceRegion: 'us-east-1',
      orgId: 'o-abc1234567',
      ouPath: 'o-abc1234567/r-ab12/',
      instanceId: 'i-0123456789abcdef0',
      functionArn: 'arn:aws:lambda:us-east-1:123456789012:function:api',
      principalTags: new Map([['team', 'payments']]),
    }

    expect(sessionWith(claims)).toEqual({
      ...sessionWith({}),
      'aws.source_region': claims.sourceRegion,
      'aws.org_id': claims.orgId,
      'aws.ou_path': claims.ouPath,
      'aws.ec2_instance_id': claims.instanceId,
      'aws.lambda_function_arn': claims.functionArn,
      'aws.principal_tags/team': 'payments',
    })
  })

  test.each<[string, Partial<SessionClaims>]>([
    ['aws.source_region', { sourceRegion: 'nowhere' }],
    ['aws.org_id', { orgId: 'corp' }],
    ['aws.ou_path', { ouPath: '*' }],
    ['aws.ec2_instance_id', { instanceId: 'i-x' }],
    ['aws.lambda_function_arn', { functionArn: 'arn:aws:lambda' }],
  ])('no %s that AWS would not give', (claim, claims) => {
    expect(refusalOf(() => sessionWith(claims))).toMatchObject({ code: 'claim_invalid', facts: { claim } })
  })

  test('tags whose name and value can be written down, and leaves the others out', () => {
    const tags: readonly (readonly [string, string])[] = [
      ['team', 'payments'],
      ['kubernetes-namespace', ''],
      ['a:b/c=d.e+f@g_h-1', 'x y'],
      ['x'.repeat(128), 'long name'],
      ['x', 'short name'],
      ['__proto__', 'polluted'],
      ['x'.repeat(129), 'too long a name'],
      ['with space', 'x'],
      ['größe', 'x'],
      ['', 'x'],
      ['<key>', 'x'],
      ['team\n', 'x'],
      ['stage', 'prüfung'],
      ['broken', 'a\nb'],
      ['long', 'x'.repeat(257)],
    ]
    const found = Object.entries(sessionWith({ principalTags: new Map(tags) }))
      .filter(([name]) => name.startsWith('aws.principal_tags/'))
      .map(([name, value]) => [name.slice('aws.principal_tags/'.length), value])

    expect(found).toEqual(tags.slice(0, 6))
  })

  test('no attribute of another name by way of a tag', () => {
    const found = sessionWith({
      principalTags: new Map([
        ['../role_name', 'admin'],
        ['aws.role_name', 'admin'],
      ]),
    })

    expect(found['aws.role_name']).toBe('api')
    expect(Object.keys(found).filter((name) => !AWS_ATTRIBUTES.has(name))).toEqual([])
  })
})
