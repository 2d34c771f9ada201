/** What is believed of a service-account token: its claims, and the attributes that they become. */

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ProofError } from '../../providers/contract/errors.ts'
import type { JsonObject } from '../../providers/contract/strict-json.ts'
import { createClaimsLedger } from '../../providers/kit/claims.ts'
import { attributesOf, KUBERNETES_ATTRIBUTES, KUBERNETES_PINS } from '../../providers/kubernetes/attributes.ts'
import { readServiceAccountClaims } from '../../providers/kubernetes/claims.ts'
import { refusalOf } from '../support/rejection.ts'

const UID = '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798'
const PRIVATE = {
  namespace: 'payments',
  serviceaccount: { name: 'api', uid: UID },
  pod: { name: 'api-1', uid: `${UID}-pod` },
  node: { name: 'node-1.corp', uid: `${UID}-node` },
}
const CLAIMS = { sub: 'system:serviceaccount:payments:api', jti: 'one', 'kubernetes.io': PRIVATE }

const read = (claims: JsonObject) => readServiceAccountClaims(createClaimsLedger(claims))
const readPrivate = (more: JsonObject) => read({ ...CLAIMS, 'kubernetes.io': { ...PRIVATE, ...more } })

describe('the catalogue', () => {
  test('says what the table of the README says', () => {
    const readme = readFileSync(new URL('../../providers/kubernetes/README.md', import.meta.url), 'utf8')
    const rows = [...readme.matchAll(/^\| `(kubernetes\.\w+)` \| (.+) \| (\w+) \| (\w+) \|$/gm)].map((row) =>
      row.slice(1),
    )

    expect(rows).toEqual(
      [...KUBERNETES_ATTRIBUTES].map(([name, { meaning, grade, prefix }]) => [
        name,
        meaning,
        grade,
        prefix ? 'yes' : 'no',
      ]),
    )
  })

  test('is the one of the design: seven attributes, all the platform’s own, prefixes of two', () => {
    const described = [...KUBERNETES_ATTRIBUTES].map(([name, { grade, prefix }]) => ({ name, grade, prefix }))

    expect(described).toEqual(
      [
        ['namespace', true],
        ['service_account', true],
        ['service_account_uid', false],
        ['pod_name', false],
        ['pod_uid', false],
        ['node_name', false],
        ['node_uid', false],
      ].map(([name, prefix]) => ({ name: `kubernetes.${name}`, grade: 'platform', prefix })),
    )
    expect(KUBERNETES_PINS).toEqual([['kubernetes.namespace', 'kubernetes.service_account']])
  })

  const LABELS = ['a', '0', 'payments', 'a-b', 'a--b', 'x'.repeat(63)]
  const NO_NAMES = [
    '',
    '-a',
    'a-',
    'A',
    'a_b',
    'a b',
    'a\n',
    '\na',
    'a/b',
    'a:b',
    '*',
    'a*',
    'é',
    '.',
    'a.',
    '.a',
    'a..b',
  ]
  const SUBDOMAINS = [...LABELS, 'a.b', 'node-1.corp', `${'x'.repeat(100)}.y`, `${'a.'.repeat(126)}a`, 'x'.repeat(253)]
  const FORMS: Readonly<Record<string, readonly [good: readonly string[], bad: readonly string[]]>> = {
    'kubernetes.namespace': [LABELS, [...NO_NAMES, 'a.b', 'x'.repeat(64)]],
    'kubernetes.service_account': [SUBDOMAINS, [...NO_NAMES, 'x'.repeat(254), `${'a.'.repeat(127)}a`]],
    'kubernetes.pod_name': [SUBDOMAINS, [...NO_NAMES, 'a.-b', 'a-.b', 'x'.repeat(254)]],
    'kubernetes.node_name': [SUBDOMAINS, [...NO_NAMES, 'x'.repeat(254)]],
    'kubernetes.service_account_uid': [
      [UID, '0', 'A1', 'x'.repeat(128)],
      ['', '-a', 'a b', 'a\n', 'a.b', 'x'.repeat(129)],
    ],
    'kubernetes.pod_uid': [
      [UID, 'd41d8cd98f00b204e9800998ecf8427e'],
      ['', '*', '../x', 'x'.repeat(129)],
    ],
    'kubernetes.node_uid': [[UID], ['', ' ', 'a_b', 'é', 'x'.repeat(129)]],
  }

  test.each(Object.entries(FORMS))('knows the values that %s can have', (name, [good, bad]) => {
    const isValue = KUBERNETES_ATTRIBUTES.get(name)?.isValue

    expect(good.filter((value) => isValue?.(value) !== true)).toEqual([])
    expect(bad.filter((value) => isValue?.(value) !== false)).toEqual([])
  })

  test('knows a value quickly, however long it is', () => {
    const long = ['a-'.repeat(50_000), 'a.'.repeat(50_000), `${'a'.repeat(100_000)}!`, '-'.repeat(100_000)]

    for (const { isValue } of KUBERNETES_ATTRIBUTES.values()) for (const text of long) expect(isValue(text)).toBe(false)
  })
})

describe('the private claims', () => {
  test('are read as Kubernetes writes them', () => {
    expect(read(CLAIMS)).toEqual({
      subject: CLAIMS.sub,
      tokenId: 'one',
      namespace: 'payments',
      serviceAccount: PRIVATE.serviceaccount,
      pod: PRIVATE.pod,
      node: PRIVATE.node,
    })
  })

  test('may lack what older clusters do not write, and the pod where there is none', () => {
    const { pod: _, node: __, ...bare } = PRIVATE

    expect(read({ sub: CLAIMS.sub, 'kubernetes.io': bare })).toEqual({
      subject: CLAIMS.sub,
      tokenId: undefined,
      namespace: 'payments',
      serviceAccount: PRIVATE.serviceaccount,
      pod: undefined,
      node: undefined,
    })
  })

  test('account for all that they are', () => {
    const ledger = createClaimsLedger({ ...CLAIMS, other: 1, 'kubernetes.io': { ...PRIVATE, more: 1 } })
    readServiceAccountClaims(ledger)

    expect(ledger.unknown()).toBe(2)
  })

  test.each(['warnafter', 'secret', 'validatingwebhookconfiguration', 'mutatingwebhookconfiguration'])(
    'of a token that is bound to, or marked with, %s are refused',
    (name) => {
      const claim = `kubernetes.io.${name}`

      expect(refusalOf(() => readPrivate({ [name]: { name: 'x', uid: UID } }))).toMatchObject({
        code: 'claim_forbidden',
        facts: { claim },
      })
      expect(refusalOf(() => readPrivate({ [name]: null })).code).toBe('claim_forbidden')
    },
  )

  test.each([
    ['sub', { ...CLAIMS, sub: undefined }],
    ['kubernetes.io', { sub: CLAIMS.sub }],
    ['kubernetes.io.namespace', { ...CLAIMS, 'kubernetes.io': { ...PRIVATE, namespace: undefined } }],
    ['kubernetes.io.serviceaccount', { ...CLAIMS, 'kubernetes.io': { ...PRIVATE, serviceaccount: undefined } }],
    ['kubernetes.io.serviceaccount.name', { ...CLAIMS, 'kubernetes.io': { ...PRIVATE, serviceaccount: { uid: UID } } }],
    [
      'kubernetes.io.serviceaccount.uid',
      { ...CLAIMS, 'kubernetes.io': { ...PRIVATE, serviceaccount: { name: 'api' } } },
    ],
    ['kubernetes.io.pod.uid', { ...CLAIMS, 'kubernetes.io': { ...PRIVATE, pod: { name: 'api-1' } } }],
    ['kubernetes.io.pod.name', { ...CLAIMS, 'kubernetes.io': { ...PRIVATE, pod: { uid: UID } } }],
    ['kubernetes.io.node.name', { ...CLAIMS, 'kubernetes.io': { ...PRIVATE, node: {} } }],
  ])('are refused without %s', (claim, claims) => {
    const written = JSON.parse(JSON.stringify(claims)) as JsonObject

    expect(refusalOf(() => read(written))).toMatchObject({ code: 'claim_missing', facts: { claim } })
  })

  test.each([
    'system:serviceaccount:payments',
    'system:serviceaccount:payments:api:x',
    'system:serviceaccount:payments:',
    'system:serviceaccount::api',
    'system:serviceaccount:other:api',
    'system:serviceaccount:payments:other',
    'System:ServiceAccount:payments:api',
    'system:node:payments:api',
    'payments:api',
    'api',
  ])('are refused under the subject %s, which is another', (sub) => {
    expect(refusalOf(() => read({ ...CLAIMS, sub })).code).toBe('claims_inconsistent')
  })
})

describe('the attributes', () => {
  test('of a whole token are all of the catalogue', () => {
    expect([...attributesOf(read(CLAIMS)).keys()]).toEqual([...KUBERNETES_ATTRIBUTES.keys()])
  })

  test('have the values of the claims that they are named for', () => {
    expect(Object.fromEntries(attributesOf(read(CLAIMS)))).toEqual({
      'kubernetes.namespace': 'payments',
      'kubernetes.service_account': 'api',
      'kubernetes.service_account_uid': UID,
      'kubernetes.pod_name': 'api-1',
      'kubernetes.pod_uid': `${UID}-pod`,
      'kubernetes.node_name': 'node-1.corp',
      'kubernetes.node_uid': `${UID}-node`,
    })
  })

  test('are missing where the claim is', () => {
    const { pod: _, node: __, ...bare } = PRIVATE

    expect([...attributesOf(read({ ...CLAIMS, 'kubernetes.io': bare })).keys()]).toEqual([
      'kubernetes.namespace',
      'kubernetes.service_account',
      'kubernetes.service_account_uid',
    ])
  })

  test('are refused where no API server could have given one of them', () => {
    const namespace = 'payments:api'
    const serviceaccount = { name: 'x', uid: UID }
    const claims = {
      sub: `system:serviceaccount:${namespace}:x`,
      'kubernetes.io': { ...PRIVATE, namespace, serviceaccount },
    }

    expect(refusalOf(() => attributesOf(read(claims)))).toMatchObject({
      code: 'claim_invalid',
      facts: { claim: 'kubernetes.namespace' },
    })
  })

  test('are within the catalogue, whatever the claims are, or there are none', () => {
    const name = fc.oneof(fc.constantFrom('a', 'payments', 'a.b', 'A', ''), fc.string({ maxLength: 4 }), fc.jsonValue())
    const reference = fc.record({ name, uid: name }, { requiredKeys: [] })
    const property = fc.property(
      fc.record({ namespace: name, serviceaccount: reference, pod: reference, node: reference }, { requiredKeys: [] }),
      (kubernetes) => {
        const text = (value: unknown): string => (typeof value === 'string' ? value : '')
        const sub = `system:serviceaccount:${text(kubernetes.namespace)}:${text(kubernetes.serviceaccount?.name)}`
        const attributes = attributesIfAny({ sub, 'kubernetes.io': kubernetes })

        for (const [key, value] of attributes) expect(KUBERNETES_ATTRIBUTES.get(key)?.isValue(value)).toBe(true)
      },
    )

    fc.assert(property, { numRuns: 3_000 })
  })

  function attributesIfAny(claims: JsonObject): ReadonlyMap<string, string> {
    try {
      return attributesOf(read(claims))
    } catch (error) {
      if (error instanceof ProofError) return new Map()
      throw error
    }
  }
})
