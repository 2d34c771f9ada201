/** Signing keys out of a real store: opened only as they were sealed, and only as the ring that they were put in as. */

import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { SettingsError } from '../../providers/contract/errors.ts'
import { createKeyRing } from '../../src/tokens/key-ring.ts'
import { SIGNING_ALGORITHMS } from '../../src/tokens/signing-key.ts'
import { makeVault, type Vault } from '../support/vault.ts'

const KEY = Buffer.alloc(32, 1)
const OTHER_KEY = Buffer.alloc(32, 2)

const NEVER_SIGNS = () => Buffer.alloc(0)

async function idsIn(vault: Vault, keys: readonly Uint8Array[]): Promise<readonly string[]> {
  return (await vault.load(keys)).keys.map(({ keyId }) => keyId)
}

async function messageOf(vault: Vault, keys: readonly Uint8Array[]): Promise<string> {
  const error = await vault.load(keys).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(SettingsError)
  return (error as SettingsError).message
}

test('a store holds nothing that opens without the operator’s key', async () => {
  const vault = makeVault()
  await vault.load([KEY])

  const [ring, file] = [await (await vault.open()).signingKeys(), readFileSync(`${vault.path}-wal`)]
  const secrets = (await vault.held([KEY])).map(({ privateKey }) =>
    privateKey?.export({ type: 'pkcs8', format: 'der' }),
  )
  expect(ring.keys.map(({ sealed }) => sealed.split('.')[0])).toEqual(Array(4).fill('aes256gcm'))
  expect(secrets.filter((secret) => secret !== undefined)).toHaveLength(4)
  for (const secret of secrets) {
    expect(file.includes(secret ?? '') || file.includes(secret?.toString('base64url') ?? '')).toBe(false)
  }
})

describe('keys do not open', () => {
  const current = (algorithm: string): string => `algorithm = '${algorithm}' AND state = 'current'`

  test.each([
    ['its state, to one that signs no more', `UPDATE signing_keys SET state = 'retired' WHERE ${current('ES256')}`],
    [
      'its state, to one that does not sign yet',
      `DELETE FROM signing_keys WHERE state = 'next'; UPDATE signing_keys SET state = 'next' WHERE ${current('RS256')}`,
    ],
    [
      'its state, to one that signs',
      `DELETE FROM signing_keys WHERE ${current('ES256')}; UPDATE signing_keys SET state = 'current' WHERE algorithm = 'ES256'`,
    ],
    ['its holder', `UPDATE signing_keys SET held = 'file' WHERE ${current('ES256')}`],
    ['its time of publication', 'UPDATE signing_keys SET published_at = published_at + 1'],
    ['its time', 'UPDATE signing_keys SET since = since - 1'],
    [
      'how long it has been public',
      `UPDATE signing_keys SET published_uptime = published_uptime + 1 WHERE state = 'next'`,
    ],
    ['how long it has been so', `UPDATE signing_keys SET since_uptime = 1 WHERE ${current('RS256')}`],
    ['its id', `UPDATE signing_keys SET key_id = 'x' WHERE ${current('ES256')}`],
    [
      'its algorithm',
      `DELETE FROM signing_keys WHERE algorithm = 'RS256'; UPDATE signing_keys SET algorithm = 'RS256'`,
    ],
    [
      'its secret, for another key’s',
      `UPDATE signing_keys SET sealed = (SELECT sealed FROM signing_keys WHERE ${current('RS256')}) WHERE ${current('ES256')}`,
    ],
    ['its secret, to nothing', `UPDATE signing_keys SET sealed = ''`],
    ['the number of the ring', 'UPDATE key_ring SET version = version + 1'],
    ['the code of the ring', `UPDATE key_ring SET code = ''`],
    ['the uptime', `UPDATE key_ring SET uptime = 1000000`],
    ['how many there are: one was taken out', `DELETE FROM signing_keys WHERE state = 'next' AND algorithm = 'ES256'`],
    ['how many there are: none is left', 'DELETE FROM signing_keys'],
  ])('where somebody changed %s', async (_what, sql) => {
    const vault = makeVault()
    await vault.load([KEY])
    vault.edit(sql)

    expect(await messageOf(vault, [KEY])).toMatch(/^(--store|CHANCERY_KEY_ENCRYPTION_KEY): /)
  })

  test('where a key was put back that had been revoked, though it opens by itself', async () => {
    const vault = makeVault()
    await vault.load([KEY])
    vault.edit(`CREATE TABLE stolen AS SELECT * FROM signing_keys WHERE ${current('ES256')}`)
    const ringStore = await vault.ringStore([KEY])
    const ring = await ringStore.read()
    const keys = ring.keys.filter(({ algorithm, state }) => algorithm !== 'ES256' || state !== 'current')
    await ringStore.write(ring, { ...ring, keys })
    vault.edit('INSERT INTO signing_keys SELECT * FROM stolen')

    expect(await messageOf(vault, [KEY])).toContain('its signing keys were changed by hand')
  })

  test('and the message names the one', async () => {
    const vault = makeVault()
    const { keys } = await vault.load([KEY])
    const spoilt = keys.find(({ state }) => state === 'next')?.keyId ?? ''
    vault.edit(`UPDATE signing_keys SET since = 1 WHERE key_id = '${spoilt}'`)

    expect(await messageOf(vault, [KEY])).toContain(`(${spoilt})`)
  })

  test.each<[string, readonly Uint8Array[], readonly Uint8Array[], RegExp]>([
    ['with another key', [KEY], [OTHER_KEY], /give the key that it was sealed with/],
    ['without the key', [KEY], [], /set CHANCERY_KEY_ENCRYPTION_KEY/],
    ['with a key, where they were kept without', [], [KEY], /start with a new store/],
  ])('%s, and none are made in their place', async (_what, before, after, advice) => {
    const vault = makeVault()
    const made = await idsIn(vault, before)

    expect(await messageOf(vault, after)).toMatch(advice)

    expect(await idsIn(vault, before)).toEqual(made)
  })

  test('where one of them is in the clear, though the others are sealed', async () => {
    const [vault, forged] = [makeVault(), makeVault()]
    await vault.load([KEY])
    await forged.load([])
    const ring = await (await forged.open()).signingKeys()
    const row = ring.keys.find(({ state }) => state === 'current')
    vault.edit(
      `UPDATE signing_keys SET key_id = '${row?.keyId}', sealed = '${row?.sealed}' WHERE ${current(row?.algorithm ?? '')}`,
    )

    expect(await messageOf(vault, [KEY])).toContain('in the clear')
  })

  test('with any secret in what is told', async () => {
    const vault = makeVault()
    await vault.load([KEY])
    const ring = await (await vault.open()).signingKeys()

    const error = await vault.load([OTHER_KEY]).catch((thrown: unknown) => thrown)

    const told = inspect(error, { depth: null })
    expect(ring.keys.filter(({ sealed }) => told.includes(sealed.split('.')[1] ?? ''))).toEqual([])
    expect(told).not.toContain(OTHER_KEY.toString('base64'))
  })
})

describe('keys open', () => {
  test('under a key that was put behind a new one', async () => {
    const vault = makeVault()
    const made = await idsIn(vault, [KEY])

    expect(await idsIn(vault, [OTHER_KEY, KEY])).toEqual(made)
  })

  test('under the new one alone when they were written once more', async () => {
    const vault = makeVault()
    const made = await idsIn(vault, [KEY])
    const ringStore = await vault.ringStore([OTHER_KEY, KEY])
    const ring = await ringStore.read()

    expect(await ringStore.write(ring, { ...ring, keys: ring.keys.map((key) => ({ ...key })) })).toBe(true)

    expect(await idsIn(vault, [OTHER_KEY])).toEqual(made)
  })

  test('again after any other process has changed them', async () => {
    const vault = makeVault()
    await vault.load([KEY])
    const [one, other] = [await vault.ringStore([KEY]), await vault.ringStore([KEY])]
    const ring = await one.read()
    const kept = ring.keys.filter(({ state }) => state === 'current')

    expect(await other.write(await other.read(), { uptime: 7, keys: kept })).toBe(true)
    expect((await one.read()).uptime).toBe(7)

    expect((await one.read()).keys.map(({ keyId }) => keyId).sort()).toEqual(kept.map(({ keyId }) => keyId).sort())
    expect(await one.write(ring, ring)).toBe(false)
  })
})

test('a key that is written as it was read stays sealed as it is', async () => {
  const vault = makeVault()
  await vault.load([KEY])
  const sealedIn = async () =>
    new Map((await (await vault.open()).signingKeys()).keys.map((key) => [key.keyId, key.sealed]))
  const before = await sealedIn()
  const ringStore = await vault.ringStore([KEY])
  const ring = await ringStore.read()
  const [first, ...others] = ring.keys

  await ringStore.write(ring, { uptime: 99, keys: first === undefined ? [] : [{ ...first }, ...others] })

  const changed = [...(await sealedIn())].filter(([keyId, sealed]) => before.get(keyId) !== sealed)
  expect(changed.map(([keyId]) => keyId)).toEqual([first?.keyId])
  expect((await vault.held([KEY])).map(({ keyId }) => keyId).sort()).toEqual([...before.keys()].sort())
})

test('an older state that is put back under a process that has seen a newer one is refused by it', async () => {
  const vault = makeVault()
  await vault.load([KEY])
  vault.edit('CREATE TABLE old_ring AS SELECT * FROM key_ring; CREATE TABLE old_keys AS SELECT * FROM signing_keys')
  const ringStore = await vault.ringStore([KEY])
  const ring = await ringStore.read()
  await ringStore.write(ring, { ...ring, keys: ring.keys.filter(({ state }) => state === 'current') })
  await ringStore.read()

  vault.edit(
    'DELETE FROM key_ring; INSERT INTO key_ring SELECT * FROM old_ring; DELETE FROM signing_keys; INSERT INTO signing_keys SELECT * FROM old_keys',
  )

  await expect(ringStore.read()).rejects.toThrow('an older state of it was put back')
  expect((await vault.held([KEY])).length).toBe(4)
})

describe('without a key of the operator’s, still', () => {
  const ringOf = async (vault: Vault) => createKeyRing((await vault.load([])).keys, NEVER_SIGNS)

  test('a key whose row says another algorithm is not used for it', async () => {
    const vault = makeVault()
    await vault.load([])
    vault.edit(`DELETE FROM signing_keys WHERE algorithm = 'ES256'; UPDATE signing_keys SET algorithm = 'ES256'`)

    await expect(ringOf(vault)).rejects.toThrow(/no ES256 key/)
  })

  test('a key under another’s id is not published', async () => {
    const vault = makeVault()
    await vault.load([])
    vault.edit(`UPDATE signing_keys SET key_id = 'x' WHERE algorithm = 'ES256' AND state = 'next'`)

    await expect(ringOf(vault)).rejects.toThrow(/not what its id says/)
  })

  test.each(['store', 'file'])('a secret that is no key is refused (%s)', async (held) => {
    const vault = makeVault()
    await vault.load([])
    vault.edit(`UPDATE signing_keys SET sealed = 'plain.AAAA', held = '${held}' WHERE algorithm = 'ES256'`)

    await expect(ringOf(vault)).rejects.toThrow(/is no key/)
  })

  test.each(SIGNING_ALGORITHMS)(
    'a store that has lost its %s keys is refused, and gets no new ones',
    async (algorithm) => {
      const vault = makeVault()
      await vault.load([])
      vault.edit(`DELETE FROM signing_keys WHERE algorithm = '${algorithm}'`)

      await expect(ringOf(vault)).rejects.toThrow(`--store: no ${algorithm} key is current`)
      expect((await vault.held([])).filter((key) => key.algorithm === algorithm)).toEqual([])
    },
  )

  test('keys of a store whose count was set back are not replaced by new ones', async () => {
    const vault = makeVault()
    const made = await idsIn(vault, [])
    vault.edit('UPDATE key_ring SET version = 0, uptime = 0')

    expect(await idsIn(vault, [])).toEqual(made)
  })

  test('a store that has lost all its keys is refused, and gets no new ones', async () => {
    const vault = makeVault()
    await vault.load([])
    vault.edit('DELETE FROM signing_keys')

    await expect(ringOf(vault)).rejects.toThrow('--store: no ES256 key is current')
    expect(await vault.held([])).toEqual([])
  })
})
