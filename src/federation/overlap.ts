/** Proves that no proof can be claimed by two identities, or shows one that could. */

import type { Binding, Shape } from './bindings.ts'
import { isContained } from './match.ts'

/** Two bindings that no rule chooses between. */
export interface Overlap {
  readonly one: Binding
  readonly other: Binding
  /** Whether they match the very same proofs; else they overlap, and neither is the narrower. */
  readonly isEqual: boolean
}

/** What was found among one trusted issuer's bindings. */
export interface OverlapProof {
  readonly overlaps: readonly Overlap[]
  /** Whether there are no others. */
  readonly isComplete: boolean
}

/** More than this many would only say the same again. */
const MAX_OVERLAPS = 100

/** Pairs that are looked at, which takes a second; 100,000 bindings that each lie within twenty others make as many. */
export const MAX_PAIRS = 2_000_000

/**
 * Finds bindings that match the same proofs, and bindings of different identities that overlap without one containing the
 * other. Two templates are one identity where they read the same: of one proof they make the same name.
 *
 * Each pair of shapes is joined on what they share, so the work grows with the bindings and what overlaps, not with the square of
 * the bindings. Where all overlap, it ends with what has been found by then.
 */
export function findOverlaps(shapes: readonly Shape[]): OverlapProof {
  const overlaps = new Map<string, Overlap>()
  let pairs = 0
  for (const [left, right] of joinAll(shapes)) {
    if (overlaps.size >= MAX_OVERLAPS || pairs++ >= MAX_PAIRS) {
      return { overlaps: [...overlaps.values()], isComplete: false }
    }
    const overlap = judge(left, right)
    if (overlap !== undefined) overlaps.set(JSON.stringify([overlap.one.name, overlap.other.name]), overlap)
  }
  return { overlaps: [...overlaps.values()], isComplete: true }
}

function* joinAll(shapes: readonly Shape[]): Generator<readonly [Binding, Binding]> {
  for (const [index, one] of shapes.entries()) {
    for (const other of shapes.slice(index)) yield* joinShapes(one, other)
  }
}

function judge(left: Binding, right: Binding): Overlap | undefined {
  const [one, other] = left.name < right.name ? [left, right] : [right, left]
  const isInside = isContained(one.match, other.match)
  const isAround = isContained(other.match, one.match)
  if (isInside && isAround) return { one, other, isEqual: true }
  return isInside || isAround || one.identity === other.identity ? undefined : { one, other, isEqual: false }
}

/** Yields every pair of different bindings, one of each shape, that some proof would match. */
export function* joinShapes(one: Shape, other: Shape): Generator<readonly [Binding, Binding]> {
  if (one === other) {
    for (const cell of one.cells.values()) yield* pairsWithin(cell)
    return
  }
  const [projectOne, projectOther] = [createProjection(one, other), createProjection(other, one)]
  const table = new Map<string, Binding[]>()
  for (const [key, cell] of one.cells) {
    const projected = projectOne(key)
    const gathered = table.get(projected)
    if (gathered === undefined) table.set(projected, [...cell])
    else gathered.push(...cell)
  }
  for (const [key, cell] of other.cells) {
    for (const left of table.get(projectOther(key)) ?? []) {
      for (const right of cell) if (left !== right) yield [left, right]
    }
  }
}

function* pairsWithin(cell: readonly Binding[]): Generator<readonly [Binding, Binding]> {
  for (const [index, one] of cell.entries()) {
    for (const other of cell.slice(index + 1)) yield [one, other]
  }
}

/**
 * Gives, for the keys of a shape's cells, the values on the attributes that both shapes have, each cut to the length on which both
 * must agree. Cells of the two shapes overlap exactly where these are equal: what only one of them asks for, the other leaves open.
 */
function createProjection(shape: Shape, other: Shape): (key: string) => string {
  const cuts = shape.attributes.flatMap((name, place) =>
    other.attributes.includes(name)
      ? [{ place, own: lengthOf(shape, name), common: Math.min(lengthOf(shape, name), lengthOf(other, name)) }]
      : [],
  )
  const isWhole = cuts.length === shape.attributes.length && cuts.every(({ own, common }) => own === common)
  if (isWhole) return (key) => key
  return (key) => {
    const values = key.split('\u0000')
    return cuts.map(({ place, common }) => `${values[place]?.slice(0, common)}\u0000`).join('')
  }
}

function lengthOf(shape: Shape, name: string): number {
  return shape.prefixed === name ? shape.prefixLength : Number.POSITIVE_INFINITY
}
