/** What a binding may say, and where it is told that it may not. */

import { describe, expect, test } from 'vitest'
import type { VerifierProvider } from '../../providers/contract/provider.ts'
import { verifiers } from '../../providers/verifiers.ts'
import { bindingFor } from '../support/document.ts'
import { CONTEXT, findingsIn, tell } from '../support/federation-parts.ts'

const MATCH = '/bindings/b/match'
const IDENTITY = 'payments/api'

function errorsOf(binding: object): readonly string[] {
  return tell(findingsIn({ bindings: { b: binding } }))
}

test.each([
  ['an exact pair', 'payments', 'api', {}],
  ['lists', ['payments', 'refunds'], ['api', 'web'], {}],
  ['a prefix of the namespace', 'preview-*', 'web', {}],
  ['a prefix of the account', 'payments', 'web.*', {}],
  ['a list of one prefix', ['preview-*'], 'web', {}],
  ['every other attribute', 'payments', 'api', { 'kubernetes.pod_name': 'api-1', 'kubernetes.node_uid': 'n-1' }],
])('takes %s', (_what, namespace, account, more) => {
  expect(errorsOf(bindingFor(namespace, account, IDENTITY, more))).toEqual([])
})

describe('refuses', () => {
  test.each<[string, object, string]>([
    ['an attribute that the platform has not', { 'kubernetes.cluster': 'x' }, '/kubernetes.cluster attribute_unknown'],
    ['an attribute of another cloud', { 'aws.account_id': '1' }, '/aws.account_id attribute_unknown'],
    ['an attribute that every object has', { constructor: 'x' }, '/constructor attribute_unknown'],
    ['a star in the middle', { 'kubernetes.pod_name': 'a-*-b' }, '/kubernetes.pod_name prefix_malformed'],
    [
      'a star that is not after a separator',
      { 'kubernetes.namespace': 'pay*' },
      '/kubernetes.namespace prefix_malformed',
    ],
    ['a star alone', { 'kubernetes.namespace': '*' }, '/kubernetes.namespace prefix_malformed'],
    ['a prefix among values', { 'kubernetes.namespace': ['a-*', 'b'] }, '/kubernetes.namespace prefix_malformed'],
    ['a prefix where none is allowed', { 'kubernetes.pod_name': 'a-*' }, '/kubernetes.pod_name prefix_not_allowed'],
    ['an impossible value', { 'kubernetes.namespace': 'Payments' }, '/kubernetes.namespace value_impossible'],
    [
      'an impossible value of a list',
      { 'kubernetes.namespace': ['a', 'b c'] },
      '/kubernetes.namespace value_impossible',
    ],
    ['an impossible prefix', { 'kubernetes.namespace': 'a_*' }, '/kubernetes.namespace value_impossible'],
    ['an empty value', { 'kubernetes.namespace': '' }, '/kubernetes.namespace value_impossible'],
    ['a value with an end of line', { 'kubernetes.namespace': 'a\n' }, '/kubernetes.namespace value_impossible'],
  ])('%s, and says where', (_what, more, expected) => {
    expect(errorsOf(bindingFor('payments', 'api', IDENTITY, more))).toEqual([`error ${MATCH}${expected}`])
  })

  test.each([
    ['no condition', {}],
    ['a namespace alone', { 'kubernetes.namespace': 'payments' }],
    ['an account alone', { 'kubernetes.service_account': 'api' }],
    ['uids alone', { 'kubernetes.service_account_uid': 'u-1', 'kubernetes.pod_uid': 'u-2' }],
  ])('%s, which a stranger could satisfy', (_what, match) => {
    expect(errorsOf({ trusted_issuer: 'cluster', match, identity: IDENTITY })).toEqual([`error ${MATCH} pin_missing`])
  })

  test('a second prefix', () => {
    expect(errorsOf(bindingFor('preview-*', 'web-*', IDENTITY))).toEqual([`error ${MATCH} prefix_repeated`])
  })

  test.each(['west', 'constructor', 'toString'])('the trusted issuer %s, which the document does not name', (name) => {
    const binding = { ...bindingFor('payments', 'api', IDENTITY), trusted_issuer: name }

    expect(errorsOf(binding)).toEqual(['error /bindings/b/trusted_issuer trusted_issuer_unknown'])
  })

  test.each(['payments/web', 'constructor', 'payments'])(
    'the identity %s, which the document does not name',
    (name) => {
      expect(errorsOf(bindingFor('payments', 'api', name))).toEqual(['error /bindings/b/identity identity_unknown'])
    },
  )

  test('one list too many combinations, and takes one fewer', () => {
    const names = (count: number) => Array.from({ length: count }, (_, number) => `n${number}`)

    expect(errorsOf(bindingFor(names(32), names(33), IDENTITY))).toEqual([`error ${MATCH} match_too_large`])
    expect(errorsOf(bindingFor(names(32), names(32), IDENTITY))).toEqual([])
  })

  test('all lists too many combinations, and looks no further', () => {
    const names = (letter: string) => Array.from({ length: 32 }, (_, number) => `${letter}${number}`)
    const large = (count: number) => ({
      ...Object.fromEntries(
        Array.from({ length: count }, (_, at) => [`b${at}`, bindingFor(names(`n${at}-`), names('s'), IDENTITY)]),
      ),
      one: bindingFor(['a', 'b'], 'api', IDENTITY),
      two: bindingFor(['b', 'a'], 'api', IDENTITY),
    })

    expect(tell(findingsIn({ bindings: large(3) }))).toEqual(['error /bindings/two bindings_equal'])
    expect(tell(findingsIn({ bindings: large(977) }))).toEqual(['error /bindings bindings_too_large'])
  })

  test('a longer value than anybody needs, even where the platform might send it', () => {
    const [kubernetes] = verifiers
    const lenient = { ...kubernetes, attributes: lenientAttributes(kubernetes) } as VerifierProvider<unknown>
    const errorsFor = (value: string) =>
      tell(findingsIn({ bindings: { b: bindingFor(value, 'api', IDENTITY) } }, { ...CONTEXT, providers: [lenient] }))

    expect(errorsFor('n'.repeat(512))).toEqual([])
    expect(errorsFor('n'.repeat(513))).toEqual([`error ${MATCH}/kubernetes.namespace value_impossible`])
  })
})

function lenientAttributes(provider: VerifierProvider<unknown> | undefined): VerifierProvider<unknown>['attributes'] {
  return new Map(
    [...(provider?.attributes ?? [])].map(([name, attribute]) => [name, { ...attribute, isValue: () => true }]),
  )
}

describe('of several bindings', () => {
  const crossing = {
    one: bindingFor(['a', 'b'], 'api', 'payments/api'),
    two: bindingFor(['b', 'c'], 'api', 'other'),
  }
  const identities = { 'payments/api': {}, other: {} }

  test('names both that overlap, with a proof that both would match', () => {
    const [finding, ...others] = findingsIn({ identities, bindings: crossing })

    expect(others).toEqual([])
    expect(finding).toMatchObject({
      severity: 'error',
      path: '/bindings/two',
      code: 'bindings_overlap',
      witness: { 'kubernetes.namespace': 'b', 'kubernetes.service_account': 'api' },
    })
    expect(finding?.message).toMatch(/one \(payments\/api\) and two \(other\)/)
  })

  test('refuses two that match the same proofs, though they name one identity', () => {
    const same = bindingFor('a', 'api', 'payments/api')

    expect(tell(findingsIn({ bindings: { one: same, two: same } }))).toEqual(['error /bindings/two bindings_equal'])
  })

  test('an issuer may have 64 sets of attributes, and not one more', () => {
    const shapes = (count: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, number) => [`b${number}`, bindingOfShape(number, 'payments/api')]),
      )

    expect(tell(findingsIn({ bindings: shapes(64) }))).toEqual([])
    expect(tell(findingsIn({ bindings: shapes(65) }))).toEqual(['error /trusted_issuers/cluster shapes_too_many'])
  })

  test('of an issuer with too many sets of attributes are not searched for overlaps', () => {
    const shapes = Array.from({ length: 65 }, (_, number) => [`b${number}`, bindingOfShape(number, 'payments/api')])

    expect(tell(findingsIn({ identities, bindings: { ...Object.fromEntries(shapes), ...crossing } }))).toEqual([
      'error /trusted_issuers/cluster shapes_too_many',
    ])
  })

  test('lets eight of one identity share a value of their lists, and not one more', () => {
    const sharing = (count: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, number) => [`b${number}`, bindingFor('a', ['all', `n${number}`], IDENTITY)]),
      )

    expect(tell(findingsIn({ bindings: sharing(8) }))).toEqual([])
    expect(tell(findingsIn({ bindings: sharing(9) }))).toEqual(['error /bindings/b8 bindings_crowded'])
  })

  test('says where so many meet that nobody could look at all pairs', () => {
    const many = (attribute: string) =>
      Array.from({ length: 1_450 }, (_, number) => [
        `${attribute}${number}`,
        bindingFor('a', 'api', IDENTITY, { [attribute]: `n${number}` }),
      ])
    const bindings = Object.fromEntries([...many('kubernetes.pod_name'), ...many('kubernetes.node_name')])

    expect(tell(findingsIn({ bindings }))).toEqual(['error /trusted_issuers/cluster overlap_unproven'])
  })

  test('is told of a hundred overlaps, and that there may be more', () => {
    const names = Array.from({ length: 8 }, (_, number) => [`i${number}`, {}] as const)
    const some = Array.from({ length: 8 }, (_, at) =>
      Array.from({ length: 5 }, (_, group) => [
        `b${at}-${group}`,
        bindingFor('a', [`g${group}`, `n${at}`], `i${at}`, {
          'kubernetes.node_name': [`n-${at}`, `n-${group}`, 'all'],
        }),
      ]),
    )
    const found = findingsIn({ identities: Object.fromEntries(names), bindings: Object.fromEntries(some.flat()) })

    expect(found.filter(({ code }) => code === 'bindings_overlap')).toHaveLength(100)
    expect(found.slice(100)).toMatchObject([{ path: '/trusted_issuers/cluster', code: 'overlap_unproven' }])
  })

  test('leaves one that is broken by itself out of the overlap proof', () => {
    const broken = bindingFor(['b', 'c'], 'api', 'other', { 'kubernetes.cluster': 'x' })

    expect(tell(findingsIn({ identities, bindings: { ...crossing, two: broken } }))).toEqual([
      'error /bindings/two/match/kubernetes.cluster attribute_unknown',
    ])
  })
})

/** A prefix of another length makes another shape. */
function bindingOfShape(number: number, identity: string): object {
  const prefix = `${'n'.repeat((number % 60) + 1)}-*`
  return number < 60 ? bindingFor(prefix, 'api', identity) : bindingFor('n', prefix, identity)
}
