/**
 * A process of its own that spends one proof after another, the same ones as others do, whatever becomes of the store meanwhile.
 * Told to stop, it tells which ones it was told are spent.
 */

import { setTimeout } from 'node:timers/promises'
import { openStore } from './open-store.ts'
import { LONG_AGO, NOW, spendable } from './spendable.ts'

const [, , locator = ''] = process.argv

const store = await openStore(locator)
const spentProofs = await store.openSpentProofs(LONG_AGO)
let isStopped = false
process.on('message', (message) => {
  if (message === 'stop') isStopped = true
  else void spendOn()
})
process.send?.('open')

async function spendOn(): Promise<void> {
  const spent: string[] = []
  for (let index = 0; !isStopped; index++) {
    const name = `proof ${index}`
    const spending = await spentProofs.spend(spendable(name), NOW).catch(() => 'failed')
    if (spending === 'spent') spent.push(name)
    if (spending === 'failed') await setTimeout(5)
  }
  process.send?.(spent, () => process.exit())
}
