/** The table that a federation is served from: nothing lost, nothing found that is not there, whoever chooses the keys. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashOf } from '../../src/federation/keyed-hash.ts'
import { createTableWriter, openTable } from '../../src/federation/packed-table.ts'
import { halfSipHash } from '../support/half-siphash.ts'

const KEY = { low: 0x03020100, high: 0x07060504 }

test('a table gives every record under each of its keys, and all of them once', () => {
  const keys = fc.string({ unit: 'binary', maxLength: 6 })
  const entries = fc.array(fc.record({ keys: fc.uniqueArray(keys, { maxLength: 4 }), record: fc.jsonValue() }), {
    maxLength: 60,
  })
  const property = fc.property(entries, keys, (all, stranger) => {
    const writer = createTableWriter()
    for (const { keys: own, record } of all) {
      const place = writer.addRecord(record)
      for (const key of own) writer.addKey(key, place)
    }
    const table = openTable(structuredClone(writer.finish()))

    for (const key of new Set([...all.flatMap(({ keys: own }) => own), stranger])) {
      const expected = all
        .filter(({ keys: own }) => own.includes(key))
        .map(({ record }) => JSON.parse(JSON.stringify(record)))
      expect(table.find(key)).toEqual(expected)
    }
    expect([...table.all()]).toEqual(JSON.parse(JSON.stringify(all.map(({ record }) => record))))
  })

  fc.assert(property, { numRuns: 500 })
})

test('a table may be empty, and may be large', () => {
  const empty = openTable(createTableWriter().finish())
  expect(empty.find('')).toEqual([])
  expect([...empty.all()]).toEqual([])

  const writer = createTableWriter()
  for (let n = 0; n < 20_000; n++) writer.addKey(`key ${n}`, writer.addRecord(`record ${n} ü`))
  const table = openTable(writer.finish())
  for (let n = 0; n < 20_000; n++) expect(table.find(`key ${n}`)).toEqual([`record ${n} ü`])
  expect(table.find('key 20000')).toEqual([])
})

test('a record that stands under one key twice is given once', () => {
  const writer = createTableWriter()
  const place = writer.addRecord('record')
  writer.addKey('key', place)
  writer.addKey('key', place)

  expect(openTable(writer.finish()).find('key')).toEqual(['record'])
})

test('every table has a hash key of its own', () => {
  const keys = Array.from({ length: 20 }, () => createTableWriter().finish().key)

  expect(new Set(keys.map((key) => `${key.low} ${key.high}`)).size).toBe(20)
})

test('the hash is HalfSipHash-1-3 over UTF-16, with the length in units', () => {
  const bytes = (length: number) => Uint8Array.from({ length }, (_, index) => index)
  const vectors = [0x5b9f35a9, 0xb85a4727, 0x03a662fa, 0x04e7fe8a]
  // The reference is right where its authors' own vectors are: those of HalfSipHash-2-4.
  expect(vectors.map((_, length) => halfSipHash(bytes(length), KEY, { each: 2, last: 4 }))).toEqual(vectors)

  const keys = fc.record({ low: fc.integer(), high: fc.integer() })
  const property = fc.property(fc.string({ unit: 'binary', maxLength: 9 }), keys, (text, key) => {
    expect(hashOf(text, key)).toBe(halfSipHash(Buffer.from(text, 'utf16le'), key, { each: 1, last: 3 }, text.length))
  })
  fc.assert(property, { numRuns: 1_000 })
})

test('the hash depends on every bit of its key and of its text, and on the length', () => {
  const text = 'kubernetes.namespace'
  const flipped = Array.from({ length: 32 }, (_, bit) => [
    hashOf(text, { ...KEY, low: KEY.low ^ (1 << bit) }),
    hashOf(text, { ...KEY, high: KEY.high ^ (1 << bit) }),
  ])
  const changed = Array.from(text, (letter, at) =>
    hashOf(`${text.slice(0, at)}${letter.toUpperCase()}${text.slice(at + 1)}`, KEY),
  )
  const lengths = Array.from({ length: 20 }, (_, length) => hashOf('\u0000'.repeat(length), KEY))

  const all = [
    hashOf(text, KEY),
    ...flipped.flat(),
    ...changed.filter((hash) => hash !== hashOf(text, KEY)),
    ...lengths,
  ]
  expect(new Set(all).size).toBe(all.length)
  expect(hashOf(text, KEY)).toBe(hashOf(`${text}`, { ...KEY }))
})

test('hashes are 32 bits that spread evenly, also of texts that hardly differ', () => {
  const hashes = Array.from({ length: 65_536 }, (_, n) => hashOf(`team-${n}`, KEY))
  const places = new Uint32Array(256)
  for (const hash of hashes) {
    expect(hash).toBe(hash >>> 0)
    places[hash & 255] = (places[hash & 255] ?? 0) + 1
  }

  // 256 expected in each; six standard deviations are 96.
  expect(Math.min(...places)).toBeGreaterThan(160)
  expect(Math.max(...places)).toBeLessThan(352)
  expect(new Set(hashes).size).toBeGreaterThan(65_500)
})
