/** A command line that is wrong. */

import { expect, test } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'

const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJsZWRnZXIifQ.c2lnbmF0dXJl'

test.each([
  [['verify', TOKEN, 'more']],
  [['verify', 'more', TOKEN]],
  [[TOKEN]],
  [['token', '--format', TOKEN]],
  [['decode', `--${TOKEN}`]],
])('is told of without the token that is in it: %#', async (args) => {
  let told = ''
  const tell = (text: string): void => {
    told += text
  }
  const code = await runProgram(args, { out: tell, err: tell })

  expect(code).toBe(2)
  expect(told).toContain('[a token]')
  expect(told).not.toContain(TOKEN)
})

test('is told of by its other words', async () => {
  let told = ''
  await runProgram(['tokn', '--host=registry.example.com'], {
    out: () => undefined,
    err: (text) => {
      told += text
    },
  })

  expect(told).toContain('tokn')
})
