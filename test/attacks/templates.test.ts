/** Attacks by names: whatever a platform or a caller calls a workload, it becomes nobody whom the document did not mean. */

import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { VerifiedProof } from '../../providers/contract/proof.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { ACCOUNT, type AwsScene, awsDocumentFor, bindRole, openAwsScene } from '../support/aws-scene.ts'
import { bindingFor, documentFor } from '../support/document.ts'
import { createBench, NOW, verifierSaying } from '../support/exchange-bench.ts'
import { expectAccepted, expectErrors } from '../support/expect-check.ts'
import { proofOf } from '../support/federation-parts.ts'
import { forgeAttributes } from '../support/forge-attributes.ts'
import { explainAttributes } from '../support/run-explain.ts'
import { openScene, type Scene } from '../support/scene.ts'

const ISSUER = 'https://oidc.eks.us-east-1.amazonaws.com/id/2F331C82755EF3E43731C8D6E299FAEF'
const NS = 'kubernetes.namespace'
const SA = 'kubernetes.service_account'
const READ = { grants: { ledger: ['entries:read'] } }

/** Values that would be somebody else, another place, or more than a name, if anything but whole segments were taken. */
const HOSTILE = [
  '../admin',
  '..',
  '.',
  'a/b',
  '/admin',
  'a/',
  'a:b',
  'a\\b',
  '',
  '{x}',
  '{kubernetes.namespace}',
  'Admin',
  'a b',
  'a\n',
  'a\u0000',
  'a%2fb',
  'a?x=1',
  'a#b',
  'a@b',
  '*',
  '-a',
  '_a',
  'a'.repeat(64),
  'a'.repeat(1_024),
]

/** Spellings that one eye, folding or normal form or another takes for ASCII. */
const TWINS = [
  'p\u0430yments',
  '\ufb00orge',
  'caf\u00e9',
  'cafe\u0301',
  'pay\u200dments',
  'pay\u200bments',
  '\u202epayments',
  'payments\u200f',
  'boo\u212a',
  'ta\u017fk',
  '\uff50ayments',
  'pay\u00adments',
  '\u0131d',
  'p\u{1d51e}y',
]

/** Exchanges a proof whose verifier let this value through. */
async function exchangeWith(value: string) {
  const attributes = new Map([
    [NS, value],
    [SA, 'web'],
  ])
  const proof: VerifiedProof = proofOf(NOW, { attributes })
  const document = {
    identities: { 'svc/*': READ, admin: READ, 'svc-admin': READ },
    bindings: { all: bindingFor(['ok', 'prod-1'], 'web', 'svc/{kubernetes.namespace}') },
  }
  const bench = createBench({ document, verifier: verifierSaying(proof) })
  const [binding] = bench.snapshot.federation.bindings.bindingsOf('cluster')
  if (binding === undefined) throw new Error('no binding')
  const bindings = { ...bench.snapshot.federation.bindings, findAll: () => [binding] }
  const snapshot = { ...bench.snapshot, federation: { ...bench.snapshot.federation, bindings } }
  const open = createBench({ verifier: verifierSaying(proof), ports: { snapshot: () => snapshot } })
  return open.exchange().then(
    ({ access_token }) => decodeJwt(access_token).sub,
    ({ reason }: { reason: string }) => reason,
  )
}

describe('a template’s value, whatever a verifier were to let through,', () => {
  test('MAP-05 is taken whole where it is a segment', async () => {
    expect(await exchangeWith('prod-1')).toBe('spiffe://corp.example/svc/prod-1')
    expect(await exchangeWith('a'.repeat(63))).toBe(`spiffe://corp.example/svc/${'a'.repeat(63)}`)
  })

  test.each(HOSTILE)('MAP-05 makes no name of %j', async (value) => {
    expect(await exchangeWith(value)).toBe('identity_malformed')
  })

  test.each(TWINS)('MAP-07 makes no name of %j, and folds it to none', async (value) => {
    expect(await exchangeWith(value)).toBe('identity_malformed')
    expect(await exchangeWith(value.normalize('NFKC'))).not.toContain('admin')
  })
})

describe('over HTTP', () => {
  let scene: Scene
  beforeAll(async () => {
    const bindings = {
      all: bindingFor('preview-*', 'web', 'preview/{kubernetes.namespace}'),
      accounts: bindingFor('accounts', 'job-*', 'accounts/{kubernetes.service_account}'),
    }
    const identities = { 'preview/*': READ, 'accounts/*': READ, admin: READ }
    scene = await openScene({ document: ({ issuer }) => documentFor(issuer, { identities, bindings }) })
  })
  afterAll(() => scene.close())

  const exchange = async (namespace: string, account: string) =>
    scene.broker.exchange(await forgeAttributes(scene, { [NS]: namespace, [SA]: account }))

  test('MAP-05 a pod’s namespace becomes its identity, in token and record', async () => {
    const { token, record } = expectIssued(scene.broker, await exchange('preview-7', 'web'))

    expect(decodeJwt(token)).toMatchObject({
      sub: 'spiffe://corp.example/preview/preview-7',
      client_id: 'preview/preview-7',
    })
    expect(record).toMatchObject({ binding: 'all', identity: 'preview/preview-7' })
  })

  test.each(HOSTILE)('MAP-05 a namespace that goes on with %j is refused as every proof is', async (value) => {
    expectProofRefused(scene.broker, await exchange(`preview-/${value}`, 'web'), 'claim_invalid')
    const plain = await exchange(value, 'web')
    expect(['claim_invalid', 'claim_missing', 'binding_missing']).toContain(reasonOf(scene, plain.requestId))
    expect(plain.text).not.toContain('access_token')
  })

  test('MAP-05 an account’s name that its cluster allows, and that is no segment, is refused', async () => {
    for (const account of [`job-${'a'.repeat(60)}`, `job-${'a.'.repeat(60)}a`]) {
      expectProofRefused(scene.broker, await exchange('accounts', account), 'identity_malformed')
    }
    expectIssued(scene.broker, await exchange('accounts', `job-${'a'.repeat(59)}`))
  })

  test.each(TWINS)('MAP-07 a namespace %j is nobody’s', async (value) => {
    for (const namespace of [value, `preview-${value}`]) {
      expectProofRefused(scene.broker, await exchange(namespace, 'web'), 'claim_invalid')
    }
  })
})

function reasonOf({ broker }: Scene, requestId: string): string | null | undefined {
  return broker.records().find((record) => record.request_id === requestId)?.reason
}

describe('of a role on AWS, whose names may hold more', () => {
  let scene: AwsScene
  beforeAll(async () => {
    const document = (aws: AwsScene['aws']) =>
      awsDocumentFor(
        aws,
        {},
        {
          identities: { 'preview/*': READ },
          bindings: { previews: bindRole(ACCOUNT, 'preview-*', 'preview/{aws.role_name}') },
        },
      )
    scene = await openAwsScene({ document })
  })
  afterAll(() => scene.close())

  const exchange = async (roleName: string) => {
    const session = scene.aws.assumeRole(scene.aws.createRole(ACCOUNT, roleName), 'session')
    const reply = await scene.exchange(scene.aws.signedRequest(session, { audience: 'https://broker.example' }))
    return reply
  }

  test('MAP-05 a name that is a segment is taken', async () => {
    const { record } = expectIssued(scene.broker, await exchange('preview-7_a.b'))
    expect(record?.identity).toBe('preview/preview-7_a.b')
  })

  test.each(['preview-Admin', 'preview-a=b', 'preview-a,b', 'preview-a+b', 'preview-a@b', `preview-${'a'.repeat(56)}`])(
    'MAP-05 %s is refused, and by no wider binding taken',
    async (roleName) => {
      expectProofRefused(scene.broker, await exchange(roleName), 'identity_malformed')
    },
  )
})

const template = (identity: string, identities: object) =>
  documentFor(ISSUER, { identities: { ...identities }, bindings: { all: bindingFor('preview-*', 'web', identity) } })

describe('a template', () => {
  test.each([
    ['{kubernetes.namespace}-{kubernetes.service_account}'],
    ['preview/{kubernetes.namespace}-{kubernetes.service_account}'],
    ['preview/x{kubernetes.namespace}'],
    ['preview/{kubernetes.namespace}.x'],
    ['preview/{{kubernetes.namespace}}'],
    ['preview/{kubernetes.namespace'],
    ['preview/kubernetes.namespace}'],
    ['preview/{}'],
    ['preview/../{kubernetes.namespace}'],
  ])('MAP-06 %s that does not take whole segments is refused', async (identity) => {
    await expectErrors(template(identity, { 'preview/*': {} }), ['/bindings/all/identity shape'])
  })

  test.each(['aws.session_name', 'aws.principal_tags/team'])(
    'MAP-06 that takes %s, which its caller may say, is refused',
    async (attribute) => {
      const aws = { provider: 'aws', regions: ['eu-west-1'], accounts: { [ACCOUNT]: {} } }
      const document = documentFor(ISSUER, {
        trusted_issuers: { 'aws-prod': aws },
        identities: { 'preview/*': {} },
        bindings: { all: bindRole(ACCOUNT, 'web', `preview/{${attribute}}`) },
      })
      await expectErrors(document, ['/bindings/all/identity template_chosen'])
    },
  )

  test.each([
    ['no entry over it', {}, ['/bindings/all/identity identity_unknown']],
    ['a plain entry over it', { preview: {} }, ['/bindings/all/identity identity_unknown']],
    ['two entries over it', { 'preview/*': {}, 'preview/web/*': {} }, ['/identities/preview~1web~1* identity_nested']],
    [
      'a plain entry under its own',
      { 'preview/*': {}, 'preview/web/admin': {} },
      ['/identities/preview~1web~1admin identity_nested'],
    ],
  ])('MAP-06 with %s is refused', async (_, identities, errors) => {
    await expectErrors(template('preview/web/{kubernetes.namespace}', identities), errors)
  })

  test('MAP-06 within one entry is taken', async () => {
    await expectAccepted(template('preview/web/{kubernetes.namespace}', { 'preview/*': {}, previews: {} }))
  })

  test('MAP-06 that is refused leaves the last good document in force', async () => {
    const scene = await openScene()
    onTestFinished(() => scene.close())

    await scene.broker.replaceDocument(template('preview/{kubernetes.namespace}', {}))

    expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
  })
})

describe('a name that looks like another', () => {
  test.each(TWINS)('MAP-07 %j is refused wherever a document could write it', async (twin) => {
    const parts = (more: object) => documentFor(ISSUER, { bindings: {}, ...more })
    await expectErrors(parts({ identities: { [twin]: {} } }), [`/identities/${twin} name_malformed`])
    await expectErrors(parts({ identities: { [`${twin}/*`]: {} } }), [`/identities/${twin}~1* name_malformed`])
    await expectErrors(parts({ audiences: { [twin]: {} }, identities: {} }), [`/audiences/${twin} name_malformed`])
    await expectErrors(template(`${twin}/{kubernetes.namespace}`, {}), ['/bindings/all/identity shape'])
    await expectErrors(template(`preview/{kubernetes.n\u0430mespace}`, { 'preview/*': {} }), [
      '/bindings/all/identity attribute_unknown',
    ])
    const bindings = { [twin]: bindingFor('payments', 'api', 'payments/api') }
    await expectErrors(documentFor(ISSUER, { bindings }), [`/bindings/${twin} name_malformed`])
    await expectErrors(documentFor(ISSUER, { bindings: { b: bindingFor(twin, 'api', 'payments/api') } }), [
      `/bindings/b/match/${NS} value_impossible`,
    ])
  })

  test.each(TWINS)('MAP-07 %j is explained as what it is not', async (twin) => {
    const { code, account } = await explainAttributes(documentFor(ISSUER), { [NS]: twin, [SA]: 'api' })

    expect(code).toBe(1)
    expect(account?.explanations[0]).toMatchObject({ binding: null, nearest: [{ attribute: NS, found: twin }] })
  })
})
