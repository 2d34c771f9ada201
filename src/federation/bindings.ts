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
  /** Whose document it is of: it is consulted within that delegation alone. Undefined for the platform's. */
  readonly delegation?: string | undefined
}

/** Proofs of one trusted issuer that a delegation is about. Those of two delegations share none. */
export interface Territory {
  readonly delegation: string
  readonly trustedIssuer: string
  readonly match: Match
}

/** A set of attributes, at most one of them by a prefix of one length. */
export interface ShapeKind {
  /** Sorted. */
  readonly attributes: readonly string[]
  readonly prefixed: string | undefined
  readonly prefixLength: number
}

/** All bindings of one shape share a table. */
export interface Shape extends ShapeKind {
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

type ShapeOf<Member> = ShapeKind & { readonly cells: Map<string, Member[]> }

/** Sorts bindings into the shapes of each trusted issuer. */
export function groupByShape(bindings: Iterable<Binding>): ReadonlyMap<string, readonly Shape[]> {
  return group(bindings, ({ trustedIssuer }) => trustedIssuer)
}

/** Names the bindings of one trusted issuer that are the platform's, or one delegation's. No name holds the separator. */
export function groupOf(trustedIssuer: string, delegation = ''): string {
  return trustedIssuer + SEPARATOR + delegation
}

function group(
  bindings: Iterable<Binding>,
  keyOf: (binding: Binding) => string,
): ReadonlyMap<string, readonly Shape[]> {
  const groups: Groups<Binding> = new Map()
  for (const binding of bindings) addToShape(groups, keyOf(binding), binding.match, binding)
  return new Map([...groups].map(([key, shapes]) => [key, [...shapes.values()]]))
}

/** Shapes by their description, each group of them under a key of its own. */
type Groups<Member> = Map<string, Map<string, ShapeOf<Member>>>

function addToShape<Member>(groups: Groups<Member>, key: string, match: Match, member: Member): void {
  const shapes = groups.get(key) ?? new Map<string, ShapeOf<Member>>()
  groups.set(key, shapes)
  const kind = shapeOf(match)
  const id = shapeIdOf(kind)
  const shape = shapes.get(id) ?? { ...kind, cells: new Map() }
  if (shape.cells.size === 0) shapes.set(id, shape)
  for (const cellKey of cellKeysOf(match, shape.attributes)) {
    const cell = shape.cells.get(cellKey)
    if (cell === undefined) shape.cells.set(cellKey, [member])
    else cell.push(member)
  }
}

/**
 * Builds the index that bindings are looked up in. A proof is looked up among the platform's and those of the one delegation that it
 * lies in: what a team writes neither slows nor changes the lookups of another.
 */
export function createBindingIndex(bindings: readonly Binding[], territories: Iterable<Territory> = []): BindingIndex {
  const groups = group(bindings, ({ trustedIssuer, delegation }) => groupOf(trustedIssuer, delegation))
  const findGroups = createGroupFinder(territories)
  return {
    size: bindings.length,
    findAll: (trustedIssuer, attributes) =>
      findGroups(trustedIssuer, attributes).flatMap((key) => membersOf(groups.get(key) ?? [], attributes)),
    bindingsOf: (trustedIssuer) => bindings.filter((binding) => binding.trustedIssuer === trustedIssuer),
  }
}

/** Finds the {@link groupOf groups} in which a proof is looked up. */
export function createGroupFinder(
  territories: Iterable<Territory>,
): (trustedIssuer: string, attributes: Attributes) => readonly string[] {
  const owners: Groups<string> = new Map()
  for (const { delegation, trustedIssuer, match } of territories) addToShape(owners, trustedIssuer, match, delegation)
  return (trustedIssuer, attributes) => {
    const delegations = membersOf(owners.get(trustedIssuer)?.values() ?? [], attributes)
    return [groupOf(trustedIssuer), ...delegations.map((delegation) => groupOf(trustedIssuer, delegation))]
  }
}

function membersOf<Member>(
  shapes: Iterable<ShapeKind & { readonly cells: ReadonlyMap<string, readonly Member[]> }>,
  attributes: Attributes,
): readonly Member[] {
  const found: Member[] = []
  for (const shape of shapes) {
    const key = cellKeyOf(shape, attributes)
    if (key !== undefined) found.push(...(shape.cells.get(key) ?? []))
  }
  return found
}

/** Gives the key of the cell that attributes fall into; undefined where the shape asks for one that is not there. */
export function cellKeyOf(shape: ShapeKind, attributes: Attributes): string | undefined {
  let key = ''
  for (const name of shape.attributes) {
    const value = attributes.get(name)
    if (value === undefined) return undefined
    key += (name === shape.prefixed ? value.slice(0, shape.prefixLength) : value) + SEPARATOR
  }
  return key
}

/** Gives the shape of a match. */
export function shapeOf(match: Match): ShapeKind {
  const attributes = [...match.keys()].sort()
  const prefixed = attributes.find((name) => match.get(name)?.kind === 'prefix')
  const condition = prefixed === undefined ? undefined : match.get(prefixed)
  const prefixLength = condition?.kind === 'prefix' ? condition.prefix.length : 0
  return { attributes, prefixed, prefixLength }
}

/** Names a shape. No attribute's name holds the separator. */
export function shapeIdOf({ attributes, prefixed = '', prefixLength }: ShapeKind): string {
  return attributes.join(SEPARATOR) + SEPARATOR + prefixed + SEPARATOR + prefixLength
}

/** Gives the keys of the cells in which a binding of this match stands. */
export function cellKeysOf(match: Match, attributes: readonly string[]): readonly string[] {
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
