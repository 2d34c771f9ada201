/** Following the document: what takes effect when, and what never does. */

import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { KeptDocuments, PackedDocument } from '../../src/federation/kept.ts'
import {
  createFederationSource,
  type FederationSource,
  type FederationSourcePorts,
  type LoadedFederation,
  POLL_MS,
} from '../../src/federation/source.ts'
import { federationFor } from '../support/federation-parts.ts'

const BROKEN = { severity: 'error', file: 'f', path: '', code: 'shape', message: 'broken' } as const
const WARNING = { severity: 'warning', file: 'f', path: '', code: 'lifetime_short', message: 'short' } as const

function packed(name: string): PackedDocument {
  return { delegation: undefined, file: 'f', digest: name, packed: new Uint8Array() }
}

function good(trustDomain: string, more: Partial<LoadedFederation> = {}): LoadedFederation {
  const federation = federationFor({ trust_domain: trustDomain })
  return { federation, findings: [WARNING], documents: [packed(trustDomain)], ...more }
}

/** Good, but for a document of one team. */
function partlyGood(trustDomain: string): LoadedFederation {
  return good(trustDomain, { findings: [WARNING, BROKEN] })
}

function broken(): LoadedFederation {
  return { federation: undefined, findings: [BROKEN], documents: [] }
}

/** A disk with one document on it, and everything that the source was heard to say. */
function watch(first: LoadedFederation, ports: Partial<FederationSourcePorts> = {}) {
  const disk = { document: first, version: 1 }
  const heard: string[] = []
  const nothingKept: Pick<KeptDocuments, 'keep' | 'restore'> = {
    keep: async (documents) => void heard.push(`kept ${documents.map(({ digest }) => digest).join()}`),
    restore: async () => [],
  }
  const source: FederationSource = createFederationSource({
    load: async () => disk.document,
    fingerprint: async () => `version ${disk.version}`,
    kept: nothingKept,
    onAccepted: (federation, findings) =>
      void heard.push(`accepted ${federation.trustDomain} with ${findings.length} after ${domainOf(source)}`),
    onRefused: (findings) => void heard.push(`refused for ${findings.map(({ code }) => code).join()}`),
    onStale: (isStale) => void heard.push(`stale ${isStale}`),
    onTrouble: (error) => void heard.push(`trouble ${String(error)}`),
    ...ports,
  })
  onTestFinished(() => source.stop())
  const put = (document: LoadedFederation): void => {
    disk.document = document
    disk.version++
  }
  return { source, heard, put }
}

function domainOf(source: FederationSource): string {
  return source.current()?.trustDomain ?? 'nothing'
}

describe('at the start', () => {
  test('the document takes effect, is told of before it is given out, and is kept', async () => {
    const { source, heard } = watch(good('one'))
    expect(source.current()).toBeUndefined()

    expect(await source.start()).toBeUndefined()

    expect(domainOf(source)).toBe('one')
    expect(heard).toEqual(['stale false', 'accepted one with 1 after nothing', 'kept one'])
  })

  test('what was kept is given to whoever loads, as there is nothing in force', async () => {
    const load = vi.fn(async () => good('one'))
    const { source } = watch(good('one'), {
      load,
      kept: { keep: async () => undefined, restore: async () => [packed('old')] },
    })

    await source.start()

    expect(load.mock.calls).toEqual([[[packed('old')], false]])
  })

  test('a broken one is refused, and what takes its place is in force', async () => {
    const { source, heard } = watch(partlyGood('old'))

    expect(await source.start()).toBeUndefined()

    expect(domainOf(source)).toBe('old')
    expect(heard).toEqual([
      'stale true',
      'refused for lifetime_short,shape',
      'accepted old with 0 after nothing',
      'kept old',
    ])
  })

  test('nothing takes effect where nothing is good, and the findings are given', async () => {
    const { source } = watch(broken())

    expect(await source.start()).toEqual([BROKEN])
    expect(source.current()).toBeUndefined()
  })

  test('a store that cannot be read is no reason not to serve a good document', async () => {
    const kept = { keep: async () => undefined, restore: async () => Promise.reject(new Error('gone')) }
    const { source, heard } = watch(good('one'), { kept })

    expect(await source.start()).toBeUndefined()

    expect(domainOf(source)).toBe('one')
    expect(heard).toContain('trouble Error: gone')
  })
})

describe('at a look', () => {
  test('nothing is loaded while nothing has changed', async () => {
    const load = vi.fn(async () => good('one'))
    const { source } = watch(good('one'), { load })
    await source.start()

    await source.poll()
    await source.poll()

    expect(load).toHaveBeenCalledTimes(1)
  })

  test('a changed document takes effect whole', async () => {
    const { source, heard, put } = watch(good('one'))
    await source.start()
    heard.length = 0
    put(good('two'))

    await source.poll()

    expect(domainOf(source)).toBe('two')
    expect(heard).toEqual(['stale false', 'accepted two with 1 after one', 'kept two'])
  })

  test('a broken one leaves the last good one in force and is reported once, until it is mended', async () => {
    const { source, heard, put } = watch(good('one'))
    await source.start()
    heard.length = 0
    put(broken())

    await source.poll()
    await source.poll()
    expect(domainOf(source)).toBe('one')
    expect(heard).toEqual(['stale true', 'refused for shape'])

    put(good('two'))
    await source.poll()
    expect(domainOf(source)).toBe('two')
    expect(heard.slice(2)).toEqual(['stale false', 'accepted two with 1 after one', 'kept two'])
  })

  test('what is good in part takes effect, is kept, and is told to be stale', async () => {
    const { source, heard, put } = watch(good('one'))
    await source.start()
    heard.length = 0
    put(partlyGood('two'))

    await source.poll()

    expect(heard).toEqual([
      'stale true',
      'refused for lifetime_short,shape',
      'accepted two with 0 after one',
      'kept two',
    ])
  })

  test('what was good last is given to whoever loads next, even where it could not be kept', async () => {
    const load = vi.fn(async () => good('one'))
    const kept = { keep: async () => Promise.reject(new Error('full')), restore: async () => [packed('old')] }
    const { source, put } = watch(good('one'), { load, kept })
    await source.start()
    put(good('two'))

    await source.poll()

    expect(load.mock.calls[1]).toEqual([[packed('one')], true])
  })

  test('a broken one is never kept', async () => {
    const { source, heard, put } = watch(good('one'))
    await source.start()
    put({ ...broken(), documents: [packed('broken')] })

    await source.poll()

    expect(heard.filter((line) => line.startsWith('kept'))).toEqual(['kept one'])
  })

  test('a store that cannot keep the document does not keep it from taking effect', async () => {
    const kept = { keep: async () => Promise.reject(new Error('full')), restore: async () => [] }
    const { source, heard } = watch(good('one'), { kept })

    expect(await source.start()).toBeUndefined()

    expect(domainOf(source)).toBe('one')
    expect(heard).toContain('trouble Error: full')
  })

  test('a look that fails leaves everything as it is, and the next one looks again', async () => {
    const answers = ['version 1', new Error('gone'), 'version 2']
    const fingerprint = async () => {
      const answer = answers.shift()
      return answer instanceof Error ? Promise.reject(answer) : String(answer)
    }
    const { source, heard, put } = watch(good('one'), { fingerprint })
    await source.start()
    put(good('two'))

    await source.poll()
    expect(heard.at(-1)).toBe('trouble Error: gone')
    expect(domainOf(source)).toBe('one')

    await source.poll()
    expect(domainOf(source)).toBe('two')
  })

  test('a load that fails is tried again, though the document has not changed since', async () => {
    const outcomes = [good('one'), new Error('no thread'), good('two')]
    const load = async () => {
      const outcome = outcomes.shift()
      return outcome === undefined || outcome instanceof Error ? Promise.reject(outcome) : outcome
    }
    const { source, heard, put } = watch(good('one'), { load })
    await source.start()
    put(good('two'))

    await source.poll()
    expect(heard.at(-1)).toBe('trouble Error: no thread')
    expect(domainOf(source)).toBe('one')

    await source.poll()
    expect(domainOf(source)).toBe('two')
  })

  test('loads never overlap', async () => {
    const gates: (() => void)[] = []
    const load = () => new Promise<LoadedFederation>((resolve) => gates.push(() => resolve(good('two'))))
    const { source, put } = watch(good('one'), { load })
    const started = source.start()
    await vi.waitFor(() => expect(gates).toHaveLength(1))
    gates[0]?.()
    await started
    put(good('two'))

    const polls = [source.poll(), source.poll(), source.poll()]
    await vi.waitFor(() => expect(gates).toHaveLength(2))
    gates[1]?.()
    await Promise.all(polls)

    expect(gates).toHaveLength(2)
  })
})

describe('by itself', () => {
  test('it looks every two seconds from the start on, until it is stopped', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const looks = vi.fn(async () => 'version 1')
    const { source } = watch(good('one'), { fingerprint: looks })
    await source.start()
    expect(looks).toHaveBeenCalledTimes(1)

    await vi.advanceTimersByTimeAsync(POLL_MS)
    await vi.advanceTimersByTimeAsync(POLL_MS)
    expect(looks).toHaveBeenCalledTimes(3)

    source.stop()
    await vi.advanceTimersByTimeAsync(10 * POLL_MS)
    expect(looks).toHaveBeenCalledTimes(3)
    expect(POLL_MS).toBe(2_000)
  })

  test('it does not follow a document where none could be used', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const { source } = watch(broken())

    await source.start()

    expect(vi.getTimerCount()).toBe(0)
  })
})
