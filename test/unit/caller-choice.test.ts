/** Nobody chooses its own identity: bindings that only the caller's own words tell apart are one identity, or none. */

import { describe, expect, test } from 'vitest'
import { awsVerifier } from '../../providers/aws/verifier.ts'
import type { AttributeDescription } from '../../providers/contract/provider.ts'
import { platformAttribute } from '../../providers/kit/attributes.ts'
import type { Binding } from '../../src/federation/bindings.ts'
import { findCallerChoices } from '../../src/federation/caller-choice.ts'
import { CONTEXT, findingsIn, tell } from '../support/federation-parts.ts'
import { bindingOf } from '../support/made-bindings.ts'

const ACCOUNT = '123456789012'
const ROLE = { 'aws.account_id': ACCOUNT, 'aws.role_name': 'pods' }

type Bindings = Readonly<Record<string, { match: object; identity: string }>>

function documentOf(bindings: Bindings) {
  return {
    trusted_issuers: { aws: { provider: 'aws', accounts: { [ACCOUNT]: {} } } },
    identities: { one: {}, other: {} },
    bindings: Object.fromEntries(
      Object.entries(bindings).map(([name, binding]) => [name, { trusted_issuer: 'aws', ...binding }]),
    ),
  }
}

function findings(bindings: Bindings): readonly string[] {
  return tell(findingsIn(documentOf(bindings))).filter((line) => !line.includes('attribute_cautioned'))
}

const SESSION = { 'aws.session_name': 'admin' }
const TAG = { 'aws.principal_tags/team': 'payments' }

describe('two bindings of different identities', () => {
  test.each([
    ['one of them has a session name', ROLE, { ...ROLE, ...SESSION }],
    ['both have one', { ...ROLE, 'aws.session_name': 'a-session' }, { ...ROLE, ...SESSION }],
    [
      'one has it, of a role that the other has by its beginning',
      { ...ROLE, 'aws.role_name': 'pods-*' },
      { ...ROLE, 'aws.role_name': 'pods-a', ...SESSION },
    ],
    [
      'one has it, of one role of the list',
      { ...ROLE, 'aws.role_name': ['pods', 'jobs'] },
      { ...ROLE, 'aws.role_name': ['web', 'jobs'], ...SESSION },
    ],
    ['one has a session name beside a tag', ROLE, { ...ROLE, ...SESSION, ...TAG }],
  ])('are refused where %s', (_, wide, narrow) => {
    const found = findings({ a: { match: wide, identity: 'one' }, b: { match: narrow, identity: 'other' } })

    expect(found.filter((line) => line.startsWith('error'))).not.toEqual([])
  })

  test('are told as such where the narrower lies inside the wider', () => {
    const found = findings({
      a: { match: ROLE, identity: 'one' },
      b: { match: { ...ROLE, ...SESSION }, identity: 'other' },
    })

    expect(found).toEqual(['error /bindings/b caller_chooses'])
  })

  test('may be told apart by tags alone, with a warning', () => {
    const found = findings({
      a: { match: ROLE, identity: 'one' },
      b: { match: { ...ROLE, ...TAG }, identity: 'other' },
    })

    expect(found).toEqual(['warning /bindings/b caller_chooses'])
  })

  test.each([
    ['the same identity has both', ROLE, { ...ROLE, ...SESSION }, 'one'],
    ['the platform tells them apart', { ...ROLE, 'aws.role_name': 'jobs' }, { ...ROLE, ...SESSION }, 'other'],
    ['nothing in them is the caller’s', ROLE, { ...ROLE, 'aws.proof': 'signed_request' }, 'other'],
  ])('pass where %s', (_, wide, narrow, identity) => {
    expect(findings({ a: { match: wide, identity: 'one' }, b: { match: narrow, identity } })).toEqual([])
  })
})

test('a pair is found once, whichever of the two is looked at first', () => {
  const found = findings({
    a: { match: { ...ROLE, 'aws.principal_tags/team': 'a' }, identity: 'one' },
    b: { match: { ...ROLE, 'aws.principal_tags/team': 'b' }, identity: 'other' },
  })

  expect(found).toEqual(['warning /bindings/b caller_chooses'])
})

test('a suspension that the caller could get around is warned of, whichever of the two is suspended', () => {
  const pair = (wide: object, narrow: object) => ({
    a: { match: ROLE, identity: 'one', ...wide },
    b: { match: { ...ROLE, ...SESSION }, identity: 'one', ...narrow },
  })
  const told = (wide: object, narrow: object) => findings(pair(wide, narrow))
  const message = (wide: object, narrow: object) => findingsIn(documentOf(pair(wide, narrow)))[0]?.message
  const suspended = { suspended: true }

  expect(told({}, suspended)).toEqual(['warning /bindings/b suspension_evadable'])
  expect(message({}, suspended)).toMatch(/^b is suspended and a is not/)
  expect(message(suspended, {})).toMatch(/^a is suspended and b is not/)
  expect(told(suspended, {})).toEqual(['warning /bindings/b suspension_evadable'])
  expect(told(suspended, suspended)).toEqual([])
})

test('of many that may stand a hundred are told, and they take the place of none that may not', () => {
  const tagged = Array.from({ length: 30 }, (_, at) =>
    bindingOf(`t${at}`, { ...ROLE, 'aws.principal_tags/team': `team-${at}` }, `id-${at}`),
  )
  const session = bindingOf('z', { ...ROLE, ...SESSION }, 'one')
  const wide = bindingOf('a', ROLE, 'other')
  const told = (bindings: readonly Binding[]) =>
    findCallerChoices(bindings, awsVerifier.attributes).map(({ isAllowed }) => isAllowed)

  expect(told(tagged)).toEqual(Array(100).fill(true))
  expect(told([...tagged.slice(0, 1), session])).toEqual([false])
  expect(told([...tagged, wide, session]).filter((isAllowed) => !isAllowed)).toHaveLength(31)
  const sessions = Array.from({ length: 30 }, (_, at) =>
    bindingOf(`s${at}`, { ...ROLE, 'aws.session_name': `session-${at}` }, `id-${at}`),
  )
  expect(told([...tagged, ...sessions])).toEqual(Array(100).fill(false))
})

test('an attribute with a caution is warned of where a binding asks for it, and the binding stays', () => {
  const match = { ...ROLE, 'aws.role_path': '/team-x/' }
  const document = {
    trusted_issuers: { aws: { provider: 'aws', accounts: { [ACCOUNT]: {} } } },
    bindings: { a: { trusted_issuer: 'aws', match, identity: 'payments/api' } },
  }

  expect(tell(findingsIn(document))).toEqual(['warning /bindings/a/match/aws.role_path attribute_cautioned'])
  expect(CONTEXT.providers).toContain(awsVerifier)
})

test('looks for nothing where no attribute is the caller’s', () => {
  const catalogue = new Map<string, AttributeDescription>([['x.name', platformAttribute('a name', () => true)]])
  const match = new Map([['x.name', { kind: 'exact' as const, values: ['a'] }]])
  const bindings = ['one', 'other'].map((name) => ({ ...bindingOf(name, {}), match }))

  expect(findCallerChoices(bindings, catalogue)).toEqual([])
})
