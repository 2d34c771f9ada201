/** Settings with which a verifier could not keep its promise. */

import { describe, expect, test } from 'vitest'
import { createVerifier, type VerifierSettings } from '../../src/verify/verifier.ts'
import { problemsOf } from '../support/rejection.ts'

const GOOD: VerifierSettings = { issuer: 'https://broker.example', audience: 'ledger' }

const namesOf = (settings: object): readonly unknown[] =>
  problemsOf(() => createVerifier({ ...GOOD, ...settings })).map(({ path }) => path[0])

test.each([
  'https://broker.example',
  'https://broker.example/tenant/a',
  'https://broker.example:8443',
  'http://127.0.0.1:8080',
  'http://[::1]:8080',
  'http://localhost:8080',
])('takes the issuer %s', (issuer) => {
  expect(createVerifier({ ...GOOD, issuer })).toMatchObject({ issuer, audience: 'ledger' })
})

describe('refuses', () => {
  test.each([
    ...[
      'http://broker.example',
      'http://127.0.0.1.evil.example',
      'http://127.0.0.2',
      'ftp://broker.example',
      'file:///keys',
      'broker',
      '',
    ],
    ...['https://broker.example/', 'https://broker.example/a/', 'https://broker.example?', 'https://broker.example#'],
    ...['https://broker.example/a?tenant=x', 'https://broker.example/a#x'],
    ...[
      'https://u:p@broker.example',
      'https://u@broker.example',
      'https://BROKER.example',
      'https://broker.example:443',
    ],
    ...['https://broker.example/a/../b', ' https://broker.example'],
    ...[undefined, null, 7],
  ])('JWK-10 the issuer %j', (issuer) => {
    expect(namesOf({ issuer })).toContain('issuer')
  })

  test.each(['http://keys.example/jwks', 'https://:p@keys.example/jwks', 'data:application/json,{}', 'keys.json', ''])(
    'JWK-10 keys at %j',
    (jwks) => {
      expect(namesOf({ jwks })).toEqual(['jwks'])
    },
  )

  const OTHERS: readonly (readonly [string, unknown])[] = [
    ['jwks', { keys: [] }],
    ['jwks', {}],
    ['jwks', null],
    ['audience', ''],
    ['audience', undefined],
    ['audience', ['ledger']],
    ['algorithms', []],
    ['algorithms', ['ES256', 'HS256']],
    ['algorithms', ['none']],
    ['tokenType', 'jwt'],
    ['trustDomain', ''],
    ['trustDomain', 'spiffe://corp.example'],
    ['trustDomain', 'Corp.example'],
    ['scope', ''],
    ['scope', 'a  b'],
    ['scope', ['a b']],
    ['scope', [7]],
  ]

  test.each(OTHERS)('%s of %j', (name, value) => {
    expect(namesOf({ [name]: value })).toEqual([name])
  })

  test('several at once, and says which', () => {
    expect(namesOf({ audience: '', tokenType: 'x', scope: '' })).toEqual(['audience', 'tokenType', 'scope'])
  })
})
