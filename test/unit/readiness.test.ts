/** A broker never says that it is ready while it could not sign what it would be asked for. */

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { startTestBroker } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { documentFor } from '../support/document.ts'
import { CLUSTER } from '../support/federation-parts.ts'
import { makeScratch } from '../support/scratch.ts'
import { fillStore } from '../support/vault.ts'

/** Makes a store with keys, and takes away those of some algorithms. */
async function makeStore(now: number, lost: readonly string[]): Promise<string> {
  const path = join(makeScratch(), 'store.db')
  await fillStore(path, [], now)
  const database = new DatabaseSync(path)
  for (const algorithm of lost) database.prepare('DELETE FROM signing_keys WHERE algorithm = ?').run(algorithm)
  database.close()
  return path
}

test.each([[[]], [['ES256']], [['RS256']], [['ES256', 'RS256']]])(
  'a broker over a store that has lost the keys %j does not start, or is not ready, or has keys of both algorithms',
  async (lost) => {
    const clock = createTestClock()
    const flags = { store: `sqlite:${await makeStore(clock.now(), lost)}` }
    const broker = await startTestBroker({ clock, document: documentFor(CLUSTER), flags }).catch(() => undefined)

    const ready = await broker?.send('/readyz')
    const published = await broker?.send('/.well-known/jwks.json')
    await broker?.stop()

    if (ready?.status === 200) expect(published?.json).toMatchObject({ keys: [{}, {}, {}, {}] })
    else expect([undefined, 503]).toContain(ready?.status)
  },
)
