/** The index and the overlap proof against an oracle that tries every binding on every proof of a small world. */

import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Attributes } from '../../providers/contract/proof.ts'
import { kubernetesVerifier } from '../../providers/kubernetes/verifier.ts'
import { verifiers } from '../../providers/verifiers.ts'
import { type Binding, createBindingIndex } from '../../src/federation/bindings.ts'
import { type Choice, choose, sortByWidth } from '../../src/federation/choose.ts'
import type { FederationDocument } from '../../src/federation/document.ts'
import type { Complaint } from '../../src/federation/finding.ts'
import { identify } from '../../src/federation/identify.ts'
import { toIdentity } from '../../src/federation/identity.ts'
import { findOverlapComplaints, readBindings } from '../../src/federation/read-bindings.ts'
import type { ReadyIssuer } from '../../src/federation/validate.ts'
import {
  bindingLists,
  createNaiveChoice,
  ISSUERS,
  isWider,
  matches,
  type NamedEntry,
  naiveOverlaps,
  pointInside,
  WORLD,
} from '../support/naive-bindings.ts'

const [provider] = verifiers
const READY: readonly ReadyIssuer[] = ISSUERS.flatMap((name) =>
  provider === undefined ? [] : [{ name, provider, proofAudiences: [], settings: undefined, isSuspended: false }],
)

const ENTRIES = new Map(['one', 'two', 'of/*'].map((name) => [name, toIdentity({ grants: {} })]))

/** Gives the bindings of a document that holds nothing else of interest, and what the proof says of them. */
function prove(entries: readonly NamedEntry[]) {
  const document: FederationDocument = {
    version: 1,
    trust_domain: 'corp.example',
    trusted_issuers: Object.fromEntries(
      ISSUERS.map((name) => [name, { provider: 'kubernetes', issuers: [`https://${name}.example`] }]),
    ),
    audiences: {},
    identities: { one: { grants: {} }, two: { grants: {} }, 'of/*': { grants: {} } },
    bindings: Object.fromEntries(entries.map(({ name, ...entry }) => [name, entry])),
    delegations: {},
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

/** Tells a choice as the oracle does. */
function tellChoice(choice: Choice | undefined, attributes: Attributes): string | undefined {
  if (choice === undefined) return undefined
  const { name, ...identified } = identify(choice, attributes, ENTRIES)
  if (identified.isGiven) return `${choice.binding.name}: ${name}`
  return `${choice.binding.name}: ${identified.why.replace(/^(binding|identity)_/, '')}`
}

function tellAll(matches: readonly Binding[], attributes: Attributes) {
  const { live, shadow } = choose(matches)
  return {
    matching: matches.map(({ name }) => name).sort(),
    live: tellChoice(live, attributes),
    shadow: tellChoice(shadow, attributes),
  }
}

const points = fc.tuple(...[1, 2, 3].map(() => fc.nat(WORLD.length - 1)))

/** Gives any proof, and one that some binding matches. */
function pointsIn(entries: readonly NamedEntry[], any: number): readonly (readonly [string, number])[] {
  const entry = entries[any % entries.length]
  const anywhere = [ISSUERS[any % 2] ?? '', any] as const
  return entry === undefined ? [anywhere] : [anywhere, [entry.trusted_issuer, pointInside(entry, any)]]
}

test('index, proof and choice say what trying every proof on every binding says, in 100,000 documents', () => {
  const seen = { accepted: 0, equal: 0, overlapping: 0, given: 0, suspended: 0, malformed: 0, tried: 0, unmatched: 0 }
  const property = fc.property(bindingLists, points, (entries, chosen) => {
    const overlaps = naiveOverlaps(entries)
    const { bindings, complaints } = prove(entries)
    expect(complaints.map(tell).sort()).toEqual(overlaps)
    seen.equal += overlaps.some((pair) => pair.startsWith('bindings_equal')) ? 1 : 0
    seen.overlapping += overlaps.some((pair) => pair.startsWith('bindings_overlap')) ? 1 : 0
    if (overlaps.length > 0) return

    seen.accepted++
    const index = createBindingIndex(bindings)
    const choice = createNaiveChoice(entries)
    for (const [issuer, number] of chosen.flatMap((any) => pointsIn(entries, any))) {
      const attributes = WORLD[number] ?? new Map()
      const { matching, live, shadow } = choice(issuer, number)
      const expected = { matching: matching.map(({ name }) => name).sort(), live, shadow }
      const found = tellAll(index.findAll(issuer, attributes), attributes)
      if (!isDeepStrictEqual(found, expected)) expect(found).toEqual(expected)
      seen.unmatched += live === undefined ? 1 : 0
      seen.suspended += live?.endsWith(': suspended') === true ? 1 : 0
      seen.malformed += live?.endsWith(': malformed') === true ? 1 : 0
      seen.given += live !== undefined && !/: (suspended|malformed)$/.test(live) ? 1 : 0
      seen.tried += shadow === undefined ? 0 : 1
    }
  })

  fc.assert(property, { numRuns: 100_000 })
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(100)
}, 240_000)

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
    const naive = createNaiveChoice(entries)

    const wrong = [...WORLD.entries()].flatMap(([number, point]) =>
      [...ISSUERS, 'neither'].flatMap((issuer) => {
        const matching = naive(issuer, number).matching.map(({ name }) => name)
        const found = sortByWidth(index.findAll(issuer, point)).map(({ name }) => name)
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

test('an accepted document gives every proof what its smallest bindings say, by the first of them', () => {
  const property = fc.property(bindingLists, (entries) => {
    const { bindings, complaints } = prove(entries)
    fc.pre(complaints.length === 0)
    const index = createBindingIndex(bindings)
    const naive = createNaiveChoice(entries)

    const wrong = [...WORLD.entries()].flatMap(([number, point]) =>
      ISSUERS.flatMap((issuer) => {
        const { live, shadow } = naive(issuer, number)
        const choices = choose(index.findAll(issuer, point))
        const found = { live: tellChoice(choices.live, point), shadow: tellChoice(choices.shadow, point) }
        return isDeepStrictEqual(found, { live, shadow }) ? [] : [{ issuer, point, found, live, shadow }]
      }),
    )

    expect(wrong).toEqual([])
  })

  fc.assert(property, { numRuns: 500 })
})
