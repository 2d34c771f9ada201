/** From a document's text to what exchanges are decided by, or to what is wrong with it. */

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/federation/digest.ts'
import { openFederation, readFederation } from '../../src/federation/federation.ts'
import { findingsOf, hasErrors, toPointer } from '../../src/federation/finding.ts'
import { packFederation } from '../../src/federation/packed-federation.ts'
import { proveDocuments } from '../../src/federation/prove-documents.ts'
import { anyTexts, likelyDocuments, plausibleDocuments } from '../support/arbitrary-documents.ts'
import { bindingFor, type DocumentParts, documentFor } from '../support/document.ts'
import { CLUSTER, CONTEXT, federationFor, findingsIn, identityOf, located, tell } from '../support/federation-parts.ts'
import { decidingBinding } from '../support/made-bindings.ts'

const FILE = 'federation.json'

/** Reads an audience's scopes where they are written. */
function declaredScopes(text: string, audience: string): readonly string[] {
  const { audiences } = JSON.parse(text) as { audiences: Record<string, { scopes?: string[] }> }
  return audiences[audience]?.scopes ?? []
}

/** Gives 300 members of one kind. */
function numbered<T>(make: (number: number) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(Array.from({ length: 300 }, (_, number) => [`b${number}`, make(number)]))
}

describe('any text', () => {
  test.each([
    ['a likely document', likelyDocuments, 1_500],
    ['anything', anyTexts, 1_500],
  ])('is a federation or has an error, never both and never neither: %s', (_what, texts, numRuns) => {
    const property = fc.property(texts, (text) => {
      const { federation, findings } = readFederation(located(text), CONTEXT)

      expect(federation === undefined).toBe(hasErrors(findings))
      expect(findings.filter(({ file, code, message }) => file !== FILE || code === '' || message === '')).toEqual([])
    })

    fc.assert(property, { numRuns })
  })

  test('that is accepted binds only to identities and issuers that it declares, and grants only what audiences have', () => {
    const property = fc.property(plausibleDocuments, (text) => {
      const { federation } = readFederation(located(text), CONTEXT)
      fc.pre(federation !== undefined)
      const { issuers, identities, audiences, bindings } = federation

      const bound = issuers.flatMap(({ name }) => bindings.bindingsOf(name))
      expect(bound).toHaveLength(bindings.size)
      expect(bound.filter(({ entry }) => identities.get(entry) === undefined)).toEqual([])
      for (const [, { grants }] of identities) {
        for (const [audience, scopes] of grants) {
          expect(audiences.has(audience)).toBe(true)
          expect(declaredScopes(text, audience)).toEqual(expect.arrayContaining([...scopes]))
        }
      }
    })

    fc.assert(property, { numRuns: 200 })
  })
})

describe('text that is not JSON with one meaning', () => {
  test.each([
    ['breaks off', '{\n"version": 1,\n', /^line 3, column 1: /],
    ['names a member twice', '{\n"version": 1,\n"version": 1}', /^line 3, column 1: .*twice/],
    ['names one twice in another spelling', '{"version": 1, "v\\u0065rsion": 1}', /^line 1, column 16: .*twice/],
    ['names a prototype', '{"version": 1,\n "__proto__": {}}', /^line 2, column 2: .*__proto__/],
    ['begins with a byte order mark', '\ufeff{}', /byte order mark/],
    ['has a comment', '{} // x', /not JSON/],
    ['is empty', ' \n', /the file is empty/],
    ['is nested too deeply', '['.repeat(33) + ']'.repeat(33), /too deeply/],
  ])('is refused with its place where it %s', (_what, text, message) => {
    const findings = findingsIn(text)

    expect(tell(findings)).toEqual(['error  json_malformed'])
    expect(findings[0]?.message).toMatch(message)
  })

  test('may be nested as deep as claims need it', () => {
    const claims = (depth: number) => JSON.parse(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`)
    const findings = (depth: number) =>
      tell(findingsIn({ identities: { 'payments/api': identityOf({ claims: claims(depth) }) } }))

    // The document, `identities`, the identity and `claims` are four.
    expect(findings(28)).toEqual([])
    expect(findings(29)).toEqual(['error  json_malformed'])
  })
})

describe('what is told', () => {
  test('is every unknown member by its own path', () => {
    expect(tell(findingsIn({ one: 1, two: 2 }))).toEqual(['error /one member_unknown', 'error /two member_unknown'])
  })

  test.each<[string, DocumentParts]>([
    ['of bindings to nobody', { bindings: numbered((n) => bindingFor(`n${n}`, 'api', 'nobody')) }],
    ['of members that are unknown', numbered(() => 1)],
    ['of bindings without a shape', { bindings: numbered(() => ({})) }],
  ])('is at most 200 things, and that there are more: %s', (_what, parts) => {
    const findings = findingsIn(parts)

    expect(findings).toHaveLength(201)
    expect(findings.at(-1)).toMatchObject({ severity: 'error', code: 'findings_many' })
  })

  test('says how many warnings are not told, as a warning', () => {
    const short = Array.from({ length: 250 }, (_, n) => [`short/${n}`, identityOf({ lifetime_seconds: 300 })])
    const findings = findingsIn({ identities: Object.fromEntries(short), bindings: {} })

    expect(hasErrors(findings)).toBe(false)
    expect(findings.at(-1)?.message).toContain('50 findings are not told')
  })

  test('is an error wherever the document is refused, however many warnings there are', () => {
    const short = Array.from({ length: 250 }, (_, n) => [`short/${n}`, identityOf({ lifetime_seconds: 300 })])
    const bindings = { b: bindingFor('payments', 'api', 'nobody') }
    const text = JSON.stringify(documentFor(CLUSTER, { identities: Object.fromEntries(short), bindings }))

    const { proven, findings } = proveDocuments(located(text), CONTEXT)

    expect(proven).toBeUndefined()
    expect(hasErrors(findings)).toBe(true)
  })

  test('is a JSON pointer, in which slashes and tildes of names are escaped', () => {
    expect(toPointer([])).toBe('')
    expect(toPointer(['a/b', '~1', 0])).toBe('/a~1b/~01/0')
  })

  test('keeps the document from being used only where it is an error', () => {
    const [warning] = findingsOf(FILE, [{ severity: 'warning', path: ['a'], code: 'c', message: 'm' }])
    const [error] = findingsOf(FILE, [{ severity: 'error', path: ['a'], code: 'c', message: 'm' }])

    expect(warning).toEqual({ severity: 'warning', file: FILE, path: '/a', code: 'c', message: 'm' })
    expect(hasErrors(warning === undefined ? [] : [warning])).toBe(false)
    expect(hasErrors(error === undefined || warning === undefined ? [] : [warning, error])).toBe(true)
  })
})

describe('a federation', () => {
  test('has the digest of its text, as Terraform’s sha256() gives it', () => {
    const text = JSON.stringify(documentFor(CLUSTER, { trust_domain: 'corp.example' }))
    const expected = `sha256:${createHash('sha256').update(text, 'utf8').digest('hex')}`

    expect(readFederation(located(text), CONTEXT).federation?.digest).toBe(expected)
    expect(digestOf('')).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  })

  test('holds what the document says, ready to be looked up', () => {
    const { trustDomain, issuers, audiences, identities, bindings } = federationFor()

    expect(trustDomain).toBe('corp.example')
    expect(issuers.map(({ name, provider }) => [name, provider.name])).toEqual([['cluster', 'kubernetes']])
    expect([...audiences.keys()]).toEqual(['ledger', 'https://orders.example'])
    expect(identities.get('payments/api')?.grants).toEqual(new Map([['ledger', ['entries:read']]]))
    expect(bindings.size).toBe(1)
  })

  test('that is opened of what another process packed is the one that proving gives', () => {
    const text = JSON.stringify(documentFor(CLUSTER))
    const { proven } = proveDocuments(located(text), CONTEXT)
    const attributes = new Map([
      ['kubernetes.namespace', 'payments'],
      ['kubernetes.service_account', 'api'],
    ])

    const built = proven && openFederation(structuredClone(packFederation(proven)), CONTEXT)

    expect(built && decidingBinding(built.bindings, 'cluster', attributes)?.identity).toBe('payments/api')
    expect(built?.digest).toBe(digestOf(text))
  })
})
