/** Verifiers of one document after another: each gets its own issuers, and what the last had fetched. */

import { describe, expect, test } from 'vitest'
import type {
  Memory,
  Ports,
  ProofVerifier,
  TrustedIssuer,
  VerifierProvider,
} from '../../providers/contract/provider.ts'
import { verifiers } from '../../providers/verifiers.ts'
import { createVerifierFactory, type LastingPorts } from '../../src/cli/verifier-ports.ts'
import type { Federation } from '../../src/federation/federation.ts'
import { BROKER } from '../support/document.ts'
import { verifierSaying } from '../support/exchange-bench.ts'
import { federationFor } from '../support/federation-parts.ts'

const LASTING: LastingPorts = {
  egress: { insecureHosts: new Set(), proxy: undefined, resolve: async () => [] },
  now: () => 0,
  readFile: async () => '',
  brokerIssuer: BROKER,
  isSpent: async () => false,
  observe: () => undefined,
}

/** A cloud that shows what its verifiers were made with. */
function providerShowing(
  subjectTokenTypes: readonly string[],
  create: (trusted: readonly TrustedIssuer<unknown>[], ports: Ports) => void,
): VerifierProvider<unknown> {
  const [kubernetes] = verifiers
  const createVerifier = (trusted: readonly TrustedIssuer<unknown>[], ports: Ports): ProofVerifier => {
    create(trusted, ports)
    return verifierSaying(new Error('nobody asks'))
  }
  return { ...kubernetes, subjectTokenTypes, createVerifier } as VerifierProvider<unknown>
}

function federationOf(...issuers: readonly (readonly [string, VerifierProvider<unknown>])[]): Federation {
  const common = { proofAudiences: [BROKER], isSuspended: false }
  const ready = issuers.map(([name, provider]) => ({ ...common, name, provider, settings: name }))
  return { ...federationFor(), issuers: ready }
}

test('each cloud gets one verifier for all of its trusted issuers, and no other’s', () => {
  const made: string[] = []
  const showing = (cloud: string, types: readonly string[]) =>
    providerShowing(types, (trusted) => void made.push(`${cloud}: ${trusted.map(({ name }) => name).join()}`))
  const [one, two] = [showing('one', ['a', 'b']), showing('two', ['b', 'c'])]

  const { verifiers: found, subjectTokenTypes } = createVerifierFactory(LASTING)(
    federationOf(['east', one], ['other', two], ['west', one]),
  )

  expect(made).toEqual(['one: east,west', 'two: other'])
  expect(found).toHaveLength(2)
  expect([...subjectTokenTypes]).toEqual(['a', 'b', 'c'])
})

test('a document without trusted issuers has no verifiers and takes no types', () => {
  const { verifiers: found, subjectTokenTypes } = createVerifierFactory(LASTING)(federationOf())

  expect(found).toEqual([])
  expect(subjectTokenTypes.size).toBe(0)
})

test('verifiers get the ports as they are', () => {
  const seen: Ports[] = []
  const provider = providerShowing([], (_trusted, ports) => void seen.push(ports))

  createVerifierFactory(LASTING)(federationOf(['east', provider]))

  expect(seen).toMatchObject([LASTING])
})

describe('what a verifier remembers', () => {
  /** Loads a document whose verifier recalls these keys while it is made; gives what each was, made under the document's number. */
  function createLoader() {
    let document = 0
    let memory: Memory | undefined
    const create = createVerifierFactory(LASTING)
    const load = (...keys: readonly string[]): readonly string[] => {
      document++
      const recalled: string[] = []
      const provider = providerShowing([], (_trusted, ports) => {
        memory = ports.memory
        for (const key of keys) recalled.push(ports.memory.recall(key, () => `${key} of ${document}`))
      })
      create(federationOf(['east', provider]))
      return recalled
    }
    const recallLate = (key: string) => memory?.recall(key, () => `${key} of ${document}, late`)
    return { load, recallLate }
  }

  test('is there for the next document, under the same key', () => {
    const { load } = createLoader()
    load('keys', 'reviews')

    expect(load('keys', 'other')).toEqual(['keys of 1', 'other of 2'])
    expect(load('keys', 'other')).toEqual(['keys of 1', 'other of 2'])
  })

  test('is the same for all that ask within one document', () => {
    expect(createLoader().load('keys', 'keys')).toEqual(['keys of 1', 'keys of 1'])
  })

  test('is forgotten with the first document that does not need it', () => {
    const { load } = createLoader()
    load('keys')
    load()

    expect(load('keys')).toEqual(['keys of 3'])
  })

  test('may be nothing at all', () => {
    const create = createVerifierFactory(LASTING)
    const made: number[] = []
    const provider = providerShowing([], (_trusted, ports) => {
      ports.memory.recall<undefined>('nothing', () => void made.push(1))
    })

    create(federationOf(['east', provider]))
    create(federationOf(['east', provider]))

    expect(made).toEqual([1])
  })

  test('is also what was first asked for while serving', () => {
    const { load, recallLate } = createLoader()
    load()
    expect(recallLate('keys')).toBe('keys of 1, late')

    expect(load('keys')).toEqual(['keys of 1, late'])
  })

  test('is not lost with a document whose verifiers cannot be made', () => {
    const create = createVerifierFactory(LASTING)
    const recalled: string[] = []
    const good = (name: string) =>
      providerShowing([], (_trusted, ports) => void recalled.push(ports.memory.recall('keys', () => name)))
    const bad = providerShowing([], () => {
      throw new TypeError('bug')
    })

    create(federationOf(['east', good('one')]))
    expect(() => create(federationOf(['east', bad]))).toThrow(TypeError)
    create(federationOf(['east', good('two')]))

    expect(recalled).toEqual(['one', 'one'])
  })
})
