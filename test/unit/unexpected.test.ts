/** What a command says of something that nobody foresaw. */

import { expect, test } from 'vitest'
import { tellUnexpected } from '../../src/cli/unexpected.ts'

function caught(act: () => void): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  return undefined
}

test('of a bug one line: its kind and place, and nothing of its message, which may quote a proof', () => {
  const error = caught(() => {
    throw new TypeError('eyJhbGciOi\n    at secret (evil.ts:1:1)')
  })

  expect(tellUnexpected(error)).toMatch(
    /^chancery: unexpected TypeError at unit\/unexpected\.test\.ts:\d+:\d+: this is a bug, and worth a report\n$/,
  )
})

test('of the system its own words', () => {
  const error = Object.assign(new Error('ENOSPC: no space left on device, write'), { syscall: 'write' })

  expect(tellUnexpected(error)).toBe('chancery: ENOSPC: no space left on device, write\n')
})

test.each([undefined, null, 'eyJhbGciOi', { name: 'x' }])('of %j that it was thrown', (thrown) => {
  expect(tellUnexpected(thrown)).toMatch(
    /^chancery: unexpected (undefined|object|string): this is a bug, and worth a report\n$/,
  )
})
