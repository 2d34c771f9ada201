/** Puts a broker's signing keys together, and tells its operator what becomes of them. */

import { statSync } from 'node:fs'
import type { Registry } from 'prom-client'
import { SettingsError } from '../../providers/contract/errors.ts'
import type { NumericDate } from '../../providers/contract/proof.ts'
import type { BrokerConfig } from '../config.ts'
import { describeBug, type Log } from '../log.ts'
import { createKeyMetrics, type KeyMetrics } from '../metrics-keys.ts'
import type { Sealer } from '../store/seal.ts'
import type { KeyTable } from '../store/store.ts'
import { createEmbeddedSource } from '../tokens/embedded-source.ts'
import { createFileSource } from '../tokens/file-source.ts'
import { createKeyKeeper, type KeyKeeper } from '../tokens/key-keeper.ts'
import type { KeyListing, KeySource } from '../tokens/key-source.ts'
import { eventsBetween, type KeyEvent } from '../tokens/ring-events.ts'
import { createRingStore } from '../tokens/ring-store.ts'
import { rulesFor } from '../tokens/rotation.ts'
import type { World } from './world.ts'

export interface KeyPorts {
  readonly store: KeyTable
  readonly sealer: Sealer
  readonly registry: Registry
  readonly world: World
}

/** Opens the signing keys, making them where there are none yet. Throws {@link SettingsError} where they cannot be used. */
export async function openKeys(config: BrokerConfig, ports: KeyPorts): Promise<KeyKeeper> {
  if (!ports.sealer.isKeyed && config.store.kind === 'sqlite') refuseOpenFile(config.store.path)
  const { now, elapsed, log } = ports.world
  const keeper = createKeyKeeper({
    source: await openSource(config, ports),
    now,
    elapsed,
    ...createKeyObserver(createKeyMetrics(ports.registry), log, now),
  })
  await keeper.start()
  return keeper
}

async function openSource(config: BrokerConfig, { store, sealer, world }: KeyPorts): Promise<KeySource> {
  const { now, elapsed } = world
  const ports = { ringStore: createRingStore(store, sealer), rules: rulesFor(config.keyRotationSeconds), now, elapsed }
  const { signingKeysDir } = config
  return signingKeysDir === undefined ? createEmbeddedSource(ports) : await createFileSource(signingKeysDir, ports)
}

/** Keys that are not encrypted are as safe as their file. */
function refuseOpenFile(path: string): void {
  if ((statSync(path).mode & 0o007) === 0) return
  const message = `--store: ${path} holds unencrypted signing keys and is open to every account of the machine: chmod o= it, or set CHANCERY_KEY_ENCRYPTION_KEY`
  throw new SettingsError([{ path: ['--store'], code: 'store_unusable', message }])
}

const EVENT_MESSAGES: Readonly<Record<KeyEvent['kind'], string>> = {
  published: 'a signing key is published: it does not sign yet',
  promoted: 'a signing key signs from now on',
  retired: 'a signing key signs no more: it stays public until its last token has expired',
  dropped: 'a signing key is public no more: its last token has expired',
  revoked: 'a signing key was revoked: what it signed is worth nothing to verifiers that look again',
}

/** A line for every step, and for every trouble when it begins and when it is over. */
function createKeyObserver(metrics: KeyMetrics, log: Log, now: () => NumericDate) {
  let told = ''
  const tell = (troubles: readonly string[], say: () => void): void => {
    const text = JSON.stringify(troubles)
    if (text !== told) say()
    told = text
  }
  return {
    onLook(listing: KeyListing, before: KeyListing | undefined): void {
      metrics.keysConfirmed(listing, now())
      if (before === undefined) log.info({ keys: listing.keys.map(describeKey) }, 'signing keys')
      for (const { kind, algorithm, keyId } of before === undefined ? [] : eventsBetween(before, listing, now())) {
        metrics.keyEvent({ kind, algorithm })
        log[kind === 'revoked' ? 'warn' : 'info']({ event: kind, algorithm, key_id: keyId }, EVENT_MESSAGES[kind])
      }
      const late = listing.turns.filter(({ isLate }) => isLate).map(({ algorithm }) => `${algorithm} rotation is late`)
      const troubles = [...listing.troubles, ...late]
      tell(troubles, () => {
        if (troubles.length > 0) log.error({ troubles }, 'a step with the signing keys cannot be taken')
        else if (told !== '') log.info('nothing stands in the way of the signing keys any more')
      })
    },
    onTrouble(error: unknown): void {
      metrics.keysUnconfirmed()
      const problems = error instanceof SettingsError ? error.problems.map(({ message }) => message) : undefined
      // Nothing that a caller sent has any part in this, so the message may be told.
      const message = error instanceof Error ? error.message : undefined
      const known = problems === undefined ? { ...describeBug(error), message } : { problems }
      tell([JSON.stringify(known)], () =>
        log.error(known, 'the signing keys could not be confirmed: after ten minutes none is used'),
      )
    },
  }
}

function describeKey({ keyId, algorithm, state, publishedAt }: KeyListing['keys'][number]) {
  return { key_id: keyId, algorithm, state, published_at: new Date(publishedAt * 1_000).toISOString() }
}
