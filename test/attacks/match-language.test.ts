/** Attacks by what looks like a pattern or an expression: a value is exact, one of a list, or one separated prefix, and never run. */

import { describe, expect, test } from 'vitest'
import { awsVerifier } from '../../providers/aws/verifier.ts'
import { verifiers } from '../../providers/verifiers.ts'
import { parseCondition } from '../../src/federation/match.ts'
import { expectProofRefused } from '../support/answers.ts'
import { bindingFor, documentFor } from '../support/document.ts'
import { expectErrors } from '../support/expect-check.ts'
import { runCheck } from '../support/run-check.ts'
import { explainAttributes } from '../support/run-explain.ts'
import { openScene } from '../support/scene.ts'

const ISSUER = 'https://oidc.eks.us-east-1.amazonaws.com/id/2F331C82755EF3E43731C8D6E299FAEF'
const NS = 'kubernetes.namespace'
const SA = 'kubernetes.service_account'
const ACCOUNT = '123456789012'
const TENANT = 'aaaabbbb-0000-cccc-1111-dddd2222eeee'

/** For each cloud a trusted issuer, and a match that nobody could say anything against. */
const CLOUDS: Readonly<Record<string, readonly [object, Readonly<Record<string, string>>]>> = {
  kubernetes: [{ issuers: [ISSUER] }, { [NS]: 'payments', [SA]: 'api' }],
  aws: [
    { regions: ['eu-west-1'], accounts: { [ACCOUNT]: {} } },
    { 'aws.account_id': ACCOUNT, 'aws.role_name': 'api' },
  ],
  gcp: [{}, { 'gcp.subject': '104289563842976421098' }],
  azure: [
    { cloud: 'public', tenant_id: TENANT, proof_audiences: ['api://chancery'] },
    { 'azure.object_id': 'bbbbcccc-0000-dddd-1111-eeee2222ffff' },
  ],
}

function documentOf(cloud: string, match: object): object {
  const [settings] = CLOUDS[cloud] ?? []
  return documentFor(ISSUER, {
    trusted_issuers: { cluster: { provider: cloud, ...settings } },
    bindings: { b: { trusted_issuer: 'cluster', match, identity: 'payments/api' } },
  })
}

const PINS = Object.entries(CLOUDS).flatMap(([cloud, [, match]]) =>
  Object.keys(match).map((attribute) => [cloud, attribute] as const),
)

describe.each(PINS)('the subject of a %s proof, by %s,', (cloud, attribute) => {
  test('MAP-02 is not taken as a wildcard, or with one', async () => {
    const [, match = {}] = CLOUDS[cloud] ?? []
    for (const value of [
      '*',
      '?',
      '**',
      '*-prod',
      '*payments',
      'pay*',
      'pay-*-x',
      'a-?',
      'repo:org/*',
      '.*',
      '%',
      '[*]',
    ]) {
      const found = await expectSomething(documentOf(cloud, { ...match, [attribute]: value }))
      expect(found.filter((error) => error.startsWith(`/bindings/b/match/${attribute} `))).toEqual(found)
    }
  })

  test('MAP-02 is not left out', async () => {
    const [, match = {}] = CLOUDS[cloud] ?? []
    const { [attribute]: _, ...others } = match
    await expectErrors(documentOf(cloud, others), ['/bindings/b/match pin_missing'])
  })
})

/** Gives every error of a document that must have some, as `path code`. */
async function expectSomething(document: object): Promise<readonly string[]> {
  const { code, findings } = await runCheck(document)
  expect(code).toBe(1)
  const errors = findings
    .filter(({ severity }) => severity === 'error')
    .map((finding) => `${finding.path} ${finding.code}`)
  expect(errors).not.toEqual([])
  return errors
}

test('MAP-02 a prefix is taken only where a catalogue allows it, and only separated', () => {
  for (const text of ['*', 'a*', '*-', '-*-', '**', 'a-**', 'a-*b', '?*', '.*', '_*', '-.*', '/*'])
    expect(parseCondition(text)).toBeUndefined()
  expect(parseCondition('a-*')).toEqual({ kind: 'prefix', prefix: 'a-' })
  const prefixed = verifiers.flatMap(({ attributes }) => [...attributes].filter(([, { prefix }]) => prefix))
  expect(prefixed.map(([name]) => name).sort()).toEqual(['aws.role_name', NS, SA])
})

describe('an issuer with a wildcard', () => {
  test.each([
    'https://oidc.eks.*.amazonaws.com/id/*',
    'https://oidc.eks.us-east-1.amazonaws.com/id/*',
    'https://*',
    'https://*.example',
    'https://oidc.eks.us-east-1.amazonaws.com/id/.*',
    'https://oidc.eks.us-east-1.amazonaws.com/id/?',
    '^https://oidc\\.eks$',
  ])('JWK-09 is refused: %s', async (issuer) => {
    const document = documentFor(ISSUER, {
      trusted_issuers: { cluster: { provider: 'kubernetes', issuers: [issuer] } },
    })
    await expectErrors(document, ['/trusted_issuers/cluster/issuers/0 issuer_refused'])
  })

  test('JWK-09 is refused where an AWS account names one', async () => {
    const accounts = { [ACCOUNT]: { web_identity_issuer: 'https://*.tokens.sts.global.api.aws' } }
    const aws = { provider: 'aws', regions: ['eu-west-1'], accounts }
    await expectErrors(documentFor(ISSUER, { trusted_issuers: { cluster: aws }, bindings: {} }), [
      `/trusted_issuers/cluster/accounts/${ACCOUNT}/web_identity_issuer issuer_refused`,
    ])
  })

  test('JWK-09 and what only begins or ends like a trusted one is not trusted, and nobody is asked', async () => {
    const scene = await openScene()
    const { issuer } = scene.cluster
    const lookalikes = [
      `${issuer}.evil.example`,
      `${issuer}/`,
      `${issuer}/x`,
      `https://evil.example/?${issuer}`,
      `https://evil.example/#${issuer}`,
      `https://evil.example/${issuer}`,
      issuer.toUpperCase(),
      `${issuer}\u0000`,
    ]
    try {
      const asked = await scene.upstreamRequests(async () => {
        for (const iss of lookalikes) {
          expectProofRefused(
            scene.broker,
            await scene.broker.exchange(await scene.forge({ iss })),
            'issuer_not_trusted',
          )
        }
      })
      expect(asked).toBe(0)
    } finally {
      await scene.close()
    }
  })
})

const EVIL = '^(a+)+$'
const LONG = `${'a'.repeat(51_200)}!`

describe('a regular expression', () => {
  test.each(Object.keys(CLOUDS))('MAP-13 is no value of a %s attribute that pins', async (cloud) => {
    const [, match = {}] = CLOUDS[cloud] ?? []
    for (const attribute of Object.keys(match)) {
      for (const value of [EVIL, '(a|aa)+$', '/a/', '.+$', '[a-z]+', `^${match[attribute]}$`]) {
        await expectErrors(documentOf(cloud, { ...match, [attribute]: value }), [
          `/bindings/b/match/${attribute} value_impossible`,
        ])
      }
    }
  })

  test('MAP-13 where its characters are allowed, is itself and matches nothing else', async () => {
    const tag = 'aws.principal_tags/team'
    const [, match = {}] = CLOUDS.aws ?? []
    const document = documentOf('aws', { ...match, [tag]: EVIL })
    const bindingOf = async (value: string) =>
      (await explainAttributes(document, { ...match, [tag]: value })).account?.explanations[0]?.binding

    expect(await bindingOf(EVIL)).toBe('b')
    expect(await bindingOf('aaaa')).toBeNull()
    expect(awsVerifier.attributes.get(tag)?.grade).toBe('caller')
  })

  test('MAP-13 50 KiB wherever a text may stand are read at once', async () => {
    const started = performance.now()
    const binding = bindingFor(LONG, LONG, LONG, { 'kubernetes.pod_name': `${LONG}-*` })
    const template = bindingFor(`${LONG}-*`, [LONG, EVIL], `preview/${'{a}/'.repeat(12_800)}!`)
    const document = documentFor(LONG, {
      trust_domain: LONG,
      identities: { [LONG]: {}, [`${'a/'.repeat(25_600)}*!`]: {} },
      audiences: { [LONG]: { scopes: [LONG] } },
      bindings: { binding, template, [LONG]: binding },
    })

    expect((await expectSomething(document)).length).toBeGreaterThan(5)
    const attributes = { [NS]: LONG, [SA]: LONG }
    const previews = {
      identities: { 'preview/*': {} },
      bindings: { b: bindingFor('a-*', 'w', 'preview/{kubernetes.namespace}') },
    }
    expect((await explainAttributes(documentFor(ISSUER, previews), attributes)).code).toBe(1)
    expect((await explainAttributes(documentFor(ISSUER, previews), { [NS]: `a-${LONG}`, [SA]: 'w' })).code).toBe(1)
    expect(performance.now() - started).toBeLessThan(5_000)
  })
})

/** What template engines, shells, CEL, JSONPath and globs would run or expand. */
const EXPRESSIONS = [
  '$\u007bkubernetes.namespace}',
  '$$\u007bx}',
  '{{.Namespace}}',
  '{kubernetes.namespace}',
  '<%= x %>',
  '#{x}',
  '$(id)',
  '`id`',
  'a == b',
  'namespace == "payments" || true',
  'true',
  'has(claims.sub)',
  '$.sub',
  'payment?',
  'payment[s]',
  'payment{s,x}',
  '!payments',
  '~payments',
  '> a',
  "' OR '1'='1",
  '%s',
]

describe('an expression', () => {
  const [, match = {}] = CLOUDS.aws ?? []
  const tag = 'aws.principal_tags/team'

  test.each(EXPRESSIONS)('MAP-15 %j is exact where its characters are allowed, and refused where not', async (text) => {
    const document = documentOf('aws', { ...match, [tag]: text })
    const bindingOf = async (value: string) =>
      (await explainAttributes(document, { ...match, [tag]: value })).account?.explanations[0]?.binding

    expect(await bindingOf(text)).toBe('b')
    for (const value of ['payments', 'kubernetes.namespace', '', 'true', 'a', 'b', `${text} `]) {
      expect(await bindingOf(value)).toBe(value === text ? 'b' : null)
    }
    if (text === 'true') return
    await expectErrors(documentOf('kubernetes', { [NS]: text, [SA]: 'api' }), [
      `/bindings/b/match/${NS} value_impossible`,
    ])
  })

  const notTemplates = EXPRESSIONS.filter((text) => text !== '{kubernetes.namespace}')

  test.each(notTemplates)('MAP-15 %j is nobody’s name', async (text) => {
    const bindings = { b: bindingFor('preview-*', 'web', `preview/${text}`) }
    const document = documentFor(ISSUER, { identities: { 'preview/*': {} }, bindings })

    await expectErrors(document, [`/bindings/b/identity ${text === 'true' ? 'identity_unknown' : 'shape'}`])
  })
})
