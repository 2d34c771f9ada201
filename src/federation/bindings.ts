/** Finds the bindings of a proof without looking at those of others: one probe for each shape, however many bindings there are. */

import type { Attributes } from '../../providers/contract/proof.ts'
import { isContained, type Match } from './match.ts'

/** A link from the attributes of one trusted issuer's proofs to an identity, checked and ready to match. */
export interface Binding {
  readonly name: string
  readonly trustedIssuer: string
  readonly match: Match
  readonly identity: string
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
  /** The binding that decides: the first by name of the narrowest that match. Undefined where none matches. */
  find(trustedIssuer: string, attributes: Attributes): Binding | undefined
  /** Every binding that matches, narrowest first. */
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
  const matching = (trustedIssuer: string, attributes: Attributes): readonly Binding[] =>
    (shapes.get(trustedIssuer) ?? []).flatMap((shape) => {
      const key = cellKeyOf(shape, attributes)
      return key === undefined ? [] : (shape.cells.get(key) ?? [])
    })
  return {
    size: bindings.length,
    find: (trustedIssuer, attributes) => chooseNarrowest(matching(trustedIssuer, attributes)),
    findAll: (trustedIssuer, attributes) => sortByWidth(matching(trustedIssuer, attributes)),
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

/** The smallest matches of any proof name one identity, or the document would not have been accepted. */
function chooseNarrowest(matches: readonly Binding[]): Binding | undefined {
  const [first, ...others] = matches
  if (first === undefined || others.length === 0) return first
  return matches
    .filter((one) => !matches.some((other) => other !== one && isContained(other.match, one.match)))
    .reduce((least, binding) => (binding.name < least.name ? binding : least))
}

function sortByWidth(matches: readonly Binding[]): readonly Binding[] {
  const containing = (one: Binding) => matches.filter((other) => isContained(other.match, one.match)).length
  return [...matches].sort((one, other) => containing(one) - containing(other) || (one.name < other.name ? -1 : 1))
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
