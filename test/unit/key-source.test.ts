/** Signing keys out of a real store: made once, opened only as they were sealed, never replaced by new ones. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { inspect } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { SettingsError } from '../../providers/contract/errors.ts'
import { createSealer } from '../../src/store/seal.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { createKeyRing, keyIdOf, SIGNING_ALGORITHMS, type SigningKey } from '../../src/tokens/key-ring.ts'
import { loadSigningKeys } from '../../src/tokens/key-source.ts'
import { makeScratch } from '../support/scratch.ts'

const NOW = 1_768_478_400
const KEY = Buffer.alloc(32, 1)
const OTHER_KEY = Buffer.alloc(32, 2)

interface Vault {
  readonly path: string
  readonly open: () => Promise<Store>
  /** Loads the keys, under these keys of the operator. */
  readonly load: (keys: readonly Uint8Array[], now?: number) => Promise<readonly SigningKey[]>
  /** Changes rows by hand. */
  readonly edit: (sql: string) => void
}

function makeVault(): Vault {
  const path = join(makeScratch(), 'store.db')
  const open = async (): Promise<Store> => {
    const store = await openSqliteStore(path)
    onTestFinished(() => store.close())
    return store
  }
  return {
    path,
    open,
    load: async (keys, now = NOW) => loadSigningKeys(await open(), createSealer(keys), now),
    edit(sql) {
      const database = new DatabaseSync(path)
      database.exec(sql)
      database.close()
    },
  }
}

function idsOf(keys: readonly SigningKey[]): readonly string[] {
  return keys.map(({ keyId }) => keyId)
}

describe('an empty store', () => {
  test('gets a current key of each algorithm, published now', async () => {
    const keys = await makeVault().load([KEY])

    expect(keys.map(({ algorithm, state, publishedAt }) => ({ algorithm, state, publishedAt }))).toEqual(
      expect.arrayContaining(
        SIGNING_ALGORITHMS.map((algorithm) => ({ algorithm, state: 'current', publishedAt: NOW })),
      ),
    )
    expect(keys).toHaveLength(2)
    for (const { keyId, privateKey } of keys) expect(keyId).toBe(await keyIdOf(privateKey))
    const details = Object.fromEntries(keys.map(({ algorithm, privateKey }) => [algorithm, privateKey]))
    expect(details.ES256?.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
    expect(details.RS256?.asymmetricKeyDetails).toEqual({ modulusLength: 2_048, publicExponent: 65_537n })
  })

  test('gets them once: whoever comes later finds the same', async () => {
    const vault = makeVault()
    const first = await vault.load([KEY])

    const second = await vault.load([KEY], NOW + 1_000)

    expect(idsOf(second)).toEqual(idsOf(first))
    expect(second.map(({ publishedAt }) => publishedAt)).toEqual([NOW, NOW])
  })

  test('gets them once though several come at the same time', async () => {
    const vault = makeVault()

    const found = await Promise.all([vault.load([KEY]), vault.load([KEY]), vault.load([KEY])])

    expect(new Set(found.map((keys) => String(idsOf(keys)))).size).toBe(1)
  })

  test('holds nothing that opens without the operator’s key', async () => {
    const vault = makeVault()
    const keys = await vault.load([KEY])

    const [rows, file] = [await (await vault.open()).signingKeys(), readFileSync(`${vault.path}-wal`)]
    const secrets = keys.map(({ privateKey }) => privateKey.export({ type: 'pkcs8', format: 'der' }))
    expect(rows.map(({ sealed }) => sealed.split('.')[0])).toEqual(['aes256gcm', 'aes256gcm'])
    expect(secrets.filter((secret) => file.includes(secret) || file.includes(secret.toString('base64url')))).toEqual([])
  })
})

describe('keys do not open', () => {
  const swap = (column: string) =>
    `UPDATE signing_keys SET ${column} = (SELECT other.${column} FROM signing_keys other WHERE other.key_id <> signing_keys.key_id)`
  /** Moves the ids on, as one may not stand twice while they change places. */
  const swapIds = `UPDATE signing_keys SET key_id = 'x' WHERE algorithm = 'RS256';
    UPDATE signing_keys SET key_id = (SELECT name FROM ids WHERE algorithm = 'RS256') WHERE algorithm = 'ES256';
    UPDATE signing_keys SET key_id = (SELECT name FROM ids WHERE algorithm = 'ES256') WHERE algorithm = 'RS256'`

  test.each([
    ['its state', `UPDATE signing_keys SET state = 'retired' WHERE algorithm = 'ES256'`],
    ['its state, to one that does not sign yet', `UPDATE signing_keys SET state = 'next' WHERE algorithm = 'RS256'`],
    ['its time', 'UPDATE signing_keys SET published_at = published_at + 1'],
    ['its id', `UPDATE signing_keys SET key_id = 'x' WHERE algorithm = 'ES256'`],
    [
      'its algorithm',
      `DELETE FROM signing_keys WHERE algorithm = 'RS256'; UPDATE signing_keys SET algorithm = 'RS256'`,
    ],
    ['its secret, for the other key’s', swap('sealed')],
    ['the ids of both', `CREATE TEMP TABLE ids AS SELECT algorithm, key_id AS name FROM signing_keys; ${swapIds}`],
    ['its secret, to nothing', `UPDATE signing_keys SET sealed = ''`],
  ])('where somebody changed %s', async (_what, sql) => {
    const vault = makeVault()
    await vault.load([KEY])
    vault.edit(sql)

    await expect(vault.load([KEY])).rejects.toThrow(SettingsError)
  })

  test.each<[string, readonly Uint8Array[], readonly Uint8Array[], RegExp]>([
    ['with another key', [KEY], [OTHER_KEY], /give the key that it was sealed with/],
    ['without the key', [KEY], [], /set CHANCERY_KEY_ENCRYPTION_KEY/],
    ['with a key, where they were kept without', [], [KEY], /start with a new store/],
  ])('%s, and none are made in their place', async (_what, before, after, advice) => {
    const vault = makeVault()
    const made = await vault.load(before)

    await expect(vault.load(after)).rejects.toThrow(advice)

    expect(idsOf(await vault.load(before))).toEqual(idsOf(made))
  })

  test('where one of them is in the clear, though the other is sealed', async () => {
    const [vault, forged] = [makeVault(), makeVault()]
    await vault.load([KEY])
    await forged.load([])
    const [row] = await (await forged.open()).signingKeys()
    vault.edit(
      `UPDATE signing_keys SET key_id = '${row?.keyId}', sealed = '${row?.sealed}' WHERE algorithm = '${row?.algorithm}'`,
    )

    await expect(vault.load([KEY])).rejects.toThrow(SettingsError)
  })

  test('with any secret in what is told', async () => {
    const vault = makeVault()
    await vault.load([KEY])
    const rows = await (await vault.open()).signingKeys()

    const error = await vault.load([OTHER_KEY]).catch((thrown: unknown) => thrown)

    const told = inspect(error, { depth: null })
    expect(rows.filter(({ sealed }) => told.includes(sealed.split('.')[1] ?? ''))).toEqual([])
    expect(told).not.toContain(OTHER_KEY.toString('base64'))
  })
})

test('keys open under a key that was put behind a new one', async () => {
  const vault = makeVault()
  const made = await vault.load([KEY])

  expect(idsOf(await vault.load([OTHER_KEY, KEY]))).toEqual(idsOf(made))
})

describe('without a key of the operator’s, still', () => {
  async function ringOf(vault: Vault) {
    return createKeyRing(await vault.load([]))
  }

  test('a key whose row says another algorithm is not used for it', async () => {
    const vault = makeVault()
    await vault.load([])
    vault.edit(`DELETE FROM signing_keys WHERE algorithm = 'ES256'; UPDATE signing_keys SET algorithm = 'ES256'`)

    await expect(ringOf(vault)).rejects.toThrow()
  })

  test('a key under another’s id is not published', async () => {
    const vault = makeVault()
    await vault.load([])
    vault.edit(`UPDATE signing_keys SET key_id = 'x' WHERE algorithm = 'ES256'`)

    await expect(ringOf(vault)).rejects.toThrow(/not what its id says/)
  })

  test('a secret that is no key is refused', async () => {
    const vault = makeVault()
    await vault.load([])
    vault.edit(`UPDATE signing_keys SET sealed = 'plain.AAAA' WHERE algorithm = 'ES256'`)

    await expect(ringOf(vault)).rejects.toThrow()
  })
})

test.each(SIGNING_ALGORITHMS)('a store that has lost its current %s key is refused', async (algorithm) => {
  const vault = makeVault()
  await vault.load([KEY])
  vault.edit(`DELETE FROM signing_keys WHERE algorithm = '${algorithm}'`)

  await expect(vault.load([KEY]).then(createKeyRing)).rejects.toThrow(`--store: no ${algorithm} key is current`)
})
