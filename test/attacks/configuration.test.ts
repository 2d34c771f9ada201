/** Attacks through what a document says wrongly: words that nobody knows, wrong types, and limits that are none. */

import { test } from 'vitest'
import { BROKER, documentFor } from '../support/document.ts'
import { expectAccepted, expectErrors } from '../support/expect-check.ts'

const ISSUER = 'https://oidc.eks.us-east-1.amazonaws.com/id/2F331C82755EF3E43731C8D6E299FAEF'

type Place = readonly (string | number)[]

const REVIEW = { api_server: 'https://api.corp.example:6443', token_file: 'reviewer' }

/** A document that uses every member there is. */
function fullDocument(): Record<string, unknown> {
  const cluster = { provider: 'kubernetes', issuers: [ISSUER], proof_audiences: [BROKER], keys: { from: 'discovery' } }
  const url = 'https://keys.corp.example/jwks.json'
  return {
    ...documentFor(ISSUER, {
      trusted_issuers: {
        cluster: { ...cluster, private_hosts: ['10.0.0.1:6443'], ca_file: 'ca.pem', token_review: REVIEW },
        fetched: { ...cluster, issuers: [`${ISSUER}0`], keys: { from: 'url', url } },
      },
      audiences: {
        ledger: { scopes: ['entries:read'], max_lifetime_seconds: 900, signing_alg: 'ES256', token_type: 'at+jwt' },
      },
      identities: {
        'payments/api': { grants: { ledger: ['entries:read'] }, lifetime_seconds: 900, claims: { team: 'payments' } },
      },
    }),
  }
}

/** The full document with one member replaced. */
function bend(place: Place, value: unknown): Record<string, unknown> {
  const document = structuredClone(fullDocument())
  let inner: Record<string | number, unknown> = document
  for (const key of place.slice(0, -1)) inner = inner[key] as Record<string | number, unknown>
  inner[place.at(-1) ?? ''] = value
  return document
}

/** Where it is, as a JSON pointer. */
const pointer = (place: Place): string => place.map((key) => `/${String(key).replaceAll('/', '~1')}`).join('')

const CLUSTER = ['trusted_issuers', 'cluster'] as const
const LEDGER = ['audiences', 'ledger'] as const
const IDENTITY = ['identities', 'payments/api'] as const
const BINDING = ['bindings', 'payments-api'] as const

test('CFG-05 the document that the rest of this bends can be used', async () => {
  await expectAccepted(fullDocument())
})

const LEVELS: readonly Place[] = [
  [],
  CLUSTER,
  [...CLUSTER, 'keys'],
  ['trusted_issuers', 'fetched', 'keys'],
  [...CLUSTER, 'token_review'],
  LEDGER,
  IDENTITY,
  BINDING,
]

test.each(LEVELS.map((level) => [pointer(level), level] as const))(
  'CFG-05 refuses a member that nobody knows at "%s"',
  async (at, level) => {
    for (const name of ['surprise', 'suspended ', 'Issuers', 'constructor', 'skip_audience_check', '']) {
      await expectErrors(bend([...level, name], true), [`${at}/${name} member_unknown`])
    }
  },
)

test('CFG-05 points at every member that nobody knows', async () => {
  const document = { ...bend([...CLUSTER, 'a'], 1), b: 2, c: 3 }

  await expectErrors(document, [`${pointer(CLUSTER)}/a member_unknown`, '/b member_unknown', '/c member_unknown'])
})

test.each(['heroku', 'AWS', 'google', 'Kubernetes', 'kubernetes ', '', null, 0, ['kubernetes']])(
  'CFG-05 refuses the cloud %j, which this version does not know',
  async (provider) => {
    await expectErrors(bend([...CLUSTER, 'provider'], provider), [`${pointer(CLUSTER)}/provider shape`])
  },
)

const LIFETIMES = [0, -1, 3_601, 1e9, 0.5, 900.5, '900', '', null, true, [900], { seconds: 900 }]

test.each([[[...IDENTITY, 'lifetime_seconds']], [[...LEDGER, 'max_lifetime_seconds']]])(
  'CFG-05 takes for %j a whole number from 1 to 3600 and nothing else',
  async (place) => {
    for (const value of LIFETIMES) await expectErrors(bend(place, value), [`${pointer(place)} shape`])
    await expectErrors(JSON.stringify(bend(place, 987)).replace('987', '1e400'), [`${pointer(place)} shape`])
    await expectAccepted(bend(place, 3_600))
  },
)

/** Each place with values that a careless reader would take for "whatever you like". */
const NOT_UNLIMITED: readonly (readonly [Place, readonly unknown[]])[] = [
  [['version'], [0, 2, '1', '', null, 1.5, [1], true]],
  [['trust_domain'], ['', null, 0, 'Corp.example', 'corp.example/x', 'spiffe://corp.example', 'a b', '*', ['a']]],
  [['trusted_issuers'], [null, '', 0, [], 'cluster']],
  [['audiences'], [null, '', 0, []]],
  [['identities'], [null, '', 0, []]],
  [['bindings'], [null, '', 0, []]],
  [[...CLUSTER], [null, '', 0, true]],
  [
    [...CLUSTER, 'issuers'],
    [null, '', 0, [], ISSUER, Array.from({ length: 65 }, (_, at) => `${ISSUER}${at}`)],
  ],
  [
    [...CLUSTER, 'keys'],
    [null, '', 0, [], true, 'discovery'],
  ],
  [
    [...CLUSTER, 'keys', 'from'],
    [null, '', 0, 'anywhere', 'Discovery', ['url']],
  ],
  [
    [...CLUSTER, 'private_hosts'],
    [null, '', 0, [], '10.0.0.1'],
  ],
  [
    [...CLUSTER, 'ca_file'],
    [null, '', 0, [], false],
  ],
  [
    [...CLUSTER, 'token_review'],
    [null, '', 0, [], true, false],
  ],
  [
    [...CLUSTER, 'token_review', 'api_server'],
    [null, 0, [], false],
  ],
  [
    [...CLUSTER, 'token_review', 'token_file'],
    [null, '', 0, [], '../x', '/etc/passwd', 'a/../b', '.', 'a//b'],
  ],
  [
    [...LEDGER, 'scopes'],
    [null, '', 0, [], 'entries:read', {}],
  ],
  [
    [...LEDGER, 'signing_alg'],
    [null, '', 0, 'none', 'HS256', 'es256', ['ES256']],
  ],
  [
    [...LEDGER, 'token_type'],
    [null, '', 0, 'jwt', 'at+JWT', ['JWT']],
  ],
  [
    [...IDENTITY, 'grants'],
    [null, '', 0, [], 'ledger', '*'],
  ],
  [
    [...IDENTITY, 'grants', 'ledger'],
    [null, '', 0, '*', 'entries:read', { scopes: [] }],
  ],
  [
    [...IDENTITY, 'claims'],
    [null, '', 0, [], 'team'],
  ],
  [
    [...BINDING, 'match'],
    [null, '', 0, [], '*'],
  ],
  [
    [...BINDING, 'match', 'kubernetes.namespace'],
    [null, 0, [], {}, true],
  ],
  [
    [...BINDING, 'identity'],
    [null, '', 0, '*', ['payments/api']],
  ],
  [
    [...BINDING, 'trusted_issuer'],
    [null, '', 0, '*', ['cluster']],
  ],
]

test.each(NOT_UNLIMITED.map(([place, values]) => [pointer(place), place, values] as const))(
  'CFG-05 nothing, zero and the wrong type never mean "unlimited": %s',
  async (at, place, values) => {
    for (const value of values) await expectErrors(bend(place, value), [`${at} shape`])
  },
)

const LISTS: readonly (readonly [Place, readonly unknown[]])[] = [
  [
    [...CLUSTER, 'issuers'],
    [null, 0, [], {}],
  ],
  [
    [...CLUSTER, 'private_hosts'],
    [null, '', 0, '*', '*.corp.example', 'Corp.example', '10.0.0.1:0', '10.0.0.0/8', 'a b'],
  ],
  [
    [...LEDGER, 'scopes'],
    [null, '', 0, 'a b', 'a"b', 'caf\u00e9'],
  ],
  [
    [...IDENTITY, 'grants', 'ledger'],
    [null, 0, [], {}],
  ],
  [
    [...BINDING, 'match', 'kubernetes.namespace'],
    [null, 0, [], {}],
  ],
]

test.each(LISTS.map(([place, values]) => [pointer(place), place, values] as const))(
  'CFG-05 nothing in a list means "any": %s',
  async (at, place, values) => {
    const isUnion = place.includes('match')
    for (const value of values) await expectErrors(bend(place, [value]), [`${at}${isUnion ? '' : '/0'} shape`])
  },
)

test('CFG-05 refuses a document without what it must have', async () => {
  for (const name of ['version', 'trust_domain', 'trusted_issuers']) {
    await expectErrors(bend([name], undefined), [`/${name} shape`])
  }
  await expectErrors(bend([...CLUSTER, 'issuers'], undefined), [`${pointer(CLUSTER)}/issuers shape`])
  await expectErrors(bend([...BINDING, 'identity'], undefined), [`${pointer(BINDING)}/identity shape`])
  await expectErrors(bend([...CLUSTER, 'token_review', 'token_file'], undefined), [
    `${pointer(CLUSTER)}/token_review/token_file shape`,
  ])
})

test.each(['*', 'entries:*', 'entries:write', 'ENTRIES:READ'])(
  'CFG-05 refuses a grant of %s, which is no scope',
  async (scope) => {
    await expectErrors(bend([...IDENTITY, 'grants', 'ledger'], [scope]), [
      `${pointer([...IDENTITY, 'grants', 'ledger', 0])} scope_unknown`,
    ])
  },
)
