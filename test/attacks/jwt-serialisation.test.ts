/** Attacks with tokens in another serialisation, and with several tokens in one. */

import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { CompactEncrypt } from 'jose'
import { afterAll, beforeAll, test } from 'vitest'
import { expectIssued } from '../support/answers.ts'
import { encodePart, rawJws, signerOf } from '../support/raw-jws.ts'
import { expectRefusedUnasked } from '../support/refused-unasked.ts'
import { openScene, type Scene } from '../support/scene.ts'

/** The three segments of a genuine token. */
interface Segments {
  readonly header: string
  readonly payload: string
  readonly signature: string
}

/** A genuine token as JSON, and JSON that some reader takes for a compact one. */
const AS_JSON: readonly (readonly [string, (parts: Segments) => unknown])[] = [
  ['flattened JSON', ({ header, payload, signature }) => ({ protected: header, payload, signature })],
  ['general JSON', ({ header, payload, signature }) => ({ payload, signatures: [{ protected: header, signature }] })],
  [
    'general JSON with two signatures',
    ({ header, payload, signature }) => ({ payload, signatures: [{}, { protected: header, signature }] }),
  ],
  [
    'flattened JSON with an unprotected header',
    ({ header, payload, signature }) => ({ protected: header, header: { kid: 'x' }, payload, signature }),
  ],
  [
    'flattened JSON whose only header is unprotected',
    ({ header, payload, signature }) => ({ header: JSON.parse(decode(header)), payload, signature }),
  ],
  [
    'flattened JSON with a payload that is not encoded',
    ({ header, payload, signature }) => ({ protected: header, payload: decode(payload), signature }),
  ],
  [
    'JSON that is a compact token to whoever splits it at its dots',
    ({ header, payload, signature }) => ({ [` ${header}.${payload}.`]: '', protected: header, payload, signature }),
  ],
  [
    'JSON with a claims set of the attacker’s between its dots',
    ({ header, payload, signature }) => ({
      [` ${header}.${encodePart({ iss: 'x' })}.`]: '',
      protected: header,
      payload,
      signature,
    }),
  ],
  ['JSON with dots behind its payload', ({ payload }) => ({ payload: `${payload}.x.y` })],
  ['a compact token in a JSON string', (parts) => join(parts)],
  ['a compact token in a JSON list', (parts) => [join(parts)]],
  ['a compact token in a JSON object', (parts) => ({ subject_token: join(parts) })],
]

/** Text around, between and behind the segments of a genuine token. */
const AS_TEXT: readonly (readonly [string, (parts: Segments) => string])[] = [
  ['JSON with two bare segments behind', ({ payload }) => `${JSON.stringify({ payload })}.x.y`],
  ['JSON for a header segment', ({ header, payload, signature }) => `${decode(header)}.${payload}.${signature}`],
  ['a token with a segment too many', (parts) => `${join(parts)}.${parts.signature}`],
  ['a token with an empty segment behind', (parts) => `${join(parts)}.`],
  ['a token with an empty segment in front', (parts) => `.${join(parts)}`],
  ['a token without a signature', ({ header, payload }) => `${header}.${payload}`],
  ['a header alone', ({ header }) => header],
  ['a token without a payload', ({ header, signature }) => `${header}..${signature}`],
  ['a token without a header', ({ payload, signature }) => `.${payload}.${signature}`],
  ['two tokens with a comma', (parts) => `${join(parts)},${join(parts)}`],
  ['two tokens with a space', (parts) => `${join(parts)} ${join(parts)}`],
  ['two tokens with a dot', (parts) => `${join(parts)}.${join(parts)}`],
  ['a token after its scheme', (parts) => `Bearer ${join(parts)}`],
  ['a token in quotes', (parts) => `"${join(parts)}"`],
  ['a token whose dots are percent-encoded', (parts) => join(parts).replaceAll('.', '%2E')],
  ['a token whose dots are full-width', (parts) => join(parts).replaceAll('.', '\uFF0E')],
  ['a token with a comma for its second dot', ({ header, payload, signature }) => `${header}.${payload},${signature}`],
  ['a token in base64', (parts) => encodePart(join(parts))],
]

const SD_JWTS: readonly (readonly [string, (parts: Segments) => string])[] = [
  ['without disclosures', (parts) => `${join(parts)}~`],
  ['with one disclosure', (parts) => `${join(parts)}~${encodePart(['salt', 'sub', 'admin'])}~`],
  ['with a key binding', (parts) => `${join(parts)}~${join(parts)}`],
  ['with a disclosure and a key binding', (parts) => `${join(parts)}~${encodePart(['salt', 'x', 1])}~${join(parts)}`],
]

let scene: Scene
beforeAll(async () => {
  scene = await openScene({ cluster: { algorithm: 'ES256' } })
})
afterAll(() => scene.close())

test.each(AS_JSON)('JWT-18 refuses %s, and asks nobody', async (_, make) => {
  const proof = JSON.stringify(make(await genuine()))

  await expectRefusedUnasked(scene, proof, 'proof_malformed')
})

test.each(AS_TEXT)('JWT-18 refuses %s, and asks nobody', async (_, make) => {
  await expectRefusedUnasked(scene, make(await genuine()), 'proof_malformed')
})

test.each(SD_JWTS)('JWT-19 refuses an SD-JWT %s, and asks nobody', async (_, make) => {
  await expectRefusedUnasked(scene, make(await genuine()), 'proof_malformed')
})

test('JWT-19 refuses a token in a token, with cty and without, and asks nobody', async () => {
  const inner = join(await genuine())
  const header = { alg: 'ES256', kid: scene.cluster.key.keyId }
  const sign = signerOf(scene.cluster.key)

  await expectRefusedUnasked(scene, rawJws({ ...header, cty: 'JWT' }, inner, sign), 'header_forbidden')
  await expectRefusedUnasked(scene, rawJws(header, inner, sign), 'proof_malformed')
  await expectRefusedUnasked(scene, rawJws(header, JSON.stringify(inner), sign), 'proof_malformed')
})

test('JWT-19 refuses a genuine token that is encrypted, and asks nobody', async () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const inner = Buffer.from(join(await genuine()))

  const header = { alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT' }
  const proof = await new CompactEncrypt(inner).setProtectedHeader(header).encrypt(publicKey)

  await expectRefusedUnasked(scene, proof, 'proof_malformed')
})

test('JWT-19 refuses five segments that begin as a genuine token does, and asks nobody', async () => {
  const { header, payload, signature } = await genuine()
  const encrypted = encodePart({ alg: 'dir', enc: 'A256GCM' })

  await expectRefusedUnasked(scene, `${encrypted}.${payload}.AAAA.AAAA.AAAA`, 'proof_malformed')
  await expectRefusedUnasked(scene, `${header}.${payload}.${signature}.AAAA.AAAA`, 'proof_malformed')
})

test('JWT-22 refuses an encrypted token that would inflate to ten MiB, and asks nobody', async () => {
  const bomb = deflateRawSync(Buffer.alloc(10 * 1_024 * 1_024), { level: 9 })
  const header = encodePart({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' })
  const [iv, tag] = [encodePart(randomBytes(12)), encodePart(randomBytes(16))]

  const proof = `${header}..${iv}.${encodePart(bomb)}.${tag}`

  await expectRefusedUnasked(scene, proof, 'proof_malformed')
  const { payload } = await genuine()
  await expectRefusedUnasked(scene, `${header}.${payload}.${iv}.AAAA.${tag}`, 'proof_malformed')
})

test('JWT-22 refuses an encrypted token that asks for ten million rounds, and asks nobody', async () => {
  const password = createSecretKey(Buffer.from('password'))
  const inner = Buffer.from(join(await genuine()))
  const cheap = await new CompactEncrypt(inner)
    .setProtectedHeader({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM' })
    .setKeyManagementParameters({ p2c: 1_000 })
    .encrypt(password)
  const [header = '', ...rest] = cheap.split('.')

  const dear = { ...(JSON.parse(decode(header)) as object), p2c: 10_000_000 }

  await expectRefusedUnasked(scene, [encodePart(dear), ...rest].join('.'), 'proof_malformed')
})

test('the same segments, joined by two dots, get a token', async () => {
  expectIssued(scene.broker, await scene.broker.exchange(join(await genuine())))
})

async function genuine(): Promise<Segments> {
  const [header = '', payload = '', signature = ''] = (await scene.proof()).split('.')
  return { header, payload, signature }
}

function join({ header, payload, signature }: Segments): string {
  return `${header}.${payload}.${signature}`
}

function decode(segment: string): string {
  return Buffer.from(segment, 'base64url').toString()
}
