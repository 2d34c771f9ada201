/** A token's file: whole, private, and where it was meant to be. */

import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { clearLeftovers, holds, writeAtomically } from '../../src/cli/delivery/atomic-file.ts'
import { makeScratch } from '../support/scratch.ts'

describe('writing', () => {
  test('gives a file its text and its exact mode, whatever the umask, and leaves nothing beside it', async () => {
    const directory = makeScratch()
    const before = process.umask(0o077)
    await writeAtomically(join(directory, 'private'), 'a')
    await writeAtomically(join(directory, 'shared'), 'b', 0o644)
    process.umask(before)

    expect(readdirSync(directory)).toEqual(['private', 'shared'])
    expect(readFileSync(join(directory, 'private'), 'utf8')).toBe('a')
    expect(['private', 'shared'].map((name) => statSync(join(directory, name)).mode & 0o777)).toEqual([0o600, 0o644])
  })

  test('puts another file in the place: whoever has the old one open reads the old text to its end', async () => {
    const path = join(makeScratch(), 'token')
    await writeAtomically(path, 'old')
    const old = statSync(path).ino
    await writeAtomically(path, 'new')

    expect(statSync(path).ino).not.toBe(old)
    expect(readFileSync(path, 'utf8')).toBe('new')
  })

  test('never shows half a text to whoever reads meanwhile', async () => {
    const path = join(makeScratch(), 'token')
    const texts = ['a', 'b'].map((letter) => letter.repeat(20_000))
    await writeAtomically(path, texts[0] ?? '')
    const writing = (async () => {
      for (let round = 0; round < 40; round++) await writeAtomically(path, texts[round % 2] ?? '')
      return true
    })()
    const seen = new Set<string>()
    while (!(await Promise.race([writing, Promise.resolve(false)]))) {
      seen.add(readFileSync(path, 'utf8'))
      await new Promise((resolve) => setImmediate(resolve))
    }

    expect([...seen].every((text) => texts.includes(text))).toBe(true)
  })

  test('needs no leave to list the directory', () => {
    const directory = makeScratch()
    const uid = process.getuid?.() === 0 ? 65_534 : process.getuid?.()
    if (uid !== undefined) chownSync(directory, uid, -1)
    chmodSync(directory, 0o300)
    const source = new URL('../../src/cli/delivery/atomic-file.ts', import.meta.url).href
    const script = `const { writeAtomically } = await import('${source}'); await writeAtomically(process.argv[1], 'a')`
    const args = ['--input-type=module', '-e', script, join(directory, 'token')]
    const { status, stderr } = spawnSync(process.execPath, args, {
      ...(uid === undefined ? {} : { uid }),
      encoding: 'utf8',
    })
    chmodSync(directory, 0o700)

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  test('replaces a link and does not follow it, wherever it leads', async () => {
    const directory = makeScratch()
    writeFileSync(join(directory, 'victim'), 'mine')
    symlinkSync(join(directory, 'victim'), join(directory, 'token'))
    symlinkSync('/nowhere/at/all', join(directory, 'dangling'))
    await writeAtomically(join(directory, 'token'), 'secret')
    await writeAtomically(join(directory, 'dangling'), 'secret')

    expect(readFileSync(join(directory, 'victim'), 'utf8')).toBe('mine')
    expect(['token', 'dangling'].map((name) => lstatSync(join(directory, name)).isFile())).toEqual([true, true])
  })

  test('that fails leaves what was there, and nothing else', async () => {
    const directory = makeScratch()
    mkdirSync(join(directory, 'token'))
    writeFileSync(join(directory, 'token', 'kept'), '')

    await expect(writeAtomically(join(directory, 'token'), 'secret')).rejects.toThrow()
    await expect(writeAtomically(join(directory, 'none', 'token'), 'secret')).rejects.toThrow('ENOENT')
    expect(readdirSync(directory)).toEqual(['token'])
  })
})

describe('a file holds a text', () => {
  test('only as a file of that text under that mode', async () => {
    const directory = makeScratch()
    const path = join(directory, 'token')
    await writeAtomically(path, 'secret')
    symlinkSync(path, join(directory, 'link'))
    const answers = await Promise.all([
      holds(path, 'secret', 0o600),
      holds(path, 'secret', 0o640),
      holds(path, 'secreT', 0o600),
      holds(path, 'secret+', 0o600),
      holds(join(directory, 'link'), 'secret', 0o600),
      holds(directory, 'secret', 0o600),
      holds(join(directory, 'none'), 'secret', 0o600),
    ])

    expect(answers).toEqual([true, false, false, false, false, false, false])
  })
})

describe('what a killed process left', () => {
  const NAME = '.token.0123456789abcdef.new'
  const MINUTE = 60_000

  test('beside a file is taken away once it is a minute old', async () => {
    const directory = makeScratch()
    writeFileSync(join(directory, NAME), 'secret')
    const { mtimeMs } = statSync(join(directory, NAME))

    await clearLeftovers(join(directory, 'token'), mtimeMs + MINUTE)
    expect(readdirSync(directory)).toEqual([NAME])
    await clearLeftovers(join(directory, 'token'), mtimeMs + MINUTE + 1)
    expect(readdirSync(directory)).toEqual([])
  })

  test('is that and nothing else: not under another name, not a link, not a directory', async () => {
    const directory = makeScratch()
    const names = ['.other.0123456789abcdef.new', '.token.0123456789ABCDEF.new', '.token.0123456789abcdef0.new']
    const kept = [...names, 'token.0123456789abcdef.new', '.token.new', '.token.0123456789abcdef.new.bak']
    for (const name of kept) writeFileSync(join(directory, name), '')
    symlinkSync('.token.new', join(directory, '.token.1111111111111111.new'))
    mkdirSync(join(directory, '.token.2222222222222222.new'))

    await clearLeftovers(join(directory, 'token'), Date.now() + 2 * MINUTE)
    await clearLeftovers('/nowhere/token', Date.now())
    expect(readdirSync(directory)).toHaveLength(kept.length + 2)
  })

  test.skipIf(process.getuid?.() !== 0)('is not another user’s', async () => {
    const directory = makeScratch()
    writeFileSync(join(directory, NAME), '')
    chownSync(join(directory, NAME), 65_534, -1)

    await clearLeftovers(join(directory, 'token'), Date.now() + 2 * MINUTE)
    expect(readdirSync(directory)).toEqual([NAME])
  })
})
