/** Attacks with settings for development: they stay on loopback, and stop a boot beyond it. */

import { describe, expect, test } from 'vitest'
import type { Flags } from '../../src/config.ts'
import { runChancery } from '../support/process.ts'
import { expectStopped, stopsOf } from '../support/stopped-boot.ts'

const KEY = Buffer.alloc(32, 7).toString('base64')
const KEY_VARIABLE = 'CHANCERY_KEY_ENCRYPTION_KEY'
const KEY_FILE_VARIABLE = 'CHANCERY_KEY_ENCRYPTION_KEY_FILE'

const REQUIRED: Flags = { issuer: 'https://broker.example', federation: '/federation.json' }

const BEYOND_LOOPBACK = [
  '0.0.0.0:8443',
  '[::]:8080',
  '10.0.0.5:8080',
  '203.0.113.7:8080',
  '126.0.0.1:8080',
  '128.0.0.1:8080',
  '[fe80::1]:8080',
  '[::ffff:127.0.0.1]:8080',
]

describe('beyond loopback', () => {
  const env = { [KEY_VARIABLE]: KEY }

  test('CFG-09 what is right can be started', () => {
    for (const listen of BEYOND_LOOPBACK) expect(stopsOf({ ...REQUIRED, listen }, env)).toEqual([])
  })

  test.each(BEYOND_LOOPBACK)('CFG-09 no host may be insecure (%s)', (listen) => {
    const flags = { ...REQUIRED, listen, 'insecure-host': ['127.0.0.1:8081'] }

    expectStopped(['--insecure-host'], flags, env)
    expectStopped(['--insecure-host'], { ...REQUIRED, listen }, { ...env, CHANCERY_INSECURE_HOST: '127.0.0.1:8081' })
    expectStopped(['--insecure-host'], { ...flags, listen: undefined }, { ...env, CHANCERY_LISTEN: listen })
  })

  test.each(BEYOND_LOOPBACK)('CFG-09 the issuer is https (%s)', (listen) => {
    for (const issuer of ['http://127.0.0.1:8080', 'http://[::1]:8080', 'http://broker.example']) {
      expectStopped(['--issuer'], { ...REQUIRED, listen, issuer }, env)
      expectStopped(
        ['CHANCERY_ISSUER'],
        { ...REQUIRED, listen, issuer: undefined },
        { ...env, CHANCERY_ISSUER: issuer },
      )
    }
  })

  test.each(BEYOND_LOOPBACK)('CFG-09 signing keys are encrypted (%s)', (listen) => {
    expectStopped([KEY_VARIABLE], { ...REQUIRED, listen })
    expectStopped([KEY_VARIABLE], { ...REQUIRED, listen }, { [KEY_VARIABLE]: '' })
    expectStopped([KEY_FILE_VARIABLE], { ...REQUIRED, listen }, { [KEY_FILE_VARIABLE]: '/nowhere' })
  })

  test('CFG-09 everything that is wrong is told at once', () => {
    const flags = { federation: '/f', issuer: 'http://127.0.0.1:1', listen: '[::]:1', 'insecure-host': ['127.0.0.1:2'] }

    expectStopped(['--issuer', KEY_VARIABLE, '--insecure-host'], flags)
  })
})

test('CFG-09 on loopback all three are allowed', () => {
  const insecure = { 'insecure-host': ['127.0.0.1:8081'] }
  for (const listen of [undefined, '127.0.0.1:8080', '127.8.8.8:1', '[::1]:8080', 'localhost:8080'])
    for (const issuer of ['http://127.0.0.1:8080', 'http://[::1]:8080'])
      expect(stopsOf({ ...REQUIRED, ...insecure, issuer, listen })).toEqual([])
})

test.each([
  ['an insecure host', ['--listen', '0.0.0.0:0', '--insecure-host', '127.0.0.1:8081'], '--insecure-host', KEY],
  ['an http issuer', ['--listen', '0.0.0.0:0', '--issuer', 'http://127.0.0.1:8080'], '--issuer', KEY],
  ['no key-encryption key', ['--listen', '[::]:0'], KEY_VARIABLE, undefined],
])('CFG-09 a process that listens beyond loopback with %s ends with 2', async (_, args, name, key) => {
  const all = ['serve', '--issuer', 'https://broker.example', '--federation', '/nowhere.json', ...args]

  const { code, out, err } = await runChancery(all, key === undefined ? {} : { [KEY_VARIABLE]: key })

  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain(`chancery: ${name}: `)
})
