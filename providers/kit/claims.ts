/** A claims set in which every claim is accounted for. */

import { ProofError } from '../contract/errors.ts'
import { isJsonObject, type JsonObject, memberOf } from '../contract/strict-json.ts'

/** Longest string claim that a check looks at. */
const MAX_CLAIM_LENGTH = 2_048

/**
 * Hands out claims one by one and remembers which, so that none is overlooked: each is required, checked, or ignored by name.
 * Inherited members do not exist for it.
 */
export interface ClaimsLedger {
  /** Throws `claim_missing` where it is absent and `claim_invalid` where it is not a non-empty string. */
  requireString(name: string): string
  /** As {@link requireString}, but undefined where it is absent. */
  optionalString(name: string): string | undefined
  /** Throws unless it is there and a whole, non-negative number. */
  requireInteger(name: string): number
  optionalInteger(name: string): number | undefined
  /** Gives a claim as it is, to be checked by the caller. */
  take(name: string): unknown
  /** Gives the ledger of a claim that is an object; its claims count as this one's. */
  requireObject(name: string): ClaimsLedger
  optionalObject(name: string): ClaimsLedger | undefined
  /** Accounts for claims that say nothing we use. */
  ignore(...names: readonly string[]): void
  /** Throws `claim_forbidden` where any of them is there: it marks a token of another kind. */
  forbid(...names: readonly string[]): void
  /** Counts the claims that nobody asked for. */
  unknown(): number
}

/** Opens a ledger over a claims set. `prefix` names the object in errors. */
export function createClaimsLedger(claims: JsonObject, prefix = ''): ClaimsLedger {
  const seen = new Set<string>()
  const nested: ClaimsLedger[] = []

  const take = (name: string): unknown => {
    seen.add(name)
    return memberOf(claims, name)
  }
  const optionalString = (name: string): string | undefined => {
    const value = take(name)
    if (value === undefined) return undefined
    if (typeof value !== 'string' || value === '' || value.length > MAX_CLAIM_LENGTH) throw invalid(name)
    return value
  }
  const optionalInteger = (name: string): number | undefined => {
    const value = take(name)
    if (value === undefined) return undefined
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw invalid(name)
    return value
  }
  const optionalObject = (name: string): ClaimsLedger | undefined => {
    const value = take(name)
    if (value === undefined) return undefined
    if (!isJsonObject(value)) throw invalid(name)
    const ledger = createClaimsLedger(value, `${prefix}${name}.`)
    nested.push(ledger)
    return ledger
  }
  const required = <T>(name: string, value: T | undefined): T => value ?? missing(prefix + name)
  const invalid = (name: string): ProofError =>
    new ProofError('claim_invalid', `the claim ${prefix}${name} has the wrong form`, {
      facts: { claim: prefix + name },
    })

  return {
    take,
    optionalString,
    optionalInteger,
    optionalObject,
    requireString: (name) => required(name, optionalString(name)),
    requireInteger: (name) => required(name, optionalInteger(name)),
    requireObject: (name) => required(name, optionalObject(name)),
    ignore: (...names) => {
      for (const name of names) seen.add(name)
    },
    forbid: (...names) => {
      for (const name of names) {
        if (take(name) === undefined) continue
        throw new ProofError('claim_forbidden', `the claim ${prefix}${name} marks a token of another kind`, {
          facts: { claim: prefix + name },
        })
      }
    },
    unknown: () =>
      Object.keys(claims).filter((name) => !seen.has(name)).length +
      nested.reduce((sum, ledger) => sum + ledger.unknown(), 0),
  }
}

function missing(claim: string): never {
  throw new ProofError('claim_missing', `the claim ${claim} is missing`, { facts: { claim } })
}
