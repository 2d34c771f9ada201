/** The audit file: what was acknowledged is on disk under its name, whoever renames or removes it. */

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createAuditSink } from '../../src/audit/sink.ts'
import { createFileWriter } from '../../src/audit/writers.ts'
import { makeScratch } from '../support/scratch.ts'

/** Opens a file in an empty directory. */
async function openFile(text?: string) {
  const directory = join(makeScratch(), 'log')
  mkdirSync(directory)
  const path = join(directory, 'audit.jsonl')
  if (text !== undefined) writeFileSync(path, text)
  const writer = await createFileWriter(path)
  onTestFinished(() => writer.close().catch(() => undefined))
  return { directory, path, writer, read: () => readFileSync(path, 'utf8') }
}

describe('an append', () => {
  test('is behind what is there', async () => {
    const { writer, read } = await openFile('old\n')

    await writer.append('one\n')
    await writer.append('two\nthree\n')

    expect(read()).toBe('old\none\ntwo\nthree\n')
  })

  test('of any size and script is whole', async () => {
    const { writer, read } = await openFile()
    const text = `${'é支🔑'.repeat(200_000)}\n`

    await writer.append(text)

    expect(read() === text).toBe(true)
  })

  test('to a device, which cannot be synced, is done when it is written, and fails where it is not', async () => {
    const [taken, full] = await Promise.all(['/dev/null', '/dev/full'].map(createFileWriter))
    onTestFinished(() => Promise.all([taken?.close(), full?.close()]).then(() => undefined))

    await expect(taken?.append('one\n')).resolves.toBeUndefined()
    await expect(full?.append('one\n')).rejects.toThrow(/ENOSPC/)
  })

  test('is behind what another process has appended meanwhile', async () => {
    const { writer, path, read } = await openFile()
    const other = await createFileWriter(path)
    onTestFinished(() => other.close())

    await writer.append('one\n')
    await other.append('two\n')
    await writer.append('three\n')

    expect(read()).toBe('one\ntwo\nthree\n')
  })

  test('is acknowledged once it is synced, and not where that fails', async () => {
    const { writer, path } = await openFile()
    const probe = await open(path)
    const prototype = Object.getPrototypeOf(probe) as typeof probe
    await probe.close()
    const gate = Promise.withResolvers<void>()
    const datasync = vi.spyOn(prototype, 'datasync').mockImplementationOnce(() => gate.promise)
    let isAcknowledged = false

    const first = writer.append('one\n').then(() => {
      isAcknowledged = true
    })
    await vi.waitFor(() => expect(datasync).toHaveBeenCalledTimes(1))
    expect(isAcknowledged).toBe(false)
    gate.resolve()
    await first

    datasync.mockImplementationOnce(() => Promise.reject(new Error('no space')))
    await expect(writer.append('two\n')).rejects.toThrow('no space')
  })
})

describe('the file', () => {
  test('is readable by its owner and group alone, whatever the mask allows', async () => {
    const mask = process.umask(0)
    onTestFinished(() => void process.umask(mask))

    const { path } = await openFile()

    expect(statSync(path).mode & 0o777).toBe(0o640)
  })

  test('cannot be opened where its directory is not', async () => {
    await expect(createFileWriter(join(makeScratch(), 'no', 'audit.jsonl'))).rejects.toThrow('ENOENT')
  })

  test('is closed with the writer', async () => {
    const { writer } = await openFile()
    await writer.close()

    await expect(writer.append('late\n')).rejects.toThrow()
  })
})

describe('a file that was', () => {
  test('renamed is let go before anything more is written', async () => {
    const { writer, path, read } = await openFile()
    await writer.append('one\n')
    renameSync(path, `${path}.1`)

    await writer.append('two\n')

    expect(readFileSync(`${path}.1`, 'utf8')).toBe('one\n')
    expect(read()).toBe('two\n')
  })

  test('removed is made anew', async () => {
    const { writer, path, read } = await openFile()
    await writer.append('one\n')
    unlinkSync(path)

    await writer.append('two\n')

    expect(read()).toBe('two\n')
  })

  test('replaced by another is let go for that', async () => {
    const { writer, path, read } = await openFile()
    await writer.append('one\n')
    writeFileSync(`${path}.new`, 'new\n')
    renameSync(`${path}.new`, path)

    await writer.append('two\n')

    expect(read()).toBe('new\ntwo\n')
  })

  test('truncated is the same file', async () => {
    const { writer, path, read } = await openFile()
    await writer.append('one\n')
    writeFileSync(path, '')

    await writer.append('two\n')

    expect(read()).toBe('two\n')
  })

  test.runIf(existsSync('/proc/self/fd'))('rotated again and again leaves none open', async () => {
    const { writer, path } = await openFile()
    const openFiles = () => readdirSync('/proc/self/fd').length
    const before = openFiles()

    for (let rotation = 0; rotation < 20; rotation++) {
      renameSync(path, `${path}.${rotation}`)
      await writer.append('line\n')
    }

    expect(openFiles()).toBe(before)
  })

  test('removed with its directory takes no record until it can be opened again', async () => {
    const { writer, directory, read } = await openFile()
    rmSync(directory, { recursive: true })

    await expect(writer.append('lost\n')).rejects.toThrow('ENOENT')
    await expect(writer.append('lost too\n')).rejects.toThrow('ENOENT')

    mkdirSync(directory)
    await writer.append('kept\n')
    expect(read()).toBe('kept\n')
  })
})

test('a record that was torn when a process died does not swallow the first of the next', async () => {
  const { writer, read } = await openFile('{"request_id":"whole"}\n{"request_id":"to')
  const sink = createAuditSink(writer)

  await sink.write('{"request_id":"next"}')

  expect(read().split('\n')).toContain('{"request_id":"next"}')
  expect(read().split('\n')).toContain('{"request_id":"whole"}')
})
