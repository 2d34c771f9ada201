/** How audit trails are read: any size, whole or broken off, compressed or not. */

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { type AuditTally, readAudit } from '../../src/cli/audit-input.ts'
import { MAX_LINE_LENGTH } from '../../src/cli/audit-lines.ts'
import { createProgress } from '../../src/cli/progress.ts'
import { documentFor } from '../support/document.ts'
import { CLUSTER } from '../support/federation-parts.ts'
import { recordOf } from '../support/made-records.ts'
import { makeScratch } from '../support/scratch.ts'

const LINE = `${JSON.stringify(recordOf())}\n`

async function read(content: string | Buffer, name = 'audit.jsonl'): Promise<AuditTally & { seen: number }> {
  const path = join(makeScratch(), name)
  writeFileSync(path, content)
  let seen = 0
  const tally = await readAudit(path, { out: () => undefined, err: () => undefined }, () => {
    seen += 1
  })
  expect(seen).toBe(tally.records)
  return { ...tally, seen }
}

test('every line is a record, and the last one needs no end', async () => {
  expect(await read(LINE.repeat(3))).toMatchObject({ records: 3, unreadable: 0, isTorn: false })
  expect(await read(LINE.repeat(3).trimEnd())).toMatchObject({ records: 3, unreadable: 0, isTorn: false })
  expect(await read(`${LINE}\n\r\n${LINE}`)).toMatchObject({ records: 2, unreadable: 0 })
})

test('lines longer than one chunk, and more lines than one, are read whole', async () => {
  const long = `${JSON.stringify(recordOf({ subject: 'é'.repeat(200_000) }))}\n`

  expect(await read(`${LINE}${long}${LINE}`)).toMatchObject({ records: 3, unreadable: 0 })
  expect(await read(LINE.repeat(5_000))).toMatchObject({ records: 5_000, unreadable: 0 })
})

test('a last line that breaks off is told as that', async () => {
  expect(await read(LINE + LINE.slice(0, 200))).toMatchObject({ records: 1, unreadable: 0, isTorn: true })
})

test('lines that are no record are counted, wherever they stand', async () => {
  const others = `nonsense\n{"level":30}\n[]\n${LINE.replace('"time"', '"clock"')}`

  expect(await read(others + LINE)).toMatchObject({ records: 1, unreadable: 4, isTorn: false })
})

test('a line that is too long is counted, record or not, and the next one is read', async () => {
  const long = JSON.stringify(recordOf({ subject: 'x'.repeat(MAX_LINE_LENGTH * 3) }))

  expect(await read(`${LINE}${long}\n${LINE}`)).toMatchObject({ records: 2, unreadable: 1, isTorn: false })
  expect(await read(`${LINE}${long}`)).toMatchObject({ records: 1, unreadable: 0, isTorn: true })
})

test('a line without an end is not kept, however little of it there is on disk', async () => {
  const bomb = gzipSync(`${LINE}${'x'.repeat(67_108_864)}\n${LINE}`)

  expect(bomb.length).toBeLessThan(100_000)
  expect(await read(bomb, 'audit.jsonl.gz')).toMatchObject({ records: 2, unreadable: 1 })
})

test('records of other versions are read for what they share', async () => {
  const other = { ...recordOf(), reason: 'not_known_yet', more: { than: 'this' } }

  expect(await read(`${JSON.stringify(other)}\n`)).toMatchObject({ records: 1 })
})

test('a compressed trail is read as it comes, joined ones too, and one that breaks off as far as it goes', async () => {
  const [one, two] = [gzipSync(LINE.repeat(2)), gzipSync(LINE)]
  const many = gzipSync(Array.from({ length: 3_000 }, () => `${JSON.stringify(recordOf())}\n`).join(''))
  const cut = await read(many.subarray(0, many.length / 2), 'audit.jsonl.gz')

  expect(await read(Buffer.concat([one, two]), 'audit.jsonl.gz')).toMatchObject({ records: 3, isTorn: false })
  expect(cut).toMatchObject({ unreadable: 0, isTorn: true })
  expect(cut.records).toBeGreaterThan(500)
  expect(cut.records).toBeLessThan(3_000)
})

test('what is compressed is known by its first bytes, whatever its name', async () => {
  expect(await read(gzipSync(LINE.repeat(2)), 'audit.jsonl.1')).toMatchObject({ records: 2, isTorn: false })
  expect(await read(LINE.repeat(2), 'unpacked.jsonl.gz')).toMatchObject({ records: 2, isTorn: false })
})

test.each<[string, string | Buffer]>([
  ['as it is', LINE.repeat(3)],
  ['compressed', gzipSync(LINE.repeat(3))],
])('standard input, %s, is read where the path is a dash', (_how, input) => {
  const next = join(makeScratch(), 'federation.json')
  writeFileSync(next, JSON.stringify(documentFor(CLUSTER)))
  const command = fileURLToPath(new URL('../../src/launch.mjs', import.meta.url))
  const run = spawnSync(process.execPath, [command, 'replay', '-', next], { input, encoding: 'utf8' })

  expect(run).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('3 refusals of a proof that was never verified'),
  })
})

test('the span is from the earliest to the latest record, in whatever order they stand', async () => {
  const at = (minute: number) => `${JSON.stringify(recordOf({ time: `2026-01-15T12:0${minute}:00.000Z` }))}\n`

  expect(await read(at(3) + at(1) + at(7) + at(2))).toMatchObject({
    from: '2026-01-15T12:01:00.000Z',
    to: '2026-01-15T12:07:00.000Z',
  })
  expect(await read('')).toMatchObject({ records: 0, from: null, to: null })
})

test('what cannot be read, or holds no record at all, is a wrong call', async () => {
  await expect(read('nonsense\nmore\n')).rejects.toThrow('holds no audit records')
  await expect(read('nonsense')).rejects.toThrow('holds no audit records')
  await expect(read(gzipSync(LINE).subarray(0, 30))).rejects.toThrow('holds no audit records')
  await expect(read(Buffer.from([0x1f, 0x8b, 0, 0, 0]), 'audit.jsonl.gz')).rejects.toThrow('cannot be read')
  await expect(
    readAudit('/nowhere/audit.jsonl', { out: () => undefined, err: () => undefined }, () => undefined),
  ).rejects.toThrow('/nowhere/audit.jsonl cannot be read')
  await expect(
    readAudit('/nowhere/audit.jsonl.gz', { out: () => undefined, err: () => undefined }, () => undefined),
  ).rejects.toThrow('/nowhere/audit.jsonl.gz cannot be read')
})

test('progress is told every five seconds, and of short inputs not at all', () => {
  const told: string[] = []
  let now = 0
  const progress = createProgress({ err: (text) => void told.push(text) }, () => now)
  const at = (milliseconds: number, records: string) => {
    now = milliseconds
    progress.tell(`${records} records read`)
  }

  at(4_999, '10')
  expect(told).toEqual([])
  at(5_000, '1,200')
  at(9_999, '2,000')
  at(10_000, '3,000,000')
  expect(told).toEqual(['1,200 records read in 5 s\n', '3,000,000 records read in 10 s\n'])
})
