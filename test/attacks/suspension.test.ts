/** Attacks on what is suspended or only tried: it must not be got around, told from other refusals, or take effect by itself. */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { expectIssued, expectProofRefused, REFUSED_BODY } from '../support/answers.ts'
import { ACCOUNT, awsDocumentFor, bindRole, openAwsScene, ROLE, trustAccounts } from '../support/aws-scene.ts'
import { bindingFor, type DocumentParts, documentFor } from '../support/document.ts'
import { openScene, type Scene } from '../support/scene.ts'

const READ = { grants: { ledger: ['entries:read'] } }
const ALL = { grants: { ledger: ['entries:read', 'entries:write'] } }

/** The pod of every scene by its own name, and anything of its namespace. */
const exact = bindingFor('payments', 'api', 'payments/api')
const wide = bindingFor('payments', ['api', 'web'], 'wide')

async function openWith(parts: DocumentParts): Promise<Scene> {
  const scene = await openScene({ document: ({ issuer }) => documentFor(issuer, parts) })
  onTestFinished(() => scene.close())
  return scene
}

describe('a suspended trusted issuer', () => {
  let scene: Scene
  beforeAll(async () => {
    const trusted = (issuer: string) => ({ provider: 'kubernetes', issuers: [issuer], suspended: true })
    scene = await openScene({
      document: ({ issuer }) => documentFor(issuer, { trusted_issuers: { cluster: trusted(issuer) } }),
    })
  })
  afterAll(() => scene.close())

  test('is asked nothing, for genuine proofs and forged ones, and answers are those to garbage', async () => {
    const genuine = await scene.proof()
    const proofs = [
      [genuine, 'issuer_suspended'],
      [`${genuine.slice(0, -6)}AAAAAA`, 'issuer_suspended'],
      [await scene.forge({ aud: ['https://elsewhere.example'] }), 'issuer_suspended'],
      [await scene.forge({ exp: 1 }), 'issuer_suspended'],
      [await scene.forge({ iss: 'https://nobody.example' }), 'issuer_not_trusted'],
      ['garbage', 'proof_malformed'],
    ] as const

    const asked = await scene.upstreamRequests(async () => {
      for (const [proof, reason] of proofs) expectProofRefused(scene.broker, await scene.broker.exchange(proof), reason)
    })

    expect(asked).toBe(0)
    const [first] = scene.broker.records()
    expect(first).toMatchObject({ trusted_issuer: 'cluster', subject: null, attributes: null, identity: null })
  })

  test('takes nothing until it is put back, and then everything', async () => {
    const proof = await scene.proof()
    await scene.broker.replaceDocument(documentFor(scene.cluster.issuer))

    expectIssued(scene.broker, await scene.broker.exchange(proof))
  })
})

describe('a suspended trusted issuer on AWS', () => {
  test('is asked nothing where its partition has no other', async () => {
    const scene = await openAwsScene({ document: (aws) => awsDocumentFor(aws, { suspended: true }) })
    onTestFinished(() => scene.close())

    const asked = await scene.upstreamRequests(async () => {
      expectProofRefused(scene.broker, await scene.exchange(scene.sign()), 'issuer_suspended')
    })

    expect(asked).toBe(0)
  })

  test('is refused beside another of its partition, once STS has said whose account it is', async () => {
    const OTHER = '210987654321'
    const scene = await openAwsScene({
      accounts: { [OTHER]: {} },
      document: (aws) => {
        const accounts = (id: string) => ({ accounts: { [id]: {} }, sts_endpoint: aws.origin })
        return awsDocumentFor(
          aws,
          {},
          {
            trusted_issuers: {
              'aws-prod': trustAccounts(aws, { ...accounts(ACCOUNT), suspended: true }),
              'aws-other': trustAccounts(aws, accounts(OTHER)),
            },
            bindings: {
              'payments-api': bindRole(ACCOUNT, ROLE, 'payments/api'),
              other: { ...bindRole(OTHER, ROLE, 'payments/api'), trusted_issuer: 'aws-other' },
            },
          },
        )
      },
    })
    onTestFinished(() => scene.close())
    const other = scene.aws.assumeRole(scene.aws.createRole(OTHER, ROLE), 'session')

    expectProofRefused(scene.broker, await scene.exchange(scene.sign()), 'issuer_suspended')
    const request = scene.aws.signedRequest(other, { audience: 'https://broker.example' })
    expectIssued(scene.broker, await scene.exchange(request))
  })
})

describe('what is suspended', () => {
  test('of bindings is refused, and falls to no wider one, whatever is asked for', async () => {
    const scene = await openWith({
      identities: { 'payments/api': READ, wide: ALL },
      bindings: { exact: { ...exact, suspended: true }, wide },
    })
    const proof = await scene.proof()

    for (const parameters of [{}, { scope: 'entries:write' }, { audience: 'nobody' }, { audience: undefined }]) {
      expectProofRefused(scene.broker, await scene.broker.exchange(proof, parameters), 'binding_suspended')
    }
    expect(scene.broker.records().map(({ identity }) => identity)).toEqual(Array(4).fill('payments/api'))
  })

  test('of identities is refused by every binding, and looks like any refused proof', async () => {
    const scene = await openWith({ identities: { 'payments/api': { ...READ, suspended: true } } })
    const garbage = await scene.broker.exchange('garbage')
    const reply = await scene.broker.exchange(await scene.proof())

    expectProofRefused(scene.broker, reply, 'identity_suspended')
    const visible = ({ headers, status, text }: typeof reply) => ({
      status,
      text,
      headers: [...headers].filter(([name]) => name !== 'x-request-id' && name !== 'date'),
    })
    expect(visible(reply)).toEqual(visible(garbage))
    expect(reply.text).toBe(REFUSED_BODY)
  })

  test('takes effect with the next document, for a proof that was taken a moment ago', async () => {
    const scene = await openWith({})
    const proof = await scene.proof()
    expectIssued(scene.broker, await scene.broker.exchange(proof))

    const bindings = { 'payments-api': { ...exact, suspended: true } }
    await scene.broker.replaceDocument(documentFor(scene.cluster.issuer, { bindings }))

    expectProofRefused(scene.broker, await scene.broker.exchange(proof), 'binding_suspended')
  })
})

describe('a binding in shadow', () => {
  test('gives nothing, narrow or alone, and is recorded and counted', async () => {
    const scene = await openWith({
      identities: { 'payments/api': ALL, wide: READ },
      bindings: { exact: { ...exact, mode: 'shadow' }, wide },
    })
    const proof = await scene.proof()

    const { record } = expectIssued(scene.broker, await scene.broker.exchange(proof))
    expect(record).toMatchObject({
      binding: 'wide',
      identity: 'wide',
      scope: 'entries:read',
      shadow: { binding: 'exact', identity: 'payments/api', decision: 'issued', scope: 'entries:read entries:write' },
    })
    await scene.broker.exchange(proof, { scope: 'entries:write' })
    await scene.broker.exchange(proof, { scope: 'entries:admin' })

    const lines = (await scene.broker.metrics()).split('\n').filter((line) => /^chancery_shadow/.test(line))
    const counted = (answered: string, outcome: string, reason: string) =>
      `chancery_shadow_decisions_total{trusted_issuer="cluster",answered="${answered}",outcome="${outcome}",reason="${reason}"} 1`
    expect(lines).toEqual([
      counted('issued', 'issued', 'none'),
      counted('refused', 'issued', 'none'),
      counted('refused', 'refused', 'scope_refused'),
    ])
  })

  test('alone leaves its workload unmapped', async () => {
    const scene = await openWith({ bindings: { exact: { ...exact, mode: 'shadow' } } })

    expectProofRefused(scene.broker, await scene.broker.exchange(await scene.proof()), 'binding_missing')
    expect(scene.broker.records()).toMatchObject([{ binding: null, shadow: { binding: 'exact', decision: 'issued' } }])
  })

  test('is not counted where none would have decided', async () => {
    const scene = await openWith({})
    await scene.broker.exchange(await scene.proof())

    expect(await scene.broker.metrics()).not.toMatch(/^chancery_shadow_decisions_total\{/m)
  })
})
