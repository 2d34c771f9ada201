/** Attacks with bindings that meet: whatever a document says, a proof has one identity, or the document is refused. */

import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Binding, createBindingIndex, groupByShape } from '../../src/federation/bindings.ts'
import { type Condition, findUnsatisfied, findWitness, isContained } from '../../src/federation/match.ts'
import { findOverlaps } from '../../src/federation/overlap.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { bindingFor, documentFor } from '../support/document.ts'
import { expectAccepted, expectErrors } from '../support/expect-check.ts'
import { forgeAttributes } from '../support/forge-attributes.ts'
import { bindingOf, decidingBinding } from '../support/made-bindings.ts'
import { runCheck } from '../support/run-check.ts'
import { explainAttributes } from '../support/run-explain.ts'
import { openScene } from '../support/scene.ts'

const ISSUER = 'https://oidc.eks.us-east-1.amazonaws.com/id/2F331C82755EF3E43731C8D6E299FAEF'
const NS = 'kubernetes.namespace'
const ACCOUNT = 'kubernetes.service_account'
const POD = 'kubernetes.pod_name'
const NODE = 'kubernetes.node_name'

type Bindings = Readonly<Record<string, object>>
type Attributes = Readonly<Record<string, string>>

/** A document with three identities; bindings that name `mine` and `yours` are what the tests are about. */
function binding(bindings: Bindings, issuer = ISSUER): object {
  const grants = { grants: { ledger: ['entries:read'] } }
  return documentFor(issuer, { identities: { mine: grants, yours: grants, theirs: grants }, bindings })
}

/** The identity that one binding alone gives attributes, as it is explained; null where it does not match. */
async function explainAlone(only: object, attributes: Attributes): Promise<string | null | undefined> {
  const { account } = await explainAttributes(binding({ only }), attributes)
  return account?.explanations[0]?.identity
}

/** The same, as the broker decides it. */
async function exchangeAlone(only: object, attributes: Attributes): Promise<string | null | undefined> {
  const scene = await openScene({ document: ({ issuer }) => binding({ only }, issuer) })
  onTestFinished(() => scene.close())
  const reply = await scene.broker.exchange(await forgeAttributes(scene, attributes))
  return expectIssued(scene.broker, reply).record?.identity
}

const MEETING: readonly (readonly [string, object, object, Attributes])[] = [
  [
    'lists with a common value',
    bindingFor('payments', ['api', 'web'], 'mine'),
    bindingFor('payments', ['web', 'batch'], 'yours'),
    { [NS]: 'payments', [ACCOUNT]: 'web' },
  ],
  [
    'lists of both attributes',
    bindingFor(['payments', 'billing'], ['api'], 'mine'),
    bindingFor(['billing', 'orders'], ['web', 'api'], 'yours'),
    { [NS]: 'billing', [ACCOUNT]: 'api' },
  ],
  [
    'a prefix on each side, of different attributes',
    bindingFor('prod-*', 'api-web', 'mine'),
    bindingFor('prod-eu', 'api-*', 'yours'),
    { [NS]: 'prod-eu', [ACCOUNT]: 'api-web' },
  ],
  [
    'a prefix and a list that begins with it',
    bindingFor('prod-*', 'api', 'mine'),
    bindingFor(['stage', 'prod-eu'], 'api', 'yours'),
    { [NS]: 'prod-eu', [ACCOUNT]: 'api' },
  ],
  [
    'a longer prefix, where the shorter asks for more',
    bindingFor('prod-*', 'api', 'mine', { [NODE]: 'node-7' }),
    bindingFor('prod-eu-*', 'api', 'yours'),
    { [NS]: 'prod-eu-x', [ACCOUNT]: 'api', [NODE]: 'node-7' },
  ],
  [
    'each asking for what the other leaves open',
    bindingFor('payments', 'api', 'mine', { [POD]: 'api-1' }),
    bindingFor('payments', 'api', 'yours', { [NODE]: 'node-1' }),
    { [NS]: 'payments', [ACCOUNT]: 'api', [POD]: 'api-1', [NODE]: 'node-1' },
  ],
]

describe('bindings of different identities, neither of them the narrower', () => {
  test.each(MEETING)(
    'OAU-18 are refused with both names and a proof that is both’s: %s',
    async (_, one, other, witness) => {
      for (const bindings of [
        { one, two: other },
        { two: one, one: other },
      ]) {
        const [found, ...others] = await expectErrors(binding(bindings), ['/bindings/two bindings_overlap'])

        expect(others).toEqual([])
        expect(found?.message).toMatch(/\bone\b.*\btwo\b/)
        expect(found?.message).toMatch(/\bmine\b/)
        expect(found?.message).toMatch(/\byours\b/)
        expect(found?.witness).toEqual(witness)
      }
      expect(await explainAlone(one, witness)).toBe('mine')
      expect(await explainAlone(other, witness)).toBe('yours')
    },
  )

  test('OAU-18 are told with a proof that the broker itself would give to either', async () => {
    const [, one = {}, other = {}] = MEETING[2] ?? []
    const [found] = await expectErrors(binding({ one, two: other }), ['/bindings/two bindings_overlap'])

    expect(await exchangeAlone(one, found?.witness ?? {})).toBe('mine')
    expect(await exchangeAlone(other, found?.witness ?? {})).toBe('yours')
  })

  test('OAU-18 are refused however far apart they stand', async () => {
    const strangers = Array.from(
      { length: 500 },
      (_, at) => [`b${at}`, bindingFor(`ns-${at}`, 'api', 'theirs')] as const,
    )
    const bindings = {
      first: bindingFor('payments', ['api', 'web'], 'mine'),
      ...Object.fromEntries(strangers),
      last: bindingFor(['payments', 'billing'], 'web', 'yours'),
    }

    await expectErrors(binding(bindings), ['/bindings/last bindings_overlap'])
  })

  test('OAU-18 are refused although a third is narrower than both', async () => {
    const bindings = {
      one: bindingFor('payments', ['api', 'web'], 'mine'),
      three: bindingFor('payments', 'web', 'theirs'),
      two: bindingFor('payments', ['web', 'batch'], 'yours'),
    }

    await expectErrors(binding(bindings), ['/bindings/two bindings_overlap'])
  })

  test('OAU-18 are refused however many warnings come before', async () => {
    const short = Array.from({ length: 250 }, (_, at) => [`short/id-${at}`, { lifetime_seconds: 60 }] as const)
    const identities = { mine: {}, yours: {}, ...Object.fromEntries(short) }
    const bindings = {
      one: bindingFor('payments', ['api', 'web'], 'mine'),
      two: bindingFor('payments', ['web', 'batch'], 'yours'),
    }

    const { code, findings } = await runCheck(documentFor(ISSUER, { identities, bindings }))

    expect(findings.filter(({ severity }) => severity === 'error').map((finding) => finding.code)).toEqual([
      'bindings_overlap',
    ])
    expect(code).toBe(1)
  })

  test('OAU-18 leave the last good document in force', async () => {
    const scene = await openScene()
    onTestFinished(() => scene.close())
    const one = bindingFor('payments', ['api', 'web'], 'mine')
    const two = bindingFor('payments', ['api', 'batch'], 'yours')

    await scene.broker.replaceDocument(binding({ one, two }, scene.cluster.issuer))

    const { record } = expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
    expect(record?.identity).toBe('payments/api')
    expect(JSON.stringify(scene.broker.logs())).toContain('bindings_overlap')
  })
})

const EQUAL: readonly (readonly [string, object, object])[] = [
  ['the same values', bindingFor('payments', 'api', 'mine'), bindingFor('payments', 'api', 'yours')],
  ['the same identity', bindingFor('payments', 'api', 'mine'), bindingFor('payments', 'api', 'mine')],
  ['a list of one', bindingFor('payments', ['api'], 'mine'), bindingFor(['payments'], 'api', 'yours')],
  ['another order', bindingFor(['a', 'b'], ['x', 'y'], 'mine'), bindingFor(['b', 'a'], ['y', 'x'], 'yours')],
  ['a value twice', bindingFor(['a', 'b'], 'x', 'mine'), bindingFor(['a', 'b', 'a'], ['x', 'x'], 'yours')],
  ['the same prefix', bindingFor('prod-*', 'api', 'mine'), bindingFor(['prod-*'], ['api'], 'yours')],
]

test.each(EQUAL)('OAU-18 refuses two bindings that match the very same proofs: %s', async (_, one, two) => {
  const [found] = await expectErrors(binding({ one, two }), ['/bindings/two bindings_equal'])

  expect(found?.message).toMatch(/\bone\b.*\btwo\b/)
  expect(found?.witness).toBeDefined()
})

test('OAU-18 of bindings that lie within each other, the narrowest decides', async () => {
  const entries = Object.entries({
    wide: bindingFor('prod-*', ['api', 'web'], 'theirs'),
    middle: bindingFor('prod-eu-*', 'api', 'yours'),
    narrow: bindingFor('prod-eu-1', 'api', 'mine'),
    pod: bindingFor('prod-eu-1', 'api', 'yours', { [POD]: 'api-1' }),
  })
  const expected: readonly (readonly [Attributes, string])[] = [
    [{ [NS]: 'prod-us', [ACCOUNT]: 'api' }, 'wide'],
    [{ [NS]: 'prod-eu-1', [ACCOUNT]: 'web' }, 'wide'],
    [{ [NS]: 'prod-eu-2', [ACCOUNT]: 'api' }, 'middle'],
    [{ [NS]: 'prod-eu-1', [ACCOUNT]: 'api' }, 'narrow'],
    [{ [NS]: 'prod-eu-1', [ACCOUNT]: 'api', [POD]: 'api-1' }, 'pod'],
  ]

  for (const ordered of [entries, entries.toReversed()]) {
    const scene = await openScene({ document: ({ issuer }) => binding(Object.fromEntries(ordered), issuer) })
    onTestFinished(() => scene.close())
    for (const [attributes, name] of expected) {
      const reply = await scene.broker.exchange(await forgeAttributes(scene, attributes))
      expect(expectIssued(scene.broker, reply).record?.binding).toBe(name)
    }
    const stranger = await forgeAttributes(scene, { [NS]: 'production', [ACCOUNT]: 'api' })
    expectProofRefused(scene.broker, await scene.broker.exchange(stranger), 'binding_missing')
  }
})

test('OAU-18 takes bindings that meet where they name one identity, or are about different issuers', async () => {
  const one = bindingFor('payments', ['api', 'web'], 'mine')
  const two = bindingFor('payments', ['web', 'batch'], 'mine')
  const cluster = { provider: 'kubernetes', issuers: [ISSUER] }
  const other = { ...cluster, issuers: [`${ISSUER}0`] }

  await expectAccepted(binding({ one, two }))
  const both = { ...bindingFor('payments', ['web', 'batch'], 'yours'), trusted_issuer: 'other' }
  await expectAccepted({ ...binding({ one, both }), trusted_issuers: { cluster, other } })
})

const NAMES = ['a', 'b', 'a-x', 'a-b', 'a-b-x', 'a-b-c']
const list: fc.Arbitrary<Condition> = fc
  .uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 })
  .map((values) => ({ kind: 'exact', values }))
const prefix: fc.Arbitrary<Condition> = fc.constantFrom('a-', 'a-b-').map((text) => ({ kind: 'prefix', prefix: text }))
const match = fc
  .oneof(
    fc.record({ one: prefix, two: list, three: fc.option(list) }),
    fc.record({ one: list, two: fc.oneof(list, prefix), three: fc.option(list) }),
  )
  .map(
    (entries) =>
      new Map(Object.entries(entries).flatMap(([name, found]) => (found === null ? [] : [[name, found] as const]))),
  )
const documents: fc.Arbitrary<readonly Binding[]> = fc
  .array(fc.record({ match, identity: fc.constantFrom('mine', 'yours') }), { minLength: 2, maxLength: 6 })
  .map((entries) => entries.map(({ match, identity }, at) => ({ ...bindingOf(`b${at}`, {}, identity), match })))

function overlapsOf(bindings: readonly Binding[]) {
  return findOverlaps(groupByShape(bindings).get('cluster') ?? []).overlaps
}

/** Every proof that conditions over these names can tell apart. */
const PROOFS = NAMES.flatMap((one) =>
  NAMES.flatMap((two) =>
    [undefined, ...NAMES].map((three) => toProof({ one, two, ...(three === undefined ? {} : { three }) })),
  ),
)

function toProof(attributes: Attributes): ReadonlyMap<string, string> {
  return new Map(Object.entries(attributes))
}

test('OAU-18 whatever is not refused gives every proof one identity, whichever binding is read first', () => {
  fc.assert(
    fc.property(documents, (bindings) => {
      fc.pre(overlapsOf(bindings).length === 0)
      const [index, reversed] = [createBindingIndex(bindings), createBindingIndex(bindings.toReversed())]
      for (const proof of PROOFS) {
        const matching = bindings.filter((candidate) => findUnsatisfied(candidate.match, proof) === undefined)
        const narrowest = matching.filter(
          (one) => !matching.some((other) => other !== one && isContained(other.match, one.match)),
        )

        expect(new Set(narrowest.map(({ identity }) => identity)).size).toBe(matching.length === 0 ? 0 : 1)
        expect(decidingBinding(index, 'cluster', proof)).toBe(decidingBinding(reversed, 'cluster', proof))
      }
    }),
    { numRuns: 150 },
  )
})

test('OAU-18 whatever is refused has a proof that both bindings match', () => {
  fc.assert(
    fc.property(documents, (bindings) => {
      for (const { one, other, isEqual } of overlapsOf(bindings)) {
        const witness = findWitness(one.match, other.match, () => true)

        expect(witness).toBeDefined()
        const proof = toProof(witness ?? {})
        expect([findUnsatisfied(one.match, proof), findUnsatisfied(other.match, proof)]).toEqual([undefined, undefined])
        expect(isContained(one.match, other.match) && isContained(other.match, one.match)).toBe(isEqual)
        expect(isEqual || one.identity !== other.identity).toBe(true)
      }
    }),
    { numRuns: 1_000 },
  )
})
