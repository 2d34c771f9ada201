/** One exchange, from request to answer. The only file that knows the order. */

import type { NumericDate, VerifiedProof } from '../../providers/contract/proof.ts'
import type { ProofRequest, ProofVerifier } from '../../providers/contract/provider.ts'
import type { Audit } from '../audit/audit.ts'
import type { AuditRecord } from '../audit/record.ts'
import { type Choice, choose } from '../federation/choose.ts'
import type { Federation } from '../federation/federation.ts'
import { identify } from '../federation/identify.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { TokenExchangeRequest } from '../oauth/token-request.ts'
import type { TokenResponse } from '../oauth/token-response.ts'
import { ACCESS_TOKEN_TYPE, type IssuedTokenType, JWT_TYPE } from '../oauth/vocabulary.ts'
import { decide, type Grant } from '../policy/decide.ts'
import { decideShadow, type ShadowDecision } from '../policy/shadow.ts'
import { nameTarget } from '../policy/target.ts'
import type { SpentProofs } from '../store/store.ts'
import { type AccessTokenClaims, claimsOf, type TokenFacts } from '../tokens/claims.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import { mint } from '../tokens/mint.ts'
import { chooseVerifier } from './choose-verifier.ts'
import { type Call, issuedRecord, type Progress, refusedRecord } from './record.ts'
import { Refusal, toRefusal } from './refusal.ts'
import { spendOnce } from './replay.ts'
import { refuseSuspended, refuseSuspendedUnasked } from './suspension.ts'

/** One moment's document and keys. An exchange uses the one that it began with, and nothing newer. */
export interface Snapshot {
  readonly federation: Federation
  readonly verifiers: readonly ProofVerifier[]
  readonly subjectTokenTypes: ReadonlySet<string>
  readonly keys: KeyRing
}

/** Gives the snapshot of now; a promise where the keys have to be confirmed first. */
export type TakeSnapshot = () => Snapshot | undefined | Promise<Snapshot | undefined>

export interface ExchangePorts {
  readonly brokerIssuer: string
  readonly now: () => NumericDate
  /** Undefined while there is no document or no key that can be used. */
  readonly snapshot: TakeSnapshot
  readonly spentProofs: Pick<SpentProofs, 'spend'>
  readonly audit: Audit
  readonly onOutcome: (outcome: Outcome) => void
}

/** How an exchange ended, for whoever counts and logs. */
export interface Outcome {
  readonly requestId: string
  readonly provider: string
  /** Undefined where a token was issued. */
  readonly refusal: Refusal | undefined
  /** False for a refusal that was sampled away, or whose record failed. */
  readonly isRecorded: boolean
  readonly seconds: number
  /** Undefined where no binding in shadow would have decided. */
  readonly shadow: ShadowDecision | undefined
}

/** Gives a token, or throws a {@link Refusal}; either way the outcome was recorded first. */
export type Exchange = (read: () => Promise<TokenExchangeRequest>, call: Call) => Promise<TokenResponse>

/** Creates the pipeline that every grant goes through. */
export function createExchange(ports: ExchangePorts): Exchange {
  return async (read, call) => {
    const startedAt = performance.now()
    const progress: Progress = {}
    const report = (refusal: Refusal | undefined, isRecorded: boolean): void => {
      const seconds = (performance.now() - startedAt) / 1_000
      ports.onOutcome({
        requestId: call.requestId,
        provider: progress.provider ?? 'none',
        refusal,
        isRecorded,
        seconds,
        shadow: progress.shadow,
      })
    }
    try {
      const response = await run(read, call, progress, ports)
      report(undefined, true)
      return response
    } catch (error) {
      const refusal = toRefusal(error)
      const record = refusedRecord(refusal, progress, call, ports.now())
      report(refusal, await ports.audit.refused(record, progress.proof !== undefined))
      throw refusal
    }
  }
}

/** Whom a proof is for, and by which binding. */
type Bound = Pick<TokenFacts, 'binding' | 'identity' | 'identityName'>

async function run(
  read: () => Promise<TokenExchangeRequest>,
  call: Call,
  progress: Progress,
  ports: ExchangePorts,
): Promise<TokenResponse> {
  const { federation, verifiers, subjectTokenTypes, keys } = (await ports.snapshot()) ?? refuse('not_ready')
  progress.document = federation.digest

  const request = await read()
  progress.request = request
  const target = chooseTarget(request, federation, ports.brokerIssuer)
  progress.target = target

  const routed = chooseVerifier(request, verifiers, subjectTokenTypes)
  progress.provider = routed.verifier.provider
  refuseSuspendedUnasked(routed.proof, routed.verifier, federation.suspendedIssuers)
  const proof = await routed.verifier.verify(routed.proof, proofRequest(request, call), call.signal)
  progress.proof = proof
  await spendOnce(proof, ports.spentProofs, ports.now())
  refuseSuspended(proof.trustedIssuer, federation.suspendedIssuers)

  const now = ports.now()
  const wish = { target, scopes: request.scopes }
  const choices = choose(federation.bindings.findAll(proof.trustedIssuer, proof.attributes))
  progress.shadow = decideShadow(choices.shadow, federation, wish, proof, now)
  const bound = bind(choices.live, proof, federation, progress)

  const verdict = decide(bound.identity, federation.audiences, wish, proof, now)
  if (!verdict.allowed) throw new Refusal(verdict.why)
  const { grant } = verdict

  const claims = claimsOf({ brokerIssuer: ports.brokerIssuer, federation, ...bound, proof, grant, now })
  const token = await sign(claims, grant, keys)
  await recordIssued(issuedRecord(claims, proof, progress, call), ports.audit)
  return {
    access_token: token,
    issued_token_type: issuedTokenType(request, grant),
    token_type: 'Bearer',
    expires_in: grant.lifetimeSeconds,
    ...(claims.scope === undefined ? {} : { scope: claims.scope }),
  }
}

/** The target goes as it is spelled: a proof that names one was signed over those very characters. */
function proofRequest({ targets }: TokenExchangeRequest, { clientAddress }: Call): ProofRequest {
  const [target, ...others] = new Set(targets)
  return {
    ...(target === undefined || others.length > 0 ? {} : { target }),
    ...(clientAddress === undefined ? {} : { clientAddress }),
  }
}

function chooseTarget(request: TokenExchangeRequest, federation: Federation, brokerIssuer: string): string | undefined {
  const isDeclared = (name: string) => federation.audiences.has(name)
  const [target, ...others] = new Set(request.targets.map((name) => nameTarget(name, brokerIssuer, isDeclared)))
  if (others.length > 0) throw new OAuthError('target_ambiguous')
  return target
}

function bind(choice: Choice | undefined, proof: VerifiedProof, federation: Federation, progress: Progress): Bound {
  if (choice === undefined) throw new Refusal('binding_missing')
  const { binding } = choice
  progress.binding = binding
  const identified = identify(choice, proof.attributes, federation.identities)
  progress.identity = identified.name
  if (!identified.isGiven) throw new Refusal(identified.why)
  return { binding, identity: identified.identity, identityName: identified.name }
}

/** The key may be revoked in this very moment, or be held by somebody who does not answer. */
async function sign(claims: AccessTokenClaims, grant: Grant, keys: KeyRing): Promise<string> {
  try {
    return await mint(claims, grant.tokenType, keys.signerFor(grant.signingAlgorithm))
  } catch (cause) {
    throw new Refusal('key_unavailable', { cause })
  }
}

/** A token without its record does not exist: where the record fails, so does the exchange. */
async function recordIssued(record: AuditRecord, audit: Audit): Promise<void> {
  try {
    await audit.issued(record)
  } catch (cause) {
    throw new Refusal('audit_unavailable', { cause })
  }
}

function issuedTokenType(request: TokenExchangeRequest, grant: Grant): IssuedTokenType {
  return request.requestedTokenType === JWT_TYPE || grant.tokenType === 'JWT' ? JWT_TYPE : ACCESS_TOKEN_TYPE
}

function refuse(reason: 'not_ready'): never {
  throw new Refusal(reason)
}
