/** What a federation decides of a request that was recorded: by the very functions that an exchange is decided by. */

import type { Attributes } from '../../providers/contract/proof.ts'
import type { RefusalReason } from '../audit/reasons.ts'
import { type Choices, choose } from '../federation/choose.ts'
import { MAX_TOKEN_LIFETIME_SECONDS } from '../federation/document.ts'
import type { Federation } from '../federation/federation.ts'
import { identify } from '../federation/identify.ts'
import type { Identity } from '../federation/identity.ts'
import { decide, type Verdict } from '../policy/decide.ts'
import type { AuditEntry } from './audit-input.ts'
import type { IssuerFinder } from './replay-issuers.ts'

/** Refusals that another document could have decided otherwise. What came before the mapping, or was no fault of it, is not among them. */
const MAPPING_REASONS: ReadonlySet<string> = new Set<RefusalReason>([
  'issuer_suspended',
  'binding_missing',
  'binding_suspended',
  'identity_malformed',
  'identity_suspended',
  'target_missing',
  'target_refused',
  'scope_refused',
])

/** A recorded request that can be decided anew. */
export interface Request {
  /** The exact `iss`, or such as a partition; null where it was not recorded. */
  readonly issuer: string | null
  /** As it was named when the request came. */
  readonly trustedIssuer: string
  readonly attributes: Attributes
  readonly target: string | undefined
  readonly scopes: readonly string[] | undefined
  /** How long the token lived; undefined where none was issued. */
  readonly lifetimeSeconds: number | undefined
}

/** Why a record cannot be decided anew: its proof was not verified, or another document would have changed nothing, or it says too little. */
export type Skipped = 'unverified' | 'not_of_mapping' | 'incomplete'

export type Outcome =
  | {
      readonly isGiven: true
      readonly identity: string
      readonly audience: string
      readonly scopes: readonly string[]
      /** Scopes that were given, and would not be. */
      readonly lostScopes: readonly string[]
      readonly lifetimeSeconds: number
    }
  | { readonly isGiven: false; readonly reason: RefusalReason; readonly identity: string | undefined }

/** A decision, and what it was made by. */
export interface Redecision {
  readonly outcome: Outcome
  /** As the federation names it; undefined where it has none that takes such proofs. */
  readonly trustedIssuer: string | undefined
  readonly choices: Choices
}

const NO_CHOICE: Choices = { live: undefined, shadow: undefined }

/** Reads what a record says of its request. */
export function readRequest(entry: AuditEntry): Request | Skipped {
  const { attributes, trusted_issuer: trustedIssuer, decision, reason, audience, scope } = entry
  if (attributes === null || trustedIssuer === null) return 'unverified'
  if (decision === 'refused' && (reason === null || !MAPPING_REASONS.has(reason))) return 'not_of_mapping'
  // What a record does not repeat, as it is too long or not plain, is not to be taken for what was never asked.
  if (reason === 'target_refused' && audience === null) return 'incomplete'
  if (reason === 'scope_refused' && scope === null) return 'incomplete'
  const lifetimeSeconds = lifetimeOf(entry)
  const isWhole = audience !== null && entry.identity !== null && (lifetimeSeconds ?? 0) > 0
  if (decision === 'issued' && !isWhole) return 'incomplete'
  return {
    issuer: entry.issuer,
    trustedIssuer,
    attributes: new Map(Object.entries(attributes)),
    target: audience ?? undefined,
    scopes: scope === null ? undefined : scope.split(' '),
    lifetimeSeconds,
  }
}

/**
 * Decides a request anew.
 *
 * What the proof had left of its life is not recorded, so that a token never lives longer than it did. Nor is whether scopes were
 * asked for by name: those that were given and are still to be had are given again.
 */
export function decideAnew(request: Request, federation: Federation, findIssuer: IssuerFinder): Redecision {
  const trustedIssuer = findIssuer(request)
  const refuse = (reason: RefusalReason, choices = NO_CHOICE, identity?: string): Redecision => ({
    outcome: { isGiven: false, reason, identity },
    trustedIssuer,
    choices,
  })
  if (trustedIssuer === undefined) return refuse('issuer_not_trusted')
  if (federation.suspendedIssuers.has(trustedIssuer)) return refuse('issuer_suspended')
  const choices = choose(federation.bindings.findAll(trustedIssuer, request.attributes))
  if (choices.live === undefined) return refuse('binding_missing', choices)
  const identified = identify(choices.live, request.attributes, federation.identities)
  if (!identified.isGiven) return refuse(identified.why, choices, identified.name)
  const outcome = grant(request, identified.name, identified.identity, federation)
  return { outcome, trustedIssuer, choices }
}

function grant(request: Request, name: string, identity: Identity, { audiences }: Federation): Outcome {
  const proof = {
    expiresAt: request.lifetimeSeconds ?? MAX_TOKEN_LIFETIME_SECONDS,
    replay: { key: '', singleUse: false },
  }
  const ask = (scopes: Request['scopes']): Verdict =>
    decide(identity, audiences, { target: request.target, scopes }, proof, 0)
  const verdict = ask(request.scopes)
  if (verdict.allowed) return given(name, verdict, [])
  const may = identity.grants.get(request.target ?? '') ?? []
  const kept = request.scopes?.filter((scope) => may.includes(scope)) ?? []
  const isNarrowed = request.lifetimeSeconds !== undefined && kept.length > 0
  const narrowed = isNarrowed ? ask(kept) : verdict
  if (!narrowed.allowed) return { isGiven: false, reason: verdict.why, identity: name }
  return given(name, narrowed, request.scopes?.filter((scope) => !may.includes(scope)) ?? [])
}

function given(
  identity: string,
  { grant: { audience, scopes = [], lifetimeSeconds } }: Extract<Verdict, { allowed: true }>,
  lostScopes: readonly string[],
): Outcome {
  return { isGiven: true, identity, audience, scopes, lostScopes, lifetimeSeconds }
}

function lifetimeOf({ decision, time, token_expires_at: expiresAt }: AuditEntry): number | undefined {
  if (decision === 'refused' || expiresAt === null) return undefined
  return Math.round((Date.parse(expiresAt) - Date.parse(time)) / 1_000)
}
