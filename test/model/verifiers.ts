/** Verifiers of a simulation: those that look least often, and never because they do not know a key. */

import type { Dice } from './dice.ts'

export interface Verifier {
  /** How long it keeps a key set. */
  readonly keepsFor: number
  /** How much its clock is ahead. */
  readonly skew: number
  /** Whether an HTTP cache stands before it, which keeps to the max-age. */
  readonly isBehindCache: boolean
  /** Undefined while no broker has answered. */
  keyIds: ReadonlySet<string> | undefined
  looksAt: number
}

const HOUR = 3_600

/** What they keep a key set for, up to what is promised. */
const KEEPS_FOR = [HOUR, 6 * HOUR, 23 * HOUR, 23 * HOUR, 23 * HOUR]

/** Makes one of each kind. None has looked yet. */
export function createVerifiers(dice: Dice, at: number): readonly Verifier[] {
  return KEEPS_FOR.map((keepsFor, index) => ({
    keepsFor,
    skew: dice.pick([-60, 60, 0, dice.between(-60, 60)]),
    isBehindCache: index % 2 === 0,
    keyIds: undefined,
    looksAt: at + dice.between(1, 60),
  }))
}
