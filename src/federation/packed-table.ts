/**
 * A table outside of the garbage collector's reach: records of JSON under keys, in two flat arrays. Hundreds of thousands of them are
 * handed from process to process, and dropped again, without holding up what else goes on.
 */

import { randomBytes } from 'node:crypto'
import { type HashKey, hashOf } from './keyed-hash.ts'

/** A table as it crosses processes. */
export interface PackedTable {
  readonly key: HashKey
  /** Pairs of a hash and of where its record begins, from 1; 0 is an empty place. A power of two of pairs. */
  readonly slots: Uint32Array
  /** Each record's length in four bytes, and its JSON. */
  readonly records: Uint8Array
}

/** Writes a table. A record may stand under several keys, and a key may have several records. */
export interface TableWriter {
  /** Adds a record and gives its place. */
  addRecord(record: unknown): number
  addKey(key: string, place: number): void
  finish(): PackedTable
}

/** Largest table, in bytes of records: places are counted in 32 bits. */
const MAX_RECORDS_BYTES = 0xffff_fff0

const LENGTH_BYTES = 4

/** Begins a table, under a hash key of its own. */
export function createTableWriter(): TableWriter {
  const random = randomBytes(8)
  const key = { low: random.readInt32LE(0), high: random.readInt32LE(4) }
  const hashes: number[] = []
  const places: number[] = []
  let records = Buffer.allocUnsafeSlow(65_536)
  let length = 0
  return {
    addRecord(record) {
      const json = JSON.stringify(record)
      const needed = length + LENGTH_BYTES + json.length * 3
      if (needed > MAX_RECORDS_BYTES) throw new RangeError('more records than a table can hold')
      if (needed > records.length) records = grow(records, Math.max(needed, records.length * 2))
      const place = length
      const written = records.write(json, place + LENGTH_BYTES)
      records.writeUInt32LE(written, place)
      length = place + LENGTH_BYTES + written
      return place
    },
    addKey(text, place) {
      hashes.push(hashOf(text, key))
      places.push(place)
    },
    finish: () => ({ key, slots: placeAll(hashes, places), records: records.subarray(0, length) }),
  }
}

/** Half of the places stay empty, so that a search is short. */
function placeAll(hashes: readonly number[], places: readonly number[]): Uint32Array {
  const pairs = 2 ** Math.ceil(Math.log2(Math.max(hashes.length * 2, 2)))
  const slots = new Uint32Array(pairs * 2)
  for (const [index, hash] of hashes.entries()) {
    let at = hash & (pairs - 1)
    while (slots[at * 2 + 1] !== 0) at = (at + 1) & (pairs - 1)
    slots[at * 2] = hash
    slots[at * 2 + 1] = (places[index] ?? 0) + 1
  }
  return slots
}

function grow(records: Buffer, length: number): Buffer<ArrayBuffer> {
  const grown = Buffer.allocUnsafeSlow(length)
  records.copy(grown)
  return grown
}

/** Gives a table's records. They are as they were written; what they mean is for whoever wrote them. */
export interface TableReader {
  /** Gives the records under a key, each once; once in four thousand million, one under another key too: look at what is given. */
  find(key: string): readonly unknown[]
  all(): Iterable<unknown>
}

/** Opens a table without copying any of it. */
export function openTable({ key, slots, records }: PackedTable): TableReader {
  const pairs = slots.length / 2
  const bytes = Buffer.from(records.buffer, records.byteOffset, records.byteLength)
  const read = (place: number): unknown => {
    const start = place + LENGTH_BYTES
    return JSON.parse(bytes.toString('utf8', start, start + bytes.readUInt32LE(place)))
  }
  return {
    find(text) {
      const hash = hashOf(text, key)
      const places = new Set<number>()
      for (let at = hash & (pairs - 1); slots[at * 2 + 1] !== 0; at = (at + 1) & (pairs - 1)) {
        if (slots[at * 2] === hash) places.add((slots[at * 2 + 1] ?? 0) - 1)
      }
      return [...places].map(read)
    },
    *all() {
      for (let place = 0; place < bytes.length; place += LENGTH_BYTES + bytes.readUInt32LE(place)) yield read(place)
    },
  }
}
