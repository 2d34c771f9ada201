/** The shape of the federation document: what every member may be. */

import { describe, expect, test } from 'vitest'
import { verifiers } from '../../providers/verifiers.ts'
import { createDocumentSchema, toJsonSchema } from '../../src/federation/document.ts'
import { bindingFor, documentFor } from '../support/document.ts'
import { CLUSTER, findingsIn, tell } from '../support/federation-parts.ts'

const NAME_127 = `n${'x'.repeat(126)}`
const IDENTITY_255 = `${'i'.repeat(63)}/`.repeat(3) + 'i'.repeat(63)

/** Puts a value at a path of the usual document. */
function withValue(path: readonly string[], value: unknown): string {
  const document: unknown = structuredClone(documentFor(CLUSTER))
  const [last = '', ...outer] = path.toReversed()
  const parent = outer.reverse().reduce<unknown>((inner, key) => Reflect.get(Object(inner), key), document)
  Reflect.set(Object(parent), last, value)
  return JSON.stringify(document)
}

function errorsAt(path: readonly string[], value: unknown): readonly string[] {
  return tell(findingsIn(withValue(path, value))).filter((finding) => finding.startsWith('error'))
}

test('takes the usual document, and fills in what may be left out', () => {
  const schema = createDocumentSchema(verifiers)

  const document = schema.parse({ version: 1, trust_domain: 'corp.example', trusted_issuers: {} })

  expect(document).toEqual({
    version: 1,
    trust_domain: 'corp.example',
    trusted_issuers: {},
    audiences: {},
    identities: {},
    bindings: {},
    delegations: {},
  })
  expect(tell(findingsIn({}))).toEqual([])
})

test('refuses to be made for no cloud at all', () => {
  expect(() => createDocumentSchema([])).toThrow(TypeError)
})

test.each<[readonly string[]]>([
  [['extra']],
  [['trusted_issuers', 'cluster', 'extra']],
  [['trusted_issuers', 'cluster', 'keys', 'extra']],
  [['audiences', 'ledger', 'extra']],
  [['identities', 'payments/api', 'extra']],
  [['bindings', 'payments-api', 'extra']],
  [['bindings', 'payments-api', 'suspendet']],
])('refuses the unknown member %j, whatever its value', (path) => {
  const text =
    path[2] === 'keys'
      ? withValue(['trusted_issuers', 'cluster', 'keys'], { from: 'discovery', extra: 1 })
      : withValue(path, 1)
  const pointer = `/${path.map((key) => key.replaceAll('/', '~1')).join('/')}`

  expect(tell(findingsIn(text))).toEqual([`error ${pointer} member_unknown`])
})

describe('takes', () => {
  test.each<[readonly string[], unknown]>([
    [['trust_domain'], 'a'.repeat(255)],
    [['trust_domain'], 'corp_1-x.example'],
    [['proof_audiences'], Array.from({ length: 16 }, (_, n) => `https://broker-${n}.example`)],
    [['proof_audiences'], ['!'.repeat(255)]],
    [
      ['audiences', 'ledger', 'scopes'],
      ['entries:read', ...Array.from({ length: 255 }, (_, n) => `s${n}`)],
    ],
    [
      ['audiences', 'ledger', 'scopes'],
      ['entries:read', 's'.repeat(255)],
    ],
    [
      ['audiences', 'ledger', 'scopes'],
      ['entries:read', '!#[]~'],
    ],
    [['audiences', 'ledger', 'max_lifetime_seconds'], 3_600],
    [['audiences', 'ledger', 'max_lifetime_seconds'], 1],
    [['audiences', 'ledger', 'signing_alg'], 'RS256'],
    [['audiences', 'ledger', 'token_type'], 'JWT'],
    [['audiences', 'a'.repeat(255)], {}],
    [['identities', IDENTITY_255], {}],
    [['identities', '0._-/a'], {}],
    [['identities', 'payments/api', 'lifetime_seconds'], 3_600],
    [['identities', 'payments/api', 'claims'], { team: 'payments', deep: [{ a: null }] }],
    [['bindings', NAME_127], bindingFor('other', 'api', 'payments/api')],
    [['bindings', 'payments-api', 'match', 'kubernetes.pod_name'], Array.from({ length: 256 }, (_, n) => `p${n}`)],
  ])('at %j: %j', (path, value) => {
    expect(errorsAt(path, value)).toEqual([])
  })
})

describe('refuses', () => {
  test.each<[readonly string[], unknown]>([
    [['version'], 2],
    [['version'], '1'],
    [['trust_domain'], ''],
    [['trust_domain'], 'a'.repeat(256)],
    [['trust_domain'], 'Corp.example'],
    [['trust_domain'], 'corp.example/x'],
    [['trust_domain'], 'corp.example\n'],
    [['proof_audiences'], []],
    [['proof_audiences'], Array.from({ length: 17 }, (_, n) => `https://broker-${n}.example`)],
    [['trusted_issuers', 'cluster', 'proof_audiences'], []],
    [['trusted_issuers', 'cluster'], { provider: 'nimbus' }],
    [['trusted_issuers', 'cluster'], {}],
    [['trusted_issuers'], []],
    [['audiences', 'ledger', 'scopes'], []],
    [['audiences', 'ledger', 'scopes'], Array.from({ length: 257 }, (_, n) => `s${n}`)],
    [['audiences', 'ledger', 'max_lifetime_seconds'], 0],
    [['audiences', 'ledger', 'max_lifetime_seconds'], 3_601],
    [['audiences', 'ledger', 'max_lifetime_seconds'], 1.5],
    [['audiences', 'ledger', 'max_lifetime_seconds'], '900'],
    [['audiences', 'ledger', 'max_lifetime_seconds'], null],
    [['audiences', 'ledger', 'signing_alg'], 'HS256'],
    [['audiences', 'ledger', 'signing_alg'], 'none'],
    [['audiences', 'ledger', 'token_type'], 'jwt'],
    [['identities', 'payments/api', 'lifetime_seconds'], 0],
    [['identities', 'payments/api', 'lifetime_seconds'], 3_601],
    [['identities', 'payments/api', 'lifetime_seconds'], null],
    [['identities', 'payments/api', 'grants'], null],
    [['identities', 'payments/api', 'grants', 'ledger'], 'entries:read'],
    [['identities', 'payments/api', 'grants', 'ledger'], Array.from({ length: 257 }, () => 'entries:read')],
    [['identities', 'payments/api', 'claims'], []],
    [['bindings', 'payments-api', 'match', 'kubernetes.pod_name'], []],
    [['bindings', 'payments-api', 'match', 'kubernetes.pod_name'], 1],
    [['bindings', 'payments-api', 'match', 'kubernetes.pod_name'], null],
    [['bindings', 'payments-api', 'match', 'kubernetes.pod_name'], Array.from({ length: 257 }, (_, n) => `p${n}`)],
    [['bindings', 'payments-api', 'identity'], 'preview/{kubernetes.namespace}'],
    [['bindings', 'payments-api', 'trusted_issuer'], ''],
  ])('at %j: %j', (path, value) => {
    const pointer = `/${path.map((key) => key.replaceAll('/', '~1')).join('/')}`

    expect(errorsAt(path, value)).not.toEqual([])
    expect(errorsAt(path, value).filter((error) => !error.startsWith(`error ${pointer}`))).toEqual([])
  })

  test.each([
    ['proof_audiences', 0],
    ['audiences', 'ledger', 'scopes', 0],
  ])('a text of more than 255 characters, or with a space, quote or backslash, in %s %s', (...path) => {
    const keys = path.slice(0, -1).map(String)

    for (const text of ['a'.repeat(256), 'a b', '', 'é', 'a\n', 'a\u007f']) {
      expect(errorsAt(keys, [text, 'entries:read'])).toContain(`error /${path.join('/')} shape`)
    }
  })

  test.each(['a"b', 'a\\b'])('the scope %s, which a request could not spell', (scope) => {
    expect(errorsAt(['audiences', 'ledger', 'scopes'], ['entries:read', scope])).toEqual([
      'error /audiences/ledger/scopes/1 shape',
    ])
  })

  test.each([
    ['trusted_issuers', ['', '-a', '.a', '/a', 'a b', 'é', `${NAME_127}x`, 'a\n']],
    ['bindings', ['', '-a', '.a', '/a', 'a b', 'é', `${NAME_127}x`, 'a\n']],
    ['audiences', ['', 'a b', 'é', 'a'.repeat(256), 'a\n']],
    [
      'identities',
      [
        '',
        'A',
        '/a',
        'a/',
        'a//b',
        '.a',
        '-a',
        '_a',
        'a/.b',
        '..',
        'a/../b',
        'i'.repeat(64),
        `${IDENTITY_255}/i`,
        'a\n',
      ],
    ],
  ])('a malformed name among the %s', (member, names) => {
    for (const name of names) {
      const pointer = `/${member}/${name.replaceAll('/', '~1')}`

      expect(errorsAt([member, name], {})).toContain(`error ${pointer} name_malformed`)
    }
  })

  test('a document without one of the members that it must have', () => {
    for (const member of ['version', 'trust_domain', 'trusted_issuers']) {
      const document = JSON.stringify({ ...documentFor(CLUSTER), [member]: undefined })

      expect(tell(findingsIn(document))).toContain(`error /${member} shape`)
    }
  })

  test.each(['null', '[]', '"x"', '1', 'true'])('%s in place of a document', (text) => {
    expect(tell(findingsIn(text))).toEqual(['error  shape'])
  })
})

test('publishes a schema that lets what is defaulted be absent and nothing be added', () => {
  const schema = JSON.parse(JSON.stringify(toJsonSchema(verifiers))) as Readonly<Record<string, unknown>>

  expect(schema).toMatchObject({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    required: ['version', 'trust_domain', 'trusted_issuers'],
    additionalProperties: false,
  })
})
