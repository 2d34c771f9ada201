/** The files of a workload: small ones, pipes of a shell, and pipes that nobody writes to. */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, symlinkSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readSmallFile } from '../../src/client/small-file.ts'
import { makeScratch } from '../support/scratch.ts'

function makePipe(): string {
  const path = join(makeScratch(), 'pipe')
  spawnSync('mkfifo', [path])
  return path
}

async function codeOf(path: string): Promise<unknown> {
  return await readSmallFile(path).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  )
}

describe('a file', () => {
  test('is read through links, as a ConfigMap’s are', async () => {
    const directory = makeScratch()
    writeFileSync(join(directory, 'there'), 'text\n')
    symlinkSync('there', join(directory, 'data'))
    symlinkSync('data', join(directory, 'token'))

    expect(await readSmallFile(join(directory, 'token'))).toBe('text\n')
  })

  test('may have 64 KiB and no more, and may be empty', async () => {
    const path = join(makeScratch(), 'file')
    writeFileSync(path, 'a'.repeat(65_536))
    expect(await readSmallFile(path)).toHaveLength(65_536)
    writeFileSync(path, 'a'.repeat(65_537))
    expect(await codeOf(path)).toBe('EFBIG')
    writeFileSync(path, '')
    expect(await readSmallFile(path)).toBe('')
  })

  test.each([
    ['a directory', '/', 'EISDIR'],
    ['nothing', '/nowhere/token', 'ENOENT'],
    ['what has no end', '/dev/zero', 'EFBIG'],
  ])('is not %s', async (_, path, code) => {
    expect(await codeOf(path)).toBe(code)
  })
})

describe('a pipe', () => {
  test('is read to its end, however many pieces come, and whenever', async () => {
    const path = makePipe()
    const read = readSmallFile(path)
    const writer = spawn('sh', ['-c', `exec > '${path}'; printf one; read go; printf two`], { stdio: ['pipe', 1, 2] })
    writer.stdin?.end('go\n')
    await once(writer, 'exit')

    expect(await read).toBe('onetwo')
  })

  test('that nobody writes to is as empty as a file, after two seconds', async () => {
    const clock = steps(500)

    expect(await readSmallFile(makePipe(), clock.next)).toBe('')
    expect(clock.time()).toBe(2_500)
  })

  test('that somebody holds open and says no more in is given up after fifteen seconds', async () => {
    const path = makePipe()
    const writer = openSync(path, 'r+')
    writeSync(writer, 'half')
    const clock = steps(500)
    const refused = await readSmallFile(path, clock.next).catch((error: unknown) => error)
    closeSync(writer)

    expect(refused).toMatchObject({ code: 'ETIMEDOUT' })
    expect(clock.time()).toBe(16_000)
  })
})

/** Time that goes on whenever somebody looks at it. */
function steps(milliseconds: number): { readonly next: () => number; readonly time: () => number } {
  let looks = 0
  return { next: () => looks++ * milliseconds, time: () => (looks - 1) * milliseconds }
}
