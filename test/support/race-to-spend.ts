/**
 * A process of its own that spends the same proofs as others do at that moment, and tells what it was told, unless it is called
 * `silent`. It never ends.
 */

import { openStore } from './open-store.ts'
import { LONG_AGO, NOW, spendable } from './spendable.ts'

/** Proofs that every process spends. */
const PROOFS = 50

const [, , locator = '', name = ''] = process.argv

const store = await openStore(locator)
const spentProofs = await store.openSpentProofs(LONG_AGO)
process.on('message', () => void spendAll())
process.send?.('open')

/** One after another, so that processes meet on many transactions and not on one. */
async function spendAll(): Promise<void> {
  const spendings: string[] = []
  for (let index = 0; index < PROOFS; index++) spendings.push(await spentProofs.spend(spendable(`proof ${index}`), NOW))
  if (name !== 'silent') process.send?.(spendings)
}
