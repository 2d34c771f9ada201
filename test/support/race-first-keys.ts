/** A process of its own that opens a store, waits for the start and puts in a first ring. It ends without closing. */

import { openStore } from './open-store.ts'
import { ringOfPair } from './stored-keys.ts'

const [, , locator = '', name = ''] = process.argv

const store = await openStore(locator)
process.once('message', () => void addKeys())
process.send?.('open')

async function addKeys(): Promise<void> {
  await store.replaceSigningKeys(ringOfPair(name))
  const { keys } = await store.signingKeys()
  process.send?.(keys.map(({ keyId }) => keyId).sort(), () => process.exit())
}
