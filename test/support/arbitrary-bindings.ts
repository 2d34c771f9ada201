/** Documents of bindings that meet, cross and contain each other, by values, lists and prefixes, on platform's and caller's attributes. */

import fc from 'fast-check'

const ACCOUNT = '123456789012'

const inCluster = fc.record({
  trusted_issuer: fc.constant('prod-eks'),
  match: fc.record(
    {
      'kubernetes.namespace': fc.constantFrom<string | string[]>(
        'a',
        'a-*',
        'a-b',
        'a-b-*',
        ['a', 'a-b'],
        ['a-b-c', 'c'],
      ),
      'kubernetes.service_account': fc.constantFrom<string | string[]>('x', 'x-y', ['x', 'x-y'], 'x-*'),
      'kubernetes.node_name': fc.constantFrom<string | string[]>('n', ['n', 'm']),
      'kubernetes.pod_name': fc.constantFrom<string | string[]>('p', ['p', 'q']),
    },
    { requiredKeys: ['kubernetes.namespace', 'kubernetes.service_account'] },
  ),
})

const asRole = fc.record({
  trusted_issuer: fc.constant('aws-prod'),
  match: fc.record(
    {
      'aws.account_id': fc.constant(ACCOUNT),
      'aws.role_name': fc.constantFrom<string | string[]>('r', 'r-s', ['r', 'r-s'], 'r-*'),
      'aws.session_name': fc.constantFrom<string | string[]>('build', ['build', 'deploy']),
      'aws.principal_tags/team': fc.constantFrom('t', 'u'),
    },
    { requiredKeys: ['aws.account_id', 'aws.role_name'] },
  ),
})

const more = fc.record({ identity: fc.constantFrom('payments/api', 'payments/batch'), suspended: fc.boolean() })

/** The bindings of a document, by name. */
export const meetingBindings: fc.Arbitrary<Readonly<Record<string, object>>> = fc.dictionary(
  fc.constantFrom('b', 'c', 'd', 'e', 'f'),
  fc.tuple(fc.oneof(inCluster, asRole), more).map(([binding, rest]) => ({ ...binding, ...rest })),
  { minKeys: 2 },
)
