/** A store that is a database, as flags and environment say where it is. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SettingsError } from '../../providers/contract/errors.ts'
import { type Environment, type Flags, readKeysConfig, readServeConfig } from '../../src/config.ts'
import { makeScratch } from '../support/scratch.ts'

const KEY = { CHANCERY_KEY_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64') }
const USUAL: Flags = { issuer: 'https://broker.example', federation: 'federation.json' }
const LOCAL = 'postgres://chancery@127.0.0.1/chancery'

const read = (flags: Flags, env: Environment = {}) => readServeConfig({ ...USUAL, ...flags }, env)

function problemsOf(flags: Flags, env: Environment = {}): SettingsError['problems'] {
  try {
    read(flags, env)
    return []
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return error.problems
  }
}

const wrongIn = (flags: Flags, env: Environment = {}) => problemsOf(flags, env).map(({ path }) => path.join())

test('is named by the flag or the variable, for serve and for keys', () => {
  const store = { kind: 'postgres', host: '127.0.0.1', user: 'chancery', database: 'chancery' }

  expect(read({ store: LOCAL }).store).toMatchObject(store)
  expect(read({}, { CHANCERY_STORE: LOCAL }).store).toMatchObject(store)
  expect(readKeysConfig({}, { CHANCERY_STORE: LOCAL }).store).toMatchObject(store)
})

describe('its password', () => {
  const file = (text: string): string => {
    const path = join(makeScratch(), 'password')
    writeFileSync(path, text)
    return path
  }

  test('is in the URL, or in a file that a variable names', () => {
    const path = file('s3cret')

    expect(read({ store: 'postgres://u:s3cret@127.0.0.1/d' }).store).toMatchObject({ password: 's3cret' })
    const env = { CHANCERY_STORE_PASSWORD_FILE: path }
    expect(read({ store: LOCAL }, env).store).toMatchObject({ password: undefined, passwordFile: path })
    expect(readKeysConfig({ store: LOCAL }, env).store).toMatchObject({ passwordFile: path })
  })

  test('is not in both, nor in a file that cannot be read, nor that of a file', () => {
    const env = { CHANCERY_STORE_PASSWORD_FILE: file('s3cret') }

    expect(wrongIn({ store: 'postgres://u:s3cret@127.0.0.1/d' }, env)).toEqual(['CHANCERY_STORE_PASSWORD_FILE'])
    expect(wrongIn({}, env)).toEqual(['CHANCERY_STORE_PASSWORD_FILE'])
    expect(wrongIn({ store: LOCAL }, { CHANCERY_STORE_PASSWORD_FILE: '/nowhere' })).toEqual([
      'CHANCERY_STORE_PASSWORD_FILE',
    ])
  })

  test('is never repeated', () => {
    const problems = [
      ...problemsOf({ store: 'postgres://u:s3cret@db.example/d?sslmode=disable' }),
      ...problemsOf({ audit: 'postgres://u:s3cret@db.example/d' }),
      ...problemsOf({ store: 'postgres://u:s3cret@127.0.0.1/d' }, { CHANCERY_STORE_PASSWORD_FILE: file('s3cret') }),
    ]

    expect(problems).toHaveLength(3)
    expect(JSON.stringify(problems)).not.toContain('s3cret')
  })
})

test('holds signing keys that are encrypted, where it is not on this machine', () => {
  const store = 'postgres://u@db.example/d'

  expect(wrongIn({ store })).toEqual(['CHANCERY_KEY_ENCRYPTION_KEY'])
  expect(problemsOf({ store })[0]?.message).toContain('is required where the store is not on this machine')
  expect(wrongIn({ store }, KEY)).toEqual([])
  expect(wrongIn({ store: LOCAL })).toEqual([])
  expect(wrongIn({ store: 'postgres:///d?host=/run/postgresql&user=u' })).toEqual([])
})

test('keeps the audit records, too, where that is asked for, and no other store does', () => {
  expect(read({ store: LOCAL, audit: 'postgres' }).audit).toEqual({ kind: 'postgres' })
  expect(wrongIn({ audit: 'postgres' })).toEqual(['--audit'])
  expect(problemsOf({ audit: 'postgres' })[0]?.message).toContain('postgres://USER@HOST/DATABASE')
})
