/** Makes the audit record of an exchange from how far it came. */

import { hash } from 'node:crypto'
import type { NumericDate, ProviderName, VerifiedProof } from '../../providers/contract/proof.ts'
import type { AuditRecord } from '../audit/record.ts'
import type { Binding } from '../federation/bindings.ts'
import type { TokenExchangeRequest } from '../oauth/token-request.ts'
import type { Grant } from '../policy/decide.ts'
import type { ShadowDecision } from '../policy/shadow.ts'
import type { AccessTokenClaims } from '../tokens/claims.ts'
import type { Refusal, RefusalOrigin } from './refusal.ts'

/** Whose request it is, as the HTTP side knows it. */
export interface Call {
  /** Ours, never the caller's. */
  readonly requestId: string
  readonly clientAddress: string | undefined
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal
}

/** What is known so far. Filled step by step, so that a refusal's record says all that was found before it. */
export interface Progress {
  document?: string
  request?: TokenExchangeRequest
  target?: string | undefined
  provider?: ProviderName
  proof?: VerifiedProof
  binding?: Binding
  identity?: string | undefined
  shadow?: ShadowDecision | undefined
}

/** What a record repeats of a verified caller's request: printable ASCII, so that no terminal takes it for a command. */
const REPEATABLE = /^[\x20-\x7e]{1,255}$/

/** Gives the record of a token. */
export function issuedRecord(
  claims: AccessTokenClaims,
  proof: VerifiedProof,
  progress: Progress,
  call: Call,
): AuditRecord {
  return {
    time: timeOf(claims.iat),
    request_id: call.requestId,
    decision: 'issued',
    reason: null,
    ...originMembers(proof.provider, proof, undefined),
    proof_digest: digestOf(progress.request),
    binding: claims.proof.binding,
    identity: claims.client_id,
    audience: claims.aud,
    scope: claims.scope ?? null,
    token_id: claims.jti,
    token_expires_at: timeOf(claims.exp),
    document: claims.proof.document,
    ...shadowMember(progress),
    client_address: call.clientAddress ?? null,
  }
}

/** Gives the record of a refusal. What an unverified caller wrote is not repeated. */
export function refusedRecord(refusal: Refusal, progress: Progress, call: Call, now: NumericDate): AuditRecord {
  const { provider, proof, binding, request, target } = progress
  const isVerified = proof !== undefined
  return {
    time: timeOf(now),
    request_id: call.requestId,
    decision: 'refused',
    reason: refusal.reason,
    ...originMembers(provider, proof, refusal.origin),
    proof_digest: digestOf(request),
    binding: binding?.name ?? null,
    identity: progress.identity ?? null,
    audience: isVerified ? repeatable(target) : null,
    scope: isVerified ? repeatable(request?.scopes?.join(' ')) : null,
    token_id: null,
    token_expires_at: null,
    document: progress.document ?? null,
    ...shadowMember(progress),
    client_address: call.clientAddress ?? null,
  }
}

/** Who it was: all of it where the proof was verified, else the trusted issuer alone, if it got as far as that. */
function originMembers(
  provider: ProviderName | undefined,
  proof: VerifiedProof | undefined,
  origin: RefusalOrigin | undefined,
) {
  return {
    provider: provider ?? null,
    trusted_issuer: proof?.trustedIssuer ?? origin?.trustedIssuer ?? null,
    issuer: proof?.issuer ?? origin?.issuer ?? null,
    subject: proof?.subject ?? null,
    attributes: proof === undefined ? null : Object.fromEntries(proof.attributes),
  }
}

/** Only a verified proof has got as far as a shadow decision, so that what its bearer asked for may be repeated. */
function shadowMember({ shadow, target, request }: Progress): Pick<AuditRecord, 'shadow'> {
  if (shadow === undefined) return {}
  const { binding, identity = null, verdict } = shadow
  const asked = { audience: repeatable(target), scope: repeatable(request?.scopes?.join(' ')) }
  const outcome = verdict.allowed
    ? { decision: 'issued' as const, reason: null, ...grantMembers(verdict.grant) }
    : { decision: 'refused' as const, reason: verdict.why, ...asked }
  return { shadow: { binding: binding.name, identity, ...outcome } }
}

function grantMembers({ audience, scopes }: Grant) {
  return { audience, scope: scopes?.join(' ') ?? null }
}

function digestOf(request: TokenExchangeRequest | undefined): string | null {
  return request === undefined ? null : hash('sha256', request.subjectToken, 'hex')
}

function timeOf(seconds: NumericDate): string {
  return new Date(seconds * 1_000).toISOString()
}

function repeatable(text: string | undefined): string | null {
  return text !== undefined && REPEATABLE.test(text) ? text : null
}
