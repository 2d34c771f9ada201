/** Exchanges at a steady rate, each timed from when it was due: one that waits for its turn has waited. */

import { Agent, request } from 'node:http'

const agent = new Agent({ keepAlive: true, maxSockets: 64 })

export interface Traffic {
  /** Stops, and gives the time of each exchange, in milliseconds. Throws where any was not answered with a token. */
  stop(): Promise<readonly number[]>
}

/** Sends one form again and again, so many times a second. */
export function startTraffic(origin: string, body: string, perSecond: number): Traffic {
  const latencies: number[] = []
  const open = new Set<Promise<void>>()
  const startedAt = performance.now()
  let sent = 0
  let failed = 0
  const timer = setInterval(() => {
    for (; startedAt + (sent * 1_000) / perSecond <= performance.now(); sent++) {
      const dueAt = startedAt + (sent * 1_000) / perSecond
      const exchange = post(`${origin}/token`, body).then((status) => {
        latencies.push(performance.now() - dueAt)
        if (status !== 200) failed++
      })
      open.add(exchange)
      void exchange.finally(() => open.delete(exchange))
    }
  }, 1)
  return {
    async stop() {
      clearInterval(timer)
      await Promise.all(open)
      if (failed > 0) throw new Error(`${failed} exchanges failed`)
      return latencies
    },
  }
}

function post(url: string, body: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) }
    const sending = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode))
    })
    sending.once('error', reject)
    sending.end(body)
  })
}

/** Gives the value below which this share of all values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
