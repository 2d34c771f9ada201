/** What happens to trusted issuers and audiences: settings, compared member by member. */

import { isDeepStrictEqual } from 'node:util'
import { type Change, changeOf, jsonOf, type Side } from './change.ts'
import { containmentOf, isSubset } from './containment.ts'
import type { TrustedIssuerEntry } from './document.ts'
import type { Audience } from './identity.ts'
import type { ReadyIssuer } from './validate.ts'

/** Compares trusted issuers. Their proof audiences are those that they have in the end, whoever names them. */
export function compareTrustedIssuers(old: Side, next: Side): readonly Change[] {
  const before = new Map(old.federation.issuers.map((issuer) => [issuer.name, issuer]))
  const after = new Map(next.federation.issuers.map((issuer) => [issuer.name, issuer]))
  const [written, rewritten] = [old.platform.trusted_issuers, next.platform.trusted_issuers]
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [former, issuer] = [before.get(name), after.get(name)]
    const subject = { kind: 'trusted_issuer', name } as const
    if (former === undefined) return [changeOf({ ...subject, change: 'added', new: jsonOf(rewritten[name]) })]
    if (issuer === undefined) return [changeOf({ ...subject, change: 'removed', old: jsonOf(written[name]) })]
    return [
      ...compareSuspension(former, issuer),
      ...compareProofAudiences(former, issuer),
      ...compareMembers(subject, settingsOf(written[name]), settingsOf(rewritten[name])),
    ]
  })
}

/** Compares audiences, with every default in place. */
export function compareAudiences(old: Side, next: Side): readonly Change[] {
  const [before, after] = [audiencesOf(old), audiencesOf(next)]
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [former, audience] = [before.get(name), after.get(name)]
    const subject = { kind: 'audience', name } as const
    if (former === undefined) return [changeOf({ ...subject, change: 'added', new: spell(audience) })]
    if (audience === undefined) return [changeOf({ ...subject, change: 'removed', old: spell(former) })]
    return [...compareScopes(name, former.scopes, audience.scopes), ...compareTokens(name, former, audience)]
  })
}

/** An audience, and the scopes that it declares. */
type Declared = Audience & { readonly scopes: readonly string[] }

function audiencesOf({ federation, platform }: Side): ReadonlyMap<string, Declared> {
  return new Map(
    [...federation.audiences].map(([name, audience]) => [
      name,
      { ...audience, scopes: platform.audiences[name]?.scopes ?? [] },
    ]),
  )
}

function compareSuspension(old: ReadyIssuer, { name, isSuspended }: ReadyIssuer): readonly Change[] {
  if (old.isSuspended === isSuspended) return []
  const change = isSuspended ? 'suspended' : 'resumed'
  const states = { old: old.isSuspended, new: isSuspended }
  return [changeOf({ kind: 'trusted_issuer', name, change, member: 'suspended', ...states })]
}

function compareProofAudiences(old: ReadyIssuer, { name, proofAudiences }: ReadyIssuer): readonly Change[] {
  const change = containmentOf(
    isSubset(proofAudiences, old.proofAudiences),
    isSubset(old.proofAudiences, proofAudiences),
  )
  if (change === undefined) return []
  const audiences = { old: [...old.proofAudiences], new: [...proofAudiences] }
  return [changeOf({ kind: 'trusted_issuer', name, change, member: 'proof_audiences', ...audiences })]
}

/** The order of a list never means anything in a document. */
function compareMembers(
  subject: Pick<Change, 'kind' | 'name'>,
  old: unknown,
  next: unknown,
  path: readonly string[] = [],
): readonly Change[] {
  if (isDeepStrictEqual(old, next)) return []
  if (Array.isArray(old) && Array.isArray(next) && isDeepStrictEqual(sorted(old), sorted(next))) return []
  if (isRecord(old) && isRecord(next)) {
    const [before, after] = [new Map(Object.entries(old)), new Map(Object.entries(next))]
    const names = [...new Set([...before.keys(), ...after.keys()])].toSorted()
    return names.flatMap((name) => compareMembers(subject, before.get(name), after.get(name), [...path, name]))
  }
  const values = { old: jsonOf(old), new: jsonOf(next) }
  return [changeOf({ ...subject, change: 'changed', member: path.join('/'), ...values })]
}

function sorted(list: readonly unknown[]): readonly string[] {
  return list.map((value) => JSON.stringify(value)).toSorted()
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What is compared apart, with its default in place, is left out. */
function settingsOf(entry: TrustedIssuerEntry | undefined): object {
  if (entry === undefined) return {}
  const { proof_audiences: _, suspended: __, ...settings } = entry
  return settings
}

function compareScopes(name: string, old: readonly string[], next: readonly string[]): readonly Change[] {
  const change = containmentOf(isSubset(next, old), isSubset(old, next))
  if (change === undefined) return []
  return [changeOf({ kind: 'audience', name, change, member: 'scopes', old: [...old], new: [...next] })]
}

function compareTokens(name: string, old: Audience, next: Audience): readonly Change[] {
  const subject = { kind: 'audience', name } as const
  const changes: Change[] = []
  if (old.maxLifetimeSeconds !== next.maxLifetimeSeconds) {
    const change = next.maxLifetimeSeconds < old.maxLifetimeSeconds ? 'narrowed' : 'widened'
    const lifetimes = { old: old.maxLifetimeSeconds, new: next.maxLifetimeSeconds }
    changes.push(changeOf({ ...subject, change, member: 'max_lifetime_seconds', ...lifetimes }))
  }
  if (old.signingAlgorithm !== next.signingAlgorithm) {
    const algorithms = { old: old.signingAlgorithm, new: next.signingAlgorithm }
    changes.push(changeOf({ ...subject, change: 'changed', member: 'signing_alg', ...algorithms }))
  }
  if (old.tokenType !== next.tokenType) {
    const types = { old: old.tokenType, new: next.tokenType }
    changes.push(changeOf({ ...subject, change: 'changed', member: 'token_type', ...types }))
  }
  return changes
}

function spell(audience: Declared | undefined): Change['new'] {
  if (audience === undefined) return null
  const { scopes, maxLifetimeSeconds, signingAlgorithm, tokenType } = audience
  return {
    scopes: [...scopes],
    max_lifetime_seconds: maxLifetimeSeconds,
    signing_alg: signingAlgorithm,
    token_type: tokenType,
  }
}
