/** Finds bindings between which whoever holds a credential could choose, by what it may say of itself. */

import type { AttributeCatalogue } from '../../providers/contract/provider.ts'
import { type Binding, createBindingIndex } from './bindings.ts'
import { isContained, type Match } from './match.ts'

/** Two bindings that nothing but caller-grade conditions tells apart, although they are of two identities or one is suspended. */
export interface CallerChoice {
  readonly one: Binding
  readonly other: Binding
  /** The conditions that tell them apart. */
  readonly attributes: readonly string[]
  /** Whether it may stand: all of the conditions are such as may decide, where an operator knows who sets them, or it is one identity. */
  readonly isAllowed: boolean
}

/** More than this many of either kind would only say the same again. */
const MAX_CHOICES = 100

/**
 * Finds pairs of one trusted issuer's bindings of which the narrower, without its caller-grade conditions, lies inside the other:
 * a caller that meets or misses those conditions at will takes the identity that it likes, or the binding that is not suspended.
 * However many may stand, they never take the place of those that may not.
 */
export function findCallerChoices(
  bindings: readonly Binding[],
  catalogue: AttributeCatalogue,
): readonly CallerChoice[] {
  const isCallers = (name: string): boolean => catalogue.get(name)?.grade === 'caller'
  const narrowed = bindings.filter(({ match }) => [...match.keys()].some(isCallers))
  if (narrowed.length === 0) return []
  const isOpen = (name: string): boolean => isCallers(name) && catalogue.get(name)?.mayDecide !== true
  const mayDecide = new Set(bindings.filter(({ match }) => ![...match.keys()].some(isOpen)).map(({ name }) => name))
  const originals = new Map(bindings.map((binding) => [binding.name, binding]))
  const strip = (binding: Binding): Binding => ({ ...binding, match: withoutCallers(binding.match, isCallers) })
  const index = createBindingIndex(bindings.map(strip))
  const allowed = new Map<string, CallerChoice>()
  const forbidden = new Map<string, CallerChoice>()
  for (const binding of narrowed) {
    const stripped = strip(binding)
    for (const attributes of examplesOf(stripped.match)) {
      for (const wider of index.findAll(binding.trustedIssuer, attributes)) {
        const original = originals.get(wider.name)
        const isOneIdentity = wider.identity === binding.identity
        if (original === undefined || (isOneIdentity && wider.isSuspended === binding.isSuspended)) continue
        const isAllowed = isOneIdentity || (mayDecide.has(binding.name) && mayDecide.has(wider.name))
        if (isAllowed && allowed.size >= MAX_CHOICES) continue
        if (!isContained(stripped.match, wider.match)) continue
        const choice = toChoice(binding, original, isCallers, isAllowed)
        const kind = isAllowed ? allowed : forbidden
        kind.set(JSON.stringify([choice.one.name, choice.other.name]), choice)
        if (forbidden.size >= MAX_CHOICES) return [...forbidden.values()]
      }
    }
  }
  return [...forbidden.values(), ...allowed.values()]
}

function toChoice(
  left: Binding,
  right: Binding,
  isCallers: (name: string) => boolean,
  isAllowed: boolean,
): CallerChoice {
  const [one, other] = left.name < right.name ? [left, right] : [right, left]
  const attributes = [...new Set([...one.match.keys(), ...other.match.keys()])].filter(isCallers).sort()
  return { one, other, attributes, isAllowed }
}

function withoutCallers(match: Match, isCallers: (name: string) => boolean): Match {
  return new Map([...match].filter(([name]) => !isCallers(name)))
}

/** Gives attributes for every combination of a match's values; a prefix stands for itself. */
function examplesOf(match: Match): readonly ReadonlyMap<string, string>[] {
  return [...match].reduce<readonly ReadonlyMap<string, string>[]>(
    (examples, [name, condition]) => {
      const values = condition.kind === 'exact' ? condition.values : [condition.prefix]
      return examples.flatMap((example) => values.map((value) => new Map([...example, [name, value]])))
    },
    [new Map()],
  )
}
