/** What a binding can match about a workload on Google Cloud, and which values could ever be Google's. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { attributesOf, GCP_ATTRIBUTES, GCP_PINS } from '../../providers/gcp/attributes.ts'
import type { GcpClaims } from '../../providers/gcp/claims.ts'
import { ACCOUNT_EMAIL, ACCOUNT_ID } from '../support/google-tokens.ts'
import { attributeRowsOf, readAttributeRows } from '../support/readme-table.ts'
import { refusalOf } from '../support/rejection.ts'

const VM = {
  projectId: 'prod-123456',
  projectNumber: '716149158341',
  zone: 'us-central1-a',
  id: '4340508760561261530',
  name: 'vm-1',
}
const CLAIMS: GcpClaims = { subject: ACCOUNT_ID, email: ACCOUNT_EMAIL, instance: VM }

const isValue = (name: string, value: string): boolean => GCP_ATTRIBUTES.get(name)?.isValue(value) === true

describe('the catalogue', () => {
  test('says what the table of the README says', () => {
    expect(readAttributeRows('gcp')).toEqual(attributeRowsOf(GCP_ATTRIBUTES))
  })

  test('is the one of the design: seven attributes, all Google’s word, none by prefix, the account’s id for a pin', () => {
    const described = [...GCP_ATTRIBUTES].map(([name, { grade, prefix, canonical }]) => ({
      name,
      grade,
      prefix,
      canonical,
    }))

    expect(described).toEqual(
      ['subject', 'project_id', 'project_number', 'zone', 'instance_id', 'instance_name', 'email'].map((name) => {
        return { name: `gcp.${name}`, grade: 'platform', prefix: false, canonical: undefined }
      }),
    )
    expect(GCP_PINS).toEqual([['gcp.subject']])
  })

  const NUMBERS = [
    ['1', VM.id, '9'.repeat(20)],
    ['', '0', '01', '-1', '1.0', '1e3', ' 1', '1\n', '１', '9'.repeat(21)],
  ] as const
  const FORMS: Readonly<Record<string, readonly [good: readonly string[], bad: readonly string[]]>> = {
    'gcp.subject': [
      [ACCOUNT_ID, '1', '9'.repeat(32)],
      [
        '',
        '0',
        `0${ACCOUNT_ID}`,
        `${ACCOUNT_ID} `,
        `${ACCOUNT_ID}\n`,
        'a1',
        '1a',
        '-1',
        '١',
        '9'.repeat(33),
        ACCOUNT_EMAIL,
      ],
    ],
    'gcp.project_id': [
      [
        'prod-123456',
        'abcdef',
        `a${'b'.repeat(28)}c`,
        'example.com:prod-123456',
        'x:abcdef',
        `${'x'.repeat(63)}:abcdef`,
      ],
      [
        ...[
          '',
          'abcde',
          `a${'b'.repeat(29)}c`,
          '1bcdef',
          '-bcdef',
          'abcdef-',
          'Abcdef',
          'abc_ef',
          'abcdef\n',
          'abc.def',
        ],
        ...[':abcdef', '.com:abcdef', 'com.:abcdef', '-x:abcdef', 'a:b:abcdef', 'Example.com:abcdef', 'a/b:abcdef'],
        ...[`${'x'.repeat(64)}:abcdef`, '*', 'prod-*', 'abcdé-f', 'xabcdef:'],
      ],
    ],
    'gcp.project_number': NUMBERS,
    'gcp.instance_id': NUMBERS,
    'gcp.zone': [
      ['us-central1-a', 'europe-west12-b', 'northamerica-northeast1-c', 'us-central1-ai1a', `a-${'b'.repeat(61)}`],
      [
        '',
        'us',
        'us-',
        '-a',
        'us--a',
        'US-central1-a',
        '1us-a',
        'us-central1-a\n',
        'us_central1',
        'us-central1-a/b',
        'us-central1-a.',
        `a-${'b'.repeat(62)}`,
      ],
    ],
    'gcp.instance_name': [
      ['a', 'vm-1', 'a--b', `a${'b'.repeat(62)}`],
      ['', '1vm', '-vm', 'vm-', 'Vm', 'v_m', 'v.m', 'vm\n', 'v*', `a${'b'.repeat(63)}`],
    ],
  }

  test.each(Object.entries(FORMS))('knows the values that %s can have', (name, [good, bad]) => {
    expect(good.filter((value) => !isValue(name, value))).toEqual([])
    expect(bad.filter((value) => isValue(name, value))).toEqual([])
  })

  test('knows a value quickly, however long it is', () => {
    const long = ['a-'.repeat(50_000), 'a.'.repeat(50_000), `a@${'a.'.repeat(50_000)}iam`, '1'.repeat(100_000)]
    const near = ['a.'.repeat(100), 'a-'.repeat(120), `a@abcdef${'.a'.repeat(110)}`]

    for (const { isValue: takes } of GCP_ATTRIBUTES.values()) {
      for (const text of [...long, ...near]) expect(takes(text)).toBe(false)
    }
  })
})

describe('an address', () => {
  test.each([
    ACCOUNT_EMAIL,
    'sa@abcdef.iam.gserviceaccount.com',
    'a@abcdef.iam.gserviceaccount.com',
    `${'a'.repeat(64)}@abcdef.iam.gserviceaccount.com`,
    // Of a project that belongs to a domain: example.com:prod-123456.
    'sa@prod-123456.example.com.iam.gserviceaccount.com',
    'sa@prod-123456.google.com.iam.gserviceaccount.com',
    '716149158341-compute@developer.gserviceaccount.com',
    'prod-123456@appspot.gserviceaccount.com',
    'prod-123456.example.com@appspot.gserviceaccount.com',
    '716149158341@cloudservices.gserviceaccount.com',
    'service-716149158341@compute-system.iam.gserviceaccount.com',
  ])('of a service account is %s', (email) => {
    expect(isValue('gcp.email', email)).toBe(true)
  })

  test.each([
    'x@prod-123456.iam.gserviceaccount.com.evil.com',
    'x@prod-123456.iam.gserviceaccount.com.',
    'x@prod-123456.iam.gserviceaccount.com\n',
    'someone@gmail.com',
    'someone@corp.example',
    'pAyments@prod-123456.iam.gserviceaccount.com',
    'Payments@prod-123456.iam.gserviceaccount.com',
    'payments@Prod-123456.iam.gserviceaccount.com',
    'payments@prod-123456.IAM.gserviceaccount.com',
    'payments+tag@prod-123456.iam.gserviceaccount.com',
    'payments_1@prod-123456.iam.gserviceaccount.com',
    'pаyments@prod-123456.iam.gserviceaccount.com',
    'payments@prod-123456.iam.gserviceaccount.com@evil.com',
    'payments@evil.com@prod-123456.iam.gserviceaccount.com',
    '"payments"@prod-123456.iam.gserviceaccount.com',
    ' payments@prod-123456.iam.gserviceaccount.com',
    '@prod-123456.iam.gserviceaccount.com',
    '.a@prod-123456.iam.gserviceaccount.com',
    'a.@prod-123456.iam.gserviceaccount.com',
    '-a@prod-123456.iam.gserviceaccount.com',
    `${'a'.repeat(65)}@abcdef.iam.gserviceaccount.com`,
    `a@abcdef${`.${'x'.repeat(99)}`.repeat(3)}.iam.gserviceaccount.com`,
    'a@iam.gserviceaccount.com',
    'a@.iam.gserviceaccount.com',
    'a@gserviceaccount.com',
    'a@abcdef.gserviceaccount.com',
    'a@abcdef.iam.gserviceaccount.org',
    'a@abcdefXiam.gserviceaccount.com',
    'a@abcdef.iamXgserviceaccount.com',
    'a@abcdef.iam.gserviceaccountXcom',
    'a@abcde.iam.gserviceaccount.com',
    'a@1bcdef.iam.gserviceaccount.com',
    'a@abcdef-.iam.gserviceaccount.com',
    `a@a${'b'.repeat(29)}c.iam.gserviceaccount.com`,
    'a@abcdef..iam.gserviceaccount.com',
    'a@abcdef.Example.com.iam.gserviceaccount.com',
    'a@abcdef.exa_mple.iam.gserviceaccount.com',
    'a@evil-developer.gserviceaccount.com',
    'a@x.developer.gserviceaccount.com',
    'a@abcdef.svc.id.goog',
    '',
  ])('of a service account is not %j', (email) => {
    expect(isValue('gcp.email', email)).toBe(false)
  })

  test('at any other domain is nobody’s, whatever it contains', () => {
    const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}[a-z0-9]$/)
    const domain = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'))
    const property = fc.property(
      label,
      domain,
      fc.constantFrom('', ACCOUNT_EMAIL, `${ACCOUNT_EMAIL}.`),
      (name, at, before) => {
        expect(isValue('gcp.email', `${before}${name}@${at}`)).toBe(false)
        expect(isValue('gcp.email', `${name}@${at}.iam.gserviceaccount.com.${at}`)).toBe(false)
      },
    )

    fc.assert(property, { numRuns: 2_000 })
  })

  test('of any account of any project is taken, and in no other case', () => {
    const account = fc.stringMatching(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/)
    const property = fc.property(account, account, (name, project) => {
      const email = `${name}@${project}.iam.gserviceaccount.com`

      expect(isValue('gcp.email', email)).toBe(true)
      expect(isValue('gcp.email', email.toUpperCase())).toBe(false)
      expect(isValue('gcp.email', `${email}.${project}`)).toBe(false)
    })

    fc.assert(property, { numRuns: 1_000 })
  })
})

describe('the attributes', () => {
  test('of a VM have the values of the claims that they are named for', () => {
    expect([...attributesOf(CLAIMS)]).toEqual([
      ['gcp.subject', ACCOUNT_ID],
      ['gcp.project_id', 'prod-123456'],
      ['gcp.project_number', '716149158341'],
      ['gcp.zone', 'us-central1-a'],
      ['gcp.instance_id', '4340508760561261530'],
      ['gcp.instance_name', 'vm-1'],
      ['gcp.email', ACCOUNT_EMAIL],
    ])
  })

  test('are missing where the claim is', () => {
    expect([...attributesOf({ subject: ACCOUNT_ID, email: undefined, instance: undefined })]).toEqual([
      ['gcp.subject', ACCOUNT_ID],
    ])
  })

  test.each<[string, GcpClaims]>([
    ['gcp.subject', { ...CLAIMS, subject: ACCOUNT_EMAIL }],
    ['gcp.email', { ...CLAIMS, email: 'someone@gmail.com' }],
    ['gcp.project_id', { ...CLAIMS, instance: { ...VM, projectId: 'Prod' } }],
    ['gcp.project_number', { ...CLAIMS, instance: { ...VM, projectNumber: '0' } }],
    ['gcp.zone', { ...CLAIMS, instance: { ...VM, zone: 'projects/1/zones/us-central1-a' } }],
    ['gcp.instance_id', { ...CLAIMS, instance: { ...VM, id: 'vm-1' } }],
    ['gcp.instance_name', { ...CLAIMS, instance: { ...VM, name: 'VM' } }],
  ])('are refused where %s is nothing that Google gives', (claim, claims) => {
    expect(refusalOf(() => attributesOf(claims))).toMatchObject({ code: 'claim_invalid', facts: { claim } })
  })
})
