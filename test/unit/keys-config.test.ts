/** The settings of `chancery keys`, as the broker on the same store has them. */

import { describe, expect, test } from 'vitest'
import { readKeysConfig } from '../../src/config.ts'

const KEY = Buffer.alloc(32, 1).toString('base64')

describe('what chancery keys needs', () => {
  test('is read from the same settings as for serve, and nothing else is asked for', () => {
    const env = { CHANCERY_STORE: 'sqlite:/a.db', CHANCERY_KEY_ROTATION_DAYS: '7', CHANCERY_KEY_ENCRYPTION_KEY: KEY }
    const expected = {
      store: { kind: 'sqlite', path: '/a.db' },
      keyRotationSeconds: 604_800,
      keyEncryptionKeys: [Buffer.alloc(32, 1)],
    }

    expect(readKeysConfig({}, { ...env, CHANCERY_LISTEN: 'x' })).toEqual(expected)
    expect(readKeysConfig({ store: 'sqlite:/b.db' }, env)).toEqual({
      ...expected,
      store: { kind: 'sqlite', path: '/b.db' },
    })
    expect(readKeysConfig({}, {})).toEqual({
      store: { kind: 'sqlite', path: './chancery.db' },
      keyRotationSeconds: 2_592_000,
      keyEncryptionKeys: [],
    })
  })

  test.each([
    [{ store: 'postgres://x' }, {}, '--store'],
    [{}, { CHANCERY_KEY_ROTATION_DAYS: '1' }, 'CHANCERY_KEY_ROTATION_DAYS'],
    [{}, { CHANCERY_KEY_ENCRYPTION_KEY: 'x' }, 'CHANCERY_KEY_ENCRYPTION_KEY'],
    [{}, { CHANCERY_STROE: 'x' }, 'CHANCERY_STROE'],
  ])('is refused by name: %j %j', (flags, env, name) => {
    expect(() => readKeysConfig(flags, env)).toThrow(`${name}: `)
  })
})
