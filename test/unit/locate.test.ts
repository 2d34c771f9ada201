/** Finding the document on disk, and noticing that it may have changed. */

import {
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { fingerprintDocument, locateDocument, MAX_DOCUMENT_BYTES } from '../../src/federation/locate.ts'
import { tell } from '../support/federation-parts.ts'
import { makeScratch } from '../support/scratch.ts'

const TEXT = '{"version":1,"name":"Bücher"}'

async function codeAt(path: string): Promise<readonly string[]> {
  const located = await locateDocument(path)
  return 'findings' in located ? tell(located.findings) : ['found']
}

describe('the document', () => {
  test('is the file that was named, whatever its name ends with', async () => {
    const file = join(makeScratch(), 'federation')
    writeFileSync(file, TEXT)

    expect(await locateDocument(file)).toEqual({ file, text: TEXT })
  })

  test('may be compressed', async () => {
    const file = join(makeScratch(), 'federation.json.gz')
    writeFileSync(file, gzipSync(TEXT))

    expect(await locateDocument(file)).toEqual({ file, text: TEXT })
  })

  test.each(['platform.json', 'platform.json.gz'])('is the only one of a directory: %s', async (name) => {
    const directory = makeScratch()
    const file = join(directory, name)
    writeFileSync(file, name.endsWith('.gz') ? gzipSync(TEXT) : TEXT)
    writeFileSync(join(directory, 'README.md'), '#')
    writeFileSync(join(directory, 'platform.json.bak'), '{}')

    expect(await locateDocument(directory)).toEqual({ file, text: TEXT })
  })

  test('is found in a mounted ConfigMap, whose own names begin with a dot', async () => {
    const directory = makeScratch()
    mkdirSync(join(directory, '..2026_01_15'))
    writeFileSync(join(directory, '..2026_01_15', 'platform.json'), TEXT)
    symlinkSync('..2026_01_15', join(directory, '..data'))
    symlinkSync(join('..data', 'platform.json'), join(directory, 'platform.json'))
    writeFileSync(join(directory, '.hidden.json'), '{}')

    expect(await locateDocument(directory)).toEqual({ file: join(directory, 'platform.json'), text: TEXT })
  })

  test('keeps its byte order mark, which is no JSON', async () => {
    const file = join(makeScratch(), 'federation.json')
    writeFileSync(file, `\ufeff${TEXT}`)

    expect(await locateDocument(file)).toEqual({ file, text: `\ufeff${TEXT}` })
  })
})

describe('is not found', () => {
  test('where nothing is, and says so', async () => {
    const path = join(makeScratch(), 'federation.json')
    const located = await locateDocument(path)

    expect(await codeAt(path)).toEqual(['error  document_unreadable'])
    expect('findings' in located && located.findings[0]).toMatchObject({
      file: path,
      message: expect.stringContaining('ENOENT'),
    })
  })

  test('in a directory that holds none, or only hidden ones', async () => {
    const directory = makeScratch()
    writeFileSync(join(directory, '.platform.json'), TEXT)

    expect(await codeAt(directory)).toEqual(['error  document_missing'])
  })

  test('in a directory that holds several, all of which are named', async () => {
    const directory = makeScratch()
    writeFileSync(join(directory, 'b.json'), TEXT)
    writeFileSync(join(directory, 'a.json.gz'), gzipSync(TEXT))
    const located = await locateDocument(directory)

    expect(await codeAt(directory)).toEqual(['error  documents_many'])
    expect('findings' in located && located.findings[0]?.message).toMatch(/a\.json\.gz, b\.json/)
  })

  test.each([
    ['text in another encoding', Buffer.from('{"a":"\xfc"}', 'latin1'), 'federation.json'],
    ['what is not compressed though its name says so', Buffer.from(TEXT), 'federation.json.gz'],
    ['what breaks off', gzipSync(TEXT).subarray(0, -9), 'federation.json.gz'],
  ])('in %s', async (_what, bytes, name) => {
    const file = join(makeScratch(), name)
    writeFileSync(file, bytes)

    expect(await codeAt(file)).toEqual(['error  document_unreadable'])
  })

  test('in a folder that has a document’s name', async () => {
    const directory = makeScratch()
    mkdirSync(join(directory, 'platform.json'))

    expect(await codeAt(directory)).toEqual(['error  document_unreadable'])
  })

  test('in a file that is too large, compressed or not', async () => {
    const directory = makeScratch()
    const plain = join(directory, 'large.json')
    const packed = join(directory, 'large.json.gz')
    writeFileSync(plain, '')
    truncateSync(plain, MAX_DOCUMENT_BYTES + 1)
    writeFileSync(packed, gzipSync(Buffer.alloc(MAX_DOCUMENT_BYTES + 1, 0x20), { level: 1 }))

    expect(await codeAt(plain)).toEqual(['error  document_unreadable'])
    expect(await codeAt(packed)).toEqual(['error  document_unreadable'])
    // It is given up while it unfolds, not once it lies there whole.
    const located = await locateDocument(packed)
    expect('findings' in located && located.findings[0]?.message).not.toContain('128 MiB')
  })

  test('never with its content in what is told', async () => {
    const file = join(makeScratch(), 'federation.json')
    writeFileSync(file, Buffer.from('{"secret":"\xff"}', 'latin1'))

    expect(JSON.stringify(await locateDocument(file))).not.toContain('secret')
  })
})

describe('the fingerprint', () => {
  function makeDocument(): { file: string; directory: string } {
    const directory = makeScratch()
    const file = join(directory, 'federation.json')
    writeFileSync(file, TEXT)
    return { file, directory }
  }

  test('stays while nothing changes', async () => {
    const { file, directory } = makeDocument()

    expect(await fingerprintDocument(file)).toBe(await fingerprintDocument(file))
    expect(await fingerprintDocument(directory)).toBe(await fingerprintDocument(directory))
  })

  test.each<[string, (file: string) => void]>([
    ['the content, of another length', (file) => writeFileSync(file, `${TEXT} `)],
    ['its time', (file) => utimesSync(file, 1, 1)],
    ['the file behind the name', replaceByRename],
    ['a link', replaceByLink],
    ['that it is there', (file) => unlinkSync(file)],
    ['that it is the only one', (file) => writeFileSync(file.replace('federation', 'other'), TEXT)],
    ['its name', (file) => renameSync(file, file.replace('federation', 'other'))],
  ])('changes with %s', async (_what, change) => {
    const { file, directory } = makeDocument()
    const before = await fingerprintDocument(directory)

    change(file)

    expect(await fingerprintDocument(directory)).not.toBe(before)
  })

  test('notices a change that leaves length and time as they were', async () => {
    const { file } = makeDocument()
    utimesSync(file, 1, 1)
    const before = await fingerprintDocument(file)

    writeFileSync(file, TEXT.replace('version', 'Version'))
    utimesSync(file, 1, 1)

    expect(await fingerprintDocument(file)).not.toBe(before)
  })

  test('is given where there is nothing to look at, and tells the troubles apart', async () => {
    const { file, directory } = makeDocument()
    rmSync(file)
    const empty = await fingerprintDocument(directory)
    writeFileSync(file, TEXT)
    writeFileSync(join(directory, 'other.json'), TEXT)
    const several = await fingerprintDocument(directory)
    rmSync(directory, { recursive: true })
    const absent = await fingerprintDocument(directory)

    expect(new Set([empty, several, absent]).size).toBe(3)
  })
})

function replaceByRename(file: string): void {
  writeFileSync(`${file}.new`, TEXT)
  utimesSync(`${file}.new`, 1, 1)
  utimesSync(file, 1, 1)
  renameSync(`${file}.new`, file)
}

function replaceByLink(file: string): void {
  writeFileSync(`${file}.target`, TEXT)
  unlinkSync(file)
  symlinkSync(`${file}.target`, file)
}
