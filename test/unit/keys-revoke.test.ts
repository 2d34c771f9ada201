/** `chancery keys revoke` and `reencrypt`: what they do to a store, and what they say. */

import { describe, expect, test } from 'vitest'
import { createKeptDocuments } from '../../src/federation/kept.ts'
import { createSealer } from '../../src/store/seal.ts'
import { PUBLISH_SECONDS } from '../../src/tokens/rotation.ts'
import { createKeysBench as createBench, KEY, NOW, statesOf, timeOf } from '../support/keys-bench.ts'
import { keysCommand } from '../support/run-keys.ts'
import { makeVault } from '../support/vault.ts'

const OTHER_KEY = Buffer.alloc(32, 2)
const PLATFORM = { delegation: undefined, file: 'f.json', digest: 'sha256:0', packed: new Uint8Array([1]) }

describe('revoke', () => {
  test('of the current key lets the next one sign at once, and says what verifiers make of it', async () => {
    const bench = await createBench()
    const [revoked, next] = [await bench.idOf('current'), await bench.idOf('next')]

    const { code, out } = await bench.keys.run('revoke', { keyId: revoked })

    expect(code).toBe(0)
    expect(out).toContain(`ES256: ${revoked} is revoked`)
    expect(out).toContain('within 5 minutes where they keep to max-age')
    expect(out).toContain(`${next} signs now, public for only 0 s`)
    expect(out).toContain(`until ${timeOf(NOW + PUBLISH_SECONDS)} at the latest`)
    expect(await bench.idOf('current')).toBe(next)
    expect((await bench.keys.list()).map(({ key_id: keyId }) => keyId)).not.toContain(revoked)
  })

  test('says that nothing is to be feared where verifiers know the successor', async () => {
    const bench = await createBench()
    await bench.pass(3 * PUBLISH_SECONDS)

    const { out } = await bench.keys.run('revoke', { keyId: await bench.idOf('current') })

    expect(out).toContain('has been public for 3 d, and verifiers know it')
  })

  test('of the current key makes a new one where there is no next', async () => {
    const bench = await createBench()
    await bench.keys.run('revoke', { keyId: await bench.idOf('next') })
    const revoked = await bench.idOf('current')

    const { code, out } = await bench.keys.run('revoke', { keyId: revoked })

    expect(code).toBe(0)
    const current = await bench.idOf('current')
    expect(current).not.toBe('')
    expect(current).not.toBe(revoked)
    expect(out).toContain(`${current} signs now, public for only 0 s`)
    expect(await bench.broker.list()).toMatchObject({ troubles: [] })
    expect(bench.broker.sign(current, Buffer.from('x'))).toHaveLength(64)
    expect(() => bench.broker.sign(revoked, Buffer.from('x'))).toThrow()
  })

  test('of a key that does not sign takes it away, and the broker publishes another next one', async () => {
    const bench = await createBench()
    const revoked = await bench.idOf('next')

    const { code, out } = await bench.keys.run('revoke', { keyId: revoked })
    await bench.pass(1)

    expect(code).toBe(0)
    expect(out).toContain('it has signed nothing')
    expect(await statesOf(bench)).toEqual(['ES256 current', 'ES256 next', 'RS256 current', 'RS256 next'])
    expect(await bench.idOf('next')).not.toBe(revoked)
  })

  test('of a key that nobody publishes is refused', async () => {
    const bench = await createBench()
    const before = await statesOf(bench)

    const { code, out, err } = await bench.keys.run('revoke', { keyId: 'unknown' })

    expect([code, out]).toEqual([1, ''])
    expect(err).toContain('no key that is published is called unknown')
    expect(await statesOf(bench)).toEqual(before)
  })

  test('of a key that was withdrawn is refused, and list does not tell of it', async () => {
    const bench = await createBench()
    const ringStore = await bench.vault.ringStore([KEY])
    const ring = await ringStore.read()
    const keyId = await bench.idOf('next')
    const keys = ring.keys.map((key) => (key.keyId === keyId ? { ...key, state: 'withdrawn' as const } : key))
    await ringStore.write(ring, { ...ring, keys })

    expect(await bench.keys.list()).toHaveLength(3)
    expect((await bench.keys.run('revoke', { keyId })).code).toBe(1)
  })

  test('of a key in a file is refused where nothing could sign without it', async () => {
    const bench = await createBench()
    const ringStore = await bench.vault.ringStore([KEY])
    const ring = await ringStore.read()
    const keyId = await bench.idOf('current')
    const keys = ring.keys.map((key) => (key.keyId === keyId ? { ...key, held: 'file' as const } : key))
    await ringStore.write(ring, {
      ...ring,
      keys: keys.filter(({ state, algorithm }) => state === 'current' || algorithm === 'RS256'),
    })

    const { code, err } = await bench.keys.run('revoke', { keyId })

    expect(code).toBe(1)
    expect(err).toContain('add a file with another key to --signing-keys')
    expect(await bench.idOf('current')).toBe(keyId)
  })
})

describe('reencrypt', () => {
  test('lets the old key-encryption key go: keys, their code and the kept documents', async () => {
    const bench = await createBench()
    const store = await bench.vault.open()
    const keptUnder = (key: Uint8Array) => createKeptDocuments(store, createSealer([key]))
    await keptUnder(KEY).keep([PLATFORM, { ...PLATFORM, delegation: 'payments' }])
    const before = await bench.keys.list()

    const { code, out } = await keysCommand(bench.vault, bench.clock.now, [OTHER_KEY, KEY]).run('reencrypt')

    expect(code).toBe(0)
    expect(out).toContain('4 keys are encrypted under the first key-encryption key')
    expect(await keysCommand(bench.vault, bench.clock.now, [OTHER_KEY]).list()).toEqual(before)
    await expect(bench.keys.list()).rejects.toThrow('give the key that it was sealed with')
    expect(await keptUnder(OTHER_KEY).restore()).toHaveLength(2)
    expect(await keptUnder(KEY).restore()).toEqual([])
  })

  test('leaves a document alone that somebody else has kept', async () => {
    const bench = await createBench()
    const store = await bench.vault.open()
    await store.keepDocuments([{ ...PLATFORM, delegation: '', code: 'forged' }], [''])

    await keysCommand(bench.vault, bench.clock.now, [OTHER_KEY, KEY]).run('reencrypt')

    expect((await store.keptDocuments()).map(({ code }) => code)).toEqual(['forged'])
  })

  test('of a store without keys leaves it so', async () => {
    const vault = makeVault()
    await vault.open()

    expect((await keysCommand(vault, () => NOW, [KEY]).run('reencrypt')).code).toBe(0)
    expect((await (await vault.open()).signingKeys()).version).toBe(0)
  })

  test.each<[string, readonly Uint8Array[]]>([
    ['encrypted', [KEY]],
    ['kept in the clear', []],
  ])('needs a key-encryption key, whether keys are %s or not', async (_what, before) => {
    const vault = makeVault()
    await vault.load(before)

    await expect(keysCommand(vault, () => NOW, []).run('reencrypt')).rejects.toThrow(
      'CHANCERY_KEY_ENCRYPTION_KEY: is required',
    )
  })
})
