/** Finds the bindings of a proof without looking at those of others: one probe for each shape, however many bindings there are. */

import type { Attributes } from '../../providers/contract/proof.ts'
import type { Match } from './match.ts'

/** A link from the attributes of one trusted issuer's proofs to an identity, checked and ready to match. */
export interface Binding {
  readonly name: string
  readonly trustedIssuer: string
  readonly match: Match
  /** The identity's name, or a template of one. */
  readonly identity: string
  /** The entry of `identities` that says what it may have. */
  readonly entry: string
  /** Whether the proofs that it decides are refused. */
  readonly isSuspended: boolean
  /** Whether it decides nothing, and what it would have decided is recorded. */
  readonly isShadow: boolean
}

/** A set of attributes, at most one of them by a prefix of one length. All bindings of a shape share a table. */
export interface Shape {
  /** Sorted. */
  readonly attributes: readonly string[]
  readonly prefixed: string | undefined
  readonly prefixLength: number
  /** By the values of the attributes, in order. A list condition makes a binding stand in several cells. */
  readonly cells: ReadonlyMap<string, readonly Binding[]>
}

export interface BindingIndex {
  /** Every binding that matches, in no order. */
  findAll(trustedIssuer: string, attributes: Attributes): readonly Binding[]
  /** Every binding of a trusted issuer. */
  bindingsOf(trustedIssuer: string): readonly Binding[]
  readonly size: number
}

/** Separates the values of a cell's key; no attribute value holds it. */
const SEPARATOR = '\u0000'

type MutableShape = Omit<Shape, 'cells'> & { readonly cells: Map<string, Binding[]> }

/** Sorts bindings into the shapes of each trusted issuer. */
export function groupByShape(bindings: Iterable<Binding>): ReadonlyMap<string, readonly Shape[]> {
  const issuers = new Map<string, Map<string, MutableShape>>()
  for (const binding of bindings) {
    const shapes = issuers.get(binding.trustedIssuer) ?? new Map<string, MutableShape>()
    issuers.set(binding.trustedIssuer, shapes)
    const empty = shapeOf(binding.match)
    const id = JSON.stringify([empty.attributes, empty.prefixed, empty.prefixLength])
    const shape = shapes.get(id) ?? empty
    shapes.set(id, shape)
    for (const key of cellKeysOf(binding.match, shape.attributes)) {
      const cell = shape.cells.get(key)
      if (cell === undefined) shape.cells.set(key, [binding])
      else cell.push(binding)
    }
  }
  return new Map([...issuers].map(([issuer, shapes]) => [issuer, [...shapes.values()]]))
}

/** Builds the index that one document is served from. */
export function createBindingIndex(bindings: readonly Binding[]): BindingIndex {
  const shapes = groupByShape(bindings)
  return {
    size: bindings.length,
    findAll: (trustedIssuer, attributes) =>
      (shapes.get(trustedIssuer) ?? []).flatMap((shape) => {
        const key = cellKeyOf(shape, attributes)
        return key === undefined ? [] : (shape.cells.get(key) ?? [])
      }),
    bindingsOf: (trustedIssuer) => bindings.filter((binding) => binding.trustedIssuer === trustedIssuer),
  }
}

/** Gives the key of the cell that attributes fall into; undefined where the shape asks for one that is not there. */
export function cellKeyOf(shape: Shape, attributes: Attributes): string | undefined {
  let key = ''
  for (const name of shape.attributes) {
    const value = attributes.get(name)
    if (value === undefined) return undefined
    key += (name === shape.prefixed ? value.slice(0, shape.prefixLength) : value) + SEPARATOR
  }
  return key
}

function shapeOf(match: Match): MutableShape {
  const attributes = [...match.keys()].sort()
  const prefixed = attributes.find((name) => match.get(name)?.kind === 'prefix')
  const condition = prefixed === undefined ? undefined : match.get(prefixed)
  const prefixLength = condition?.kind === 'prefix' ? condition.prefix.length : 0
  return { attributes, prefixed, prefixLength, cells: new Map() }
}

function cellKeysOf(match: Match, attributes: readonly string[]): readonly string[] {
  return attributes.reduce<readonly string[]>(
    (keys, name) => keys.flatMap((key) => valuesOf(match, name).map((value) => key + value + SEPARATOR)),
    [''],
  )
}

function valuesOf(match: Match, name: string): readonly string[] {
  const condition = match.get(name)
  if (condition === undefined) return []
  return condition.kind === 'exact' ? condition.values : [condition.prefix]
}
