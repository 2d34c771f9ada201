/** Attacks on the keys that tokens are signed with: open to others, too weak, or of a kind that nobody verifies. */

import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SettingsError } from '../../providers/contract/errors.ts'
import { startTestBroker } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { documentFor } from '../support/document.ts'
import { CLUSTER } from '../support/federation-parts.ts'
import { type KeyFiles, makeEc, makeKeyFiles, makeRsa, toPem } from '../support/key-files.ts'
import { runChancery } from '../support/process.ts'
import { makeScratch } from '../support/scratch.ts'
import { fillStore } from '../support/vault.ts'

const ec = makeEc()
const rsa = makeRsa()

/** A directory with a key of each algorithm, as it should be. */
async function goodFiles(): Promise<KeyFiles> {
  const files = makeKeyFiles()
  await files.put('ec.pem', ec)
  await files.put('rsa.pem', rsa)
  return files
}

/** Tries to start a broker, and gives what it is stopped for. */
async function stopsOf(
  flags: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  try {
    const broker = await startTestBroker({ clock: createTestClock(), document: documentFor(CLUSTER), flags, env })
    await broker.stop()
    return []
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return error.problems.map(({ message }) => message)
  }
}

test('CFG-07 keys as they should be are no reason to stop', async () => {
  const { directory } = await goodFiles()

  expect(await stopsOf({ 'signing-keys': directory })).toEqual([])
})

describe('a signing key that is open to others', () => {
  test.each([0o604, 0o602, 0o644, 0o444, 0o666, 0o777])('CFG-07 stops the boot: mode %o', async (mode) => {
    const files = await goodFiles()
    files.write('rsa.pem', toPem(rsa), mode)

    expect(await stopsOf({ 'signing-keys': files.directory })).toEqual([
      expect.stringMatching(/^--signing-keys: rsa\.pem is open to every account of the machine/),
    ])
  })

  test.each([0o604, 0o602, 0o644, 0o666])(
    'CFG-07 stops the boot where it is in the store, in the clear: mode %o',
    async (mode) => {
      const path = join(makeScratch(), 'store.db')
      await fillStore(path, [], 1)
      chmodSync(path, mode)

      expect(await stopsOf({ store: `sqlite:${path}` })).toEqual([
        expect.stringMatching(/^--store: .* open to every account of the machine/),
      ])
    },
  )
})

test('CFG-07 a store that is open to others is no reason to stop where its keys are encrypted', async () => {
  const path = join(makeScratch(), 'store.db')
  const key = Buffer.alloc(32, 1)
  await fillStore(path, [key], 1)
  chmodSync(path, 0o644)

  expect(await stopsOf({ store: `sqlite:${path}` }, { CHANCERY_KEY_ENCRYPTION_KEY: key.toString('base64') })).toEqual(
    [],
  )
})

describe('a signing key that is too weak, or of a kind that nobody verifies', () => {
  const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2_048 }).privateKey
  test.each<[string, KeyObject, RegExp]>([
    ['RSA of 512 bits', makeRsa(512), /has 512 bits/],
    ['RSA of 1,024 bits', makeRsa(1_024), /has 1024 bits/],
    ['RSA of 2,047 bits', makeRsa(2_047), /has 2047 bits/],
    ['RSA of 4,160 bits', makeRsa(4_160), /has 4160 bits/],
    ['RSA with the exponent 3', makeRsa(2_048, 3), /public exponent below 65537/],
    ['RSA for PSS alone', pss, /of the kind rsa-pss/],
    ['P-384', makeEc('P-384'), /a curve that is not P-256/],
    ['P-521', makeEc('P-521'), /a curve that is not P-256/],
    ['secp256k1', makeEc('secp256k1'), /a curve that is not P-256/],
    ['brainpoolP256r1', makeEc('brainpoolP256r1'), /a curve that is not P-256/],
    ['Ed25519', generateKeyPairSync('ed25519').privateKey, /of the kind ed25519/],
    ['X25519', generateKeyPairSync('x25519').privateKey, /of the kind x25519/],
    ['DSA', generateKeyPairSync('dsa', { modulusLength: 2_048, divisorLength: 256 }).privateKey, /of the kind dsa/],
  ])('CFG-07 stops the boot: %s', async (_what, key, problem) => {
    const files = await goodFiles()
    files.write('odd.pem', toPem(key))

    const stops = await stopsOf({ 'signing-keys': files.directory })

    expect(stops).toEqual([expect.stringMatching(problem)])
    expect(stops[0]).toMatch(/^--signing-keys: odd\.pem /)
  })

  test('CFG-07 every one of them is told, and not the first alone', async () => {
    const files = await goodFiles()
    await files.put('weak.pem', makeRsa(1_024))
    await files.put('odd.pem', makeEc('P-384'))

    expect(await stopsOf({ 'signing-keys': files.directory })).toHaveLength(2)
  })
})

test.each<[string, (files: KeyFiles) => unknown, RegExp]>([
  ['open to others', (files) => chmodSync(join(files.directory, 'ec.pem'), 0o644), /ec\.pem is open to every account/],
  ['of 1,024 bits', (files) => files.put('rsa.pem', makeRsa(1_024)), /rsa\.pem has 1024 bits/],
  ['on another curve', (files) => files.put('ec.pem', makeEc('secp256k1')), /ec\.pem is on a curve/],
])(
  'CFG-07 a process with a signing key that is %s ends with 2, and shows nothing of it',
  async (_what, spoil, problem) => {
    const files = await goodFiles()
    await spoil(files)
    const scratch = makeScratch()
    writeFileSync(join(scratch, 'federation.json'), JSON.stringify(documentFor(CLUSTER)))

    const { code, out, err } = await runChancery([
      ...['serve', '--issuer', 'http://127.0.0.1:1', '--listen', '127.0.0.1:0', '--signing-keys', files.directory],
      ...['--federation', join(scratch, 'federation.json'), '--store', `sqlite:${join(scratch, 'store.db')}`],
    ])

    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(problem)
    expect(err).not.toContain('PRIVATE KEY')
  },
)
