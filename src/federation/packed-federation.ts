/** A proven federation in the form in which it is handed over and served from: see `packed-table`. */

import {
  type Binding,
  type BindingIndex,
  cellKeyOf,
  cellKeysOf,
  createGroupFinder,
  groupOf,
  type ShapeKind,
  shapeIdOf,
  shapeOf,
} from './bindings.ts'
import type { IdentityEntry } from './document.ts'
import { type Identities, toIdentity } from './identity.ts'
import { type Condition, findUnsatisfied, type Match } from './match.ts'
import { createTableWriter, openTable, type PackedTable } from './packed-table.ts'
import type { FederationHead, ProvenFederation } from './proven.ts'

/** One shape of one group's bindings. Its bindings stand under its place in the list. */
interface PackedShape extends ShapeKind {
  readonly group: string
  readonly trustedIssuer: string
  readonly delegation: string | undefined
}

export interface PackedFederation {
  readonly head: FederationHead
  readonly shapes: readonly PackedShape[]
  readonly identities: PackedTable
  readonly bindings: PackedTable
  readonly size: number
}

/** An identity as a record. */
type IdentityRecord = readonly [name: string, entry: IdentityEntry]

/** A binding as a record: its shape has the rest. Each condition is its values, or its prefix. */
type BindingRecord = readonly [
  shape: number,
  name: string,
  identity: string,
  entry: string,
  isSuspended: boolean,
  isShadow: boolean,
  conditions: readonly (string | readonly string[])[],
]

/** Packs a federation. */
export function packFederation({ head, parts }: ProvenFederation): PackedFederation {
  const identities = createTableWriter()
  const bindings = createTableWriter()
  const numbers = new Map<string, number>()
  const shapes: PackedShape[] = []
  for (const part of parts) {
    for (const [name, entry] of Object.entries(part.identities)) {
      identities.addKey(name, identities.addRecord([name, entry] satisfies IdentityRecord))
    }
    for (const binding of part.bindings) {
      const { trustedIssuer, delegation, match } = binding
      const shape = shapeOf(match)
      const group = groupOf(trustedIssuer, delegation)
      const id = `${group}\n${shapeIdOf(shape)}`
      const number = numbers.get(id) ?? shapes.push({ ...shape, group, trustedIssuer, delegation }) - 1
      numbers.set(id, number)
      const place = bindings.addRecord(recordOf(binding, shape.attributes, number))
      for (const key of cellKeysOf(match, shape.attributes)) bindings.addKey(keyOf(number, key), place)
    }
  }
  const size = parts.reduce((sum, part) => sum + part.bindings.length, 0)
  return { head, shapes, identities: identities.finish(), bindings: bindings.finish(), size }
}

function keyOf(shape: number, cellKey: string): string {
  return `${shape}/${cellKey}`
}

function recordOf(binding: Binding, attributes: readonly string[], shape: number): BindingRecord {
  const { name, match, identity, entry, isSuspended, isShadow, trustedIssuer: _, delegation: __, ...rest } = binding
  // What a binding may have one day must not be lost here: this line then does not compile.
  rest satisfies Record<string, never>
  const conditions = attributes.map((attribute) => spell(match.get(attribute)))
  return [shape, name, identity, entry, isSuspended, isShadow, conditions]
}

function spell(condition: Condition | undefined): string | readonly string[] {
  if (condition === undefined) return []
  return condition.kind === 'exact' ? condition.values : condition.prefix
}

/** Opens the bindings of a packed federation. */
export function openBindings({ head, shapes, bindings, size }: PackedFederation): BindingIndex {
  const table = openTable(bindings)
  const findGroups = createGroupFinder(head.territories)
  const numbered = shapes.map((shape, number) => ({ shape, number }))
  const groups = Map.groupBy(numbered, ({ shape }) => shape.group)
  const toBinding = (record: unknown): Binding => bindingOf(record as BindingRecord, shapes)
  return {
    size,
    findAll: (trustedIssuer, attributes) =>
      findGroups(trustedIssuer, attributes)
        .flatMap((group) => groups.get(group) ?? [])
        .flatMap(({ shape, number }) => {
          const key = cellKeyOf(shape, attributes)
          return key === undefined ? [] : table.find(keyOf(number, key)).map(toBinding)
        })
        // A table may give the record of another key.
        .filter(({ match }) => findUnsatisfied(match, attributes) === undefined),
    bindingsOf: (trustedIssuer) =>
      [...table.all()].map(toBinding).filter((binding) => binding.trustedIssuer === trustedIssuer),
  }
}

function bindingOf(record: BindingRecord, shapes: readonly PackedShape[]): Binding {
  const [number, name, identity, entry, isSuspended, isShadow, conditions] = record
  const shape = shapes[number]
  if (shape === undefined) throw new RangeError('a binding is of no shape')
  const { trustedIssuer, attributes, delegation } = shape
  const match: Match = new Map(attributes.map((attribute, index) => [attribute, conditionOf(conditions[index] ?? [])]))
  const own = delegation === undefined ? {} : { delegation }
  return { name, trustedIssuer, match, identity, entry, isSuspended, isShadow, ...own }
}

function conditionOf(spelt: string | readonly string[]): Condition {
  return typeof spelt === 'string' ? { kind: 'prefix', prefix: spelt } : { kind: 'exact', values: spelt }
}

/** Opens the identities of a packed federation. */
export function openIdentities({ identities }: PackedFederation): Identities {
  const table = openTable(identities)
  return {
    get(name) {
      const found = table
        .find(name)
        .map(toIdentityRecord)
        .find(([own]) => own === name)
      return found === undefined ? undefined : toIdentity(found[1])
    },
    *keys() {
      for (const record of table.all()) yield toIdentityRecord(record)[0]
    },
    *[Symbol.iterator]() {
      for (const [name, entry] of [...table.all()].map(toIdentityRecord)) yield [name, toIdentity(entry)]
    },
  }
}

function toIdentityRecord(record: unknown): IdentityRecord {
  return record as IdentityRecord
}
