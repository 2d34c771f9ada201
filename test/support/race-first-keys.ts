/** A process of its own that opens a store, waits for the start and adds keys where there are none. It ends without closing. */

import { openStore } from './open-store.ts'

const [, , locator = '', name = ''] = process.argv

const store = await openStore(locator)
process.once('message', () => void addKeys())
process.send?.('open')

async function addKeys(): Promise<void> {
  await store.addFirstSigningKeys([
    { keyId: `${name} 1`, algorithm: 'ES256', state: 'current', publishedAt: 1, sealed: name },
    { keyId: `${name} 2`, algorithm: 'RS256', state: 'current', publishedAt: 1, sealed: name },
  ])
  const keys = await store.signingKeys()
  process.send?.(keys.map(({ keyId }) => keyId).sort(), () => process.exit())
}
