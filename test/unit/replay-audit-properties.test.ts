/** Replays agree with the broker: records that the pipeline wrote, decided anew, against the pipeline under the new document. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AuditRecord } from '../../src/audit/record.ts'
import type { AuditEntry } from '../../src/cli/audit-input.ts'
import { decideAnew, readRequest } from '../../src/cli/replay-decision.ts'
import { type Consequence, judge } from '../../src/cli/replay-groups.ts'
import { createIssuerFinder } from '../../src/cli/replay-issuers.ts'
import type { Federation } from '../../src/federation/federation.ts'
import { type ArbitraryRequest, aimAt, requests, richPairs, richParts } from '../support/arbitrary-requests.ts'
import type { DocumentParts } from '../support/document.ts'
import { createBench, NOW, verifierSaying } from '../support/exchange-bench.ts'
import { federationFor, findingsIn, proofOf } from '../support/federation-parts.ts'

const isAccepted = (parts: DocumentParts) => findingsIn(parts).every(({ severity }) => severity !== 'error')
const accepted = richParts.filter(isAccepted)
const pairs = fc
  .oneof(richPairs, fc.tuple(richParts, richParts))
  .filter(([old, next]) => isAccepted(old) && isAccepted(next))

/** What the pipeline writes of a request under a document. */
async function record(document: DocumentParts, request: ArbitraryRequest): Promise<AuditRecord> {
  const { trustedIssuer, namespace, account, target, scopes, seconds } = request
  const attributes = new Map([
    ['kubernetes.namespace', namespace],
    ['kubernetes.service_account', account],
  ])
  const issuer = trustedIssuer === 'east' ? 'https://east.example' : 'https://west.example'
  const proof = proofOf(NOW, { trustedIssuer, issuer, attributes, expiresAt: NOW + seconds })
  const bench = createBench({ document, verifier: verifierSaying(proof) })
  await bench.exchange({ targets: target === undefined ? [] : [target], scopes }).catch(() => undefined)
  const [written] = bench.records()
  if (written === undefined) throw new Error('nothing was recorded')
  return written
}

function replayOne(entry: AuditEntry, federation: Federation): Consequence | undefined | 'skipped' {
  const request = readRequest(entry)
  return typeof request === 'string'
    ? 'skipped'
    : judge(entry, request, decideAnew(request, federation, createIssuerFinder(federation)).outcome)
}

test('under the document that decided, nothing changes, and no record of a verified proof is skipped', async () => {
  const reasons = new Set<string>()

  await fc.assert(
    fc.asyncProperty(accepted, requests, fc.boolean(), async (document, request, isAimed) => {
      const written = await record(document, isAimed ? aimAt(document, request) : request)
      reasons.add(written.reason ?? written.decision)

      expect(replayOne(written, federationFor(document))).toBeUndefined()
    }),
    { numRuns: 600 },
  )

  expect([...reasons].sort()).toEqual(
    expect.arrayContaining([
      ...['binding_missing', 'binding_suspended', 'identity_suspended', 'issued', 'issuer_suspended'],
      ...['scope_refused', 'target_missing', 'target_refused'],
    ]),
  )
})

test('under another document, whoever asks by name loses, gains or changes as the pipeline has it', async () => {
  const effects = new Set<string>()

  await fc.assert(
    fc.asyncProperty(pairs, requests, async ([old, next], request) => {
      const named = { ...aimAt(old, request), target: request.target ?? 'ledger', scopes: request.scopes ?? ['r'] }
      const [before, after] = [await record(old, named), await record(next, named)]
      const consequence = replayOne(before, federationFor(next))
      if (consequence === 'skipped') throw new Error('skipped')
      effects.add(consequence?.effect ?? 'none')

      // Whoever keeps some of the scopes that it asks for by name is told as a change, and refused.
      const isLosing = consequence?.effect === 'loses' || (consequence?.changes.includes('scopes') ?? false)
      expect(isLosing).toBe(before.decision === 'issued' && after.decision === 'refused')
      expect(consequence?.effect === 'gains').toBe(before.decision === 'refused' && after.decision === 'issued')
      if (before.decision === 'refused' || after.decision === 'refused') return
      expect(consequence?.changes.includes('identity') ?? false).toBe(before.identity !== after.identity)
      expect(consequence?.changes.includes('lifetime') ?? false).toBe(lifetimeOf(after) < lifetimeOf(before))
    }),
    { numRuns: 600 },
  )

  expect([...effects].sort()).toEqual(['changes', 'gains', 'loses', 'none'])
})

function lifetimeOf({ time, token_expires_at: expiresAt }: AuditRecord): number {
  return Date.parse(expiresAt ?? time) - Date.parse(time)
}
