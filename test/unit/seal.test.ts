/** Sealing: what is sealed opens with the same key, for the same purpose, unchanged, and in no other case. */

import { createCipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SettingsError } from '../../providers/contract/errors.ts'
import { createSealer, type Sealer } from '../../src/store/seal.ts'

const KEY = Buffer.alloc(32, 1)
const OTHER_KEY = Buffer.alloc(32, 2)
const SECRET = Buffer.from('a secret that nobody may read')

const keyed = createSealer([KEY])
const plain = createSealer([])

function errorOf(open: () => unknown): SettingsError {
  try {
    open()
  } catch (error) {
    if (error instanceof SettingsError) return error
    throw error
  }
  throw new Error('not refused')
}

describe('a secret', () => {
  test.each([
    ['a key', keyed],
    ['no key', plain],
  ])('comes back as it was, under %s', (_what, sealer) => {
    const property = fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (secret, context) => {
      expect([...sealer.open(sealer.seal(secret, context), context)]).toEqual([...secret])
    })

    fc.assert(property, { numRuns: 200 })
  })

  test('is not to be seen in what is kept, and looks different each time', () => {
    const [one, other] = [keyed.seal(SECRET, 'c'), keyed.seal(SECRET, 'c')]

    expect(one).not.toBe(other)
    expect(Buffer.from(one.split('.')[1] ?? '', 'base64url').includes(SECRET)).toBe(false)
  })

  test('opens under a key that was put behind a new one, which seals from then on', () => {
    const rotated = createSealer([OTHER_KEY, KEY])

    expect(rotated.open(keyed.seal(SECRET, 'c'), 'c')).toEqual(SECRET)
    expect(createSealer([OTHER_KEY]).open(rotated.seal(SECRET, 'c'), 'c')).toEqual(SECRET)
  })
})

describe('does not open', () => {
  test.each<[string, Sealer, string, string]>([
    ['under another key', createSealer([OTHER_KEY]), keyed.seal(SECRET, 'c'), 'c'],
    ['for another purpose', keyed, keyed.seal(SECRET, 'c'), 'd'],
    ['for no purpose', keyed, keyed.seal(SECRET, 'c'), ''],
    ['where it was kept in the clear, which anybody could have written', keyed, plain.seal(SECRET, 'c'), 'c'],
    ['without a key, where it was sealed with one', plain, keyed.seal(SECRET, 'c'), 'c'],
    ['where it is empty', keyed, '', 'c'],
    ['where it is empty and there is no key', plain, '', 'c'],
    ['where it is too short to be anything', keyed, 'aes256gcm.AAAA', 'c'],
    ['where nothing but nonce and tag are there, and were not made here', keyed, `aes256gcm.${'A'.repeat(38)}`, 'c'],
    ['where it is of another kind', plain, 'aes128.AAAA', 'c'],
  ])('%s', (_what, sealer, sealed, context) => {
    expect(errorOf(() => sealer.open(sealed, context)).name).toBe('SettingsError')
  })

  test('where any bit of it was changed', () => {
    const bytes = Buffer.from(keyed.seal(SECRET, 'c').split('.')[1] ?? '', 'base64url')
    const property = fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(at) ^ mask, at)

      errorOf(() => keyed.open(`aes256gcm.${changed.toString('base64url')}`, 'c'))
    })

    fc.assert(property, { numRuns: 300 })
  })

  test('where it was cut short, by any length', () => {
    const bytes = Buffer.from(keyed.seal(SECRET, 'c').split('.')[1] ?? '', 'base64url')

    for (let length = 0; length < bytes.length; length++) {
      errorOf(() => keyed.open(`aes256gcm.${bytes.subarray(0, length).toString('base64url')}`, 'c'))
    }
  })

  test.each<[string, () => unknown, RegExp]>([
    ['of a wrong key', () => createSealer([OTHER_KEY]).open(keyed.seal(SECRET, 'c'), 'c'), /give the key/],
    ['of a missing key', () => plain.open(keyed.seal(SECRET, 'c'), 'c'), /set CHANCERY_KEY_ENCRYPTION_KEY/],
    ['of a store without one', () => keyed.open(plain.seal(SECRET, 'c'), 'c'), /start with a new store/],
  ])('and then says what to do, %s, and nothing else', (_what, open, advice) => {
    const error = errorOf(open)

    expect(error.message).toMatch(advice)
    const told = inspect(error, { depth: null })
    expect(
      [SECRET.toString('base64url'), KEY.toString('base64'), KEY.toString('hex')].filter((s) => told.includes(s)),
    ).toEqual([])
  })
})

describe('a code', () => {
  test('is the holder’s of any of the keys, for this text alone', () => {
    const code = keyed.authenticate('text')

    expect(keyed.isAuthentic('text', code)).toBe(true)
    expect(createSealer([OTHER_KEY, KEY]).isAuthentic('text', code)).toBe(true)
    expect(keyed.isAuthentic('text ', code)).toBe(false)
    expect(createSealer([OTHER_KEY]).isAuthentic('text', code)).toBe(false)
  })

  test('is made with the first of the keys', () => {
    const code = createSealer([OTHER_KEY, KEY]).authenticate('text')

    expect(createSealer([OTHER_KEY]).isAuthentic('text', code)).toBe(true)
  })

  test('is never just any text', () => {
    const property = fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (code) => {
      expect(keyed.isAuthentic('text', code)).toBe(false)
    })

    fc.assert(property, { numRuns: 200 })
  })

  test('that is as long as a right one but of other characters is wrong, and no accident', () => {
    expect(keyed.isAuthentic('text', 'é'.repeat(keyed.authenticate('text').length))).toBe(false)
  })

  test('is not made with the operator’s key itself, nor with the one that seals', () => {
    const direct = createHmac('sha256', KEY).update('text').digest('base64url')

    expect(keyed.authenticate('text')).not.toBe(direct)
    errorOf(() => keyed.open(`aes256gcm.${keyed.authenticate('text')}`, 'text'))
  })

  test('is empty without a key, and only an empty one is believed then', () => {
    expect(plain.authenticate('text')).toBe('')
    expect(plain.isAuthentic('text', '')).toBe(true)
    expect(plain.isAuthentic('text', keyed.authenticate('text'))).toBe(false)
    expect(keyed.isAuthentic('text', '')).toBe(false)
  })
})

describe('what a store holds', () => {
  /** The operator's key makes one for each use. */
  const keyFor = (use: string) => Buffer.from(hkdfSync('sha256', KEY, '', `chancery ${use} v1`, 32))

  test('opens though another version of us has sealed it', () => {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', keyFor('secrets'), nonce)
    cipher.setAAD(Buffer.from('purpose'))
    const sealed = Buffer.concat([nonce, cipher.update(SECRET), cipher.final(), cipher.getAuthTag()])

    expect(keyed.open(`aes256gcm.${sealed.toString('base64url')}`, 'purpose')).toEqual(SECRET)
  })

  test('is believed though another version of us has vouched for it', () => {
    const code = createHmac('sha256', keyFor('texts')).update('text').digest('base64url')

    expect(keyed.authenticate('text')).toBe(code)
  })
})

test('a sealer says whether it has a key', () => {
  expect(keyed.isKeyed).toBe(true)
  expect(plain.isKeyed).toBe(false)
  expect(createSealer([randomBytes(32), randomBytes(32)]).isKeyed).toBe(true)
})
