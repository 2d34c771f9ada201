/** The world as a verifier sees it, with everything that it says of itself kept. */

import type { Egress, Memory, Ports, ProviderEvent, ResolvedAddress } from '../../providers/contract/provider.ts'
import type { TestClock } from './clock.ts'
import { BROKER } from './document.ts'

export interface TestPortsOptions {
  readonly clock: TestClock
  /** `host:port` of stand-ins that may be plain http. */
  readonly insecureHosts?: readonly string[]
  /** What names resolve to; nothing else does. */
  readonly addresses?: Readonly<Record<string, readonly string[]>>
  readonly proxy?: URL
  /** Files below the secrets directory. A test may change them. */
  readonly files?: Readonly<Record<string, string>>
}

export interface TestPorts extends Ports {
  readonly events: ProviderEvent[]
  /** Names that were resolved, in order. */
  readonly resolved: string[]
}

export function createTestPorts(options: TestPortsOptions): TestPorts {
  const events: ProviderEvent[] = []
  const resolved: string[] = []
  return {
    events,
    resolved,
    egress: createTestEgress(options, resolved),
    memory: createTestMemory(),
    now: options.clock.now,
    readFile: async (name) => {
      const text = options.files?.[name]
      if (text === undefined) throw new Error('no such file')
      return text
    },
    brokerIssuer: BROKER,
    isSpent: async () => false,
    observe: (event) => void events.push(event),
  }
}

/** A way out to the names that a test knows. */
export function createTestEgress(options: Omit<TestPortsOptions, 'clock' | 'files'>, resolved: string[] = []): Egress {
  return {
    insecureHosts: new Set(options.insecureHosts),
    proxy: options.proxy,
    resolve: async (hostname) => {
      resolved.push(hostname)
      const addresses = options.addresses?.[hostname]
      if (addresses === undefined) throw new Error('no such name')
      return addresses.map((address): ResolvedAddress => ({ address, family: address.includes(':') ? 6 : 4 }))
    },
  }
}

export function createTestMemory(): Memory {
  const kept = new Map<string, unknown>()
  return {
    recall<T>(key: string, create: () => T): T {
      if (!kept.has(key)) kept.set(key, create())
      return kept.get(key) as T
    },
  }
}
