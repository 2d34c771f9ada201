/** Attacks through the URLs of a document: nothing private is reached that the document, or the operator, did not name. */

import { describe, expect, onTestFinished, test } from 'vitest'
import type { ResolvedAddress } from '../../providers/contract/provider.ts'
import { expectIssued, expectRefusal } from '../support/answers.ts'
import { createAuthority } from '../support/certificates.ts'
import { documentFor } from '../support/document.ts'
import { expectAccepted, expectErrors } from '../support/expect-check.ts'
import { openScene } from '../support/scene.ts'

const PUBLIC = 'https://oidc.eks.us-east-1.amazonaws.com/id/2F331C82755EF3E43731C8D6E299FAEF'

/** The three places of a document that name a URL, and what is said of a wrong one. */
const PLACES = {
  issuer: (url: string) => ({ issuers: [url] }),
  keys: (url: string) => ({ issuers: [PUBLIC], keys: { from: 'url', url } }),
  review: (url: string) => ({ issuers: [PUBLIC], token_review: { api_server: url, token_file: 'reviewer' } }),
}
const REFUSALS = {
  issuer: ['/trusted_issuers/cluster/issuers/0 issuer_refused'],
  keys: ['/trusted_issuers/cluster/keys/url url_refused'],
  review: ['/trusted_issuers/cluster/token_review/api_server url_refused'],
}
const EVERYWHERE = Object.keys(PLACES) as readonly (keyof typeof PLACES)[]

const trusting = (cluster: object) =>
  documentFor('', { trusted_issuers: { cluster: { provider: 'kubernetes', ...cluster } } })

const LITERALS = [
  'https://127.0.0.1',
  'https://127.0.0.1:6443',
  'https://10.0.0.1',
  'https://172.16.0.1',
  'https://192.168.1.1',
  'https://169.254.169.254',
  'https://100.64.0.1',
  'https://0.0.0.0',
  'https://8.8.8.8',
  'https://[::1]',
  'https://[::]',
  'https://[fd00::1]',
  'https://[fe80::1]',
  'https://[::ffff:a00:1]',
  'https://[64:ff9b::a00:1]',
  'https://[2606:4700::1111]',
  'https://2130706433',
  'https://0x7f000001',
  'https://0177.0.0.1',
  'https://127.1',
  'https://127.0.0.1.',
  'https://\uff11\uff12\uff17.0.0.1',
  'https://127.0.0.1%2F',
]

const PRIVATE_NAMES = [
  'https://localhost',
  'https://localhost.',
  'https://LOCALHOST',
  'https://a.localhost',
  'https://a.localhost.',
  'https://keys',
  'https://keys.',
  'https://keys.local',
  'https://metadata.google.internal',
  'https://metadata.google.internal.',
  'https://keys.default.svc',
]

const NO_WEB = [
  'http://keys.corp.example',
  'http://127.0.0.1:8081',
  'file:///etc/passwd',
  'data:application/json,{}',
  'ftp://keys.corp.example',
  'ws://keys.corp.example',
  'javascript:alert(1)',
  '//keys.corp.example',
  '/etc/passwd',
  'keys.corp.example',
  'https://',
  'https:///keys',
  '',
  ' ',
  'https://user@keys.corp.example',
  'https://user:secret@keys.corp.example',
  'https://keys.corp.example@127.0.0.1',
  'https://keys.corp.example#@127.0.0.1',
  'https://keys.corp.example/#x',
  'https://keys.corp.example:22',
  'https://keys.corp.example:80',
  'https://keys.corp.example:0',
  'https://keys.corp.example:99999',
  'https://*.corp.example',
  'https://keys.corp.example/*',
  'https:\\\\127.0.0.1\\keys.corp.example',
  'https://keys.corp.example\\@127.0.0.1',
  'https://keys.corp.example\n',
  ' https://keys.corp.example',
  'https://ke\tys.corp.example',
]

describe('a URL that a document may not name', () => {
  test.each(LITERALS)('CFG-06 refuses the address %s', async (url) => {
    for (const place of EVERYWHERE) await expectErrors(trusting(PLACES[place](url)), REFUSALS[place])
  })

  test.each(PRIVATE_NAMES)('CFG-06 refuses the private name %s', async (url) => {
    for (const place of EVERYWHERE) await expectErrors(trusting(PLACES[place](url)), REFUSALS[place])
  })

  test.each(NO_WEB)('CFG-06 refuses %j', async (url) => {
    for (const place of EVERYWHERE) await expectErrors(trusting(PLACES[place](url)), REFUSALS[place])
  })

  test.each([
    'https://OIDC.example/x',
    'https://oidc.example:443/x',
    'https://oidc.example/a/../x',
    'https://oidc.example/\u00e9',
  ])(
    'CFG-06 refuses %s as an issuer: it is fetched under another spelling than its tokens are compared by',
    async (issuer) => {
      await expectErrors(trusting(PLACES.issuer(issuer)), REFUSALS.issuer)
    },
  )

  test('CFG-06 refuses a query, even an empty one, where none can be', async () => {
    for (const query of ['?', '?x=1']) {
      await expectErrors(trusting(PLACES.issuer(`${PUBLIC}${query}`)), REFUSALS.issuer)
      await expectErrors(trusting(PLACES.review(`https://api.corp.example${query}`)), REFUSALS.review)
    }
  })
})

describe('a private host', () => {
  const host = '10.0.0.1:6443'
  const url = `https://${host}`

  test('CFG-06 is taken where its issuer names it, with or without the port', async () => {
    for (const place of EVERYWHERE) {
      await expectAccepted(trusting({ ...PLACES[place](url), private_hosts: [host] }))
      await expectAccepted(trusting({ ...PLACES[place](url), private_hosts: ['10.0.0.1'] }))
      await expectErrors(trusting({ ...PLACES[place](url), private_hosts: ['10.0.0.1:443'] }), REFUSALS[place])
      await expectErrors(trusting({ ...PLACES[place](url), private_hosts: ['10.0.0.11:6443'] }), REFUSALS[place])
      await expectErrors(trusting({ ...PLACES[place](`http://${host}`), private_hosts: [host] }), REFUSALS[place])
    }
  })

  test('CFG-06 is taken of one issuer for no other', async () => {
    const named = { provider: 'kubernetes', ...PLACES.issuer(url), private_hosts: [host] }
    const cluster = { provider: 'kubernetes', ...PLACES.keys(`${url}/keys`) }

    await expectErrors(documentFor('', { trusted_issuers: { named, cluster } }), REFUSALS.keys)
  })

  test('CFG-06 is named for reviews by its own authority, and for nothing else', async () => {
    const review = { token_review: { api_server: url, ca_file: 'edge.pem', token_file: 'reviewer' } }

    await expectAccepted(trusting({ issuers: [PUBLIC], ...review }))
    await expectErrors(trusting({ issuers: [url], ...review }), REFUSALS.issuer)
    const plain = { ...review.token_review, api_server: `http://${host}` }
    await expectErrors(trusting({ issuers: [PUBLIC], token_review: plain }), REFUSALS.review)
  })

  test('CFG-06 may be plain http only where the operator names that host and port', async () => {
    const plain = 'http://127.0.0.1:8081'
    for (const place of EVERYWHERE) {
      const document = trusting(PLACES[place](plain))
      await expectAccepted(document, { insecureHost: ['127.0.0.1:8081'] })
      for (const other of ['127.0.0.1:8082', '127.0.0.2:8081', '127.0.0.1:80', 'localhost:8081'])
        await expectErrors(document, REFUSALS[place], { insecureHost: [other] })
      const ftp = trusting(PLACES[place]('ftp://127.0.0.1:8081'))
      await expectErrors(ftp, REFUSALS[place], { insecureHost: ['127.0.0.1:8081'] })
    }
  })
})

const V4 = (address: string): ResolvedAddress => ({ address, family: 4 })
const V6 = (address: string): ResolvedAddress => ({ address, family: 6 })

const PRIVATE_ANSWERS: readonly (readonly ResolvedAddress[])[] = [
  [V4('127.0.0.1')],
  [V4('10.1.2.3')],
  [V4('169.254.169.254')],
  [V4('100.64.0.1')],
  [V4('0.0.0.0')],
  [V6('::1')],
  [V6('::')],
  [V6('fd00:ec2::254')],
  [V6('fe80::1')],
  [V6('::ffff:127.0.0.1')],
  [V6('::ffff:8.8.8.8')],
  [V6('64:ff9b::7f00:1')],
  [V6('2002:7f00:1::')],
  [V4('8.8.8.8'), V4('127.0.0.1')],
  [V4('127.0.0.1'), V4('8.8.8.8')],
  [V6('2606:4700::1111'), V6('::1')],
]

/** A broker whose resolver gives these answers one after another, and a document made of the cluster's keys. */
async function openNamed(settings: (jwks: object) => object) {
  const answers: { next: readonly ResolvedAddress[]; asked: string[] } = { next: [], asked: [] }
  const scene = await openScene({
    cluster: { issuer: 'https://cluster.example' },
    document: ({ jwks }) => trusting({ issuers: ['https://cluster.example'], ...settings(jwks) }),
    broker: {
      secrets: { reviewer: 'a credential of the reviewer' },
      resolve: async (hostname) => {
        answers.asked.push(hostname)
        return answers.next
      },
    },
  })
  onTestFinished(() => scene.close())
  return { scene, answers }
}

test.each([
  ['the issuer', 'cluster.example', () => ({})],
  ['the keys', 'keys.example', () => ({ keys: { from: 'url', url: 'https://keys.example/jwks' } })],
  [
    'the API server',
    'api.example',
    (jwks: object) => ({
      keys: { from: 'inline', jwks },
      token_review: { api_server: 'https://api.example:6443', token_file: 'reviewer' },
    }),
  ],
])('CFG-06 %s whose name leads to a private address is not connected to', async (_, name, settings) => {
  const { scene, answers } = await openNamed(settings)

  for (const addresses of PRIVATE_ANSWERS) {
    answers.next = addresses
    scene.clock.advance(60)
    const reply = await scene.broker.exchange(await scene.proof())
    expectRefusal(scene.broker, reply, 'TU', 'upstream_address_refused')
  }
  answers.next = []
  scene.clock.advance(60)
  expectRefusal(scene.broker, await scene.broker.exchange(await scene.proof()), 'TU', 'upstream_unreachable')
  expect(answers.asked).toEqual(Array.from({ length: PRIVATE_ANSWERS.length + 1 }, () => name))
})

test('CFG-06 a name that leads to a private address is connected to where its issuer names it', async () => {
  const authority = createAuthority('edge')
  const scene = await openScene({
    cluster: { tls: authority.issue({ hostnames: ['cluster.example'] }), hostname: 'cluster.example' },
    document: ({ issuer, host }) => trusting({ issuers: [issuer], private_hosts: [host], ca_file: 'ca.pem' }),
    broker: {
      insecureHosts: [],
      secrets: { 'ca.pem': authority.cert },
      resolve: async () => [V4('127.0.0.1')],
    },
  })
  onTestFinished(() => scene.close())

  expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
})
