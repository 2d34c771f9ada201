/** What a document may say of a Kubernetes cluster, and what two clusters must not share. */

import { describe, expect, test } from 'vitest'
import type { TrustedIssuer } from '../../providers/contract/provider.ts'
import {
  findKubernetesConflict,
  type KubernetesSettings,
  parseKubernetesSettings,
} from '../../providers/kubernetes/settings.ts'
import { BROKER } from '../support/document.ts'
import { makeJwk } from '../support/key-issuer.ts'
import { problemsOf } from '../support/rejection.ts'

const EKS = 'https://oidc.eks.us-east-1.amazonaws.com/id/2F33'
const IN_CLUSTER = 'https://kubernetes.default.svc.cluster.local'
const [K1, K2] = [makeJwk('k1'), makeJwk('k2')]
const inline = (...keys: readonly object[]) => ({ from: 'inline', jwks: { keys } })

interface Circumstances {
  readonly insecureHosts?: readonly string[]
  readonly proofAudiences?: readonly string[]
}

function parse(settings: object, { insecureHosts = [], proofAudiences = [BROKER] }: Circumstances = {}) {
  return parseKubernetesSettings(settings, { insecureHosts: new Set(insecureHosts), proofAudiences })
}

/** Each problem as its path and its code. */
function problems(settings: object, circumstances?: Circumstances): readonly string[] {
  return problemsOf(() => parse(settings, circumstances)).map(({ path, code }) => `${path.join('.')}: ${code}`)
}

describe('the shape', () => {
  test('needs issuers alone, and finds their keys by discovery', () => {
    expect(parse({ issuers: [EKS] })).toEqual({
      issuers: [EKS],
      keys: { from: 'discovery' },
      privateHosts: [],
      caFile: undefined,
      tokenReview: undefined,
    })
  })

  test('may say everything', () => {
    const token_review = { api_server: 'https://10.0.0.1:6443/', ca_file: 'api.pem', token_file: 'reviewer' }
    const settings = { issuers: [EKS], keys: inline(K1), private_hosts: ['10.0.0.2'], ca_file: 'ca.pem', token_review }

    expect(parse(settings)).toEqual({
      issuers: [EKS],
      keys: inline(K1),
      privateHosts: ['10.0.0.2'],
      caFile: 'ca.pem',
      tokenReview: { apiServer: 'https://10.0.0.1:6443', caFile: 'api.pem', tokenFile: 'reviewer' },
    })
  })

  test.each([
    ['no issuers', {}, 'issuers'],
    ['an empty list of issuers', { issuers: [] }, 'issuers'],
    ['an issuer that is no text', { issuers: [1] }, 'issuers.0'],
    ['too many issuers', { issuers: Array.from({ length: 65 }, (_, at) => `${EKS}${at}`) }, 'issuers'],
    ['an issuer that is too long', { issuers: [`${EKS}/`.padEnd(513, 'x')] }, 'issuers.0'],
    ['an unknown member', { issuers: [EKS], skip_audience: true }, ''],
    ['an unknown source of keys', { issuers: [EKS], keys: { from: 'anywhere' } }, 'keys.from'],
    ['no private hosts', { issuers: [EKS], private_hosts: [] }, 'private_hosts'],
    ['null for a file', { issuers: [EKS], ca_file: null }, 'ca_file'],
    ['a file elsewhere', { issuers: [EKS], ca_file: '/etc/ca.pem' }, 'ca_file'],
    [
      'a review without a credential',
      { issuers: [EKS], token_review: { api_server: 'https://a.example' } },
      'token_review.token_file',
    ],
    ['a review without a server', { issuers: [EKS], token_review: { token_file: 'x' } }, 'token_review.api_server'],
    [
      'a credential elsewhere',
      { issuers: [EKS], token_review: { api_server: 'https://a.example', token_file: '../x' } },
      'token_review.token_file',
    ],
    [
      'more in a review',
      { issuers: [EKS], token_review: { api_server: 'https://a.example', token_file: 'x', y: 1 } },
      'token_review',
    ],
  ])('refuses %s', (_, settings, path) => {
    expect(problems(settings)).toEqual([`${path}: shape`])
  })

  test('takes 64 issuers of 512 characters', () => {
    const issuers = Array.from({ length: 64 }, (_, at) => `${EKS}/${String(at).padStart(2, '0')}/`.padEnd(512, 'x'))

    expect(parse({ issuers }).issuers).toEqual(issuers)
  })
})

describe('an issuer', () => {
  test.each([
    EKS,
    `${EKS}/`,
    'https://container.googleapis.com/v1/projects/p/locations/l/clusters/c',
    'https://a.example:6443',
  ])('may be %s', (issuer) => {
    expect(parse({ issuers: [issuer] }).issuers).toEqual([issuer])
  })

  test.each([
    '',
    'kubernetes/serviceaccount',
    'issuer.example',
    'https://',
    'http://a.example',
    'https://A.example',
    'HTTPS://a.example',
    'https://a.example:443',
    'https://a.example/a/../b',
    'https://a.example/./a',
    'https://münchen.example',
    'https://a.example/ä',
    ' https://a.example',
    'https://a.example\n',
    'https://a.example?x=y',
    'https://a.example?',
    'https://a.example/?',
    'https://a.example/#x',
    'https://user@a.example',
    'https://*.a.example',
    'https://oidc.eks.*.amazonaws.com/id/*',
    'https://a.example:22',
    'https://10.0.0.1',
    'https://localhost',
    'https://a.internal',
  ])('must not be %j', (issuer) => {
    expect(problems({ issuers: [issuer] })).toEqual(['issuers.0: issuer_refused'])
  })

  test('stands in the list once', () => {
    expect(problems({ issuers: [EKS, `${EKS}/`, EKS] })).toEqual(['issuers.2: issuer_refused'])
  })

  test('may be private where its keys are not found there, as long as it is https', () => {
    for (const issuer of ['https://10.0.0.1', 'https://api.corp.internal:9443', 'https://localhost']) {
      expect(parse({ issuers: [issuer], keys: inline(K1) }).issuers).toEqual([issuer])
      expect(parse({ issuers: [issuer], keys: { from: 'url', url: 'https://keys.example' } }).issuers).toEqual([issuer])
    }
    expect(problems({ issuers: ['http://10.0.0.1'], keys: inline(K1) })).toEqual(['issuers.0: issuer_refused'])
  })

  test('may be private where it is named, and plain where the operator says so', () => {
    expect(parse({ issuers: ['https://10.0.0.1'], private_hosts: ['10.0.0.1'] }).privateHosts).toEqual(['10.0.0.1'])
    expect(problems({ issuers: ['http://10.0.0.1'], private_hosts: ['10.0.0.1'] })).toEqual([
      'issuers.0: issuer_refused',
    ])
    expect(parse({ issuers: ['http://127.0.0.1:8080'] }, { insecureHosts: ['127.0.0.1:8080'] }).issuers).toHaveLength(1)
  })

  test.each([
    'https://kubernetes',
    'https://kubernetes.default',
    'https://kubernetes.default.svc',
    IN_CLUSTER,
    'https://kubernetes.default.svc.corp.example',
    'https://kubernetes.default.svc:6443',
    `${IN_CLUSTER}/`,
  ])('that is the same in every cluster gives its keys otherwise: %s', (issuer) => {
    const private_hosts = [new URL(issuer).hostname]

    expect(problems({ issuers: [issuer], private_hosts })).toEqual(['issuers.0: issuer_refused'])
    expect(parse({ issuers: [issuer], keys: inline(K1) }).issuers).toEqual([issuer])
    expect(parse({ issuers: [issuer], keys: { from: 'url', url: 'https://keys.example' } }).issuers).toEqual([issuer])
  })

  test('must not be a proof audience, as its own API server takes that', () => {
    expect(problems({ issuers: [`${EKS}1`, EKS] }, { proofAudiences: [BROKER, EKS] })).toEqual([
      'issuers.1: proof_audience_foreign',
    ])
  })
})

describe('the keys', () => {
  test('are public ones, and at least one', () => {
    expect(problems({ issuers: [EKS], keys: inline() })).toEqual(['keys.jwks.keys: keys_empty'])
    expect(problems({ issuers: [EKS], keys: inline(K1, { ...K2, d: 'AQ' }) })).toEqual([
      'keys.jwks.keys.1: key_refused',
    ])
    expect(problems({ issuers: [EKS], keys: inline(K1, K1) })).toEqual(['keys.jwks.keys.1: key_id_repeated'])
  })

  test('are found at a URL that may be fetched', () => {
    const at = (url: string, private_hosts?: readonly string[]) => ({
      issuers: [EKS],
      keys: { from: 'url', url },
      private_hosts,
    })

    expect(parse(at('https://keys.example/jwks')).keys).toEqual({ from: 'url', url: 'https://keys.example/jwks' })
    expect(problems(at('https://10.0.0.1/jwks'))).toEqual(['keys.url: url_refused'])
    expect(parse(at('https://10.0.0.1/jwks', ['10.0.0.1'])).privateHosts).toEqual(['10.0.0.1'])
  })
})

describe('the review', () => {
  const reviewed = (api_server: string, more: object = {}, rest: object = {}) => ({
    issuers: [EKS],
    token_review: { api_server, token_file: 'reviewer', ...more },
    ...rest,
  })

  test.each(['https://a.example', 'https://a.example/', 'https://rancher.example/k8s/clusters/c'])(
    'may be at %s',
    (url) => {
      expect(parse(reviewed(url)).tokenReview?.apiServer).toBe(url.replace(/\/$/, ''))
    },
  )

  test.each([
    'a.example',
    'http://a.example',
    'https://10.0.0.1:6443',
    'https://kubernetes.default.svc',
    'https://a.example?x',
    'https://a.example?',
    'https://a.example/?',
    'https://a.example/#x',
    'https://user@a.example',
    'https://a.example:22',
  ])('must not be at %j', (url) => {
    expect(problems(reviewed(url))).toEqual(['token_review.api_server: url_refused'])
  })

  test('may be at a private address that is named, or comes with an authority of its own', () => {
    expect(problems(reviewed('', { ca_file: 'api.pem' }))).toEqual(['token_review.api_server: url_refused'])
    expect(parse(reviewed('https://10.0.0.1:6443', { ca_file: 'api.pem' })).tokenReview?.caFile).toBe('api.pem')
    expect(parse(reviewed('https://10.0.0.1:6443', {}, { private_hosts: ['10.0.0.1'] })).privateHosts).toHaveLength(1)
    expect(problems(reviewed('http://10.0.0.1', { ca_file: 'api.pem' }))).toEqual([
      'token_review.api_server: url_refused',
    ])
  })

  test('does not make any other host private', () => {
    const keys = { from: 'url', url: 'https://10.0.0.1:6443/jwks' }

    expect(problems(reviewed('https://10.0.0.1:6443', { ca_file: 'api.pem' }, { keys }))).toEqual([
      'keys.url: url_refused',
    ])
  })

  test('may be plain where the operator says so', () => {
    const insecureHosts = ['127.0.0.1:8080']

    expect(parse(reviewed('http://127.0.0.1:8080'), { insecureHosts }).tokenReview?.apiServer).toBe(
      'http://127.0.0.1:8080',
    )
    expect(problems(reviewed('http://127.0.0.1:8080?x'), { insecureHosts })).toEqual([
      'token_review.api_server: url_refused',
    ])
  })
})

test('everything that is wrong is told at once', () => {
  const token_review = { api_server: 'http://a.example', token_file: 'x' }
  const settings = { issuers: ['x', EKS], keys: { from: 'url', url: 'x' }, token_review }

  expect(problems(settings, { proofAudiences: [EKS] })).toEqual([
    'issuers.0: issuer_refused',
    'issuers.1: proof_audience_foreign',
    'keys.url: url_refused',
    'token_review.api_server: url_refused',
  ])
})

describe('two trusted issuers', () => {
  const trusted = (issuers: readonly string[], keys?: object): TrustedIssuer<KubernetesSettings> => ({
    name: 'x',
    proofAudiences: [BROKER],
    settings: parse({ issuers, keys }),
  })
  const conflict = (one: TrustedIssuer<KubernetesSettings>, other: TrustedIssuer<KubernetesSettings>) => [
    findKubernetesConflict(one, other) !== undefined,
    findKubernetesConflict(other, one) !== undefined,
  ]

  test('of different issuers can stand together, whatever their keys', () => {
    expect(conflict(trusted([EKS]), trusted([`${EKS}/`]))).toEqual([false, false])
    expect(conflict(trusted([EKS], inline(K1)), trusted([`${EKS}1`], inline(K1)))).toEqual([false, false])
  })

  test('of one issuer can stand together only where their keys tell them apart', () => {
    const byUrl = { from: 'url', url: 'https://keys.example' }

    expect(conflict(trusted([EKS], inline(K1)), trusted([EKS], inline(K2)))).toEqual([false, false])
    expect(conflict(trusted([EKS], inline(K1)), trusted([`${EKS}1`, EKS], inline(K2, K1)))).toEqual([true, true])
    expect(conflict(trusted([EKS], inline(K1)), trusted([EKS]))).toEqual([true, true])
    expect(conflict(trusted([EKS], inline(K1)), trusted([EKS], byUrl))).toEqual([true, true])
    expect(conflict(trusted([EKS]), trusted([EKS]))).toEqual([true, true])
  })

  test('are told what they share', () => {
    expect(findKubernetesConflict(trusted([EKS]), trusted([EKS]))).toContain(EKS)
    expect(findKubernetesConflict(trusted([EKS], inline(K1)), trusted([EKS], inline(K1)))).toContain('k1')
  })
})
