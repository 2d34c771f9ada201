/** Attacks with signatures that are no signatures, or no more: what verifiers of ECDSA and RSA have been fooled by. */

import { generateKeyPairSync, KeyObject, sign, verify } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { constantSigner, rawJws, type Signer, signerOf, signWith } from '../support/raw-jws.ts'
import { openScene, POD, type Scene } from '../support/scene.ts'

/** Order of the group of P-256, and the prime of its field. */
const N = 0xffffffff_00000000_ffffffff_ffffffff_bce6faad_a7179e84_f3b9cac2_fc632551n
const P = 0xffffffff_00000001_00000000_00000000_00000000_ffffffff_ffffffff_ffffffffn
const HIGHEST = 2n ** 256n - 1n

/** The two integers of an ES256 signature. */
interface Integers {
  readonly r: bigint
  readonly s: bigint
}

/** Integers that no signature has, or that the token's own has not. */
const OTHER_INTEGERS: readonly (readonly [string, (good: Integers) => Integers])[] = [
  ['r and s are zero', () => ({ r: 0n, s: 0n })],
  ['r is zero', ({ s }) => ({ r: 0n, s })],
  ['s is zero', ({ r }) => ({ r, s: 0n })],
  ['r and s are one', () => ({ r: 1n, s: 1n })],
  ['r is zero and s is one', () => ({ r: 0n, s: 1n })],
  ['r is one and s is zero', () => ({ r: 1n, s: 0n })],
  ['r is the order', ({ s }) => ({ r: N, s })],
  ['s is the order', ({ r }) => ({ r, s: N })],
  ['r and s are the order', () => ({ r: N, s: N })],
  ['r is zero and s the order', () => ({ r: 0n, s: N })],
  ['r is the order and s zero', () => ({ r: N, s: 0n })],
  ['r is one less than the order', ({ s }) => ({ r: N - 1n, s })],
  ['s is one less than the order', ({ r }) => ({ r, s: N - 1n })],
  ['r and s are one less than the order', () => ({ r: N - 1n, s: N - 1n })],
  ['r is one more than the order', ({ s }) => ({ r: N + 1n, s })],
  ['s is one more than the order', ({ r }) => ({ r, s: N + 1n })],
  ['r is the prime of the field', ({ s }) => ({ r: P, s })],
  ['s is the prime of the field', ({ r }) => ({ r, s: P })],
  ['r is all ones', ({ s }) => ({ r: HIGHEST, s })],
  ['s is all ones', ({ r }) => ({ r, s: HIGHEST })],
  ['r and s are all ones', () => ({ r: HIGHEST, s: HIGHEST })],
  ['r and s are swapped', ({ r, s }) => ({ r: s, s: r })],
  ['s is r', ({ r }) => ({ r, s: r })],
  ['r is negated', ({ r, s }) => ({ r: N - r, s })],
  ['r is negated in two’s complement', ({ r, s }) => ({ r: HIGHEST - r + 1n, s })],
  ['s is negated in two’s complement', ({ r, s }) => ({ r, s: HIGHEST - s + 1n })],
  ['the last bit of r is another', ({ r, s }) => ({ r: r ^ 1n, s })],
  ['the last bit of s is another', ({ r, s }) => ({ r, s: s ^ 1n })],
  ['the first bit of r is another', ({ r, s }) => ({ r: r ^ (1n << 255n), s })],
  ['the first bit of s is another', ({ r, s }) => ({ r, s: s ^ (1n << 255n) })],
]

/** Spellings of the token's own two integers that JWS does not have. */
const OTHER_SPELLINGS: readonly (readonly [string, (good: Integers) => Uint8Array])[] = [
  ['DER', ({ r, s }) => toDer(r, s)],
  ['DER cut to 64 bytes', ({ r, s }) => toDer(r, s).subarray(0, 64)],
  ['the last 64 bytes of DER', ({ r, s }) => toDer(r, s).subarray(-64)],
  ['63 bytes', ({ r, s }) => toFixed(r, s).subarray(0, 63)],
  ['63 bytes, the first gone', ({ r, s }) => toFixed(r, s).subarray(1)],
  ['65 bytes, a zero behind', ({ r, s }) => Buffer.concat([toFixed(r, s), Buffer.alloc(1)])],
  ['65 bytes, a zero in front', ({ r, s }) => Buffer.concat([Buffer.alloc(1), toFixed(r, s)])],
  ['66 bytes, a leading zero on each', ({ r, s }) => toFixed(r, s, 33)],
  ['96 bytes, as for P-384', ({ r, s }) => toFixed(r, s, 48)],
  ['132 bytes, as for P-521', ({ r, s }) => toFixed(r, s, 66)],
  ['66 bytes, the order added to each', ({ r, s }) => toFixed(r + N, s + N, 33)],
  ['r alone', ({ r, s }) => toFixed(r, s).subarray(0, 32)],
  ['the signature twice', ({ r, s }) => Buffer.concat([toFixed(r, s), toFixed(r, s)])],
  ['the bytes reversed', ({ r, s }) => Buffer.from(toFixed(r, s).toReversed())],
  ['64 bytes of text', () => Buffer.from('0'.repeat(64))],
  ['hexadecimal', ({ r, s }) => Buffer.from(toFixed(r, s).toString('hex'))],
]

describe('of a cluster with an ES256 key', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene({ cluster: { algorithm: 'ES256' } })
  })
  afterAll(() => scene.close())

  test.each(OTHER_INTEGERS)('JWT-09 refuses a token whose %s', async (_, change) => {
    const proof = resign(await scene.proof(), (good) => {
      const { r, s } = change(good)
      return toFixed(r, s)
    })

    expectProofRefused(scene.broker, await scene.broker.exchange(proof), 'signature_invalid')
  })

  test.each(OTHER_SPELLINGS)('JWT-09 refuses a signature spelled as %s', async (_, spell) => {
    const proof = resign(await scene.proof(), spell)

    expectProofRefused(scene.broker, await scene.broker.exchange(proof), 'signature_invalid')
  })

  test('JWT-09 refuses the signature of another token, of other claims and of another header', async () => {
    const genuine = segmentsOf(await scene.proof())
    const other = segmentsOf(await scene.proof({ pod: undefined }))
    const { keyId: kid } = scene.cluster.key
    const retyped = Buffer.from(JSON.stringify({ alg: 'ES256', kid, typ: 'JWT' })).toString('base64url')
    for (const proof of [
      `${genuine.header}.${genuine.payload}.${other.signature}`,
      `${genuine.header}.${other.payload}.${genuine.signature}`,
      `${retyped}.${genuine.payload}.${genuine.signature}`,
    ]) {
      expectProofRefused(scene.broker, await scene.broker.exchange(proof), 'signature_invalid')
    }
  })

  test('JWT-09 refuses a good signature of something near the token', async () => {
    const key = KeyObject.from(scene.cluster.key.privateKey)
    const near: readonly Signer[] = [
      (input) => signWith(key, 'ES256')(Buffer.from(`${input.toString()}.`)),
      (input) => signWith(key, 'ES256')(input.subarray(0, input.indexOf('.'))),
      (input) => signWith(key, 'ES256')(input.subarray(input.indexOf('.') + 1)),
      (input) => signWith(key, 'ES256')(Buffer.from(input.toString(), 'base64url')),
      (input) => signWith(key, 'ES384')(input),
      (input) => signWith(key, 'ES512')(input),
    ]
    for (const signer of near) {
      const proof = forge(scene, signer)

      expectProofRefused(scene.broker, await scene.broker.exchange(proof), 'signature_invalid')
    }
  })

  test('JWT-09 refuses a stranger’s signature under the cluster’s kid', async () => {
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

    const reply = await scene.broker.exchange(forge(scene, signWith(stranger, 'ES256')))

    expectProofRefused(scene.broker, reply, 'signature_invalid')
  })

  test('JWT-09 refuses a longer algorithm of the same family', async () => {
    const { keyId: kid } = scene.cluster.key
    const key = KeyObject.from(scene.cluster.key.privateKey)
    for (const alg of ['ES384', 'ES512'] as const) {
      const proof = rawJws({ alg, kid }, scene.cluster.claimsFor(POD), signWith(key, alg))

      expectProofRefused(scene.broker, await scene.broker.exchange(proof), 'key_unsuitable')
    }
  })

  test('the same two integers put together again get a token', async () => {
    const proof = resign(await scene.proof(), ({ r, s }) => toFixed(r, s))

    expectIssued(scene.broker, await scene.broker.exchange(proof))
  })
})

describe('of a cluster with an RSA key', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene()
  })
  afterAll(() => scene.close())

  test('JWT-09 refuses an RSA signature that is too short, too long, zero or not below the modulus', async () => {
    const [, , encoded = ''] = (await scene.proof()).split('.')
    const genuine = Buffer.from(encoded, 'base64url')
    const modulus = Buffer.from(String(scene.cluster.key.jwk.n), 'base64url')
    for (const signature of [
      genuine.subarray(1),
      genuine.subarray(0, 255),
      Buffer.concat([Buffer.alloc(1), genuine]),
      Buffer.concat([genuine, Buffer.alloc(1)]),
      Buffer.alloc(256),
      Buffer.alloc(256, 0xff),
      modulus,
      Buffer.alloc(1),
      Buffer.alloc(4_096),
    ]) {
      const proof = forge(scene, constantSigner(signature))

      expectProofRefused(scene.broker, await scene.broker.exchange(proof), 'signature_invalid')
    }
  })

  test('JWT-09 refuses an RSA signature over another hash, or with another padding', async () => {
    const key = KeyObject.from(scene.cluster.key.privateKey)
    const others: readonly Signer[] = [
      signWith(key, 'RS384'),
      signWith(key, 'RS512'),
      signWith(key, 'PS256'),
      (input) => sign('sha1', input, key),
    ]
    for (const signer of others) {
      expectProofRefused(scene.broker, await scene.broker.exchange(forge(scene, signer)), 'signature_invalid')
    }
  })

  test('the cluster’s own RSA signature gets a token', async () => {
    expectIssued(scene.broker, await scene.broker.exchange(forge(scene, signerOf(scene.cluster.key))))
  })
})

/** The pod's claims under the cluster's own header, with whatever signature. */
function forge(scene: Scene, signer: Signer): string {
  const { algorithm: alg, keyId: kid } = scene.cluster.key
  return rawJws({ alg, kid }, scene.cluster.claimsFor(POD), signer)
}

/** Puts another signature in place of a token's own, made from it. */
function resign(token: string, make: (good: Integers) => Uint8Array): string {
  const { header, payload, signature } = segmentsOf(token)
  const hex = Buffer.from(signature, 'base64url').toString('hex')
  const good = { r: BigInt(`0x${hex.slice(0, 64)}`), s: BigInt(`0x${hex.slice(64)}`) }
  return `${header}.${payload}.${Buffer.from(make(good)).toString('base64url')}`
}

function segmentsOf(token: string) {
  const [header = '', payload = '', signature = ''] = token.split('.')
  return { header, payload, signature }
}

/** Spells two integers in the fixed width of JWS, or in another. */
function toFixed(r: bigint, s: bigint, width = 32): Buffer {
  const spell = (integer: bigint): string => integer.toString(16).padStart(2 * width, '0')
  return Buffer.from(spell(r) + spell(s), 'hex')
}

/** Spells them as OpenSSL does: SEQUENCE { INTEGER r, INTEGER s }. */
function toDer(r: bigint, s: bigint): Buffer {
  const spell = (integer: bigint): Buffer => {
    const hex = integer.toString(16)
    const digits = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
    const signed = (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), digits]) : digits
    return Buffer.concat([Buffer.from([0x02, signed.length]), signed])
  }
  const body = Buffer.concat([spell(r), spell(s)])
  return Buffer.concat([Buffer.from([0x30, body.length]), body])
}

/** Shows that {@link toDer} is what OpenSSL reads, or its test would prove nothing. */
test('the DER made here is one that a lenient verifier takes', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const fixed = signWith(privateKey, 'ES256')(Buffer.from('text')).toString('hex')

  const der = toDer(BigInt(`0x${fixed.slice(0, 64)}`), BigInt(`0x${fixed.slice(64)}`))

  expect(verify('sha256', Buffer.from('text'), publicKey, der)).toBe(true)
})
