/** What the broker counts. Every label comes from configuration or from a closed list; none from a token or a caller. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { ProviderEvent } from '../providers/contract/provider.ts'

export interface Metrics {
  readonly registry: Registry
  /** `reason` is `none` where a token was issued. */
  decided(decision: { provider: string; outcome: 'issued' | 'refused'; reason: string; seconds: number }): void
  /** `answered` is what was decided, `outcome` what a binding in shadow would have decided. */
  shadowDecided(decision: {
    trustedIssuer: string
    answered: 'issued' | 'refused'
    outcome: 'issued' | 'refused'
    reason: string
  }): void
  providerEvent(event: ProviderEvent): void
  auditFailed(): void
  /** How many spent proofs the store remembers, those of other processes included. */
  spentProofs(count: number): void
  auditSampled(trustedIssuer: string, isVerified: boolean): void
  documentInForce(loadedAt: number): void
  /** Whether what is on disk differs from what is in force because it was refused. */
  documentStale(isStale: boolean): void
}

/** Seconds: an exchange takes under a millisecond of its own, and up to five of somebody else's. */
const EXCHANGE_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/**
 * Creates the metrics of one process. `now` is in seconds. Of several workers, counters are added up; of gauges the worst counts, so
 * that one worker in trouble is seen.
 */
export function createMetrics(now: () => number): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const decisions = new Counter({
    name: 'chancery_decisions_total',
    help: 'Exchanges decided.',
    labelNames: ['provider', 'outcome', 'reason'] as const,
    registers,
  })
  const shadows = new Counter({
    name: 'chancery_shadow_decisions_total',
    help: 'What bindings in shadow would have decided, beside what was answered.',
    labelNames: ['trusted_issuer', 'answered', 'outcome', 'reason'] as const,
    registers,
  })
  const duration = new Histogram({
    name: 'chancery_exchange_seconds',
    help: 'Time from a request to its recorded decision.',
    labelNames: ['provider', 'outcome'] as const,
    buckets: EXCHANGE_BUCKETS,
    registers,
  })
  const auditFailures = new Counter({
    name: 'chancery_audit_failures_total',
    help: 'Records that could not be written.',
    registers,
  })
  const sampled = new Counter({
    name: 'chancery_audit_refusals_sampled_total',
    help: 'Refusals counted here instead of recorded, as there were too many.',
    labelNames: ['trusted_issuer', 'verified'] as const,
    registers,
  })
  const spentProofs = new Gauge({
    name: 'chancery_spent_proofs',
    help: 'Spent proofs that the store remembers; at 1000000 it takes no more.',
    registers,
    // All processes on a store see the same ones.
    aggregator: 'max',
  })
  const documentMetrics = createDocumentMetrics(registry, now)
  const observeProvider = createProviderMetrics(registry)
  return {
    registry,
    decided({ provider, outcome, reason, seconds }) {
      decisions.inc({ provider, outcome, reason })
      duration.observe({ provider, outcome }, seconds)
    },
    shadowDecided: ({ trustedIssuer, answered, outcome, reason }) =>
      shadows.inc({ trusted_issuer: trustedIssuer, answered, outcome, reason }),
    providerEvent: observeProvider,
    auditFailed: () => auditFailures.inc(),
    spentProofs: (count) => spentProofs.set(count),
    auditSampled: (trustedIssuer, isVerified) =>
      sampled.inc({ trusted_issuer: trustedIssuer, verified: String(isVerified) }),
    ...documentMetrics,
  }
}

function createDocumentMetrics(
  registry: Registry,
  now: () => number,
): Pick<Metrics, 'documentInForce' | 'documentStale'> {
  const registers = [registry]
  let inForceSince: number | undefined
  const loaded = new Gauge({
    name: 'chancery_document_loaded_timestamp_seconds',
    help: 'When the document in force was loaded.',
    registers,
    aggregator: 'min',
  })
  // A gauge with a callback registers itself; nothing else refers to it.
  new Gauge({
    name: 'chancery_document_age_seconds',
    help: 'Time since the document in force was loaded.',
    registers,
    aggregator: 'max',
    collect() {
      if (inForceSince !== undefined) this.set(now() - inForceSince)
    },
  })
  const stale = new Gauge({
    name: 'chancery_document_stale',
    help: '1 while the document on disk is refused and an older one is in force.',
    registers,
    aggregator: 'max',
  })
  return {
    documentInForce(loadedAt) {
      inForceSince = loadedAt
      loaded.set(loadedAt)
    },
    documentStale: (isStale) => stale.set(isStale ? 1 : 0),
  }
}

function createProviderMetrics(registry: Registry): (event: ProviderEvent) => void {
  const registers = [registry]
  const requests = new Counter({
    name: 'chancery_upstream_requests_total',
    help: 'Requests made to trusted issuers.',
    labelNames: ['trusted_issuer', 'purpose', 'outcome'] as const,
    registers,
  })
  const seconds = new Histogram({
    name: 'chancery_upstream_seconds',
    help: 'Time that requests to trusted issuers took.',
    labelNames: ['trusted_issuer', 'purpose'] as const,
    registers,
  })
  const clockOffset = new Gauge({
    name: 'chancery_upstream_clock_offset_seconds',
    help: 'The clock of a trusted issuer less ours, by its last answer.',
    labelNames: ['trusted_issuer'] as const,
    registers,
    aggregator: 'average',
  })
  const keysIgnored = new Counter({
    name: 'chancery_upstream_keys_ignored_total',
    help: 'Published keys that are not fit for use.',
    labelNames: ['trusted_issuer', 'why'] as const,
    registers,
  })
  const unknownClaims = new Counter({
    name: 'chancery_proof_unknown_claims_total',
    help: 'Claims of verified proofs that nobody has accounted for.',
    labelNames: ['trusted_issuer'] as const,
    registers,
  })
  return (event) => {
    const trusted = { trusted_issuer: event.trustedIssuer }
    if (event.kind === 'key_ignored') keysIgnored.inc({ ...trusted, why: event.why })
    else if (event.kind === 'unknown_claims') unknownClaims.inc(trusted, event.count)
    else {
      requests.inc({ ...trusted, purpose: event.purpose, outcome: event.outcome })
      seconds.observe({ ...trusted, purpose: event.purpose }, event.seconds)
      if (event.clockOffsetSeconds !== undefined) clockOffset.set(trusted, event.clockOffsetSeconds)
    }
  }
}
