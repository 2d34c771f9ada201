/** What every cloud must keep to, whichever it is. A new provider passes this file unchanged. */

import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ProofError } from '../providers/contract/errors.ts'
import type { UnverifiedProof } from '../providers/contract/proof.ts'
import type { Ports, ProofVerifier } from '../providers/contract/provider.ts'
import { FLAWS, type StandIn } from '../providers/contract/stand-in.ts'
import { provers } from '../providers/provers.ts'
import { standIns } from '../providers/stand-ins.ts'
import { verifiers } from '../providers/verifiers.ts'
import { createTestClock } from './support/clock.ts'

const BROKER = 'https://broker.example'
const NEVER = new AbortController().signal

test('every cloud has both halves and a stand-in', () => {
  const names = (list: readonly { readonly name: string }[]): readonly string[] => list.map(({ name }) => name).sort()

  expect(names(provers)).toEqual(names(verifiers))
  expect(names(standIns)).toEqual(names(verifiers))
})

describe.each(verifiers)('the provider $name', (provider) => {
  const clock = createTestClock()
  const folder = new URL(`../providers/${provider.name}/`, import.meta.url)
  let cloud: StandIn
  let verifier: ProofVerifier
  let asked: string[]

  beforeAll(async () => {
    const standIn = standIns.find(({ name }) => name === provider.name)
    if (standIn === undefined) throw new Error('no stand-in')
    cloud = await standIn.start({ now: clock.now })
    asked = []
    verifier = provider.createVerifier([trusted(cloud)], portsFor(cloud))
  })
  afterAll(() => cloud.close())

  function trusted(standIn: StandIn) {
    const { provider: _, ...settings } = standIn.trustedIssuer
    const context = { insecureHosts: new Set(standIn.hosts), proofAudiences: [BROKER] }
    return { name: 'cloud', proofAudiences: [BROKER], settings: provider.parseSettings(settings, context) }
  }

  function portsFor(standIn: StandIn): Ports {
    return {
      egress: {
        insecureHosts: new Set(standIn.hosts),
        proxy: undefined,
        resolve: async (hostname) => {
          asked.push(hostname)
          return []
        },
      },
      memory: { recall: (_key, create) => create() },
      now: clock.now,
      readFile: async () => Promise.reject(new Error('no such file')),
      brokerIssuer: BROKER,
      isSpent: async () => false,
      observe: () => undefined,
    }
  }

  async function prove(): Promise<{ proof: UnverifiedProof; expiresAt: number }> {
    const prover = provers.find(({ name }) => name === provider.name)
    const ports = await cloud.prover.ports(BROKER)
    const made = await prover?.createProver(cloud.prover.settings, ports).prove({ proofAudience: BROKER }, NEVER)
    return { proof: (made?.subjectToken ?? '') as UnverifiedProof, expiresAt: made?.expiresAt ?? 0 }
  }

  async function refusalOf(text: string): Promise<ProofError> {
    const proof = text as UnverifiedProof
    const outcome: unknown = await verifier.verify(proof, {}, NEVER).catch((error: unknown) => error)
    if (!(outcome instanceof ProofError)) throw new Error(`not refused: ${inspect(outcome)}`)
    return outcome
  }

  test('verifies what its prover proves, and emits the attributes of its catalogue alone', async () => {
    const { proof, expiresAt } = await prove()

    const verified = await verifier.verify(proof, {}, NEVER)

    expect(verifier.recognises(proof, cloud.subjectTokenType)).toBe(true)
    expect(verified).toMatchObject({ provider: provider.name, trustedIssuer: 'cloud', audience: BROKER, expiresAt })
    expect(Object.fromEntries(verified.attributes)).toMatchObject(cloud.attributes)
    for (const [name, value] of verified.attributes) {
      expect(provider.attributes.get(name)?.isValue(value), name).toBe(true)
    }
  })

  test('proves in its own environment only', async () => {
    const prover = provers.find(({ name }) => name === provider.name)
    const ports = await cloud.prover.ports(BROKER)

    expect(prover?.detect(ports)).toBe(true)
    expect(prover?.detect({ ...ports, env: {} })).toBe(false)
  })

  test.each(FLAWS)('refuses a proof with the flaw: %s', async (flaw) => {
    const proof = await cloud.flawed(flaw, BROKER)
    if (proof === undefined) return

    const refusal = await refusalOf(proof)

    expect(refusal.code).not.toMatch(/^upstream/)
    expect(inspect(refusal, { depth: null })).not.toContain(proof)
  })

  test('refuses what is no proof at all', async () => {
    const { proof } = await prove()
    const garbage = [
      '',
      ' ',
      '.',
      '..',
      'null',
      '{}',
      proof.slice(0, 8),
      proof.slice(8),
      `${proof}é`,
      'x'.repeat(20_000),
      `${proof}.${proof}`,
    ]

    for (const text of garbage) {
      expect(PROOF_CODES).toContain((await refusalOf(text)).code)
      expect(() => verifier.recognises(text as UnverifiedProof, cloud.subjectTokenType)).not.toThrow()
      expect(verifier.inspect(text as UnverifiedProof).trouble).toBeInstanceOf(ProofError)
    }
  })

  const PROOF_CODES = ['proof_malformed', 'proof_too_large', 'signature_invalid', 'algorithm_not_allowed']

  test('asks upstream once for unknown keys, and nobody but the hosts that it was given', async () => {
    const unknown = (await cloud.flawed('unknown key', BROKER)) ?? ''
    await refusalOf(unknown)
    const before = cloud.requestCount()

    await Promise.all(Array.from({ length: 20 }, () => refusalOf(unknown)))

    expect(cloud.requestCount()).toBe(before)
    expect(asked).toEqual([])
  })

  test('recognises no proof of another issuer or type', async () => {
    const { proof } = await prove()
    const stranger = ((await cloud.flawed('other issuer', BROKER)) ?? 'x') as UnverifiedProof

    expect(verifier.recognises(stranger, cloud.subjectTokenType)).toBe(false)
    expect(verifier.recognises(proof, 'urn:ietf:params:oauth:token-type:saml2')).toBe(false)
  })

  test('documents each of its attributes, and no other, in its README', () => {
    const readme = readFileSync(new URL('README.md', folder), 'utf8')
    const documented = [...readme.matchAll(/^\| `([a-z]+\.[a-z0-9_/<>]+)`/gm)].map(([, name]) => name)

    expect(documented.map(String).sort()).toEqual([...provider.attributes.keys()].sort())
    for (const [name, { meaning }] of provider.attributes) expect(readme, name).toContain(meaning)
  })

  test('pins by attributes of the platform’s own', () => {
    expect(provider.pins.length).toBeGreaterThan(0)
    for (const name of provider.pins.flat()) expect(provider.attributes.get(name)?.grade, name).toBe('platform')
  })
})
