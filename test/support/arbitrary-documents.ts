/** Documents of every kind: well-formed, nearly so, and nothing of the sort. */

import fc from 'fast-check'

/** Names that mean something to JavaScript, to the schema or to nobody. */
const names = fc.constantFrom(
  ...['cluster', 'payments/api', 'ledger', 'a', '', 'A b', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'],
)

const urls = fc.constantFrom(
  ...['https://cluster.example', 'https://cluster.example/', 'http://cluster.example', 'https://10.0.0.1', 'nonsense'],
  ...[
    'https://user@cluster.example',
    'https://cluster.example?x',
    'https://[::1',
    'https://kubernetes.default.svc',
    '',
  ],
)

const jwks = fc.record(
  {
    kty: fc.constantFrom('EC', 'RSA', 'oct', 1, null),
    crv: fc.constantFrom('P-256', 'P-999', {}),
    kid: fc.constantFrom('k', '', 1),
    x: fc.constantFrom('AAAA', '', 1),
    y: fc.constantFrom('AAAA', '', []),
    n: fc.constantFrom('AQAB', ''),
    e: fc.constantFrom('AQAB', 3),
    d: fc.constant('AAAA'),
  },
  { requiredKeys: [] },
)

const keys = fc.oneof(
  fc.constant({ from: 'discovery' }),
  fc.record({ from: fc.constant('url'), url: urls }),
  fc.record({ from: fc.constant('inline'), jwks: fc.record({ keys: fc.array(jwks, { maxLength: 3 }) }) }),
  fc.jsonValue({ maxDepth: 1 }),
)

const trustedIssuer = fc.record(
  {
    provider: fc.constantFrom('kubernetes', 'kubernetes', 'aws', 1),
    issuers: fc.array(urls, { maxLength: 3 }),
    keys,
    proof_audiences: fc.array(fc.oneof(urls, names), { maxLength: 2 }),
    private_hosts: fc.array(fc.oneof(urls, names), { maxLength: 2 }),
    ca_file: names,
    token_review: fc.record({ api_server: urls, token_file: names }, { requiredKeys: [] }),
  },
  { requiredKeys: ['provider', 'issuers'] },
)

const binding = fc.record(
  {
    trusted_issuer: names,
    match: fc.dictionary(
      fc.constantFrom('kubernetes.namespace', 'kubernetes.service_account', 'kubernetes.pod_name', 'toString'),
      fc.oneof(names, fc.array(names, { maxLength: 2 }), fc.constantFrom('a-*', '*', 'a', 'b')),
    ),
    identity: names,
  },
  { requiredKeys: [] },
)

const identity = fc.record(
  {
    grants: fc.dictionary(names, fc.array(names, { maxLength: 2 })),
    lifetime_seconds: fc.oneof(fc.integer(), fc.double()),
    claims: fc.dictionary(names, fc.jsonValue({ maxDepth: 2 })),
  },
  { requiredKeys: [] },
)

/** A document with the right members, each of which may be wrong. */
export const likelyDocuments: fc.Arbitrary<string> = fc
  .record(
    {
      version: fc.constantFrom(1, 1, 1, 2, '1'),
      trust_domain: fc.constantFrom('corp.example', 'corp.example', '', 1),
      proof_audiences: fc.array(names, { maxLength: 2 }),
      trusted_issuers: fc.dictionary(names, trustedIssuer, { maxKeys: 3 }),
      audiences: fc.dictionary(
        names,
        fc.record({ scopes: fc.array(names), max_lifetime_seconds: fc.integer() }, { requiredKeys: [] }),
      ),
      identities: fc.dictionary(names, identity, { maxKeys: 3 }),
      bindings: fc.dictionary(names, binding, { maxKeys: 4 }),
      other: fc.jsonValue({ maxDepth: 1 }),
    },
    { requiredKeys: ['version', 'trust_domain', 'trusted_issuers'] },
  )
  .map((document) => JSON.stringify(document))

/** Any JSON at all, and text that is none. */
export const anyTexts: fc.Arbitrary<string> = fc.oneof(
  fc.jsonValue({ maxDepth: 6 }).map((value) => JSON.stringify(value)),
  fc.string({ unit: 'binary' }),
  fc.tuple(likelyDocuments, fc.nat(2_000)).map(([text, length]) => text.slice(0, length)),
)

const scopes = fc.uniqueArray(oftenOneOf('r', 'w', 'unknown'), { maxLength: 2 })
const plausibleIdentity = fc.record({
  grants: fc.dictionary(oftenOneOf('ledger', 'ledger', 'unknown'), scopes, { maxKeys: 1 }),
})

/** Gives one of the first two, and once in twenty times the third. */
function oftenOneOf<T>(one: T, other: T, rare: T): fc.Arbitrary<T> {
  return fc.oneof({ weight: 19, arbitrary: fc.constantFrom(one, other) }, { weight: 1, arbitrary: fc.constant(rare) })
}

/** Documents that are well-formed and often right: the mistakes are references to what is not there, and overlaps. */
export const plausibleDocuments: fc.Arbitrary<string> = fc
  .record({
    identities: fc.record({ a: plausibleIdentity, b: plausibleIdentity, constructor: plausibleIdentity }),
    bindings: fc.dictionary(
      fc.constantFrom('x', 'y', 'toString'),
      fc.record({
        trusted_issuer: oftenOneOf('east', 'constructor', 'unknown'),
        match: fc.record({
          'kubernetes.namespace': fc.constantFrom('a', 'b', 'c', 'a-*'),
          'kubernetes.service_account': fc.constantFrom('a', 'b'),
        }),
        identity: oftenOneOf('a', 'constructor', 'unknown'),
      }),
    ),
  })
  .map((parts) =>
    JSON.stringify({
      version: 1,
      trust_domain: 'corp.example',
      trusted_issuers: {
        east: { provider: 'kubernetes', issuers: ['https://east.example'] },
        constructor: { provider: 'kubernetes', issuers: ['https://west.example'] },
      },
      audiences: { ledger: { scopes: ['r', 'w'] }, plain: {} },
      ...parts,
    }),
  )
