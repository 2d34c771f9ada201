/** Attacks on the step from attributes to an identity: the MAP rows that hold for every cloud. */

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { UsageError } from '../../src/cli/exit.ts'
import { type Binding, createBindingIndex } from '../../src/federation/bindings.ts'
import { type Condition, findUnsatisfied, isContained } from '../../src/federation/match.ts'
import { expectIssued, expectProofRefused, expectRefusal } from '../support/answers.ts'
import { BROKER, bindingFor, documentFor } from '../support/document.ts'
import { expectErrors } from '../support/expect-check.ts'
import { forgeAttributes } from '../support/forge-attributes.ts'
import { bindingOf, decidingBinding } from '../support/made-bindings.ts'
import { explainAttributes } from '../support/run-explain.ts'
import { openScene, type Scene } from '../support/scene.ts'

const ISSUER = 'https://oidc.eks.us-east-1.amazonaws.com/id/2F331C82755EF3E43731C8D6E299FAEF'
const NS = 'kubernetes.namespace'
const ACCOUNT = 'kubernetes.service_account'
const UID = 'kubernetes.service_account_uid'

const withBinding = (binding: object) => documentFor(ISSUER, { bindings: { weak: binding } })
const matching = (match: unknown) => withBinding({ trusted_issuer: 'cluster', match, identity: 'payments/api' })

describe('a binding without its subject', () => {
  test.each([
    [{}],
    [{ [NS]: 'payments' }],
    [{ [ACCOUNT]: 'api' }],
    [{ [NS]: ['payments', 'billing'] }],
    [{ [NS]: 'payments-*' }],
    [{ [UID]: '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798' }],
  ])('MAP-01 refuses %j: any stranger with the same issuer and audience would satisfy it', async (match) => {
    await expectErrors(matching(match), ['/bindings/weak/match pin_missing'])
  })

  test.each(['aud', 'iss', 'sub', 'kubernetes.audience', 'kubernetes.subject', 'aws.account_id', 'constructor', ''])(
    'MAP-01 refuses a condition on %j, which is no attribute of the cloud',
    async (name) => {
      const found = await expectErrors(matching({ [name]: BROKER }), [`/bindings/weak/match/${name} attribute_unknown`])
      expect(found[0]?.message).toContain(NS)
    },
  )

  test('MAP-01 refuses a binding with no match at all', async () => {
    for (const match of [undefined, null, 'payments', [], 1]) {
      await expectErrors(matching(match), ['/bindings/weak/match shape'])
    }
  })

  test('MAP-01 a document with such a binding changes nothing', async () => {
    const scene = await openScene()
    onTestFinished(() => scene.close())
    const stranger = await forgeAttributes(scene, { [NS]: 'billing' })

    await scene.broker.replaceDocument(matching({}))

    expectProofRefused(scene.broker, await scene.broker.exchange(stranger), 'binding_missing')
    expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
  })
})

const LOWER = 'aa11bb22-cc33-dd44-ee55-ff6677889900'
const pinned = bindingFor('payments', 'api', 'payments/api', { [UID]: LOWER })

/** Values that one careless comparison or another takes for `payments`. */
const TWINS = [
  'Payments',
  'PAYMENTS',
  'payments ',
  ' payments',
  'payments\n',
  'payments\u0000',
  'payments\u200b',
  'p\u0430yments',
  '\uff50ayments',
  'payment\u017f',
  'payments*',
]

/** And two that are other names, as good as any. */
const NEIGHBOURS = ['payment', 'paymentss']

describe('names that are nearly the same', () => {
  test('MAP-03 an attribute is compared to the letter when a proof is mapped', async () => {
    const document = ({ issuer }: { issuer: string }) => documentFor(issuer, { bindings: { pinned } })
    const scene = await openScene({ document })
    onTestFinished(() => scene.close())
    const exchange = async (uid: string) => scene.broker.exchange(await forgeAttributes(scene, { [UID]: uid }))

    expectIssued(scene.broker, await exchange(LOWER))
    for (const uid of [LOWER.toUpperCase(), `A${LOWER.slice(1)}`, LOWER.replaceAll('-', ''), LOWER.slice(0, -1)])
      expectProofRefused(scene.broker, await exchange(uid), 'binding_missing')
  })

  test('MAP-03 an attribute is compared to the letter when a proof is explained', async () => {
    const document = documentFor(ISSUER, { bindings: { pinned } })
    const exact = { [NS]: 'payments', [ACCOUNT]: 'api', [UID]: LOWER }
    const said = async (changes: object) => {
      const { code, account } = await explainAttributes(document, { ...exact, ...changes })
      const [explanation] = account?.explanations ?? []
      return { code, binding: explanation?.binding, missed: explanation?.nearest.map(({ attribute }) => attribute) }
    }

    expect(await said({})).toEqual({ code: 0, binding: 'pinned', missed: [] })
    expect(await said({ [UID]: LOWER.toUpperCase() })).toEqual({ code: 1, binding: null, missed: [UID] })
    for (const twin of [...TWINS, ...NEIGHBOURS])
      expect(await said({ [NS]: twin })).toEqual({ code: 1, binding: null, missed: [NS] })
    for (const name of ['Kubernetes.Namespace', `${NS} `, 'kubernetes.n\u0430mespace'])
      expect(await said({ [NS]: undefined, [name]: 'payments' })).toEqual({ code: 1, binding: null, missed: [NS] })
  })

  test.each(TWINS)('MAP-03 refuses a binding on %j, which is no namespace', async (twin) => {
    const code = twin.includes('*') ? 'prefix_malformed' : 'value_impossible'

    await expectErrors(matching({ [NS]: twin, [ACCOUNT]: 'api' }), [`/bindings/weak/match/${NS} ${code}`])
  })

  test.each([
    'Kubernetes.Namespace',
    'kubernetes.Namespace',
    `${NS} `,
    ` ${NS}`,
    'kubernetes.n\u0430mespace',
    'namespace',
  ])('MAP-03 refuses a condition on %j, which is no attribute', async (name) => {
    const document = matching({ [NS]: 'payments', [ACCOUNT]: 'api', [name]: 'payments' })
    await expectErrors(document, [`/bindings/weak/match/${name} attribute_unknown`])
  })

  test('MAP-03 a binding refers to its trusted issuer and its identity to the letter', async () => {
    const binding = bindingFor('payments', 'api', 'payments/api')
    for (const name of ['Cluster', 'cluster.', 'clus']) {
      const expected = ['/bindings/weak/trusted_issuer trusted_issuer_unknown']
      await expectErrors(withBinding({ ...binding, trusted_issuer: name }), expected)
    }
    for (const name of ['payments/ap', 'payments/api2', 'payments']) {
      await expectErrors(withBinding({ ...binding, identity: name }), ['/bindings/weak/identity identity_unknown'])
    }
    for (const name of ['payments/API', 'payments/api ', 'payments/api/', 'p\u0430yments/api', '../payments/api']) {
      await expectErrors(withBinding({ ...binding, identity: name }), ['/bindings/weak/identity shape'])
    }
    const explain = explainAttributes(documentFor(ISSUER), { [NS]: 'payments' }, 'Cluster')
    await expect(explain).rejects.toThrow(UsageError)
  })
})

/** Conditions over few values that are easily confused, so that bindings meet often. */
const VALUES = ['a', 'A', 'a ', 'a-', 'a-b', 'a-B', 'a-b-', 'a-b-c', '\u0430', '']
const exact: fc.Arbitrary<Condition> = fc
  .uniqueArray(fc.constantFrom(...VALUES), { minLength: 1, maxLength: 3 })
  .map((values) => ({ kind: 'exact', values }))
const prefix: fc.Arbitrary<Condition> = fc
  .constantFrom('a-', 'A-', 'a-b-')
  .map((text) => ({ kind: 'prefix', prefix: text }))
const bindings: fc.Arbitrary<readonly Binding[]> = fc
  .array(fc.record({ one: fc.oneof(exact, prefix), two: fc.option(exact), three: fc.option(exact) }), { maxLength: 8 })
  .map((entries) =>
    entries.map((entry, index) => {
      const conditions = Object.entries(entry).flatMap(([name, condition]) =>
        condition === null ? [] : [[name, condition] as const],
      )
      return { ...bindingOf(`b${index}`, {}, `id${index}`), match: new Map(conditions) }
    }),
  )
const value = fc.option(fc.constantFrom(...VALUES), { nil: undefined })
const proofs = fc
  .record({ one: value, two: value, three: value })
  .map(
    (entries) =>
      new Map(Object.entries(entries).flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const]))),
  )

test('MAP-03 the index finds exactly the bindings that a reader of each would, and the first of the narrowest', () => {
  fc.assert(
    fc.property(bindings, proofs, (all, attributes) => {
      const index = createBindingIndex(all)
      const read = all.filter(({ match }) => findUnsatisfied(match, attributes) === undefined)
      const narrowest = read.filter(
        ({ match }) => !read.some((other) => isContained(other.match, match) && !isContained(match, other.match)),
      )

      expect(new Set(index.findAll('cluster', attributes))).toEqual(new Set(read))
      expect(index.findAll('Cluster', attributes)).toEqual([])
      const isUnequal = narrowest.every(({ match }, at) =>
        narrowest.slice(at + 1).every((other) => !isContained(other.match, match)),
      )
      // Documents with equal bindings are refused, so that what is chosen of them is nobody's business.
      if (isUnequal)
        expect(decidingBinding(index, 'cluster', attributes)?.name).toBe(narrowest.map(({ name }) => name).sort()[0])
    }),
    { numRuns: 1_000 },
  )
})

describe('the same proof again', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene()
  })
  afterAll(() => scene.close())

  test('MAP-14 gets the same answer, however often and whatever came between', async () => {
    const proof = await scene.proof()
    const unmapped = await forgeAttributes(scene, { [NS]: 'billing' })
    const malformed = await forgeAttributes(scene, { 'kubernetes.pod_name': 'API 1' })

    for (let turn = 0; turn < 12; turn++) {
      const { record } = expectIssued(scene.broker, await scene.broker.exchange(proof))
      expect(record).toMatchObject({ binding: 'payments-api', identity: 'payments/api', scope: 'entries:read' })
      expectProofRefused(scene.broker, await scene.broker.exchange(unmapped), 'binding_missing')
      expectProofRefused(scene.broker, await scene.broker.exchange(malformed), 'claim_invalid')
      const reply = await scene.broker.exchange(proof, { audience: 'Ledger' })
      expectRefusal(scene.broker, reply, 'IT', 'target_refused')
    }
  })

  test('MAP-14 gets the same answer at the same time', async () => {
    const proof = await scene.proof()
    const replies = await Promise.all(Array.from({ length: 20 }, () => scene.broker.exchange(proof)))

    const issued = replies.map((reply) => expectIssued(scene.broker, reply))
    expect(new Set(issued.map(({ record }) => record?.identity))).toEqual(new Set(['payments/api']))
    expect(new Set(issued.map(({ record }) => record?.token_id)).size).toBe(replies.length)
  })

  test('MAP-14 is explained in the same way', async () => {
    const attributes = { [NS]: 'payments', [ACCOUNT]: 'api' }
    const document = documentFor(ISSUER)
    const [first, ...others] = await Promise.all(
      Array.from({ length: 5 }, () => explainAttributes(document, attributes)),
    )

    expect(first?.account?.explanations[0]?.binding).toBe('payments-api')
    for (const other of others) expect(other).toEqual(first)
  })
})
