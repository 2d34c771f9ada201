/** What is told of a document that has not the right shape: words of whoever writes it, none of the schema's. */

import { expect, test } from 'vitest'
import { bindingFor, documentFor } from '../support/document.ts'
import { CLUSTER, findingsIn } from '../support/federation-parts.ts'

function wordsFor(parts: object): readonly string[] {
  const text = JSON.stringify({ ...documentFor(CLUSTER, { bindings: {} }), ...parts })
  return findingsIn(text).map(({ path, code, message }) => `${path} ${code}: ${message}`)
}

const IDENTITY_NAME = 'an identity is segments of a-z, 0-9, ".", "_" and "-", joined by "/"; all below it are "/*"'
const CYRILLIC = '\u0440ayments'
const LONG = Array.from({ length: 5 }, () => 'x'.repeat(60)).join('/')

test.each<[string, object, readonly string[]]>([
  ['a missing member', { trust_domain: undefined }, ['/trust_domain shape: it is missing, and must be a string']],
  ['another version', { version: 2 }, ['/version shape: it must be 1']],
  ['a list for an object', { identities: [] }, ['/identities shape: it must be an object']],
  ['null for an object', { identities: { a: { claims: null } } }, ['/identities/a/claims shape: it must be an object']],
  [
    'text for true or false',
    { identities: { a: { suspended: 'yes' } } },
    ['/identities/a/suspended shape: it must be true or false'],
  ],
  [
    'a fraction',
    { identities: { a: { lifetime_seconds: 1.5 } } },
    ['/identities/a/lifetime_seconds shape: it must be a whole number'],
  ],
  [
    'zero, which is no limit',
    { identities: { a: { lifetime_seconds: 0 } } },
    ['/identities/a/lifetime_seconds shape: it must be at least 1'],
  ],
  [
    'a life beyond the longest',
    { identities: { a: { lifetime_seconds: 3_601 } } },
    ['/identities/a/lifetime_seconds shape: it must be at most 3600'],
  ],
  [
    'a cloud that there is not',
    { trusted_issuers: { a: { provider: 'k8s' } } },
    [expectedProvider('/trusted_issuers/a')],
  ],
  [
    'one of a few values',
    { audiences: { a: { signing_alg: 'HS256' } } },
    ['/audiences/a/signing_alg shape: it must be "ES256" or "RS256"'],
  ],
  [
    'a name that looks like another',
    { identities: { [CYRILLIC]: {} } },
    [`/identities/${CYRILLIC} name_malformed: ${IDENTITY_NAME}`],
  ],
  [
    'a name that is too long',
    { identities: { [LONG]: {} } },
    [`/identities/${LONG.replaceAll('/', '~1')} name_malformed: it must be at most 255 characters`],
  ],
  [
    'a list that is too long',
    {
      bindings: {
        b: bindingFor(
          Array.from({ length: 257 }, (_, n) => `n${n}`),
          'api',
          'payments/api',
        ),
      },
    },
    ['/bindings/b/match/kubernetes.namespace shape: a condition is a string, or a list of at most 256 strings'],
  ],
  [
    'a key that has a meaning',
    { trusted_issuers: { a: { provider: 'aws', accounts: { 1: {} } } } },
    ['/trusted_issuers/a/accounts/1 name_malformed: name an account by its twelve digits'],
  ],
])('tells %s', (_what, parts, expected) => {
  expect(wordsFor(parts)).toEqual(expected)
})

function expectedProvider(path: string): string {
  return `${path}/provider shape: it must be "kubernetes" or "aws" or "gcp" or "azure"`
}
