/** URLs that a document may not name: refused when it is checked, and never in force. */

import { expect, onTestFinished, test } from 'vitest'
import { NoDocument } from '../../src/cli/serve.ts'
import { expectIssued } from '../support/answers.ts'
import { startTestBroker } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { documentFor } from '../support/document.ts'
import { expectAccepted, expectErrors } from '../support/expect-check.ts'
import { runCheck } from '../support/run-check.ts'
import { openScene } from '../support/scene.ts'

const ISSUER = 'https://cluster.example'

const URLS: Readonly<Record<string, readonly string[]>> = {
  'of another scheme': [
    ...[
      'http://keys.example',
      'HTTP://keys.example',
      'file:///etc/passwd',
      'file://keys.example/',
      'ftp://keys.example',
    ],
    ...[
      'data:application/json,{}',
      'javascript:1',
      'blob:https://keys.example/1',
      'wss://keys.example',
      'gopher://k.e/',
    ],
  ],
  'that is none': [
    '',
    ' ',
    'keys.example',
    '//keys.example',
    '/keys',
    'https://',
    'https:///',
    'https://keys.example:x',
  ],
  'with credentials': [
    ...[
      'https://user@keys.example',
      'https://user:secret@keys.example',
      'https://@keys.example',
      'https://:@k.example',
    ],
    ...[
      'https://keys.example@evil.example',
      'https://keys.example/@evil.example',
      'https://keys.example\\@evil.example',
    ],
  ],
  'of a public address': [
    'https://8.8.8.8',
    'https://[2001:4860:4860::8888]',
    'https://134744072',
    'https://0x08080808',
  ],
  'of a private address': [
    ...['https://127.0.0.1', 'https://127.1', 'https://2130706433', 'https://0x7f.1', 'https://0177.0.0.1'],
    ...['https://127.0.0.1.', 'https://127。0。0。1', 'https://１２７.0.0.1', 'https://%31%32%37.0.0.1'],
    ...['https://10.0.0.1', 'https://172.16.0.1', 'https://192.168.0.1', 'https://0.0.0.0', 'https://0'],
    ...['https://169.254.169.254', 'https://100.64.0.1', 'https://198.18.0.1', 'https://224.0.0.1'],
  ],
  'of a private IPv6 address': [
    ...['https://[::1]', 'https://[::]', 'https://[fd00::1]', 'https://[fc00::1]', 'https://[fe80::1]'],
    ...['https://[::ffff:127.0.0.1]', 'https://[::ffff:7f00:1]', 'https://[::ffff:169.254.169.254]'],
    ...['https://[64:ff9b::7f00:1]', 'https://[2002:7f00:1::]', 'https://[fd00:ec2::254]', 'https://[::127.0.0.1]'],
  ],
  'of a host on a private network': [
    ...['https://localhost', 'https://LOCALHOST', 'https://keys', 'https://metadata', 'https://a.localhost'],
    ...[
      'https://metadata.google.internal',
      'https://keys.local',
      'https://keys.default.svc',
      'https://a.svc.cluster.local',
    ],
    ...['https://keys.local.', 'https://metadata.google.internal.'],
  ],
  'of a name that only a dot at its end makes look public': [
    'https://localhost.',
    'https://keys.',
    'https://metadata.',
  ],
  'on an unusual port': [0, 1, 22, 25, 53, 80, 444, 2379, 3306, 8080, 10250, 65535].map(
    (port) => `https://keys.example:${port}`,
  ),
  'with a wildcard': ['https://*.example', 'https://keys.example/*', 'https://*'],
  'with white space or a fragment': [
    ...[' https://keys.example', 'https://keys.example ', 'https://keys\n.example', 'https://keys.example/\t'],
    ...['https://keys.example#', 'https://keys.example/#keys', 'https:\\\\keys.example', 'https://keys.example\\a'],
  ],
}

/** A document that names one URL in each place where one can stand, and what is said of each. */
const PLACES: readonly (readonly [place: string, trusting: (url: string) => object, error: string])[] = [
  ['an issuer', (url) => ({ issuers: [url] }), 'issuers/0 issuer_refused'],
  ['a key set', (url) => ({ issuers: [ISSUER], keys: { from: 'url', url } }), 'keys/url url_refused'],
  [
    'an API server',
    (url) => ({ issuers: [ISSUER], token_review: { api_server: url, token_file: 'token' } }),
    'token_review/api_server url_refused',
  ],
]

function trusting(settings: object): object {
  return documentFor('', { trusted_issuers: { cluster: { provider: 'kubernetes', ...settings } } })
}

const CASES = PLACES.flatMap(([place, settingsOf, error]) =>
  Object.entries(URLS).map(([what, urls]) => ({ name: `${place} ${what}`, urls, settingsOf, error })),
)

test.each(CASES)('JWK-10 refuses $name', async ({ urls, settingsOf, error }) => {
  for (const url of urls) {
    const document = trusting(settingsOf(url))
    await expect(expectErrors(document, [`/trusted_issuers/cluster/${error}`]), url).resolves.toHaveLength(1)
  }
})

test.each(PLACES)('JWK-10 takes %s of a public host on a usual port', async (_, settingsOf) => {
  for (const url of [ISSUER, `${ISSUER}/`, `${ISSUER}/id/1`, `${ISSUER}:6443`, `${ISSUER}:8443/keys`]) {
    await expectAccepted(trusting(settingsOf(url)))
  }
})

test.each(PLACES)(
  'JWK-10 takes %s of a private host that the document names, by https',
  async (_, settingsOf, error) => {
    const named: readonly (readonly [url: string, host: string])[] = [
      ['https://10.0.0.1', '10.0.0.1'],
      ['https://10.0.0.1:6443', '10.0.0.1:6443'],
      ['https://10.0.0.1', '10.0.0.1:443'],
      ['https://[fd00::1]:6443', '[fd00::1]'],
      ['https://localhost:22', 'localhost:22'],
      ['https://keys.internal', 'keys.internal'],
    ]
    for (const [url, host] of named) {
      await expectAccepted(trusting({ ...settingsOf(url), private_hosts: [host] }))
      const insecure = { ...settingsOf(url.replace('https:', 'http:')), private_hosts: [host] }
      await expectErrors(trusting(insecure), [`/trusted_issuers/cluster/${error}`])
    }
  },
)

test.each(PLACES)(
  'JWK-10 refuses %s of a private host when the document names another',
  async (_, settingsOf, error) => {
    const named: readonly (readonly [url: string, host: string])[] = [
      ['https://10.0.0.1', '10.0.0.2'],
      ['https://10.0.0.1', '10.0.0.1:6443'],
      ['https://10.0.0.1:22', '10.0.0.1:443'],
      ['https://10.0.0.11', '10.0.0.1'],
      ['https://[fd00::1]', '[fd00::2]'],
      ['https://[::ffff:10.0.0.1]', '10.0.0.1'],
      ['https://a.keys.internal', 'keys.internal'],
      ['https://evil-keys.internal', 'keys.internal'],
    ]
    for (const [url, host] of named) {
      const document = trusting({ ...settingsOf(url), private_hosts: [host] })
      await expectErrors(document, [`/trusted_issuers/cluster/${error}`])
    }
  },
)

test.each([
  ['no list', 'keys.internal'],
  ['an empty list', []],
  ['a network', ['10.0.0.0/8']],
  ['a wildcard', ['*']],
  ['a wildcard below a name', ['*.internal']],
  ['a URL', ['https://keys.internal']],
  ['capital letters', ['Keys.internal']],
  ['credentials', ['user@keys.internal']],
  ['an empty name', ['']],
  ['port 0', ['keys.internal:0']],
])('JWK-10 refuses %s as the private hosts', async (_, private_hosts) => {
  const { code, findings } = await runCheck(trusting({ issuers: [ISSUER], private_hosts }))

  expect(code).toBe(1)
  for (const { path } of findings) expect(path).toMatch(/^\/trusted_issuers\/cluster\/private_hosts(\/0)?$/)
})

test('JWK-10 takes a private API server with its own authority as named, and nothing else of that issuer', async () => {
  const token_review = { api_server: 'https://10.0.0.1:6443', ca_file: 'ca.pem', token_file: 'token' }
  const issuers = [ISSUER]

  await expectAccepted(trusting({ issuers, token_review }))
  await expectErrors(trusting({ issuers, token_review: { ...token_review, api_server: 'http://10.0.0.1:6443' } }), [
    '/trusted_issuers/cluster/token_review/api_server url_refused',
  ])
  await expectErrors(trusting({ issuers, token_review: { ...token_review, api_server: 'https://u@10.0.0.1:6443' } }), [
    '/trusted_issuers/cluster/token_review/api_server url_refused',
  ])
  await expectErrors(trusting({ issuers: ['https://10.0.0.1:6443'], token_review }), [
    '/trusted_issuers/cluster/issuers/0 issuer_refused',
  ])
  const keys = { from: 'url', url: 'https://10.0.0.1:6443/keys' }
  await expectErrors(trusting({ issuers, keys, token_review }), ['/trusted_issuers/cluster/keys/url url_refused'])
})

test('JWK-10 takes plain http only from the host and port that the operator names', async () => {
  const options = { insecureHost: ['127.0.0.1:8081'] }
  const refused = ['/trusted_issuers/cluster/issuers/0 issuer_refused']

  await expectAccepted(trusting({ issuers: ['http://127.0.0.1:8081'] }), options)
  for (const issuer of ['http://127.0.0.1:8082', 'http://127.0.0.1', 'http://localhost:8081', 'ftp://127.0.0.1:8081']) {
    await expectErrors(trusting({ issuers: [issuer] }), refused, options)
  }
  await expectErrors(trusting({ issuers: ['http://user@127.0.0.1:8081'] }), refused, options)
})

const NEVER_IN_FORCE = [
  'http://keys.example/',
  'https://169.254.169.254/',
  'file:///etc/passwd',
  'https://u@k.example/',
]

test('JWK-10 keeps the last good document in force when the next names such a URL', async () => {
  const scene = await openScene({ cluster: { algorithm: 'ES256' } })
  onTestFinished(() => scene.close())
  const { issuer } = scene.cluster

  for (const url of NEVER_IN_FORCE) {
    const keys = { from: 'url', url }
    const trusted = { cluster: { provider: 'kubernetes', issuers: [issuer], keys } }
    await scene.broker.replaceDocument(documentFor(issuer, { trusted_issuers: trusted }))
    expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
    expect(await scene.broker.metrics()).toContain('chancery_document_stale 1')
  }
})

test('JWK-10 does not start with a document that names such a URL', async () => {
  for (const url of NEVER_IN_FORCE) {
    const document = trusting({ issuers: [ISSUER], keys: { from: 'url', url } })

    await expect(startTestBroker({ clock: createTestClock(), document })).rejects.toThrow(NoDocument)
  }
})
