/** When tokens are asked for: before they end, and not by everybody at once. */

import { describe, expect, test } from 'vitest'
import { renewalTime, WIDEST_WINDOW_MS, waitAfter } from '../../src/cli/delivery/back-off.ts'
import { type KeeperWorld, keepFresh } from '../../src/cli/delivery/keep-fresh.ts'
import { createTokenSource } from '../../src/client/client.ts'
import { createSimulatedSource, createSimulation, type Simulation } from '../support/simulated-time.ts'

const LIFE_SECONDS = 900

/** So many that they would be a herd. */
const MANY = 600

/** A broker that is a function: it answers while it is up, and remembers when it was asked. */
function createBroker(simulation: Simulation, isUp: () => boolean, retryAfter?: string) {
  const asked: number[] = []
  const answer = { access_token: 'a.b.c', token_type: 'Bearer', expires_in: LIFE_SECONDS }
  const issuedTokenType = 'urn:ietf:params:oauth:token-type:access_token'
  const fetch = async (): Promise<Response> => {
    asked.push(simulation.now())
    if (isUp()) return Response.json({ ...answer, issued_token_type: issuedTokenType })
    const headers: Readonly<Record<string, string>> = retryAfter === undefined ? {} : { 'retry-after': retryAfter }
    return Response.json({ error: 'temporarily_unavailable' }, { status: 503, headers })
  }
  return { asked, fetch }
}

interface Kept {
  readonly delivered: number[]
  readonly heard: number[]
}

/** Starts an agent's keeper, as the agent does, but for time and chance. */
function startKeeper(simulation: Simulation, fetch: () => Promise<Response>, signal: AbortSignal): Kept {
  const { now, random, sleep } = simulation
  const world: KeeperWorld = { now, random, sleep }
  const source = createSimulatedSource(simulation, { fetch, wait: (time) => sleep(time * 1_000) })
  const kept: Kept = { delivered: [], heard: [] }
  const keeper = {
    deliver: async () => void kept.delivered.push(now()),
    hear: (_: unknown, wait: number) => void kept.heard.push(wait),
  }
  void keepFresh(source, { audience: 'ledger' }, keeper, signal, world)
  return kept
}

describe('one keeper', () => {
  test('renews after two thirds of a life, give or take a tenth of that', async () => {
    const simulation = createSimulation()
    const end = new AbortController()
    const broker = createBroker(simulation, () => true)
    const { delivered } = startKeeper(simulation, broker.fetch, end.signal)
    await simulation.run(20 * LIFE_SECONDS * 1_000)
    end.abort()
    const shares = delivered.slice(1).map((time, at) => (time - (delivered[at] ?? 0)) / 1_000 / LIFE_SECONDS)

    expect(shares.length).toBeGreaterThan(25)
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0.599)
    expect(Math.max(...shares)).toBeLessThanOrEqual(0.735)
    expect(Math.max(...shares) - Math.min(...shares)).toBeGreaterThan(0.05)
  })

  test('stays away for as long as the broker says, and a while that is its own', async () => {
    const simulation = createSimulation()
    const end = new AbortController()
    const broker = createBroker(simulation, () => false, '45')
    const { heard } = startKeeper(simulation, broker.fetch, end.signal)
    await simulation.run(600_000)
    end.abort()

    expect(heard.length).toBeGreaterThan(3)
    expect(Math.min(...heard)).toBeGreaterThan(45_000)
    expect(new Set(heard).size).toBe(heard.length)
  })

  test('looks at the clock every half minute, which a machine that was asleep has moved on', async () => {
    const simulation = createSimulation()
    const naps: number[] = []
    const sleep = (milliseconds: number): Promise<void> => {
      naps.push(milliseconds)
      return simulation.sleep(milliseconds)
    }
    const end = new AbortController()
    startKeeper({ ...simulation, sleep }, createBroker(simulation, () => true).fetch, end.signal)
    await simulation.run(LIFE_SECONDS * 1_000)
    end.abort()

    expect(naps.length).toBeGreaterThan(15)
    expect(Math.max(...naps)).toBeLessThanOrEqual(30_000)
  })

  test('renews in time though the clock is set back by a day', async () => {
    const simulation = createSimulation()
    let ahead = 86_400_000
    const now = (): number => simulation.now() + ahead
    const end = new AbortController()
    const broker = createBroker(simulation, () => true)
    const { delivered } = startKeeper({ ...simulation, now }, broker.fetch, end.signal)
    await simulation.run(60_000)
    ahead = 0
    await simulation.run(LIFE_SECONDS * 1_000)
    end.abort()

    expect(delivered).toHaveLength(2)
    expect(broker.asked).toHaveLength(2)
  })

  test('hands the same token over again where it could not be delivered', async () => {
    const simulation = createSimulation()
    const end = new AbortController()
    const broker = createBroker(simulation, () => true)
    let failures = 0
    const source = createTokenSource({
      broker: 'https://broker.example',
      proof: { file: '/pod/token' },
      environment: {},
      fetch: broker.fetch,
      readFile: async () => 'x.y.z',
    })
    const keeper = {
      async deliver() {
        if (failures++ < 3) throw new Error('no such directory')
        end.abort()
      },
      hear: () => undefined,
    }
    void keepFresh(source, {}, keeper, end.signal, simulation)
    await simulation.run(60_000)

    expect(failures).toBe(4)
    expect(broker.asked).toHaveLength(1)
  })
})

describe('many keepers', () => {
  test('of a broker that comes back ask it spread over a minute, and all have a token at its end', async () => {
    const simulation = createSimulation()
    const end = new AbortController()
    const backAt = 300_000
    const broker = createBroker(simulation, () => simulation.now() >= backAt)
    const all = Array.from({ length: MANY }, () => startKeeper(simulation, broker.fetch, end.signal))
    await simulation.run(backAt + WIDEST_WINDOW_MS + 5_000)
    end.abort()
    const after = broker.asked.filter((time) => time >= backAt)
    const bySecond = Map.groupBy(after, (time) => Math.floor(time / 1_000))
    const busiest = Math.max(...[...bySecond.values()].map(({ length }) => length))

    expect(all.filter(({ delivered }) => delivered.length === 1)).toHaveLength(MANY)
    expect(after).toHaveLength(MANY)
    // Ten a second on average, twice as many at first, and with them those who were just trying again; in step, all would come in one.
    expect(busiest).toBeLessThan(75)
    expect(bySecond.size).toBeGreaterThan(45)
  })

  test('renew spread over time, though they all began at once', async () => {
    const simulation = createSimulation()
    const end = new AbortController()
    const broker = createBroker(simulation, () => true)
    for (let count = 0; count < MANY; count++) startKeeper(simulation, broker.fetch, end.signal)
    await simulation.run(LIFE_SECONDS * 1_000)
    end.abort()
    const renewals = broker.asked.filter((time) => time > 0)
    const bySecond = Map.groupBy(renewals, (time) => Math.floor(time / 1_000))

    expect(renewals).toHaveLength(MANY)
    expect(Math.max(...[...bySecond.values()].map(({ length }) => length))).toBeLessThan(30)
  })
})

describe('the back-off', () => {
  test('is anywhere in a window that doubles up to a minute, and never nothing', () => {
    const widest = [1, 2, 3, 6, 7, 8, 100].map((failures) => waitAfter(failures, () => 0.999_999))

    expect(widest.map((wait) => Math.round(wait / 1_000))).toEqual([1, 2, 4, 32, 60, 60, 60])
    expect(waitAfter(1, () => 0)).toBe(100)
  })

  test('believes a Retry-After of a minute, and not of a week', () => {
    expect([60, 61, 604_800].map((seconds) => waitAfter(1, () => 0, seconds))).toEqual([60_100, 60_100, 60_100])
  })

  test('of a token that hardly lives leaves a second between two renewals', () => {
    expect(renewalTime(5_000, 5_000, () => 0.5)).toBe(6_000)
    expect(renewalTime(5_000, 1_000, () => 0.5)).toBe(6_000)
  })
})
