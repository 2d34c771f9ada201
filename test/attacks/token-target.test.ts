/** For whom, for what and for how long: the OAU rows about targets, scopes and lifetimes. */

import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectIssued, expectRefusal } from '../support/answers.ts'
import type { Parameters } from '../support/broker.ts'
import { BROKER, bindingFor, documentFor } from '../support/document.ts'
import { openScene, type Scene } from '../support/scene.ts'

/** One account for each kind of identity: with one audience, with several, with none, and with scopes to choose from. */
const ACCOUNTS = ['api', 'batch', 'idle', 'clerk'] as const

let scene: Scene
beforeAll(async () => {
  scene = await openScene({
    document: ({ issuer }) =>
      documentFor(issuer, {
        audiences: {
          ledger: { scopes: ['entries:read', 'entries:write', 'entries:close'] },
          payroll: { scopes: ['salaries:read'] },
          'https://orders.example': {},
        },
        identities: {
          'payments/api': { grants: { ledger: ['entries:read'] } },
          'payments/batch': { grants: { ledger: ['entries:read'], 'https://orders.example': [] } },
          'payments/idle': {},
          'payments/clerk': { grants: { ledger: ['entries:write', 'entries:read'] } },
        },
        bindings: Object.fromEntries(
          ACCOUNTS.map((name) => [name, bindingFor('payments', name, `payments/${name}`)] as const),
        ),
      }),
  })
  for (const name of ['batch', 'idle', 'clerk']) scene.cluster.createServiceAccount('payments', name)
})
afterAll(() => scene.close())

async function exchangeAs(account: (typeof ACCOUNTS)[number], parameters: Parameters) {
  const proof = await scene.proof({ serviceAccount: account, pod: undefined })
  return await scene.broker.exchange(proof, parameters)
}

/** Names that the identity has no grant for, however near they are to one that it has. */
const OTHER_TARGETS = [
  'payroll',
  'nothing-of-that-name',
  'LEDGER',
  'ledger ',
  ' ledger',
  'ledger/',
  'ledger\u0000',
  'ledger,payroll',
  'ledger payroll',
  'l\u0435dger',
  '*',
  '__proto__',
  'constructor',
  'toString',
  BROKER,
  `${BROKER}/audiences/`,
  `${BROKER}/audiences/payroll`,
  `${BROKER}/audiences/%256cedger`,
  `${BROKER}/audiences/%`,
  `${BROKER}/audiences/ledger/`,
  `${BROKER}/audiences/ledger?x`,
  `${BROKER}/audiences/payroll/../ledger`,
  `${BROKER}:443/audiences/ledger`,
  `${BROKER.toUpperCase()}/audiences/ledger`,
  `${BROKER}.evil.example/audiences/ledger`,
  'https://evil.example/audiences/ledger',
]

test('OAU-13 refuses a target that the identity has no grant for, or that nobody has', async () => {
  for (const audience of OTHER_TARGETS) {
    const reply = await exchangeAs('api', { audience })

    expectRefusal(scene.broker, reply, 'IT', 'target_refused')
  }
})

test('OAU-13 takes a name as it stands in resource no more than in audience', async () => {
  for (const resource of ['payroll', `${BROKER}/audiences/payroll`, 'Ledger']) {
    const reply = await exchangeAs('api', { audience: undefined, resource })

    expectRefusal(scene.broker, reply, 'IT', 'target_refused')
  }
})

test('OAU-13 gives the only audience where none is named, and none where there are several or none', async () => {
  const only = await exchangeAs('api', { audience: undefined })
  const several = await exchangeAs('batch', { audience: undefined })
  const none = await exchangeAs('idle', { audience: '' })

  expect(expectIssued(scene.broker, only).record?.audience).toBe('ledger')
  expectRefusal(scene.broker, several, 'IT', 'target_missing')
  expectRefusal(scene.broker, none, 'IT', 'target_missing')
})

test('OAU-14 refuses several targets, allowed or not, and gives no part of them', async () => {
  const requests: readonly Parameters[] = [
    { audience: ['ledger', 'payroll'] },
    { audience: ['payroll', 'ledger'] },
    { audience: 'ledger', resource: 'payroll' },
    { audience: undefined, resource: ['ledger', 'payroll'] },
    { audience: ['ledger', 'https://orders.example'] },
    { audience: 'ledger', resource: 'https://orders.example' },
    { audience: ['ledger', 'LEDGER'] },
    { audience: 'ledger', resource: 'ledger/' },
    { audience: ['ledger', `${BROKER}/audiences/payroll`] },
    { audience: ['ledger', 'ledger', ' '] },
  ]
  for (const parameters of requests) {
    expectRefusal(scene.broker, await exchangeAs('batch', parameters), 'IT', 'target_ambiguous')
  }
})

test('OAU-15 refuses a resource that is relative, has a fragment, or is no URL of a target', async () => {
  const resources = [
    '/ledger',
    './ledger',
    'ledger/../ledger',
    '//orders.example',
    'https://orders.example#x',
    'https://orders.example/',
    'https://orders.example?x=1',
    'https://orders.example:443',
    'HTTPS://orders.example',
    'http://orders.example',
    'javascript:alert(1)',
    'data:text/plain,ledger',
    'https://orders.example\r\nx: y',
    `https://orders.example/${'x'.repeat(4_096)}`,
  ]
  for (const resource of resources) {
    const reply = await exchangeAs('batch', { audience: undefined, resource })

    expectRefusal(scene.broker, reply, 'IT', 'target_refused')
  }
})

test('OAU-15 a record repeats no target that is longer than any audience', async () => {
  const reply = await exchangeAs('api', { audience: 'x'.repeat(4_096) })

  const record = scene.broker.records().find(({ request_id: id }) => id === reply.requestId)
  expect(record).toMatchObject({ identity: 'payments/api', audience: null })
})

describe('scopes', () => {
  test('without a scope all that the identity has there is given', async () => {
    const reply = await exchangeAs('clerk', {})

    const { token, record } = expectIssued(scene.broker, reply)
    expect([reply.json.scope, decodeJwt(token).scope, record?.scope]).toEqual(
      Array(3).fill('entries:write entries:read'),
    )
  })

  test('what was asked for is given and no more, in one token and one answer', async () => {
    for (const scope of ['entries:read', 'entries:write', 'entries:read entries:write']) {
      const reply = await exchangeAs('clerk', { scope })

      const { token, record } = expectIssued(scene.broker, reply)
      expect([reply.json.scope, decodeJwt(token).scope, record?.scope]).toEqual(Array(3).fill(scope))
    }
  })

  test('a scope that is named twice is given once', async () => {
    const reply = await exchangeAs('clerk', { scope: 'entries:read entries:read' })

    expect(expectIssued(scene.broker, reply).record?.scope).toBe('entries:read')
  })

  test('one scope too many refuses them all', async () => {
    const beyond = ['entries:close', 'salaries:read', 'ENTRIES:READ', '*', 'entries:*', 'openid', '__proto__', 'length']
    for (const scope of beyond.flatMap((name) => [name, `entries:read ${name}`])) {
      expectRefusal(scene.broker, await exchangeAs('clerk', { scope }), 'IS', 'scope_refused')
    }
  })

  test('an audience without scopes has none to ask for', async () => {
    const reply = await exchangeAs('batch', { audience: 'https://orders.example', scope: 'entries:read' })

    expectRefusal(scene.broker, reply, 'IS', 'scope_refused')
  })

  test('a list that is not of scopes is refused before the proof is looked at', async () => {
    const proof = await scene.proof({ audiences: ['https://somebody.else.example'] })
    for (const scope of [' ', 'a  b', ' entries:read', 'entries:read ', 'a\tb', 'a\nb', 'a"b', 'a\\b', 'é', '\u0000']) {
      expectRefusal(scene.broker, await scene.broker.exchange(proof, { scope }), 'IS', 'scope_malformed')
    }
  })
})
