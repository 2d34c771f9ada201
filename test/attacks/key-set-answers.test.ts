/** What issuers answer when they are asked for metadata and keys, and what is made of it. */

import { expect, onTestFinished, test } from 'vitest'
import { type Failure, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import type { RefusalReason } from '../../src/audit/reasons.ts'
import { expectIssued, expectProofRefused, expectRefusal } from '../support/answers.ts'
import { documentFor } from '../support/document.ts'
import { openScene, type Scene, type SceneOptions } from '../support/scene.ts'

const DISCOVERY_PATH = '/.well-known/openid-configuration'
const KEY_SET_PATH = '/openid/v1/jwks'

const MAX_KEY_SET_BYTES = 262_144
const MAX_DISCOVERY_BYTES = 65_536
const MAX_KEYS = 100

/** Longer than the broker waits between two attempts. */
const RETRY_SECONDS = 31

async function openOwnScene(options: SceneOptions = {}): Promise<Scene> {
  const scene = await openScene({ cluster: { algorithm: 'ES256' }, ...options })
  onTestFinished(() => scene.close())
  return scene
}

/** Asserts that a genuine token cannot be judged while a path answers like this. The broker has no keys before, and none after. */
async function expectUnusable(scene: Scene, path: string, answer: Failure, reason: RefusalReason): Promise<void> {
  scene.cluster.fail(path, answer)
  const reply = await scene.broker.exchange(await scene.proof())
  scene.cluster.recover()
  expectRefusal(scene.broker, reply, 'TU', reason)
  scene.clock.advance(RETRY_SECONDS)
}

/** Asserts that a genuine token gets its own while a path answers like this. */
async function expectUsable(scene: Scene, path: string, answer: Failure): Promise<void> {
  scene.cluster.fail(path, answer)
  expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
  scene.cluster.recover()
}

/** Gives a JSON object's text, stretched with white space to this many bytes. */
function stretch(value: object, bytes: number): string {
  const text = JSON.stringify(value)
  return text + ' '.repeat(bytes - text.length)
}

test('JWK-06 takes no key set that is too large, however its size is told', async () => {
  const scene = await openOwnScene()
  const { jwks, key } = scene.cluster
  const ten = ' '.repeat(10 * 1_048_576)
  const tooLarge = stretch(jwks, MAX_KEY_SET_BYTES + 1)

  await expectUnusable(scene, KEY_SET_PATH, 'huge', 'upstream_too_large')
  for (const body of [ten, tooLarge, { keys: Array.from({ length: 10_000 }, () => key.jwk) }]) {
    await expectUnusable(scene, KEY_SET_PATH, { status: 200, body }, 'upstream_too_large')
  }
  const headers = { 'content-length': String(tooLarge.length) }
  await expectUnusable(scene, KEY_SET_PATH, { status: 200, headers, body: tooLarge }, 'upstream_too_large')
  await expectUsable(scene, KEY_SET_PATH, { status: 200, body: stretch(jwks, MAX_KEY_SET_BYTES) })
})

test('JWK-06 takes no key set of too many keys', async () => {
  const scene = await openOwnScene()
  const others = Array.from({ length: MAX_KEYS }, (_, index) => ({ kid: String(index) }))
  const { jwk } = scene.cluster.key

  for (const keys of [[...others, jwk], Array.from({ length: 10_000 }, () => ({}))]) {
    await expectUnusable(scene, KEY_SET_PATH, { status: 200, body: { keys } }, 'upstream_malformed')
  }
  await expectUsable(scene, KEY_SET_PATH, { status: 200, body: { keys: [...others.slice(1), jwk] } })
})

test('JWK-06 takes no metadata that is too large', async () => {
  const scene = await openOwnScene()
  const { issuer } = scene.cluster
  const metadata = { issuer, jwks_uri: issuer + KEY_SET_PATH }

  await expectUnusable(scene, DISCOVERY_PATH, 'huge', 'upstream_too_large')
  const body = stretch(metadata, MAX_DISCOVERY_BYTES + 1)
  await expectUnusable(scene, DISCOVERY_PATH, { status: 200, body }, 'upstream_too_large')
  await expectUsable(scene, DISCOVERY_PATH, { status: 200, body: stretch(metadata, MAX_DISCOVERY_BYTES) })
})

test('JWK-06 takes nothing for a key set or for metadata that is not a JSON object of one meaning', async () => {
  const scene = await openOwnScene()
  const keys = JSON.stringify(scene.cluster.jwks.keys)
  const metadata = JSON.stringify({ issuer: scene.cluster.issuer, jwks_uri: scene.cluster.issuer + KEY_SET_PATH })
  const spoil = (good: string): readonly string[] => [
    ...['', ' ', 'null', 'true', '1', '"keys"', '[]', keys, '<html></html>', `[${good}]`],
    ...[`\u{feff}${good}`, good + good, `${good}x`, good.slice(0, -1), good.replaceAll('"', "'")],
    good.replace('{', '{"__proto__":{},'),
    good.replace('{', `{"deep":${'['.repeat(20)}${']'.repeat(20)},`),
  ]

  for (const body of [...spoil(`{"keys":${keys}}`), `{"keys":[],"keys":${keys}}`, `{"k\\u0065ys":[],"keys":${keys}}`]) {
    await expectUnusable(scene, KEY_SET_PATH, { status: 200, body }, 'upstream_malformed')
  }
  for (const body of [...spoil(metadata), metadata.replace('{', '{"issuer":"https://evil.example",')]) {
    await expectUnusable(scene, DISCOVERY_PATH, { status: 200, body }, 'upstream_malformed')
  }
})

test('JWK-06 takes no key set whose keys are not a list', async () => {
  const scene = await openOwnScene()
  const { jwk, keyId } = scene.cluster.key

  for (const keys of [{}, { [keyId]: jwk }, { 0: jwk, length: 1 }, jwk, 'keys', 1, null, true, undefined]) {
    await expectUnusable(scene, KEY_SET_PATH, { status: 200, body: { keys } }, 'upstream_malformed')
  }
})

test('JWK-06 takes a key set by its status alone, not by how it looks', async () => {
  const scene = await openOwnScene()

  for (const status of [201, 202, 206, 400, 401, 403, 404, 429, 500, 503]) {
    await expectUnusable(scene, KEY_SET_PATH, { status, body: scene.cluster.jwks }, 'upstream_status')
  }
})

test('JWK-06 passes over members that are no keys, and uses the others', async () => {
  const scene = await openOwnScene()
  const { jwk } = scene.cluster.key
  const strange = [null, 1, 'key', [], [jwk], {}, { kid: jwk.kid }, { ...jwk, kid: undefined }, { ...jwk, kid: 1 }]

  await expectUsable(scene, KEY_SET_PATH, { status: 200, body: { keys: [...strange, jwk] } })
  expect(await scene.broker.metrics()).toMatch(/keys_ignored_total\{.*why="not_an_object"\} 5/)
})

test('JWK-06 uses neither of two different keys with one id, wherever they stand, and the others still', async () => {
  const scene = await openOwnScene()
  const stranger = await startKubernetesStandIn({ algorithm: 'ES256' })
  onTestFinished(() => stranger.close())
  const ours = scene.cluster.key.jwk
  const theirs = { ...stranger.key.jwk, kid: ours.kid }
  const another = { ...ours, kid: 'another' }

  for (const twins of [
    [ours, theirs],
    [theirs, ours],
    [ours, theirs, ours],
    [ours, ours, theirs, theirs],
  ]) {
    scene.cluster.fail(KEY_SET_PATH, { status: 200, body: { keys: [...twins, another] } })
    expectProofRefused(scene.broker, await scene.broker.exchange(await scene.proof()), 'key_unknown')
    expectIssued(scene.broker, await scene.broker.exchange(await scene.forge({}, { kid: 'another' })))
    scene.clock.advance(86_400)
  }
  expect(await scene.broker.metrics()).toMatch(/keys_ignored_total\{.*why="ambiguous"\} 4/)
})

test('JWK-06 uses a key that stands in the set twice', async () => {
  const scene = await openOwnScene()
  const { jwk } = scene.cluster.key

  await expectUsable(scene, KEY_SET_PATH, { status: 200, body: { keys: [jwk, { ...jwk, alg: undefined }] } })
})

test('JWK-13 takes keys by discovery from the issuer’s own host and port alone', async () => {
  const scene = await openOwnScene()
  const elsewhere = await startStandInServer({ route: () => ({ status: 200, body: scene.cluster.jwks }) })
  onTestFinished(() => elsewhere.close())
  const { issuer, host } = scene.cluster
  const port = new URL(issuer).port
  const urls: readonly unknown[] = [
    elsewhere.origin + KEY_SET_PATH,
    ...[`http://localhost:${port}/`, `https://${host}/`, `//${host}/`, KEY_SET_PATH, `//${elsewhere.host}/`],
    ...['http://127.0.0.1/', 'https://127.0.0.1/', 'http://169.254.169.254/latest/', 'https://keys.example/'],
    ...[`http://${host}.evil.example/`, `http://${host}@${elsewhere.host}/`, `http://[::1]:${port}/`],
    ...['file:///etc/passwd', 'data:application/json,{}', 'ftp://127.0.0.1/', `ws://${host}/`],
    ...['', ' ', 'keys', null, 1, true, [issuer + KEY_SET_PATH], { url: issuer }, undefined],
  ]

  for (const jwksUri of urls) {
    const body = { issuer, jwks_uri: jwksUri }
    await expectUnusable(scene, DISCOVERY_PATH, { status: 200, body }, 'upstream_malformed')
  }
  expect(elsewhere.requests).toEqual([])
  expect(scene.cluster.requests.map(({ path }) => path)).not.toContain(KEY_SET_PATH)
})

test('JWK-13 takes no key set URL that could be read in two ways', async () => {
  const scene = await openOwnScene()
  const { issuer, host } = scene.cluster
  const urls = [
    ...[`http://user@${host}/`, `http://user:secret@${host}/`, `${issuer}\\@evil.example/`, `${issuer}/a b`],
    ...[
      `${issuer}/#keys`,
      ` ${issuer}/`,
      `${issuer}/\n`,
      `http:\\\\${host}/`,
      `${issuer}/a@b`,
      `${issuer}/*`,
      `blob:${issuer}/`,
    ],
  ]

  for (const jwksUri of urls) {
    const body = { issuer, jwks_uri: jwksUri }
    await expectUnusable(scene, DISCOVERY_PATH, { status: 200, body }, 'upstream_address_refused')
  }
  expect(scene.cluster.requests.map(({ path }) => path)).not.toContain(KEY_SET_PATH)
})

test('JWK-13 takes no metadata that names another issuer', async () => {
  const scene = await openOwnScene()
  const { issuer } = scene.cluster
  const others = [`${issuer}/`, issuer.toUpperCase(), 'https://evil.example', '', null, [issuer], { issuer }, undefined]

  for (const other of others) {
    const body = { issuer: other, jwks_uri: issuer + KEY_SET_PATH }
    await expectUnusable(scene, DISCOVERY_PATH, { status: 200, body }, 'upstream_malformed')
  }
})

test('JWK-13 takes keys from another host where the document names it', async () => {
  const elsewhere = await startStandInServer({ route: () => ({ status: 200, body: keys }) })
  onTestFinished(() => elsewhere.close())
  const document = ({ issuer }: { readonly issuer: string }): object =>
    documentFor(issuer, {
      trusted_issuers: {
        cluster: { provider: 'kubernetes', issuers: [issuer], keys: { from: 'url', url: `${elsewhere.origin}/keys` } },
      },
    })
  const scene = await openOwnScene({
    cluster: { algorithm: 'ES256', issuer: 'https://cluster.example' },
    document,
    broker: { insecureHosts: [elsewhere.host] },
  })
  const keys = scene.cluster.jwks

  expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
  expect(elsewhere.requests.map(({ path }) => path)).toEqual(['/keys'])
  expect(scene.cluster.requests).toEqual([])
})
