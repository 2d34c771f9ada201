/** What a web-identity token says of its session, and what a binding may make of it: tags, pods, instances and functions. */

import { describe, expect, onTestFinished, test } from 'vitest'
import type { EksPod } from '../../providers/aws/stand-in/sessions.ts'
import type { RefusalReason } from '../../src/audit/reasons.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import {
  ACCOUNT,
  type AwsScene,
  awsDocumentFor,
  bindRole,
  openAwsScene,
  ROLE,
  SESSION_NAME,
} from '../support/aws-scene.ts'
import type { Reply } from '../support/broker.ts'
import { BROKER, documentFor } from '../support/document.ts'
import { expectErrors } from '../support/expect-check.ts'
import { runCheck } from '../support/run-check.ts'
import { forgeAwsClaims, type Members, tokenOf } from '../support/sts-tokens.ts'

const OTHER = '210987654321'

/** Opens a broker whose one binding asks for more than the role. */
async function openMatching(match: object): Promise<AwsScene> {
  const scene = await openAwsScene({
    accounts: { [OTHER]: {} },
    document: (aws) =>
      awsDocumentFor(aws, {}, { bindings: { narrow: bindRole(ACCOUNT, ROLE, 'payments/api', match) } }),
  })
  onTestFinished(() => scene.close())
  return scene
}

async function send(scene: AwsScene, token: string): Promise<Reply> {
  return await scene.broker.exchange(token)
}

/** Asserts what becomes of a token in which AWS’s own claims are others. */
async function expectClaims(scene: AwsScene, own: Members, reason: RefusalReason | 'issued'): Promise<void> {
  const reply = await send(scene, await forgeAwsClaims(scene, own))
  if (reason === 'issued') expectIssued(scene.broker, reply)
  else expectProofRefused(scene.broker, reply, reason)
}

describe('a tag of the principal', () => {
  const TAG = { 'aws.principal_tags/team': 'payments' }

  test('AWJ-11 narrows a binding: by name and value, in their own case', async () => {
    const scene = await openMatching(TAG)
    const withTags = (tags: Readonly<Record<string, string>>) =>
      tokenOf(scene, scene.aws.assumeRole(scene.role, SESSION_NAME, { tags }))

    expectIssued(scene.broker, await send(scene, await withTags({ team: 'payments' })))
    expectIssued(scene.broker, await send(scene, await withTags({ team: 'payments', Team: 'billing', more: '' })))
    for (const tags of [
      {},
      { team: 'billing' },
      { Team: 'payments' },
      { team: 'Payments' },
      { team: 'payments ' },
      { team: '' },
      { 'team/x': 'payments' },
      { teams: 'payments' },
    ]) {
      expectProofRefused(scene.broker, await send(scene, await withTags(tags)), 'binding_missing')
    }
  })

  test('AWJ-11 is that of the role, or of the session where that has its own', async () => {
    const scene = await openMatching(TAG)
    const tagged = scene.aws.createRole(ACCOUNT, ROLE, { tags: { team: 'payments' } })

    expectIssued(scene.broker, await send(scene, await tokenOf(scene, scene.aws.assumeRole(tagged, SESSION_NAME))))
    const overridden = scene.aws.assumeRole(tagged, SESSION_NAME, { tags: { team: 'billing' } })
    expectProofRefused(scene.broker, await send(scene, await tokenOf(scene, overridden)), 'binding_missing')
  })

  test('AWJ-11 is an object of texts, or the token is refused', async () => {
    const scene = await openMatching(TAG)
    const bad = ['team=payments', '{"team":"payments"}', [{ team: 'payments' }], [['team', 'payments']], null, 1, true]

    for (const principal_tags of bad) await expectClaims(scene, { principal_tags }, 'claim_invalid')
    for (const team of [['payments'], null, 1, true, { value: 'payments' }]) {
      await expectClaims(scene, { principal_tags: { team } }, 'claim_invalid')
    }
    await expectClaims(scene, { principal_tags: { team: 'payments', other: [1] } }, 'claim_invalid')
    await expectClaims(scene, { principal_tags: { team: 'payments' } }, 'issued')
  })

  test('AWJ-11 is left out where its name or value cannot be written down, and harms nothing else', async () => {
    const scene = await openMatching(TAG)
    const odd = { équipe: 'x', city: 'Zürich', 'a\nb': 'x', ['x'.repeat(129)]: 'x' }

    const reply = await send(scene, await forgeAwsClaims(scene, { principal_tags: { team: 'payments', ...odd } }))

    const { record } = expectIssued(scene.broker, reply)
    const names = Object.keys(record?.attributes ?? {}).filter((name) => name.startsWith('aws.principal_tags/'))
    expect(names).toEqual(['aws.principal_tags/team'])
  })

  test('AWJ-11 has the name that it has: none of a prototype', async () => {
    const scene = await openMatching({ 'aws.principal_tags/constructor': 'x' })

    await expectClaims(scene, {}, 'binding_missing')
    await expectClaims(scene, { principal_tags: {} }, 'binding_missing')
    await expectClaims(scene, { principal_tags: { constructor: 'x' } }, 'issued')
    await expectClaims(
      scene,
      { principal_tags: JSON.parse('{"__proto__":{"constructor":"x"}}') as Members },
      'proof_malformed',
    )
  })

  test('AWJ-11 is not that of the request, which the caller writes itself', async () => {
    const scene = await openMatching(TAG)
    const tags = { team: 'payments' }
    const token = await scene.aws.webIdentityToken(scene.assume(), { audiences: [BROKER], tags })

    expectProofRefused(scene.broker, await send(scene, token), 'binding_missing')
    for (const name of ['request_tags', 'tags', 'Principal_tags', 'principalTags', 'transitive_tag_keys']) {
      await expectClaims(scene, { [name]: tags }, 'binding_missing')
    }
    await expectClaims(scene, { principal_tags: tags, request_tags: { team: 'billing' } }, 'issued')
  })

  test('AWJ-11 is not in a signed request', async () => {
    const scene = await openMatching(TAG)
    const session = scene.aws.assumeRole(scene.role, SESSION_NAME, { tags: { team: 'payments' } })

    const request = scene.aws.signedRequest(session, { audience: BROKER })
    expectProofRefused(scene.broker, await scene.exchange(request), 'binding_missing')
    expectIssued(scene.broker, await send(scene, await tokenOf(scene, session)))
  })
})

const UNMATCHABLE = [
  'aws.request_tags/team',
  'aws.request_tags',
  'aws.principal_tags',
  'aws.principal_tags/',
  'aws.Principal_tags/team',
  'aws.source_identity',
  'aws.federated_provider',
  'aws.principal_id',
  'aws.original_session_exp',
  'aws.ec2_instance_source_vpc',
  'aws.ec2_instance_source_private_ipv4',
  'aws.identity_store_user_id',
]

test.each(UNMATCHABLE)('AWJ-11 a document that asks for %s is refused', async (name) => {
  const documentWith = (match: object): object =>
    documentFor('', {
      trusted_issuers: { 'aws-prod': { provider: 'aws', accounts: { [ACCOUNT]: {} } } },
      bindings: { narrow: bindRole(ACCOUNT, ROLE, 'payments/api', match) },
    })

  const at = `/bindings/narrow/match/${name.replaceAll('/', '~1')}`
  await expectErrors(documentWith({ [name]: 'x' }), [`${at} attribute_unknown`])
  const { code, findings } = await runCheck(documentWith({ 'aws.principal_tags/team': 'x' }))
  expect(code).toBe(0)
  expect(findings.map((finding) => finding.code)).toEqual(['attribute_cautioned'])
})

describe('a pod with EKS Pod Identity', () => {
  const POD: EksPod = {
    cluster: 'prod',
    namespace: 'payments',
    serviceAccount: 'api',
    pod: 'api-7f9c',
    podUid: '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798',
  }
  const MATCH = {
    'aws.principal_tags/kubernetes-namespace': 'payments',
    'aws.principal_tags/kubernetes-service-account': 'api',
    'aws.principal_tags/eks-cluster-arn': `arn:aws:eks:us-east-1:${ACCOUNT}:cluster/prod`,
  }

  test('AWJ-11 has the identity of its service account, and no other pod has', async () => {
    const scene = await openMatching(MATCH)
    const proveAs = async (pod: Partial<EksPod>) =>
      await send(scene, await tokenOf(scene, scene.aws.assumeRoleForPod(scene.role, { ...POD, ...pod })))

    const { record } = expectIssued(scene.broker, await proveAs({}))
    expect(record?.attributes).toMatchObject({ ...MATCH, 'aws.principal_tags/kubernetes-pod-name': 'api-7f9c' })
    expectIssued(scene.broker, await proveAs({ pod: 'api-2' }))
    const others = [
      { namespace: 'billing' },
      { serviceAccount: 'web' },
      { cluster: 'test' },
      { region: 'eu-west-1' },
      { namespace: 'api', serviceAccount: 'payments' },
    ]
    for (const pod of others) expectProofRefused(scene.broker, await proveAs(pod), 'binding_missing')
  })

  test('AWJ-11 has none where its tags are switched off, are the request’s, or come into another account', async () => {
    const scene = await openMatching(MATCH)
    const { principalTags } = scene.aws.assumeRoleForPod(scene.role, POD)

    expectProofRefused(scene.broker, await send(scene, await tokenOf(scene)), 'binding_missing')
    const wish = { audiences: [BROKER], tags: principalTags }
    const requested = await scene.aws.webIdentityToken(scene.assume(), wish)
    expectProofRefused(scene.broker, await send(scene, requested), 'binding_missing')
    const chained = scene.aws.assumeRole(scene.aws.createRole(OTHER, ROLE), SESSION_NAME, { tags: principalTags })
    expectProofRefused(scene.broker, await send(scene, await tokenOf(scene, chained)), 'binding_missing')
    const otherRole = scene.aws.assumeRoleForPod(scene.aws.createRole(ACCOUNT, 'other'), POD)
    expectProofRefused(scene.broker, await send(scene, await tokenOf(scene, otherRole)), 'binding_missing')
    expectIssued(scene.broker, await send(scene, await tokenOf(scene, scene.aws.assumeRoleForPod(scene.role, POD))))
  })
})

interface Source {
  readonly value: string
  /** The attribute's value. */
  readonly told: string
  /** What another session has. */
  readonly other: string
  /** What AWS never writes. */
  readonly bad: readonly unknown[]
}

const EC2 = `arn:aws:ec2:us-east-1:${ACCOUNT}`
const LAMBDA = `arn:aws:lambda:us-east-1:${ACCOUNT}`
const INSTANCE = 'i-0123456789abcdef0'

const SOURCES: readonly (readonly [attribute: string, claim: string, source: Source])[] = [
  [
    'aws.ec2_instance_id',
    'ec2_source_instance_arn',
    {
      value: `${EC2}:instance/${INSTANCE}`,
      told: INSTANCE,
      other: `${EC2}:instance/i-0123456789abcdef1`,
      bad: [
        INSTANCE,
        `${EC2}:volume/${INSTANCE}`,
        `${EC2}:instance/${INSTANCE}/x`,
        `${EC2}:instance/x`,
        [EC2],
        null,
        '',
      ],
    },
  ],
  [
    'aws.lambda_function_arn',
    'lambda_source_function_arn',
    {
      value: `${LAMBDA}:function:pay`,
      told: `${LAMBDA}:function:pay`,
      other: `${LAMBDA}:function:payments`,
      bad: ['pay', `${LAMBDA}:layer:pay`, `${LAMBDA}:function:pay:1:2`, `${LAMBDA}:function:`, [LAMBDA], null, ''],
    },
  ],
  [
    'aws.source_region',
    'source_region',
    {
      value: 'eu-west-1',
      told: 'eu-west-1',
      other: 'eu-west-2',
      bad: ['EU-WEST-1', 'eu-west-1 ', 'eu-west-1.evil.example', ['eu-west-1'], null, ''],
    },
  ],
]

test.each(SOURCES)(
  'AWJ-11 %s is that of the token, and in its one form',
  async (attribute, claim, { value, told, other, bad }) => {
    const scene = await openMatching({ [attribute]: told })

    await expectClaims(scene, { [claim]: value }, 'issued')
    await expectClaims(scene, { [claim]: other }, 'binding_missing')
    await expectClaims(scene, { [claim]: undefined }, 'binding_missing')
    for (const wrong of bad) await expectClaims(scene, { [claim]: wrong }, 'claim_invalid')
    const session = scene.aws.assumeRole(scene.role, SESSION_NAME, { sourceClaims: { [claim]: value } })
    expectIssued(scene.broker, await send(scene, await tokenOf(scene, session)))
  },
)
