/** Finding the document on disk, and noticing that it may have changed. */

import { execFileSync } from 'node:child_process'
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
import { open } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Complaint } from '../../src/federation/finding.ts'
import { fingerprintDocuments, locateDocuments, MAX_DOCUMENT_BYTES } from '../../src/federation/locate.ts'
import { makeScratch } from '../support/scratch.ts'

const TEXT = '{"version":1,"name":"Bücher"}'

/** Tells what is at a path: each file with its text, or with why it has none. */
async function tellAt(path: string): Promise<readonly string[]> {
  const { sources } = await locateDocuments(path)
  return sources.map((source) => `${basename(source.file)} ${'text' in source ? source.text : source.complaint.code}`)
}

async function complaintAt(path: string): Promise<Complaint | undefined> {
  const [source] = (await locateDocuments(path)).sources
  return source !== undefined && 'complaint' in source ? source.complaint : undefined
}

describe('the document', () => {
  test('is the file that was named, whatever its name ends with', async () => {
    const file = join(makeScratch(), 'federation')
    writeFileSync(file, TEXT)

    expect(await locateDocuments(file)).toEqual({ path: file, sources: [{ file, text: TEXT }] })
  })

  test('may be compressed', async () => {
    const file = join(makeScratch(), 'federation.json.gz')
    writeFileSync(file, gzipSync(TEXT))

    expect(await locateDocuments(file)).toEqual({ path: file, sources: [{ file, text: TEXT }] })
  })

  test.each(['platform.json', 'platform.json.gz'])('is the only one of a directory: %s', async (name) => {
    const directory = makeScratch()
    const file = join(directory, name)
    writeFileSync(file, name.endsWith('.gz') ? gzipSync(TEXT) : TEXT)
    writeFileSync(join(directory, 'README.md'), '#')
    writeFileSync(join(directory, 'platform.json.bak'), '{}')

    expect(await locateDocuments(directory)).toEqual({ path: directory, sources: [{ file, text: TEXT }] })
  })

  test('is found in a mounted ConfigMap, whose own names begin with a dot', async () => {
    const directory = makeScratch()
    mkdirSync(join(directory, '..2026_01_15'))
    writeFileSync(join(directory, '..2026_01_15', 'platform.json'), TEXT)
    symlinkSync('..2026_01_15', join(directory, '..data'))
    symlinkSync(join('..data', 'platform.json'), join(directory, 'platform.json'))
    writeFileSync(join(directory, '.hidden.json'), '{}')

    expect(await tellAt(directory)).toEqual([`platform.json ${TEXT}`])
  })

  test('is each of a directory’s files, in the order of their names; one that cannot be read keeps its place', async () => {
    const directory = makeScratch()
    writeFileSync(join(directory, 'c.json'), TEXT)
    writeFileSync(join(directory, 'a.json.gz'), gzipSync(TEXT))
    writeFileSync(join(directory, 'b.json'), Buffer.from([0xff]))

    expect(await tellAt(directory)).toEqual([`a.json.gz ${TEXT}`, 'b.json document_unreadable', `c.json ${TEXT}`])
  })

  test('is none of an empty directory, nor of one with hidden files alone', async () => {
    const directory = makeScratch()
    writeFileSync(join(directory, '.platform.json'), TEXT)

    expect(await locateDocuments(directory)).toEqual({ path: directory, sources: [] })
  })

  test('is read again where the directory changes meanwhile, so that all files are of one moment', async () => {
    const directory = makeScratch()
    for (const generation of ['old', 'new']) {
      mkdirSync(join(directory, `..${generation}`))
      writeFileSync(join(directory, `..${generation}`, 'b.json'), generation)
    }
    // Whoever reads a pipe waits for its writer: so the other file is read after the change.
    const pipe = join(directory, '..old', 'a.json')
    execFileSync('mkfifo', [pipe])
    writeFileSync(join(directory, '..new', 'a.json'), 'new')
    symlinkSync('..old', join(directory, '..data'))
    for (const name of ['a.json', 'b.json']) symlinkSync(join('..data', name), join(directory, name))

    const reading = tellAt(directory)
    const writer = await open(pipe, 'w')
    symlinkSync('..new', join(directory, '..fresh'))
    renameSync(join(directory, '..fresh'), join(directory, '..data'))
    await writer.write('old')
    await writer.close()

    expect(await reading).toEqual(['a.json new', 'b.json new'])
  })

  test('keeps its byte order mark, which is no JSON', async () => {
    const file = join(makeScratch(), 'federation.json')
    writeFileSync(file, `\ufeff${TEXT}`)

    expect(await locateDocuments(file)).toEqual({ path: file, sources: [{ file, text: `\ufeff${TEXT}` }] })
  })
})

describe('cannot be read', () => {
  test('where nothing is, and says so', async () => {
    const path = join(makeScratch(), 'federation.json')

    expect(await tellAt(path)).toEqual(['federation.json document_unreadable'])
    expect((await complaintAt(path))?.message).toContain('ENOENT')
  })

  test.each([
    ['text in another encoding', Buffer.from('{"a":"\xfc"}', 'latin1'), 'federation.json'],
    ['what is not compressed though its name says so', Buffer.from(TEXT), 'federation.json.gz'],
    ['what breaks off', gzipSync(TEXT).subarray(0, -9), 'federation.json.gz'],
  ])('in %s', async (_what, bytes, name) => {
    const file = join(makeScratch(), name)
    writeFileSync(file, bytes)

    expect(await tellAt(file)).toEqual([`${name} document_unreadable`])
  })

  test('in a folder that has a document’s name', async () => {
    const directory = makeScratch()
    mkdirSync(join(directory, 'platform.json'))

    expect(await tellAt(directory)).toEqual(['platform.json document_unreadable'])
  })

  test('where a file is too large, compressed or not', async () => {
    const directory = makeScratch()
    const plain = join(directory, 'large.json')
    const packed = join(directory, 'large.json.gz')
    writeFileSync(plain, '')
    truncateSync(plain, MAX_DOCUMENT_BYTES + 1)
    writeFileSync(packed, gzipSync(Buffer.alloc(MAX_DOCUMENT_BYTES + 1, 0x20), { level: 1 }))

    expect(await tellAt(directory)).toEqual(['large.json document_unreadable', 'large.json.gz document_unreadable'])
    expect((await complaintAt(plain))?.message).toMatch(/larger than 128 MiB/)
    expect((await complaintAt(packed))?.message).toMatch(/unfolds to more than 134217728 bytes/)
  })

  test('never with its content in what is told', async () => {
    const file = join(makeScratch(), 'federation.json')
    writeFileSync(file, Buffer.from('{"secret":"\xff"}', 'latin1'))

    expect(JSON.stringify(await locateDocuments(file))).not.toContain('secret')
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

    expect(await fingerprintDocuments(file)).toBe(await fingerprintDocuments(file))
    expect(await fingerprintDocuments(directory)).toBe(await fingerprintDocuments(directory))
  })

  test.each<[string, (file: string) => void]>([
    ['the content, of another length', (file) => writeFileSync(file, `${TEXT} `)],
    ['its time', (file) => utimesSync(file, 1, 1)],
    ['the file behind the name', replaceByRename],
    ['a link', replaceByLink],
    ['that it is there', (file) => unlinkSync(file)],
    ['what stands beside it', (file) => writeFileSync(file.replace('federation', 'other'), TEXT)],
    ['its name', (file) => renameSync(file, file.replace('federation', 'other'))],
  ])('changes with %s', async (_what, change) => {
    const { file, directory } = makeDocument()
    const before = await fingerprintDocuments(directory)

    change(file)

    expect(await fingerprintDocuments(directory)).not.toBe(before)
  })

  test('notices a change that leaves length and time as they were', async () => {
    const { file } = makeDocument()
    utimesSync(file, 1, 1)
    const before = await fingerprintDocuments(file)

    writeFileSync(file, TEXT.replace('version', 'Version'))
    utimesSync(file, 1, 1)

    expect(await fingerprintDocuments(file)).not.toBe(before)
  })

  test('is given where there is nothing to look at, and tells the troubles apart', async () => {
    const { file, directory } = makeDocument()
    rmSync(file)
    const empty = await fingerprintDocuments(directory)
    writeFileSync(file, TEXT)
    writeFileSync(join(directory, 'other.json'), TEXT)
    const several = await fingerprintDocuments(directory)
    rmSync(directory, { recursive: true })
    const absent = await fingerprintDocuments(directory)

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
