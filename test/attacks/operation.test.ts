/** What operators and verifiers see of us: records and logs in one line, keys that are public, metadata to the letter. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { calculateJwkThumbprint, decodeProtectedHeader, type JWK } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { auditRecordSchema } from '../../src/audit/record.ts'
import { expectIssued } from '../support/answers.ts'
import { createTestClock } from '../support/clock.ts'
import { BROKER, documentFor } from '../support/document.ts'
import { startLoudBroker } from '../support/loud-broker.ts'
import { openScene, POD, type Scene } from '../support/scene.ts'

/** Found in nothing that we would write by ourselves. */
const MARK = 'planted'

/** What breaks a line, a terminal or a reader's JSON. */
const HOSTILE = [
  `\n{"decision":"issued","${MARK}":1}`,
  `\r\n${MARK}`,
  `"}\n{"${MARK}":"`,
  `\\"${MARK}`,
  `\u001b[2J\u001b[31m${MARK}`,
  `\u009b31m${MARK}`,
  `\u0000${MARK}\u0007\u0008\u007f`,
  `\u0085${MARK}\u2028${MARK}\u2029`,
  `\u202e${MARK}\u200b\ufeff`,
  `\ud800${MARK}`,
  `<img src=x onerror=alert(1)>${MARK}`,
  `%s%d%j %{${MARK}} \${jndi:ldap://x}`,
]

/** Harmless to whoever reads it on whatever terminal. */
const PRINTABLE = /^[ -~]*$/

describe('what is written', () => {
  let scene: Scene
  beforeEach(async () => {
    scene = await openScene()
  })
  afterEach(() => scene.close())

  /** Gives the lines of the audit file. */
  function auditLines(): readonly string[] {
    const lines = readFileSync(join(scene.broker.directory, 'audit.jsonl'), 'utf8').split('\n')
    expect(lines.pop()).toBe('')
    return lines
  }

  /**
   * Asserts that each line is a record of ours, one for each request, and that what is repeated of the caller's text, there or in
   * the log, is harmless even to whoever unescapes it.
   */
  function expectWellFormed(requests: number): void {
    const records = auditLines().map((line): unknown => JSON.parse(line))
    expect(records).toHaveLength(requests)
    expect(records.filter((record) => !auditRecordSchema.safeParse(record).success)).toEqual([])
    expect(auditLines().filter((line) => !PRINTABLE.test(line))).toEqual([])
    const repeated = stringsOf([records, scene.broker.logs()]).filter((text) => text.includes(MARK))
    expect(repeated.filter((text) => !PRINTABLE.test(text) || text.length > 255)).toEqual([])
  }

  test('OPS-02 claims with line breaks, escapes and quotes stay out of records and logs', async () => {
    const kubernetes = scene.cluster.claimsFor(POD)['kubernetes.io'] as Record<string, object>
    let count = 0
    for (const text of HOSTILE) {
      const named = { name: text, uid: text }
      const forged = [
        { iss: text },
        { iss: `https://x.example/${text}` },
        { aud: text },
        { aud: [text] },
        { sub: text },
        { sub: `system:serviceaccount:payments:${text}`, 'kubernetes.io': { ...kubernetes, serviceaccount: named } },
        { 'kubernetes.io': { ...kubernetes, namespace: text } },
        { 'kubernetes.io': { ...kubernetes, pod: named } },
        { jti: text, [text]: text, act: text },
      ]
      const proofs = [...forged.map((claims) => scene.forge(claims)), scene.forge({}, { kid: text, [text]: text })]
      for (const proof of await Promise.all(proofs)) {
        expect([200, 400]).toContain((await scene.broker.exchange(proof)).status)
        count++
      }
    }

    expectWellFormed(count)
  })

  test('OPS-02 what is asked for, and how, stays out of them too', async () => {
    const proof = await scene.proof()
    const names = ['scope', 'grant_type', 'subject_token_type', 'requested_token_type', 'client_id']
    let count = 0
    for (const text of HOSTILE) {
      for (const name of [...names, text]) {
        await scene.broker.exchange(proof, { [name]: text })
        count++
      }
      await scene.broker.exchange('garbage', { audience: text, scope: 'entries:read' })
      count++
    }

    expectWellFormed(count)
  })

  test('OPS-02 a target that no audience could be named is not repeated in a record', async () => {
    const proof = await scene.proof()
    for (const audience of HOSTILE) {
      expect((await scene.broker.exchange(proof, { audience })).json.error).toBe('invalid_target')
    }

    expectWellFormed(HOSTILE.length)
  })
})

/** Gives every string of a value, names of members included. */
function stringsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [name, ...stringsOf(inner)])
}

describe('what is published', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene()
  })
  afterAll(() => scene.close())

  test('OPS-05 the key set holds two public keys of each algorithm, and nothing that could be private', async () => {
    const { text, json } = await scene.broker.send('/.well-known/jwks.json')
    const keys = json.keys as readonly JWK[]

    expect(Object.keys(json)).toEqual(['keys'])
    const [ec, rsa] = ['alg crv kid kty use x y', 'alg e kid kty n use']
    expect(keys.map((key) => Object.keys(key).sort().join(' ')).sort()).toEqual([ec, ec, rsa, rsa])
    expect(keys.map(({ alg, use }) => `${alg} ${use}`).sort()).toEqual([
      'ES256 sig',
      'ES256 sig',
      'RS256 sig',
      'RS256 sig',
    ])
    for (const key of keys) expect(key.kid).toBe(await calculateJwkThumbprint(key))
    expect(text).not.toMatch(/"(d|p|q|dp|dq|qi|oth|k|priv)":/)
  })

  test('OPS-05 the key that signed a token is in it', async () => {
    const { token } = expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
    const { json } = await scene.broker.send('/.well-known/jwks.json')

    const { kid, alg } = decodeProtectedHeader(token)
    expect(json.keys).toContainEqual(expect.objectContaining({ kid, alg }))
  })

  test('OPS-05 no query and no header changes what is published', async () => {
    const headers = {
      accept: 'text/html',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      range: 'bytes=0-5',
    }
    for (const path of ['/.well-known/jwks.json', '/.well-known/openid-configuration', '/healthz', '/readyz']) {
      const plain = await scene.broker.send(path)
      const asked = await scene.broker.send(`${path}?callback=x&issuer=https://evil.example&redirect=//evil.example`, {
        headers,
      })

      expect([asked.status, asked.text]).toEqual([200, plain.text])
    }
  })

  test('OPS-08 both metadata documents say this, and nothing else', async () => {
    const openid = await scene.broker.send('/.well-known/openid-configuration')
    const oauth = await scene.broker.send('/.well-known/oauth-authorization-server')

    expect(openid.json).toEqual(metadataOf(BROKER))
    expect(oauth.text).toBe(openid.text)
    expect(openid.text).not.toContain('http://')
  })
})

/** To the letter: verifiers of all kinds read it. */
function metadataOf(issuer: string): object {
  return {
    issuer,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    grant_types_supported: ['urn:ietf:params:oauth:grant-type:token-exchange'],
    token_endpoint_auth_methods_supported: ['none'],
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256', 'RS256'],
    claims_supported: ['iss', 'sub', 'aud', 'client_id', 'iat', 'exp', 'jti', 'scope', 'proof'],
    subject_token_types_supported: [
      'urn:ietf:params:oauth:token-type:jwt',
      'urn:ietf:params:oauth:token-type:id_token',
      'urn:ietf:params:oauth:token-type:access_token',
      'urn:ietf:params:aws:token-type:aws4_request',
    ],
  }
}

test('OPS-08 an issuer with a path has everything under it, and the inserted document', async () => {
  const issuer = 'https://corp.example/identity/chancery'
  const scene = await openScene({ broker: { flags: { issuer } } })
  const { pathname } = new URL(issuer)
  const paths = [
    `${pathname}/.well-known/openid-configuration`,
    `${pathname}/.well-known/oauth-authorization-server`,
    `/.well-known/oauth-authorization-server${pathname}`,
  ]

  for (const path of paths) expect((await scene.broker.send(path)).json).toEqual(metadataOf(issuer))
  expect((await scene.broker.send(`${pathname}/.well-known/jwks.json`)).status).toBe(200)
  for (const path of ['/token', ...paths.map((path) => path.replace(pathname, ''))]) {
    expect((await scene.broker.send(path, { method: path === '/token' ? 'POST' : 'GET' })).status).toBe(404)
  }
  await scene.close()
})

test('OPS-05 the listener for metrics has metrics, and nothing else', async () => {
  const broker = await startLoudBroker({
    clock: createTestClock(),
    document: documentFor('https://cluster.example'),
    insecureHosts: [],
  })
  const statusOf = async (path: string) => (await fetch(broker.metricsOrigin + path)).status

  for (const path of ['/', '/token', '/.well-known/jwks.json', '/healthz', '/metrics/', '/metrics/..', '//metrics']) {
    expect([path, await statusOf(path)]).toEqual([path, 404])
  }
  const { metrics } = await broker.texts()
  expect(metrics).toContain('chancery_decisions_total')
  expect(metrics).not.toMatch(/kid|thumbprint|sqlite|\/tmp\//)
  await broker.stop()
})
