/** A broker that is closed does nothing any more. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { compose } from '../../src/cli/compose.ts'
import { systemResolver } from '../../src/cli/world.ts'
import { readServeConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import { createTestClock } from '../support/clock.ts'
import { makeScratch } from '../support/scratch.ts'

test('no look at keys and no round of tending is to come when it is closed', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const directory = makeScratch()
  writeFileSync(join(directory, 'federation.json'), '{}')
  const { now } = createTestClock()
  const flags = {
    issuer: 'https://broker.example',
    federation: join(directory, 'federation.json'),
    store: `sqlite:${join(directory, 'store.db')}`,
    audit: `file:${join(directory, 'audit.jsonl')}`,
  }
  const log = createLog({ write: () => undefined })

  const composed = await compose(readServeConfig(flags, {}), { log, now, elapsed: now, resolve: systemResolver })
  await vi.waitFor(() => expect(vi.getTimerCount()).toBe(2))
  await composed.close()

  expect(vi.getTimerCount()).toBe(0)
})
