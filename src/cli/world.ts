/** The world outside of a broker, which tests replace. */

import { lookup } from 'node:dns/promises'
import type { NumericDate } from '../../providers/contract/proof.ts'
import type { ResolvedAddress } from '../../providers/contract/provider.ts'
import type { Log } from '../log.ts'

export type Clock = () => NumericDate

export interface World {
  readonly log: Log
  readonly now: Clock
  /** Seconds since some moment, by a clock that nobody can set. */
  readonly elapsed: () => number
  readonly resolve: (hostname: string) => Promise<readonly ResolvedAddress[]>
}

/** The system's clock, in whole seconds. */
export const systemClock: Clock = () => Math.floor(Date.now() / 1_000)

/** The time that this process has been there, in seconds. */
export function systemElapsed(): number {
  return performance.now() / 1_000
}

/** Asks the system's resolver, hosts file and all. */
export async function systemResolver(hostname: string): Promise<readonly ResolvedAddress[]> {
  const addresses = await lookup(hostname, { all: true })
  return addresses.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }))
}
