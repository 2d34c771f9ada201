/** The index and the overlap proof against an oracle that tries every binding on every proof of a small world. */

import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { kubernetesVerifier } from '../../providers/kubernetes/verifier.ts'
import { verifiers } from '../../providers/verifiers.ts'
import { createBindingIndex } from '../../src/federation/bindings.ts'
import type { FederationDocument } from '../../src/federation/document.ts'
import type { Complaint } from '../../src/federation/finding.ts'
import { findOverlapComplaints, readBindings } from '../../src/federation/read-bindings.ts'
import type { ReadyIssuer } from '../../src/federation/validate.ts'
import {
  bindingLists,
  createNaiveChoice,
  IDENTITIES,
  ISSUERS,
  isWider,
  matches,
  type NamedEntry,
  naiveOverlaps,
  WORLD,
} from '../support/naive-bindings.ts'

const [provider] = verifiers
const READY: readonly ReadyIssuer[] = ISSUERS.flatMap((name) =>
  provider === undefined ? [] : [{ name, provider, proofAudiences: [], settings: undefined }],
)

/** Gives the bindings of a document that holds nothing else of interest, and what the proof says of them. */
function prove(entries: readonly NamedEntry[]) {
  const document: FederationDocument = {
    version: 1,
    trust_domain: 'corp.example',
    trusted_issuers: Object.fromEntries(
      ISSUERS.map((name) => [name, { provider: 'kubernetes', issuers: [`https://${name}.example`] }]),
    ),
    audiences: {},
    identities: Object.fromEntries(IDENTITIES.map((name) => [name, { grants: {} }])),
    bindings: Object.fromEntries(entries.map(({ name, ...entry }) => [name, entry])),
  }
  const { bindings, complaints } = readBindings(document, READY)
  expect(complaints).toEqual([])
  return { bindings, complaints: findOverlapComplaints(bindings, READY) }
}

/** Tells a complaint about two bindings as the oracle does: its path ends with one, its message begins with the other. */
function tell({ code, path, message }: Complaint): string {
  const names = [String(message.split(' ', 1)[0]), String(path.at(-1))].sort()
  return `${code} ${names.join(' ')}`
}

test('the proof finds exactly the pairs that trying every proof on every pair finds', () => {
  const seen = { accepted: 0, equal: 0, overlapping: 0 }
  const property = fc.property(bindingLists, (entries) => {
    const expected = naiveOverlaps(entries)
    seen.accepted += expected.length === 0 ? 1 : 0
    seen.equal += expected.some((pair) => pair.startsWith('bindings_equal')) ? 1 : 0
    seen.overlapping += expected.some((pair) => pair.startsWith('bindings_overlap')) ? 1 : 0

    const { complaints } = prove(entries)

    expect(complaints.map(tell).sort()).toEqual(expected)
  })

  fc.assert(property, { numRuns: 10_000 })
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(50)
})

test('the witness of an overlap matches both bindings, and the platform could send it', () => {
  const property = fc.property(bindingLists, (entries) => {
    for (const { path, message, witness = {} } of prove(entries).complaints) {
      const names = new Set([path.at(-1), message.split(' ', 1)[0]])
      const pair = entries.filter(({ name }) => names.has(name))
      const point = new Map(Object.entries(witness))

      expect(pair.map((entry) => matches(entry, point))).toEqual([true, true])
      expect([...point].filter(([name, value]) => !isPossible(name, value))).toEqual([])
    }
  })

  fc.assert(property, { numRuns: 2_000 })
})

function isPossible(name: string, value: string): boolean {
  return kubernetesVerifier.attributes.get(name)?.isValue(value) === true
}

test('the index finds what trying every binding finds, narrowest first, for every proof and issuer', () => {
  const property = fc.property(bindingLists, (entries) => {
    const index = createBindingIndex(prove(entries).bindings)
    const choose = createNaiveChoice(entries)

    const wrong = [...WORLD.entries()].flatMap(([number, point]) =>
      [...ISSUERS, 'neither'].flatMap((issuer) => {
        const matching = choose(issuer, number).matching.map(({ name }) => name)
        const found = index.findAll(issuer, point).map(({ name }) => name)
        const isRight = isDeepStrictEqual([...found].sort(), matching.sort())
        return isRight && findDisorder(found, entries) === undefined ? [] : [{ issuer, point, found, matching }]
      }),
    )

    expect(wrong).toEqual([])
  })

  fc.assert(property, { numRuns: 300 })
})

/** Gives a binding that stands before a narrower one. */
function findDisorder(names: readonly string[], entries: readonly NamedEntry[]): string | undefined {
  const inOrder = names.flatMap((name) => entries.filter((entry) => entry.name === name))
  return inOrder.find((entry, index) => inOrder.slice(index + 1).some((later) => isWider(entry, later)))?.name
}

test('an accepted document gives every proof the one identity of its smallest bindings, by the first of them', () => {
  const property = fc.property(bindingLists, (entries) => {
    const { bindings, complaints } = prove(entries)
    fc.pre(complaints.length === 0)
    const index = createBindingIndex(bindings)
    const choose = createNaiveChoice(entries)

    const wrong = [...WORLD.entries()].flatMap(([number, point]) =>
      ISSUERS.flatMap((issuer) => {
        const { smallest } = choose(issuer, number)
        const identities = [...new Set(smallest.map(({ identity }) => identity))]
        const winner = index.find(issuer, point)
        const [first] = smallest.map(({ name }) => name).sort()
        return identities.length < 2 && winner?.name === first ? [] : [{ issuer, point, winner, identities }]
      }),
    )

    expect(wrong).toEqual([])
  })

  fc.assert(property, { numRuns: 500 })
})
