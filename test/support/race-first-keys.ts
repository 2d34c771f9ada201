/** A process of its own that opens a store, waits for the start and adds keys where there are none. It ends without closing. */

import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'

/** What it waits for, having told that the store is open. */
export type RaceStart = 'go'

const [, , locator = '', name = ''] = process.argv

function openStore(): Promise<Store> {
  if (locator.startsWith('sqlite:')) return openSqliteStore(locator.slice('sqlite:'.length))
  throw new Error(`no store is found at ${locator}`)
}

const store = await openStore()
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
