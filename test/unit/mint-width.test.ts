/** ES256 signatures of every width. OpenSSL answers for itself elsewhere; here it is told what numbers to have found. */

import * as crypto from 'node:crypto'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { signJws } from '../../src/tokens/private-keys.ts'
import { makeSigningKey } from '../support/made-keys.ts'

vi.mock('node:crypto', async (original) => ({ ...(await original<object>()), sign: vi.fn() }))

const { privateKey } = await makeSigningKey('ES256')

/** Signs with these two numbers. */
function signatureOf(r: bigint, s: bigint): string {
  const numbers = Buffer.concat([integer(r), integer(s)])
  const der = Buffer.concat([Buffer.from([0x30, numbers.length]), numbers])
  vi.mocked(crypto.sign as unknown as () => Buffer).mockReturnValue(der)

  return signJws(privateKey, 'ES256', Buffer.alloc(1)).toString('hex')
}

/** As few bytes as the number takes, and one more where the first would look like a sign. */
function integer(number: bigint): Buffer {
  const digits = number.toString(16)
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
  const unsigned = bytes.readUInt8(0) > 0x7f ? Buffer.concat([Buffer.from([0]), bytes]) : bytes
  return Buffer.concat([Buffer.from([0x02, unsigned.length]), unsigned])
}

function fixed(number: bigint): string {
  return number.toString(16).padStart(64, '0')
}

test('both numbers stand in 32 bytes each, however short they are', () => {
  const number = fc.oneof(
    fc.nat(256).chain((bits) => fc.bigInt({ min: 1n, max: (1n << BigInt(Math.max(bits, 1))) - 1n })),
    fc.constantFrom(1n, 127n, 128n, 255n, 256n, (1n << 248n) - 1n, 1n << 248n, 1n << 255n, (1n << 256n) - 1n),
  )
  const property = fc.property(number, number, (r, s) => {
    expect(signatureOf(r, s)).toBe(fixed(r) + fixed(s))
  })

  fc.assert(property, { numRuns: 1_000 })
})
