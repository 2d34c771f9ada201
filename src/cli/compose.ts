/** Puts a broker together from its configuration. Nothing listens yet. */

import type { NumericDate } from '../../providers/contract/proof.ts'
import { verifiers } from '../../providers/verifiers.ts'
import { type Audit, createAudit } from '../audit/audit.ts'
import { type AuditSink, createAuditSink, type LineWriter } from '../audit/sink.ts'
import type { BrokerConfig } from '../config.ts'
import { createExchange, type Outcome, type Snapshot, type TakeSnapshot } from '../exchange/exchange.ts'
import { createSpentLookup } from '../exchange/replay.ts'
import { createKeptDocuments, type KeptDocuments } from '../federation/kept.ts'
import { fingerprintDocuments } from '../federation/locate.ts'
import { createFederationSource, type FederationSource } from '../federation/source.ts'
import { createApp } from '../http/app.ts'
import { createTrustedProxies } from '../http/client-address.ts'
import { describeBug, type Log } from '../log.ts'
import { createMetrics, type Metrics } from '../metrics.ts'
import type { ShadowDecision } from '../policy/shadow.ts'
import { createSealer } from '../store/seal.ts'
import type { Store } from '../store/store.ts'
import { startTending } from '../store/tending.ts'
import type { KeyKeeper } from '../tokens/key-keeper.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import { openKeys } from './compose-keys.ts'
import { loadFederation } from './load-federation.ts'
import { openAuditWriter } from './open-audit.ts'
import { openStore } from './open-store.ts'
import { createSecretReader } from './secrets.ts'
import { createVerifierFactory } from './verifier-ports.ts'
import type { World } from './world.ts'

/** A broker that is ready to be listened for. */
export interface Composed {
  readonly app: ReturnType<typeof createApp>
  readonly metrics: Metrics
  readonly source: FederationSource
  /** What was made before this is not taken where it may be used once. */
  readonly believedFrom: NumericDate
  readonly close: () => Promise<void>
}

/**
 * Opens the store, loads or makes the keys and wires everything up. The document is loaded when the source is started. Throws
 * {@link SettingsError} where a setting does not fit, with nothing left open. Records go to `auditWriter`, where there is one.
 */
export async function compose(config: BrokerConfig, world: World, auditWriter?: LineWriter): Promise<Composed> {
  await using opened = new AsyncDisposableStack()
  const { store, records } = await openStore(config.store, (believedFrom) => tellDoubt(believedFrom, world.log))
  opened.defer(() => store.close())
  const sealer = createSealer(config.keyEncryptionKeys)
  const metrics = createMetrics(world.now)
  const keeper = await openKeys(config, { store, sealer, registry: metrics.registry, world })
  opened.defer(() => keeper.stop())
  const { spentProofs, tending } = await openSpentProofs(store, metrics, world)
  opened.defer(() => tending.stop())
  const sink = createAuditSink(auditWriter ?? (await openAuditWriter(config.audit, records)))
  opened.defer(() => sink.close())
  const kept = createKeptDocuments(store, sealer)
  const isSpent = createSpentLookup(spentProofs)
  const { source, snapshot } = followDocument(config, world, metrics, { keeper, kept, isSpent })
  opened.defer(() => source.stop())
  const exchange = createExchange({
    brokerIssuer: config.issuer,
    now: world.now,
    snapshot,
    spentProofs,
    audit: openAudit(sink, metrics, world.log),
    onOutcome: createOutcomeObserver(metrics, world.log),
  })
  const app = createApp({
    brokerIssuer: config.issuer,
    exchange,
    snapshot,
    subjectTokenTypes: [...new Set(verifiers.flatMap(({ subjectTokenTypes }) => subjectTokenTypes))],
    isTrustedProxy: createTrustedProxies(config.trustedProxies),
    onBug: (error, requestId) => world.log.error({ request_id: requestId, ...describeBug(error) }, 'unexpected error'),
  })
  const open = opened.move()
  const { believedFrom } = spentProofs
  return { app, metrics, source, believedFrom, close: () => open.disposeAsync() }
}

/** What a database that was restored, or has failed over, may have forgotten. */
function tellDoubt(believedFrom: NumericDate, log: Log): void {
  log.warn(
    { believed_from: believedFrom },
    'the database was put back, or has failed over: single-use proofs made before that time are refused',
  )
}

async function openSpentProofs(store: Store, metrics: Metrics, { log, now }: World) {
  const spentProofs = await store.openSpentProofs(now())
  log.info(
    { believed_from: spentProofs.believedFrom },
    'single-use proofs made a minute after this, or later, are taken',
  )
  const tending = startTending({
    spentProofs,
    now,
    onCount: metrics.spentProofs,
    onTrouble(error) {
      // Nothing that a caller sent has any part in this, so the message may be told.
      const message = error instanceof Error ? error.message : undefined
      log.error({ ...describeBug(error), message }, 'the store could not be written: single-use proofs are refused')
    },
  })
  return { spentProofs, tending }
}

interface Lasting {
  readonly keeper: Pick<KeyKeeper, 'ring'>
  readonly kept: KeptDocuments
  readonly isSpent: ReturnType<typeof createSpentLookup>
}

function followDocument(config: BrokerConfig, world: World, metrics: Metrics, { keeper, kept, isSpent }: Lasting) {
  const { log, now } = world
  const { federationPath, insecureHosts, issuer: brokerIssuer } = config
  const createVerifiers = createVerifierFactory({
    egress: { insecureHosts, proxy: config.egressProxy, resolve: world.resolve },
    now,
    readFile: createSecretReader(config.secretsDir),
    brokerIssuer,
    isSpent,
    observe(event) {
      metrics.providerEvent(event)
      if (event.kind === 'key_ignored') log.warn(event, 'a published key is not fit for use: tell its issuer')
    },
  })
  let inForce: Omit<Snapshot, 'keys'> | undefined
  const source = createFederationSource({
    load: (lastGood, isServing) =>
      loadFederation({
        path: federationPath,
        context: { providers: verifiers, insecureHosts, brokerIssuer },
        lastGood,
        isServing,
      }),
    fingerprint: () => fingerprintDocuments(federationPath),
    kept,
    onAccepted(federation, findings) {
      inForce = { federation, ...createVerifiers(federation) }
      metrics.documentInForce(now())
      for (const finding of findings) log.warn({ finding }, 'the document can be used, but look at this')
      log.info({ document: federation.digest, bindings: federation.bindings.size }, 'document in force')
    },
    onRefused: (findings) => log.error({ findings, in_force: inForce?.federation.digest ?? null }, 'document refused'),
    onStale: (isStale) => metrics.documentStale(isStale),
    onTrouble: (error) => log.error(describeBug(error), 'the document could not be looked at or kept'),
  })
  const withKeys = (keys: KeyRing | undefined): Snapshot | undefined =>
    inForce === undefined || keys === undefined ? undefined : { ...inForce, keys }
  const snapshot: TakeSnapshot = () => {
    const keys = keeper.ring()
    return keys instanceof Promise ? keys.then(withKeys) : withKeys(keys)
  }
  return { source, snapshot }
}

function openAudit(sink: AuditSink, metrics: Metrics, log: Log): Audit {
  return createAudit({
    sink,
    clock: () => performance.now(),
    onFailure(error) {
      metrics.auditFailed()
      log.error(describeBug(error), 'an audit record could not be written: no tokens are issued without one')
    },
    onSampled: metrics.auditSampled,
  })
}

/** Refusals are logged where they are recorded, with what the record has no place for. */
function createOutcomeObserver(metrics: Metrics, log: Log): (outcome: Outcome) => void {
  return ({ requestId, provider, refusal, isRecorded, seconds, shadow }) => {
    const outcome = refusal === undefined ? 'issued' : 'refused'
    if (shadow !== undefined) countShadow(metrics, shadow, outcome)
    metrics.decided({ provider, outcome, reason: refusal?.reason ?? 'none', seconds })
    if (refusal === undefined || !isRecorded) return
    const { reason, origin, facts, cause } = refusal
    const known = { request_id: requestId, reason, trusted_issuer: origin?.trustedIssuer ?? null, facts }
    if (reason === 'internal') log.error({ ...known, ...describeBug(cause) }, 'unexpected error')
    else if (reason === 'key_unavailable') log.error({ ...known, ...describeBug(cause) }, 'no key signed')
    else log.info(known, 'refused')
  }
}

function countShadow(metrics: Metrics, { binding, verdict }: ShadowDecision, answered: 'issued' | 'refused'): void {
  const outcome = verdict.allowed ? 'issued' : 'refused'
  const reason = verdict.allowed ? 'none' : verdict.why
  metrics.shadowDecided({ trustedIssuer: binding.trustedIssuer, answered, outcome, reason })
}
