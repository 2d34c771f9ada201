/** Files that a document names: read from one directory, wherever links lead. */

import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createSecretReader } from '../../src/cli/secrets.ts'
import { makeScratch } from '../support/scratch.ts'

/** A directory of secrets, and a file beside it. */
function makeSecrets() {
  const root = makeScratch()
  const directory = join(root, 'secrets')
  mkdirSync(join(directory, 'deep'), { recursive: true })
  writeFileSync(join(directory, 'token'), 'inside\n')
  writeFileSync(join(directory, 'deep', 'ca.pem'), 'deep')
  mkdirSync(join(root, 'secrets-other'))
  writeFileSync(join(root, 'secrets-other', 'token'), 'outside')
  return { root, directory, read: createSecretReader(directory) }
}

test('a file is read as it is, at any depth', async () => {
  const { read } = makeSecrets()

  expect(await read('token')).toBe('inside\n')
  expect(await read('deep/ca.pem')).toBe('deep')
})

test('a mounted secret is read through its links, before and after it is renewed', async () => {
  const { directory, read } = makeSecrets()
  mkdirSync(join(directory, '..one'))
  mkdirSync(join(directory, '..two'))
  writeFileSync(join(directory, '..one', 'mounted'), 'one')
  writeFileSync(join(directory, '..two', 'mounted'), 'two')
  symlinkSync('..one', join(directory, '..data'))
  symlinkSync(join('..data', 'mounted'), join(directory, 'mounted'))
  expect(await read('mounted')).toBe('one')

  symlinkSync('..two', join(directory, '..new'))
  renameSync(join(directory, '..new'), join(directory, '..data'))

  expect(await read('mounted')).toBe('two')
})

test('the directory may itself be a link', async () => {
  const { root, directory } = makeSecrets()
  symlinkSync(directory, join(root, 'link'))

  expect(await createSecretReader(join(root, 'link'))('token')).toBe('inside\n')
})

describe('is not read', () => {
  test.each(['../secrets-other/token', 'deep/../../secrets-other/token', '..', '.', ''])(
    'what lies outside, or is the directory itself: %j',
    async (name) => {
      await expect(makeSecrets().read(name)).rejects.toThrow('outside')
    },
  )

  test('what a link leads out to, though its name lies inside', async () => {
    const { root, directory, read } = makeSecrets()
    symlinkSync(join(root, 'secrets-other', 'token'), join(directory, 'file-link'))
    symlinkSync(join(root, 'secrets-other'), join(directory, 'folder-link'))

    await expect(read('file-link')).rejects.toThrow('outside')
    await expect(read('folder-link/token')).rejects.toThrow('outside')
  })

  test('what is not there, nor anything where the directory is not', async () => {
    const { directory, read } = makeSecrets()
    await expect(read('absent')).rejects.toThrow('ENOENT')

    rmSync(directory, { recursive: true })
    await expect(read('token')).rejects.toThrow('ENOENT')
  })

  test('what is larger than 1 MiB', async () => {
    const { directory, read } = makeSecrets()
    const file = join(directory, 'large')
    writeFileSync(file, '')
    truncateSync(file, 1_048_576)
    expect(await read('large')).toHaveLength(1_048_576)

    truncateSync(file, 1_048_577)
    await expect(read('large')).rejects.toThrow('larger')
  })

  test('what is larger than 1 MiB in bytes, however few characters they are', async () => {
    const { directory, read } = makeSecrets()
    writeFileSync(join(directory, 'large'), 'é'.repeat(600_000))

    await expect(read('large')).rejects.toThrow('larger')
  })
})
