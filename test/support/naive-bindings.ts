/**
 * What a federation document promises of its bindings, told as slowly and plainly as possible: every proof of a small world is
 * tried against every binding. The oracle of the index and of the overlap proof; it shares no code with them.
 */

import fc from 'fast-check'
import type { BindingEntry } from '../../src/federation/document.ts'

/** A binding as the document writes it, with its name. */
export type NamedEntry = BindingEntry & { readonly name: string }

/** Attributes of one proof of the small world. */
export type Point = ReadonlyMap<string, string>

/** Names, and templates of some: of attributes that every proof has, and of one that not every proof has. */
export const IDENTITIES = [
  'one',
  'two',
  'of/{kubernetes.namespace}',
  'of/{kubernetes.service_account}',
  'of/{kubernetes.pod_name}',
] as const
export const ISSUERS = ['east', 'west'] as const

const ATTRIBUTES = [
  'kubernetes.namespace',
  'kubernetes.service_account',
  'kubernetes.pod_name',
  'kubernetes.node_name',
] as const

/** For each attribute the values that conditions name, and its prefixes: some nested, some a value's beginning, some neither. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.namespace': ['a', 'a-1', 'a-b-1', 'b-1'],
  'kubernetes.service_account': ['w', 'w-1', 'w.1'],
  'kubernetes.pod_name': ['p', 'q'],
  'kubernetes.node_name': ['n'],
}
const PREFIXES: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.namespace': ['a-', 'a-b-', 'b-'],
  'kubernetes.service_account': ['w-', 'w.'],
}

/** Values that no condition names: one below each prefix, one below none. `undefined` is a proof without the attribute. */
function valuesOf(attribute: string): readonly (string | undefined)[] {
  const unnamed = (PREFIXES[attribute] ?? []).map((prefix) => `${prefix}other`)
  const isOptional = attribute === 'kubernetes.pod_name' || attribute === 'kubernetes.node_name'
  return [...(NAMED[attribute] ?? []), ...unnamed, 'other', ...(isOptional ? [undefined] : [])]
}

/** Every proof of the small world. Two matches are different, overlap or lie inside each other exactly where they do in it. */
export const WORLD: readonly Point[] = ATTRIBUTES.reduce<readonly Point[]>(
  (points, attribute) =>
    points.flatMap((point) =>
      valuesOf(attribute).map((value) => (value === undefined ? point : new Map([...point, [attribute, value]]))),
    ),
  [new Map()],
)

/** Answers whether one proof satisfies a binding. */
export function matches(entry: BindingEntry, point: Point): boolean {
  return Object.entries(entry.match).every(([attribute, condition]) => {
    const value = point.get(attribute)
    return value !== undefined && [condition].flat().some((wanted) => accepts(wanted, value))
  })
}

function accepts(wanted: string, value: string): boolean {
  return wanted.endsWith('*') ? value.startsWith(wanted.slice(0, -1)) : value === wanted
}

const numbers = new Map(WORLD.map((point, number) => [keyOf(point), number]))

function keyOf(point: Point): string {
  return ATTRIBUTES.map((attribute) => point.get(attribute) ?? '').join()
}

/** Gives the number of a proof that a binding matches: another proof, but for what the binding asks. */
export function pointInside({ match }: BindingEntry, other: number): number {
  const asked = Object.entries(match).map(([attribute, condition]) => {
    const wanted = [condition].flat()[other % [condition].flat().length] ?? ''
    return [attribute, wanted.replace('*', 'other')] as const
  })
  return numbers.get(keyOf(new Map([...(WORLD[other] ?? []), ...asked]))) ?? Number.NaN
}

/** A set of proofs of the world: bit n is proof n. */
type Extent = bigint

/** The same question for every proof of the world at once, each condition answered once. */
function extentOf(entry: BindingEntry): Extent {
  return Object.entries(entry.match)
    .map(([attribute, condition]) => [condition].flat().reduce((all, wanted) => all | literal(attribute, wanted), 0n))
    .reduce((all, some) => all & some, (1n << BigInt(WORLD.length)) - 1n)
}

const literals = new Map<string, Extent>()

function literal(attribute: string, wanted: string): Extent {
  const known = literals.get(`${attribute} ${wanted}`)
  if (known !== undefined) return known
  const isAccepted = (point: Point) => accepts(wanted, point.get(attribute) ?? '')
  const extent = WORLD.reduce((all, point, bit) => (isAccepted(point) ? all | (1n << BigInt(bit)) : all), 0n)
  literals.set(`${attribute} ${wanted}`, extent)
  return extent
}

function isInside(inner: Extent, outer: Extent): boolean {
  return (inner & outer) === inner
}

/** Tells every pair that makes a document invalid, as `code one other`, sorted. */
export function naiveOverlaps(entries: readonly NamedEntry[]): readonly string[] {
  const pairs = entries.flatMap((one, index) => entries.slice(index + 1).map((other) => ({ one, other })))
  return pairs.flatMap(({ one, other }) => judge(one, other)).sort()
}

function judge(one: NamedEntry, other: NamedEntry): readonly string[] {
  const [left, right] = [extentOf(one), extentOf(other)]
  if (one.trusted_issuer !== other.trusted_issuer || (left & right) === 0n) return []
  const names = [one.name, other.name].sort().join(' ')
  if (left === right) return [`bindings_equal ${names}`]
  const isNested = isInside(left, right) || isInside(right, left)
  return isNested || one.identity === other.identity ? [] : [`bindings_overlap ${names}`]
}

/** What the bindings say of one proof. A decision is told as `binding: identity`, or with why it is none. */
export interface NaiveVerdict {
  readonly matching: readonly NamedEntry[]
  /** By those that are in force. */
  readonly live: string | undefined
  /** By all, were those in shadow in force, too; undefined where it would be by none of these. */
  readonly shadow: string | undefined
}

/** Gives the verdict on any proof of a trusted issuer, named by its place in the world, by looking at all bindings. */
export function createNaiveChoice(entries: readonly NamedEntry[]): (issuer: string, point: number) => NaiveVerdict {
  const extents = entries.map((entry) => ({ entry, extent: extentOf(entry) }))
  return (issuer, point) => {
    const bit = 1n << BigInt(point)
    const found = extents.filter(({ entry, extent }) => entry.trusted_issuer === issuer && (extent & bit) !== 0n)
    const smallestOf = (some: typeof found): readonly NamedEntry[] =>
      some
        .filter((one) => !some.some((other) => other.extent !== one.extent && isInside(other.extent, one.extent)))
        .map(({ entry }) => entry)
    const live = smallestOf(found.filter(({ entry }) => entry.mode !== 'shadow'))
    const all = smallestOf(found)
    const shadows = all.filter(({ mode }) => mode === 'shadow')
    return {
      matching: found.map(({ entry }) => entry),
      live: decideNaively(live, live, WORLD[point]),
      shadow: decideNaively(all, shadows, WORLD[point]),
    }
  }
}

/** Fails where two of the deciding bindings make different identities: the proof that there are none was wrong. */
function decideNaively(
  deciding: readonly NamedEntry[],
  recorded: readonly NamedEntry[],
  point: Point = new Map(),
): string | undefined {
  const [first] = recorded.map(({ name }) => name).sort()
  if (first === undefined) return undefined
  const identities = new Set(deciding.map(({ identity }) => fillIn(identity, point)))
  if (identities.size > 1) return `${first}: ambiguous`
  if (deciding.some(({ suspended }) => suspended)) return `${first}: suspended`
  return `${first}: ${[...identities].join()}`
}

function fillIn(identity: string, point: Point): string {
  const filled = identity.replace(/\{(.*)\}/, (_, attribute: string) => point.get(attribute) ?? '{}')
  return filled.includes('{}') ? 'malformed' : filled
}

/** Answers whether one binding matches everything that another does, and more. */
export function isWider(one: BindingEntry, other: BindingEntry): boolean {
  const [left, right] = [extentOf(one), extentOf(other)]
  return left !== right && isInside(right, left)
}

/** Lists of bindings over the small world, each valid by itself. */
export const bindingLists: fc.Arbitrary<readonly NamedEntry[]> = fc
  .uniqueArray(fc.string({ unit: fc.constantFrom('a', 'b', 'Z', '1', '-', '.'), minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 7,
  })
  .chain((names) => fc.tuple(...names.map((name) => entryNamed(`b${name}`))))

function entryNamed(name: string): fc.Arbitrary<NamedEntry> {
  return fc
    .record({
      trusted_issuer: fc.constantFrom(...ISSUERS, 'east'),
      identity: fc.constantFrom(...IDENTITIES),
      suspended: fc.constantFrom(undefined, undefined, false, true),
      mode: fc.constantFrom(undefined, undefined, 'shadow' as const),
      match: fc.constantFrom('namespace', 'account', 'none').chain(arbitraryMatch),
    })
    .map((entry) => ({ name, ...entry }))
}

function arbitraryMatch(prefixed: string): fc.Arbitrary<BindingEntry['match']> {
  return fc.record(
    {
      'kubernetes.namespace': arbitraryCondition('kubernetes.namespace', prefixed === 'namespace'),
      'kubernetes.service_account': arbitraryCondition('kubernetes.service_account', prefixed === 'account'),
      'kubernetes.pod_name': arbitraryCondition('kubernetes.pod_name', false),
      'kubernetes.node_name': arbitraryCondition('kubernetes.node_name', false),
    },
    { requiredKeys: ['kubernetes.namespace', 'kubernetes.service_account'] },
  )
}

function arbitraryCondition(attribute: string, isPrefixed: boolean): fc.Arbitrary<string | string[]> {
  if (isPrefixed) return fc.constantFrom(...(PREFIXES[attribute] ?? []).map((prefix) => `${prefix}*`))
  const value = fc.constantFrom(...(NAMED[attribute] ?? []))
  return fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 }))
}
