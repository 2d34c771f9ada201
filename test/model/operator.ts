/** An operator who rotates and revokes when it suits, as the commands do. */

import { createEmbeddedSupply } from '../../src/tokens/embedded-source.ts'
import { revoke, rotateNow, withdraw } from '../../src/tokens/ring-changes.ts'
import { addKey } from '../../src/tokens/ring-source.ts'
import { createRingStore, type HeldKey } from '../../src/tokens/ring-store.ts'
import { isPublished, SIGNING_ALGORITHMS } from '../../src/tokens/signing-key.ts'
import type { World } from './world.ts'

export interface Operator {
  /** Rotates, if that is possible now. Gives the earliest time that it was told otherwise. */
  rotate(): Promise<number | undefined>
  /** Revokes a key, and gives its id. */
  revoke(): Promise<string>
}

export function createOperator({ time, dice, laws, table, sealer, rules, fault, intend }: World): Operator {
  const ringStore = createRingStore(table, sealer)
  const now = (): number => Math.floor(time.at)
  return {
    async rotate() {
      const ring = await ringStore.read()
      const moment = { now: now(), uptime: ring.uptime }
      let keys: readonly HeldKey[] = ring.keys
      for (const algorithm of SIGNING_ALGORITHMS) {
        const rotation = rotateNow(keys, algorithm, { ...rules, ...fault.rules }, moment)
        if (!rotation.isRotated) return rotation.earliest
        keys = rotation.keys
      }
      await ringStore.write(ring, { ...ring, keys })
      return undefined
    },
    async revoke() {
      const ring = await ringStore.read()
      const { keyId } = dice.pick(ring.keys.filter(isPublished))
      if (fault.revokes === 'nothing') {
        laws.revokedInWord(keyId, time.at)
        return keyId
      }
      const moment = { now: now(), uptime: ring.uptime }
      const { keys, lacks } = revoke(ring.keys, keyId, moment)
      const added = lacks === undefined ? keys : await addKey(keys, lacks, 'current', moment, createEmbeddedSupply())
      const left = fault.revokes === undefined ? added : withdraw(ring.keys, keyId, moment)
      intend({ kind: 'revoke', keyId })
      await ringStore.write(ring, { ...ring, keys: left ?? keys })
      intend(undefined)
      return keyId
    },
  }
}
