/** Private keys in files: what is taken, and what is told of the rest. */

import { createPrivateKey, type JsonWebKey } from 'node:crypto'
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createKeyDirectoryReader } from '../../src/tokens/key-files.ts'
import { type KeyFiles, makeEc, makeKeyFiles, makeRsa, toPem } from '../support/key-files.ts'

const ec = makeEc()
const rsa = makeRsa()

function read(files: KeyFiles) {
  return createKeyDirectoryReader(files.directory)()
}

describe('a file', () => {
  test.each([
    ['EC on P-256', ec, 'ES256'],
    ['RSA of 2,048 bits', rsa, 'RS256'],
    ['RSA of 3,072 bits', makeRsa(3_072), 'RS256'],
  ])('holds a key: %s', async (_what, key, algorithm) => {
    const files = makeKeyFiles()
    const keyId = await files.put('key.pem', key)

    const { keys, problems } = await read(files)

    expect(problems).toEqual([])
    expect(keys).toMatchObject([{ file: 'key.pem', keyId, algorithm }])
    expect(keys[0]?.privateKey.equals(key)).toBe(true)
  })

  test.each([0o400, 0o440, 0o600, 0o640])('may be read by its owner and group: mode %o', async (mode) => {
    const files = makeKeyFiles()
    files.write('key.pem', toPem(ec), mode)

    expect((await read(files)).problems).toEqual([])
  })

  test('may stand anywhere a link leads, as mounted secrets do, and names with a dot belong to the mount', async () => {
    const files = makeKeyFiles()
    mkdirSync(join(files.directory, '..2026'))
    writeFileSync(join(files.directory, '..2026', 'key.pem'), toPem(ec), { mode: 0o440 })
    symlinkSync('..2026', join(files.directory, '..data'))
    symlinkSync(join('..data', 'key.pem'), join(files.directory, 'key.pem'))

    const { keys, problems } = await read(files)

    expect([keys.map(({ file }) => file), problems]).toEqual([['key.pem'], []])
  })

  test.each<[string, string | Buffer, RegExp]>([
    ['nothing', '', /not one unencrypted PKCS#8 key/],
    ['something else', 'ssh-ed25519 AAAA', /not one unencrypted PKCS#8 key/],
    ['a public key', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n', /not one unencrypted PKCS#8 key/],
    ['two keys', toPem(ec) + toPem(rsa), /not one unencrypted PKCS#8 key/],
    ['a key in another form', ec.export({ type: 'sec1', format: 'pem' }).toString(), /openssl pkcs8 -topk8/],
    ['a key in DER', rsa.export({ type: 'pkcs8', format: 'der' }), /not one unencrypted PKCS#8 key/],
    [
      'a key under a pass phrase',
      ec.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString(),
      /not one unencrypted PKCS#8 key/,
    ],
    [
      'garbage in armour',
      '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
      /no private key that can be read/,
    ],
    ['more than any key', `${toPem(ec)}${' '.repeat(20_000)}`, /larger than any key/],
    ['halves that do not belong together', toPem(withOtherPublicHalf()), /do not belong together/],
  ])('does not hold a key: %s', async (_what, text, problem) => {
    const files = makeKeyFiles()
    files.write('odd.pem', text)
    await files.put('good.pem', ec)

    const { keys, problems } = await read(files)

    expect(keys.map(({ file }) => file)).toEqual(['good.pem'])
    expect(problems).toEqual([expect.stringMatching(problem)])
    expect(problems[0]).toMatch(/^odd\.pem /)
  })

  test('is no directory', async () => {
    const files = makeKeyFiles()
    mkdirSync(join(files.directory, 'folder'))

    expect((await read(files)).problems).toEqual(['folder is no file'])
  })
})

/** An EC key whose file says that another point is its public half. */
function withOtherPublicHalf() {
  const { d } = ec.export({ format: 'jwk' })
  return createPrivateKey({ key: { ...makeEc().export({ format: 'jwk' }), d } as JsonWebKey, format: 'jwk' })
}

describe('the directory', () => {
  test('gives its keys in the order of the names, and one key once', async () => {
    const files = makeKeyFiles()
    const second = await files.put('b.pem', ec)
    const first = await files.put('a.pem', rsa)
    await files.put('c.pem', ec)

    const { keys } = await read(files)

    expect(keys.map(({ file, keyId }) => [file, keyId])).toEqual([
      ['a.pem', first],
      ['b.pem', second],
    ])
  })

  test('is read anew: what came, what went, what changed, and who may read it', async () => {
    const files = makeKeyFiles()
    const look = createKeyDirectoryReader(files.directory)
    await files.put('a.pem', ec)
    const first = await look()
    expect((await look()).keys[0]).toBe(first.keys[0])

    const other = await files.put('next.tmp', makeEc())
    renameSync(join(files.directory, 'next.tmp'), join(files.directory, 'a.pem'))
    expect((await look()).keys.map(({ keyId }) => keyId)).toEqual([other])
    files.write('b.pem', toPem(rsa), 0o644)
    expect(await look()).toMatchObject({ keys: [{ file: 'a.pem' }], problems: [expect.stringContaining('b.pem')] })
    files.remove('a.pem')
    expect((await look()).keys).toEqual([])
  })

  test('that is not there is an error', async () => {
    await expect(createKeyDirectoryReader('/nowhere/at/all')()).rejects.toThrow('ENOENT')
  })
})
