/** Which parts of a federation decisions needed, and which are left. */

import type { Federation } from '../federation/federation.ts'
import type { Redecision, Request } from './replay-decision.ts'
import type { UnusedItem } from './unused-report.ts'

export interface UsedParts {
  /** Marks what a decision needed. */
  use(request: Request, redecision: Redecision): void
  /** Gives what nothing needed, in the order of the document. */
  unused(): readonly UnusedItem[]
}

/**
 * Follows what is used of a federation. A binding is used where it is among those that decide, in force or in shadow; an identity,
 * where such a binding names it; a grant, where a token was issued by it, and of its scopes those that were given.
 */
export function createUsedParts(federation: Federation): UsedParts {
  const issuers = new Set<string>()
  const bindings = new Set<string>()
  const identities = new Set<string>()
  const grants = new Map<string, Set<string>>()
  return {
    use({ lifetimeSeconds }, { outcome, trustedIssuer, choices }) {
      if (trustedIssuer !== undefined) issuers.add(trustedIssuer)
      for (const { name, entry } of [...(choices.live?.smallest ?? []), ...(choices.shadow?.smallest ?? [])]) {
        bindings.add(name)
        identities.add(entry)
      }
      if (choices.live === undefined || !outcome.isGiven || lifetimeSeconds === undefined) return
      const key = JSON.stringify([choices.live.binding.entry, outcome.audience])
      const scopes = grants.get(key) ?? new Set()
      grants.set(key, scopes)
      for (const scope of outcome.scopes) scopes.add(scope)
    },
    unused: () => [
      ...federation.issuers.filter(({ name }) => !issuers.has(name)).map(({ name }) => itemOf('trusted_issuer', name)),
      ...[...federation.identities].flatMap(([name, identity]) =>
        identities.has(name)
          ? [...identity.grants].flatMap(([audience, scopes]) =>
              findUnusedScopes(name, audience, scopes, grants.get(JSON.stringify([name, audience]))),
            )
          : [itemOf('identity', name)],
      ),
      ...federation.issuers.flatMap(({ name }) =>
        federation.bindings
          .bindingsOf(name)
          .filter((binding) => !bindings.has(binding.name))
          .map((binding) => itemOf('binding', binding.name)),
      ),
    ],
  }
}

function findUnusedScopes(
  name: string,
  audience: string,
  scopes: readonly string[],
  used: ReadonlySet<string> | undefined,
): readonly UnusedItem[] {
  if (used === undefined) return [{ ...itemOf('grant', name), audience }]
  return scopes.filter((scope) => !used.has(scope)).map((scope) => ({ ...itemOf('scope', name), audience, scope }))
}

function itemOf(kind: UnusedItem['kind'], name: string): UnusedItem {
  return { kind, name, audience: null, scope: null }
}
