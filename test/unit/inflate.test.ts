/** Unpacking a document: whole, and nothing but it. */

import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { inflateWhole } from '../../src/federation/inflate.ts'

const TEXT = '{"version":1}'
const PACKED = gzipSync(TEXT)
const LIMIT = 1_000_000

test('gives what was packed, be it in one member or in several', async () => {
  expect((await inflateWhole(PACKED, LIMIT)).toString()).toBe(TEXT)
  expect((await inflateWhole(Buffer.concat([PACKED, PACKED]), LIMIT)).toString()).toBe(TEXT + TEXT)
})

test('takes as much as is allowed', async () => {
  expect(await inflateWhole(gzipSync(Buffer.alloc(LIMIT)), LIMIT)).toHaveLength(LIMIT)
  await expect(inflateWhole(gzipSync(Buffer.alloc(LIMIT + 1)), LIMIT)).rejects.toThrow(/more than 1000000/)
})

test('gives a bomb up while it unfolds', async () => {
  const bomb = gzipSync(Buffer.alloc(400_000_000), { level: 9 })
  const before = process.memoryUsage().arrayBuffers

  await expect(inflateWhole(bomb, LIMIT)).rejects.toThrow(/more than/)

  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000)
})

test.each([
  ['nothing', Buffer.of()],
  ['something else', Buffer.from(TEXT)],
  ['what breaks off', PACKED.subarray(0, -4)],
  ['what was changed', Buffer.concat([PACKED.subarray(0, -8), Buffer.alloc(8)])],
  ['garbage after its end', Buffer.concat([PACKED, Buffer.from('x')])],
  ['zeros after its end', Buffer.concat([PACKED, Buffer.alloc(512)])],
  ['half a member after its end', Buffer.concat([PACKED, PACKED.subarray(0, 12)])],
])('refuses %s', async (_what, packed) => {
  await expect(inflateWhole(packed, LIMIT)).rejects.toThrow()
})
