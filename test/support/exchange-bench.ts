/** The pipeline on a bench: a real document, real keys and a real sink, and a verifier that says what it is told. */

import { randomUUID } from 'node:crypto'
import type { VerifiedProof } from '../../providers/contract/proof.ts'
import type { ProofVerifier } from '../../providers/contract/provider.ts'
import { createAudit } from '../../src/audit/audit.ts'
import type { AuditRecord } from '../../src/audit/record.ts'
import { createAuditSink, type LineWriter } from '../../src/audit/sink.ts'
import { createExchange, type ExchangePorts, type Outcome, type Snapshot } from '../../src/exchange/exchange.ts'
import type { Call } from '../../src/exchange/record.ts'
import type { TokenExchangeRequest } from '../../src/oauth/token-request.ts'
import type { TokenResponse } from '../../src/oauth/token-response.ts'
import { JWT_TYPE } from '../../src/oauth/vocabulary.ts'
import { BROKER, type DocumentParts } from './document.ts'
import { federationFor, proofOf } from './federation-parts.ts'
import { makeSigningKey, ringOf } from './made-keys.ts'

export const NOW = 1_768_478_400

export const keys = await ringOf([await makeSigningKey('ES256'), await makeSigningKey('RS256')])

/** Creates a verifier that takes every proof for this one, or throws what it is given. */
export function verifierSaying(
  outcome: VerifiedProof | Error,
  more: Partial<ProofVerifier> = {},
): ProofVerifier & { readonly asked: unknown[] } {
  const asked: unknown[] = []
  return {
    asked,
    provider: 'kubernetes',
    recognises: () => true,
    inspect: () => ({ trustedIssuer: undefined, attributes: new Map(), trouble: undefined, facts: {} }),
    verify: async (proof, request, signal) => {
      asked.push({ proof, request, signal })
      if (outcome instanceof Error) throw outcome
      return outcome
    },
    ...more,
  }
}

export interface BenchOptions {
  readonly document?: DocumentParts
  readonly verifier?: ProofVerifier
  readonly writer?: LineWriter
  readonly ports?: Partial<ExchangePorts>
}

export interface Bench {
  readonly call: Call
  readonly outcomes: Outcome[]
  readonly snapshot: Snapshot
  readonly records: () => readonly AuditRecord[]
  /** Runs one exchange of `payments/api` for the ledger, unless told otherwise. */
  readonly exchange: (request?: Partial<TokenExchangeRequest> | Error) => Promise<TokenResponse>
}

export function createBench(options: BenchOptions = {}): Bench {
  const lines: string[] = []
  const writer = { append: async (text: string) => void lines.push(text), close: async () => undefined }
  const outcomes: Outcome[] = []
  const audit = createAudit({
    sink: createAuditSink(options.writer ?? writer),
    clock: () => 0,
    onFailure: () => undefined,
    onSampled: () => undefined,
  })
  const snapshot: Snapshot = {
    federation: federationFor(options.document),
    verifiers: [options.verifier ?? verifierSaying(proofOf(NOW))],
    subjectTokenTypes: new Set([JWT_TYPE]),
    keys,
  }
  const run = createExchange({
    brokerIssuer: BROKER,
    now: () => NOW,
    snapshot: () => snapshot,
    audit,
    onOutcome: (outcome) => void outcomes.push(outcome),
    // Reusable proofs have no business here.
    spentProofs: { spend: () => Promise.reject(new Error('nobody spends')) },
    ...options.ports,
  })
  const call = { requestId: randomUUID(), clientAddress: '192.0.2.1', signal: new AbortController().signal }
  return {
    call,
    outcomes,
    snapshot,
    records: () =>
      lines
        .join('')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as AuditRecord),
    exchange: (request = {}) => run(async () => requestOf(request), call),
  }
}

function requestOf(request: Partial<TokenExchangeRequest> | Error): TokenExchangeRequest {
  if (request instanceof Error) throw request
  return {
    subjectToken: 'proof',
    subjectTokenType: JWT_TYPE,
    targets: ['ledger'],
    scopes: undefined,
    requestedTokenType: undefined,
    ...request,
  }
}
