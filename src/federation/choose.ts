/** Which of the bindings that match a proof decides: the narrowest, whoever is suspended and whatever is tried in shadow. */

import type { Binding } from './bindings.ts'
import { isContained } from './match.ts'

/** The bindings that decide. All name one identity, or the document would not have been accepted. */
export interface Choice {
  /** The first of them by name: the one that is recorded. */
  readonly binding: Binding
  /** All of them: those that match and lie around no other that does. */
  readonly smallest: readonly Binding[]
  /** Whether any of them is suspended, and with it all: which of them a proof was meant for, nobody can say. */
  readonly isSuspended: boolean
}

export interface Choices {
  /** Undefined where no binding in force matches. */
  readonly live: Choice | undefined
  /** What would decide if those in shadow were in force; undefined where that would be none of them. */
  readonly shadow: Choice | undefined
}

/** Chooses among all bindings that match a proof. Those in shadow never change what the others decide. */
export function choose(matches: readonly Binding[]): Choices {
  const shadows = matches.filter(({ isShadow }) => isShadow)
  if (shadows.length === 0) return { live: chooseOf(matches, matches), shadow: undefined }
  const live = matches.filter(({ isShadow }) => !isShadow)
  return { live: chooseOf(live, live), shadow: chooseOf(matches, shadows) }
}

/** Sorts bindings that match one proof, narrowest first, and by name where neither is the narrower. */
export function sortByWidth(matches: readonly Binding[]): readonly Binding[] {
  const widths = new Map(
    matches.map((one) => [one, matches.filter((other) => isContained(other.match, one.match)).length]),
  )
  const widthOf = (binding: Binding): number => widths.get(binding) ?? 0
  return [...matches].sort((one, other) => widthOf(one) - widthOf(other) || (one.name < other.name ? -1 : 1))
}

/** Chooses among matches, to be recorded as one of the eligible. */
function chooseOf(matches: readonly Binding[], eligible: readonly Binding[]): Choice | undefined {
  const smallest = smallestOf(matches)
  const [first, ...others] = smallest.filter((binding) => eligible.includes(binding))
  if (first === undefined) return undefined
  const binding = others.reduce((least, other) => (other.name < least.name ? other : least), first)
  return { binding, smallest, isSuspended: smallest.some(({ isSuspended }) => isSuspended) }
}

function smallestOf(matches: readonly Binding[]): readonly Binding[] {
  if (matches.length < 2) return matches
  return matches.filter((one) => !matches.some((other) => other !== one && isContained(other.match, one.match)))
}
