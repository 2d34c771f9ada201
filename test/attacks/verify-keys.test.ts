/** The issuer's keys as a service gets them: seldom enough, soon enough, and none that should not verify. */

import { generateKeyPairSync } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { generateStandInKey } from '../../providers/kit/stand-in-keys.ts'
import { FRESH_SECONDS, UNKNOWN_KEY_SECONDS, WAIT_SECONDS } from '../../src/verify/key-set.ts'
import type { Verifier } from '../../src/verify/verifier.ts'
import { signerOf } from '../support/raw-jws.ts'
import { answerWith, openVerifyBench, type VerifyBench } from '../support/verify-bench.ts'

let bench: VerifyBench
let verifier: Verifier

beforeEach(async () => {
  bench = await openVerifyBench()
  verifier = bench.verifier()
})
afterEach(() => bench.close())

const outcome = (token = bench.token()): Promise<string> => bench.outcome(token, verifier)
const unknown = (kid: string): string => bench.token({}, { kid })

/** Gives what becomes of a token that is looked at until the fetch that it has set off in the background is over. */
async function outcomeAfterLook(token: string): Promise<string> {
  const before = bench.fetches()
  await outcome(token)
  await vi.waitFor(() => expect(bench.fetches()).toBe(before + 1))
  return await vi.waitUntil(async () => {
    const code = await outcome(token)
    return code === 'accepted' ? undefined : code
  })
}

describe('requests', () => {
  test('JWK-02 are one for any number of tokens at a time, and none for the next half minute', async () => {
    const tokens = await Promise.all(Array.from({ length: 200 }, () => outcome()))
    bench.clock.advance(FRESH_SECONDS - 1)

    expect(new Set(tokens)).toEqual(new Set(['accepted']))
    expect(await outcome()).toBe('accepted')
    expect(bench.fetches()).toBe(1)
  })

  test('are not made before the first token, nor for one that cannot be ours', async () => {
    await outcome(bench.token({ iss: 'https://other.example' }, { kid: 'x' }))
    await outcome('x.y.z')

    expect(bench.fetches()).toBe(0)
  })

  test('JWK-01 are one in half a minute for a flood of unknown key ids', async () => {
    await outcome()
    bench.clock.advance(1)
    const flood = (): Promise<string[]> =>
      Promise.all(Array.from({ length: 1_000 }, (_, at) => outcome(unknown(`k${at}-${Math.random()}`))))

    expect(new Set(await flood())).toEqual(new Set(['key_unknown']))
    expect(await outcome()).toBe('accepted')
    expect(bench.fetches()).toBe(2)
    await flood()
    expect(bench.fetches()).toBe(2)
    bench.clock.advance(UNKNOWN_KEY_SECONDS)
    await flood()
    await vi.waitFor(() => expect(bench.fetches()).toBeGreaterThan(2))
    await flood()
    expect(bench.fetches()).toBeLessThanOrEqual(4)
  })

  test('JWK-01 are one for a flood that is the first thing that a verifier sees', async () => {
    await Promise.all(Array.from({ length: 500 }, (_, at) => outcome(unknown(`k${at}`))))
    await outcome(unknown('another'))

    expect(bench.fetches()).toBe(1)
  })

  test('ask for the copy that the broker has, and take no other kind of answer', async () => {
    const seen: unknown[] = []
    bench.answer((request, response) => {
      seen.push(request.method, request.url, request.headers['cache-control'])
      answerWith({ keys: [bench.es256.jwk] })(request, response)
    })

    expect(await outcome()).toBe('accepted')
    expect(seen).toEqual(['GET', '/.well-known/jwks.json', 'no-cache'])
  })
})

describe('age', () => {
  test('a set is looked at again after half a minute, and nobody waits for that', async () => {
    await outcome()
    bench.clock.advance(FRESH_SECONDS)
    let release = (): void => undefined
    // Whoever waited would wait for good.
    vi.spyOn(AbortSignal, 'timeout').mockReturnValue(new AbortController().signal)
    bench.answer((request, response) => {
      release = () => answerWith({ keys: [bench.es256.jwk] })(request, response)
    })

    expect(await outcome()).toBe('accepted')
    await vi.waitFor(() => expect(bench.fetches()).toBe(2))
    expect(await outcome()).toBe('accepted')
    expect(bench.fetches()).toBe(2)
    release()
  })

  test('after a minute the next token waits for the look: a revoked key is refused at once', async () => {
    await outcome()
    bench.publish([bench.rs256.jwk])
    bench.clock.advance(WAIT_SECONDS)

    expect(await outcome()).toBe('key_unknown')
  })

  test('JWK-07 what the answer says of caching changes nothing', async () => {
    for (const cacheControl of ['max-age=31536000, immutable', 'max-age=0, no-store', 'max-age=-1', 'max-age=x']) {
      verifier = bench.verifier()
      bench.answer(answerWith({ keys: [bench.es256.jwk] }, { 'cache-control': cacheControl }))
      const before = bench.fetches()
      await outcome()
      bench.clock.advance(FRESH_SECONDS - 1)
      await outcome()
      expect(bench.fetches()).toBe(before + 1)
      bench.publish([bench.rs256.jwk])
      bench.clock.advance(WAIT_SECONDS)
      expect(await outcome()).toBe('key_unknown')
    }
  })

  test('a clock that is set back makes a set no younger', async () => {
    await outcome()
    bench.clock.advance(-30)
    bench.publish([bench.rs256.jwk])

    expect(await outcome(bench.token({ iat: bench.clock.now(), exp: bench.clock.now() + 60 }))).toBe('key_unknown')
  })
})

describe('rotation and revocation', () => {
  test('a key that was not published before is taken with its first token', async () => {
    await outcome()
    bench.clock.advance(1)
    const next = await generateStandInKey('ES256', 'next')
    bench.publish([bench.es256.jwk, next.jwk])
    const token = bench.forge({ alg: 'ES256', kid: 'next', typ: 'at+jwt' }, bench.claims(), signerOf(next))

    expect(await outcome(token)).toBe('accepted')
    expect(await outcome()).toBe('accepted')
  })

  test('a token of a new key waits for a look that is under way, also while it could not cause one', async () => {
    await outcome()
    bench.clock.advance(1)
    bench.answer((_, response) => void response.writeHead(500).end())
    await outcome(unknown('other'))
    bench.clock.advance(FRESH_SECONDS - 1)
    const next = await generateStandInKey('ES256', 'next')
    let release = (): void => undefined
    bench.answer((request, response) => {
      release = () => answerWith({ keys: [bench.es256.jwk, next.jwk] })(request, response)
    })
    await outcome()
    await vi.waitFor(() => expect(bench.fetches()).toBe(3))
    const judged = outcome(bench.forge({ alg: 'ES256', kid: 'next', typ: 'at+jwt' }, bench.claims(), signerOf(next)))
    release()

    expect(await judged).toBe('accepted')
    expect(bench.fetches()).toBe(3)
  })

  test('a revoked key goes with the look after half a minute', async () => {
    await outcome()
    bench.publish([bench.rs256.jwk])
    bench.clock.advance(FRESH_SECONDS)

    expect(await outcomeAfterLook(bench.token())).toBe('key_unknown')
  })

  test('a revoked key goes with the first token of a key that nobody knew', async () => {
    await outcome()
    bench.clock.advance(1)
    bench.publish([bench.rs256.jwk])
    await outcome(unknown('new'))

    expect(await outcome()).toBe('key_unknown')
  })

  test('JWK-06 two keys under one id are none, whatever their order', async () => {
    const twin = await generateStandInKey('ES256', 'es')
    for (const members of [
      [bench.es256.jwk, twin.jwk],
      [twin.jwk, bench.es256.jwk, bench.es256.jwk],
    ]) {
      bench.publish([...members, bench.rs256.jwk])
      verifier = bench.verifier()
      expect(await outcome()).toBe('key_unknown')
    }
    bench.publish([bench.es256.jwk, bench.es256.jwk])
    verifier = bench.verifier()
    expect(await outcome()).toBe('accepted')
  })
})

describe('unsuitable keys', () => {
  const pair = (bits: number, publicExponent = 65_537): object => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: bits, publicExponent })
    return { ...publicKey.export({ format: 'jwk' }), kid: 'es', alg: 'RS256', use: 'sig' }
  }
  const p384 = (): object => generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' })
  const UNSUITABLE: readonly (readonly [string, () => unknown])[] = [
    ['a private key', () => ({ ...bench.es256.jwk, d: 'AA' })],
    ['a key for encryption', () => ({ ...bench.es256.jwk, use: 'enc' })],
    ['a key for anything', () => ({ ...bench.es256.jwk, use: undefined })],
    ['a key without alg', () => ({ ...bench.es256.jwk, alg: undefined })],
    ['a key for another algorithm', () => ({ ...bench.es256.jwk, alg: 'ES384' })],
    ['a key of the other type', () => ({ ...bench.es256.jwk, alg: 'RS256' })],
    ['a curve that does not fit', () => ({ ...bench.es256.jwk, crv: 'P-384' })],
    ['a point that is not on the curve', () => ({ ...bench.es256.jwk, x: bench.es256.jwk.y })],
    ['a secret', () => ({ kty: 'oct', k: 'AAAA', kid: 'es', alg: 'HS256', use: 'sig' })],
    ['a key without an id', () => ({ ...bench.es256.jwk, kid: undefined })],
    ['RSA of 1,024 bits', () => pair(1_024)],
    ['RSA with the exponent 3', () => pair(2_048, 3)],
    ['RSA of 8,192 bits', () => ({ ...pair(2_048), n: Buffer.alloc(1_024, 0xff).toString('base64url') })],
    ['a key of another curve under a name of ours', () => ({ ...p384(), kid: 'es', alg: 'ES256', use: 'sig' })],
    ['no object', () => 'key'],
  ]

  test.each(UNSUITABLE)('JWT-05 %s is not used, and spoils no other', async (_, member) => {
    bench.publish([member(), bench.rs256.jwk])
    const other = bench.forge({ alg: 'RS256', kid: 'rs', typ: 'at+jwt' }, bench.claims(), signerOf(bench.rs256))

    expect(await outcome(other)).toBe('accepted')
    expect(await outcome()).toBe('key_unknown')
  })
})
