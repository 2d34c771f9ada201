/** Keys that must never verify a proof, each with the signature that a careless verifier would take. */

import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { constantSigner, hmacSigner, type Signer, signWith } from './raw-jws.ts'

/** A JWK as anybody may write one. */
type Jwk = Readonly<Record<string, unknown>>

/** A member of a JWK Set, and a token that it would verify. */
export interface OddKey {
  readonly name: string
  /** Why it is ignored, in the product's words. */
  readonly why: string
  readonly jwk: Jwk
  /** What the token names: the algorithm of its signature, or the nearest that a cluster may use. */
  readonly alg: 'RS256' | 'ES256'
  readonly signer: Signer
}

/** Makes one of each kind, with its number for a kid. */
export function makeOddKeys(): readonly OddKey[] {
  const keys = [...weakRsaKeys(), ...misshapenCurves(), ...otherTypes(), ...otherPurposes(), ...privateKeys()]
  return keys.map((key, index) => ({ ...key, jwk: { ...key.jwk, kid: `odd-${index}` } }))
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const RSA_JWK = jwkOf(rsa.publicKey)
const P256_JWK = jwkOf(p256.publicKey)

function weakRsaKeys(): readonly OddKey[] {
  const ofSize = (bits: number): OddKey => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: bits })
    const jwk = jwkOf(publicKey)
    return {
      name: `RSA of ${bits} bits`,
      why: 'rsa_too_short',
      jwk,
      alg: 'RS256',
      signer: signWith(privateKey, 'RS256'),
    }
  }
  const withExponent = (name: string, e: string, signer = signWith(rsa.privateKey, 'RS256')): OddKey => ({
    name: `RSA with ${name} for an exponent`,
    why: 'rsa_exponent',
    jwk: { ...RSA_JWK, e },
    alg: 'RS256',
    signer,
  })
  const short = ofSize(1_024)
  const padded = Buffer.concat([Buffer.alloc(128), Buffer.from(String(short.jwk.n), 'base64url')]).toString('base64url')
  const huge = Buffer.alloc(1_025, 0xff).toString('base64url')
  const signer = signWith(rsa.privateKey, 'RS256')
  return [
    short,
    ofSize(2_047),
    { ...short, name: 'RSA of 1024 bits behind 1024 zero bits', jwk: { ...short.jwk, n: padded } },
    { name: 'RSA of 8200 bits', why: 'rsa_too_long', jwk: { ...RSA_JWK, n: huge }, alg: 'RS256', signer },
    // With this exponent a signature is its own text, so that anybody can write one.
    withExponent('1', 'AQ', paddedHash),
    withExponent('0', 'AA', constantSigner(Buffer.concat([Buffer.alloc(255), Buffer.from([1])]))),
    withExponent('2', 'Ag'),
    withExponent('65536', 'AQAA'),
    withExponent('2^48 + 1', 'AQAAAAAB'),
    withExponent('nothing', ''),
  ]
}

function misshapenCurves(): readonly OddKey[] {
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const koblitz = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
  const signer = signWith(p256.privateKey, 'ES256')
  const odd = (name: string, why: string, change: Jwk, signature = signer): OddKey => ({
    name,
    why,
    jwk: { ...P256_JWK, ...change },
    alg: 'ES256',
    signer: signature,
  })
  const p384Jwk = jwkOf(p384.publicKey)
  const koblitzJwk = jwkOf(koblitz.publicKey)
  return [
    odd('P-384 that calls itself ES256', 'algorithm', { ...p384Jwk, alg: 'ES256' }, signWith(p384.privateKey, 'ES256')),
    odd('P-384 that calls itself P-256', 'material', { ...p384Jwk, crv: 'P-256' }, signWith(p384.privateKey, 'ES256')),
    odd('P-256 that calls itself ES384', 'algorithm', { alg: 'ES384' }),
    odd('P-256 that calls itself RS256', 'algorithm', { alg: 'RS256' }),
    odd('secp256k1', 'key_type', koblitzJwk, signWith(koblitz.privateKey, 'ES256')),
    odd('secp256k1 that calls itself P-256', 'material', { ...koblitzJwk, crv: 'P-256' }),
    odd('a point that is not on the curve', 'material', { x: P256_JWK.y, y: P256_JWK.x }),
    odd('the point at infinity', 'material', { x: 'AA', y: 'AA' }),
    odd('a curve whose name is in lower case', 'key_type', { crv: 'p-256' }),
    odd('a point without y', 'material', { y: undefined }),
  ]
}

function otherTypes(): readonly OddKey[] {
  const ed25519 = jwkOf(generateKeyPairSync('ed25519').publicKey)
  const x25519 = jwkOf(generateKeyPairSync('x25519').publicKey)
  const secret = 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I'
  const shared = { kty: 'oct', k: secret }
  const hmac = hmacSigner(Buffer.from(secret, 'base64url'))
  const signer = signWith(rsa.privateKey, 'RS256')
  return [
    { name: 'OKP Ed25519', why: 'key_type', jwk: ed25519, alg: 'ES256', signer: constantSigner(Buffer.alloc(64)) },
    { name: 'OKP X25519', why: 'key_type', jwk: x25519, alg: 'ES256', signer: constantSigner(Buffer.alloc(64)) },
    { name: 'a shared secret', why: 'private', jwk: shared, alg: 'RS256', signer: hmac },
    { name: 'a shared secret in an RSA key', why: 'private', jwk: { ...RSA_JWK, k: secret }, alg: 'RS256', signer },
    { name: 'a type in lower case', why: 'key_type', jwk: { ...RSA_JWK, kty: 'rsa' }, alg: 'RS256', signer },
    { name: 'RSA without a modulus', why: 'material', jwk: { ...RSA_JWK, n: undefined }, alg: 'RS256', signer },
  ]
}

function otherPurposes(): readonly OddKey[] {
  const signer = signWith(rsa.privateKey, 'RS256')
  const odd = (name: string, why: string, change: Readonly<Record<string, unknown>>): OddKey => ({
    name,
    why,
    jwk: { ...RSA_JWK, ...change },
    alg: 'RS256',
    signer,
  })
  return [
    odd('use enc', 'not_for_signatures', { use: 'enc' }),
    odd('use SIG', 'not_for_signatures', { use: 'SIG' }),
    odd('use null', 'not_for_signatures', { use: null }),
    odd('key_ops encrypt', 'not_for_signatures', { key_ops: ['encrypt'] }),
    odd('key_ops encrypt under use sig', 'not_for_signatures', { use: 'sig', key_ops: ['encrypt'] }),
    odd('key_ops sign alone', 'not_for_signatures', { key_ops: ['sign'] }),
    odd('empty key_ops', 'not_for_signatures', { key_ops: [] }),
    odd('key_ops that is no list', 'not_for_signatures', { key_ops: 'verify' }),
    odd('RSA for RS512', 'algorithm', { alg: 'RS512' }),
    odd('RSA for PS256', 'algorithm', { alg: 'PS256' }),
    odd('RSA for RSA-OAEP', 'algorithm', { alg: 'RSA-OAEP' }),
    odd('RSA for HS256', 'algorithm', { alg: 'HS256' }),
    odd('RSA for none', 'algorithm', { alg: 'none' }),
    odd('RSA for null', 'algorithm', { alg: null }),
  ]
}

function privateKeys(): readonly OddKey[] {
  const whole = jwkOf(rsa.privateKey)
  const elliptic = jwkOf(p256.privateKey)
  const signer = signWith(rsa.privateKey, 'RS256')
  const ellipticSigner = signWith(p256.privateKey, 'ES256')
  return [
    { name: 'a private RSA key', why: 'private', jwk: whole, alg: 'RS256', signer },
    { name: 'RSA with d', why: 'private', jwk: { ...RSA_JWK, d: whole.d }, alg: 'RS256', signer },
    { name: 'RSA with a prime', why: 'private', jwk: { ...RSA_JWK, p: whole.p }, alg: 'RS256', signer },
    { name: 'a private P-256 key', why: 'private', jwk: elliptic, alg: 'ES256', signer: ellipticSigner },
    {
      name: 'P-256 with an empty d',
      why: 'private',
      jwk: { ...P256_JWK, d: '' },
      alg: 'ES256',
      signer: ellipticSigner,
    },
  ]
}

function jwkOf(key: KeyObject): Jwk {
  return { ...key.export({ format: 'jwk' }) }
}

/** DigestInfo of SHA-256, in DER. @see {@link https://www.rfc-editor.org/rfc/rfc8017.html#section-9.2 RFC 8017 section 9.2} */
const SHA256_PREFIX = Buffer.from('3031300d060960864801650304020105000420', 'hex')

/** What an RSA signature of 256 bytes is raised from: the padded hash itself. */
const paddedHash: Signer = (signingInput) => {
  const digest = Buffer.concat([SHA256_PREFIX, createHash('sha256').update(signingInput).digest()])
  return Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(256 - 3 - digest.length, 0xff), Buffer.from([0]), digest])
}
