/** One lookup, from attributes to an identity, however many bindings there are; and a scan of all bindings beside it. */

import { choose } from '../../src/federation/choose.ts'
import { findUnsatisfied } from '../../src/federation/match.ts'
import { openBindings, openIdentities, packFederation } from '../../src/federation/packed-federation.ts'
import { attributesOf, bindingsOf, federationOf, identityOf } from './mapping-documents.ts'

/** Nanoseconds of one lookup: of ten proofs again and again, and of proofs that come from everywhere; and of one scan. */
export interface LookupCost {
  readonly bindings: number
  readonly hot: number
  readonly anywhere: number
  readonly scan: number
}

type Lookup = (n: number) => string | undefined

const ROUNDS = 40
const LOOKUPS = 5_000
const HOT = 10

/** Measures all sizes in turns, so that whatever else the machine does befalls each of them, and gives the best round of each. */
export function measureLookups(sizes: readonly number[]): readonly LookupCost[] {
  const subjects = sizes.map(prepare)
  const rounds = Array.from({ length: ROUNDS }, () => subjects.map(measureOnce))
  const best = (pick: (cost: LookupCost) => number, index: number): number =>
    Math.min(
      ...rounds.map((costs) =>
        pick(costs[index] ?? { bindings: 0, hot: Infinity, anywhere: Infinity, scan: Infinity }),
      ),
    )
  return sizes.map((bindings, index) => ({
    bindings,
    hot: best(({ hot }) => hot, index),
    anywhere: best(({ anywhere }) => anywhere, index),
    scan: best(({ scan }) => scan, index),
  }))
}

interface Subject {
  readonly size: number
  readonly lookUp: Lookup
  readonly scan: Lookup
}

function prepare(size: number): Subject {
  const bindings = bindingsOf(size)
  const packed = structuredClone(packFederation(federationOf(bindings)))
  const index = openBindings(packed)
  const identities = openIdentities(packed)
  return {
    size,
    lookUp(n) {
      const entry = choose(index.findAll('cluster', attributesOf(n))).live?.binding.entry ?? ''
      return identities.get(entry) === undefined ? undefined : entry
    },
    scan(n) {
      const attributes = attributesOf(n)
      return choose(bindings.filter(({ match }) => findUnsatisfied(match, attributes) === undefined)).live?.binding
        .entry
    },
  }
}

function measureOnce({ size, lookUp, scan }: Subject): LookupCost {
  const scans = Math.max(1, Math.min(1_000, Math.floor(200_000 / size)))
  return {
    bindings: size,
    hot: timeOf(lookUp, LOOKUPS, (turn) => turn % Math.min(HOT, size)),
    // A prime step visits them in an order that no cache foresees.
    anywhere: timeOf(lookUp, LOOKUPS, (turn) => (turn * 7_919) % size),
    scan: timeOf(scan, scans, (turn) => (turn * 7_919) % size),
  }
}

function timeOf(lookUp: Lookup, times: number, numberOf: (turn: number) => number): number {
  const startedAt = performance.now()
  for (let turn = 0; turn < times; turn++) {
    const n = numberOf(turn)
    if (lookUp(n) !== identityOf(n)) throw new Error(`binding ${n} was not found`)
  }
  return ((performance.now() - startedAt) * 1e6) / times
}
