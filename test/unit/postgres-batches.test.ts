/** Callers that ask a database together: none of them waits where it is known to be silent. */

import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { askTogether } from '../../src/store/postgres-batches.ts'

/** A database that answers when it is let, behind a gate that a test shuts. */
function openDatabase() {
  const { promise, resolve } = Promise.withResolvers<void>()
  const batches: (readonly number[])[] = []
  const gate = { isShut: false }
  const ask = askTogether<number, number>({ isShut: () => gate.isShut }, async (asked) => {
    batches.push(asked)
    await promise
    return asked.map((each) => each * 2)
  })
  return { ask, batches, gate, answer: resolve }
}

test('whoever asks while a question is under way shares the next one', async () => {
  const { ask, batches, answer } = openDatabase()
  const first = ask(1)
  await setImmediate()
  const others = [ask(2), ask(3)]
  answer()

  expect(await Promise.all([first, ...others])).toEqual([2, 4, 6])
  expect(batches).toEqual([[1], [2, 3]])
})

test('whoever asks a database that is known to be silent is refused at once, not behind the question that finds out', async () => {
  const { ask, batches, gate, answer } = openDatabase()
  const first = ask(1)
  await setImmediate()
  gate.isShut = true

  await expect(ask(2)).rejects.toThrow('the database did not answer a moment ago')
  answer()
  expect(await first).toBe(2)
  expect(batches).toEqual([[1]])
})
