/** What a change does to bindings: decided by the proofs that they take, not by how they are written. */

import { expect, test } from 'vitest'
import type { Change } from '../../src/federation/change.ts'
import { bindingFor, type DocumentParts } from '../support/document.ts'
import { brief, changesBetween } from '../support/run-change.ts'

const identities = { api: { grants: {} }, wide: { grants: {} }, 'preview/*': { grants: {} } }

function bindings(entries: Readonly<Record<string, object>>): DocumentParts {
  return { identities, bindings: entries }
}

function compare(old: Readonly<Record<string, object>>, next: Readonly<Record<string, object>>): readonly Change[] {
  return changesBetween(bindings(old), bindings(next))
}

/** The one change of a binding `b` when its namespaces and accounts go from these to those. */
function word(old: readonly [unknown, unknown], next: readonly [unknown, unknown]): readonly string[] {
  return brief(compare({ b: bindingFor(...old, 'api') }, { b: bindingFor(...next, 'api') }))
}

test('another order, a list of one and a repeated value change nothing', () => {
  const old = bindingFor(['a', 'b'], 'web', 'api')
  const next = {
    identity: 'api',
    match: { 'kubernetes.service_account': ['web'], 'kubernetes.namespace': ['b', 'a', 'b'] },
    trusted_issuer: 'cluster',
  }

  expect(compare({ b: old }, { b: next })).toEqual([])
})

test('a binding is widened, narrowed or changed as its proofs contain each other', () => {
  expect(word(['a', 'x'], [['a', 'b'], 'x'])).toEqual(['binding b widened match'])
  expect(word([['a', 'b'], 'x'], ['a', 'x'])).toEqual(['binding b narrowed match'])
  expect(word(['a-1', 'x'], ['a-*', 'x'])).toEqual(['binding b widened match'])
  expect(word(['a-*', 'x'], ['a-b-*', 'x'])).toEqual(['binding b narrowed match'])
  expect(word(['a', 'x'], ['b', 'x'])).toEqual(['binding b changed match'])
  expect(word([['a', 'b'], 'x'], ['a', ['x', 'y']])).toEqual(['binding b changed match'])
})

test('one condition more narrows, one less widens', () => {
  const plain = { b: bindingFor('a', 'x', 'api') }
  const pod = { b: bindingFor('a', 'x', 'api', { 'kubernetes.pod_name': 'p' }) }

  expect(brief(compare(plain, pod))).toEqual(['binding b narrowed match'])
  expect(brief(compare(pod, plain))).toEqual(['binding b widened match'])
})

test('both matches are shown, alike for those that mean the same', () => {
  const [change] = compare({ b: bindingFor(['b', 'a'], 'x', 'api') }, { b: bindingFor('a-*', 'x', 'api') })

  expect(change).toMatchObject({
    old: { 'kubernetes.namespace': ['a', 'b'], 'kubernetes.service_account': 'x' },
    new: { 'kubernetes.namespace': 'a-*', 'kubernetes.service_account': 'x' },
  })
})

test('a new binding shows whose proofs it takes, and one that goes, whose they are from then on', () => {
  const wide = { wide: bindingFor('a-*', 'x', 'wide') }
  const both = { ...wide, b: bindingFor('a-1', 'x', 'api') }
  const entry = { trusted_issuer: 'cluster', match: expect.any(Object), identity: 'api' }
  const fallback = { binding: 'wide', identity: 'wide' }

  expect(compare(wide, both)).toMatchObject([{ name: 'b', change: 'added', old: null, new: entry, fallback }])
  expect(compare(both, wide)).toMatchObject([{ name: 'b', change: 'removed', old: entry, new: null, fallback }])
  expect(compare({}, both)).toMatchObject([
    { name: 'b', fallback: null },
    { name: 'wide', fallback: null },
  ])
})

test('the binding that such proofs fall back to is the narrowest around, and none in shadow', () => {
  const around = {
    all: bindingFor('a-*', 'x', 'wide'),
    shadow: { ...bindingFor(['a-b-1', 'a-b-2'], 'x', 'wide'), mode: 'shadow' },
    some: bindingFor('a-b-*', 'x', 'wide'),
    other: bindingFor(['a-b-1'], 'y', 'wide'),
  }

  expect(compare(around, { ...around, b: bindingFor('a-b-1', 'x', 'api') })).toMatchObject([
    { name: 'b', fallback: { binding: 'some', identity: 'wide' } },
  ])
})

test('another name for the same proofs is a renaming, whatever else changes with it', () => {
  const old = { b: bindingFor('a', 'x', 'api') }

  expect(brief(compare(old, { c: bindingFor('a', 'x', 'api') }))).toEqual(['binding c renamed name'])
  expect(brief(compare(old, { c: bindingFor('a', 'x', 'wide') }))).toEqual([
    'binding c renamed name',
    'binding c moved identity',
  ])
  expect(brief(compare(old, { c: bindingFor(['a', 'b'], 'x', 'api') }))).toEqual([
    'binding b removed',
    'binding c added',
  ])
})

test('a wider binding that goes is not renamed to a narrower one that comes', () => {
  const old = { wide: bindingFor('a-*', 'x', 'api') }

  expect(brief(compare(old, { b: bindingFor('a-1', 'x', 'api') }))).toEqual(['binding b added', 'binding wide removed'])
})

test('a binding whose name lives on is not renamed, though another takes its proofs', () => {
  const old = { b: bindingFor('a', 'x', 'api') }
  const next = { b: bindingFor('b', 'x', 'api'), c: bindingFor('a', 'x', 'api') }

  expect(brief(compare(old, next))).toEqual(['binding b changed match', 'binding c added'])
})

test('another identity or template is a move', () => {
  const old = { b: bindingFor('preview-*', 'x', 'preview/{kubernetes.namespace}') }
  const next = { b: bindingFor('preview-*', 'x', 'api') }

  expect(compare(old, next)).toMatchObject([
    { change: 'moved', member: 'identity', old: 'preview/{kubernetes.namespace}', new: 'api' },
  ])
})

test('another trusted issuer is a change, and proofs of two issuers contain none of each other', () => {
  const trusted_issuers = {
    cluster: { provider: 'kubernetes', issuers: ['https://one.example'] },
    other: { provider: 'kubernetes', issuers: ['https://two.example'] },
  }
  const old = { trusted_issuers, ...bindings({ b: bindingFor('a', 'x', 'api') }) }
  const next = bindings({ b: { ...bindingFor(['a', 'b'], 'x', 'api'), trusted_issuer: 'other' } })

  expect(brief(changesBetween(old, { trusted_issuers, ...next }))).toEqual([
    'binding b changed trusted_issuer',
    'binding b changed match',
  ])
})

test('suspension and shadow are told apart from the match, with what takes the place of a binding', () => {
  const wide = bindingFor('a-*', 'x', 'wide')
  const b = bindingFor('a-1', 'x', 'api')
  const with_ = (more: object) => ({ wide, b: { ...b, ...more } })
  const fallback = { binding: 'wide', identity: 'wide' }

  expect(brief(compare(with_({}), with_({ suspended: true })))).toEqual(['binding b suspended suspended'])
  expect(brief(compare(with_({ suspended: true }), with_({ suspended: false })))).toEqual([
    'binding b resumed suspended',
  ])
  expect(compare(with_({}), with_({ mode: 'shadow' }))).toMatchObject([{ change: 'shadowed', new: 'shadow', fallback }])
  expect(compare(with_({ mode: 'shadow' }), with_({}))).toMatchObject([{ change: 'unshadowed', new: null, fallback }])
  expect(compare({ wide }, with_({ mode: 'shadow' }))).toMatchObject([
    { change: 'added', new: { mode: 'shadow' }, fallback: null },
  ])
})
