/** What a loop around `token()` costs a broker that is in trouble. */

import { expect, test } from 'vitest'
import { createSimulatedSource, createSimulation } from '../support/simulated-time.ts'

test('an outage stands for a second and then for longer, up to ten, however often the token is asked for', async () => {
  const simulation = createSimulation()
  const asked: number[] = []
  const source = createSimulatedSource(simulation, {
    random: () => 0.999_999,
    async fetch() {
      asked.push(Math.round(simulation.now() / 1_000))
      return Response.json({ error: 'server_error' }, { status: 500 })
    },
  })
  const loop = async (): Promise<never> => {
    for (;;) {
      await source.token().catch(() => undefined)
      await simulation.sleep(100)
    }
  }
  void loop()
  await simulation.run(60_000)

  expect(asked).toEqual([0, 1, 3, 7, 15, 25, 35, 45, 55])
})
