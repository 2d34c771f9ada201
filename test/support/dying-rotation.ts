/** A process of its own that takes the steps that are due in a store, and dies before the statement that it is told. */

import { DatabaseSync, StatementSync } from 'node:sqlite'
import { createSealer } from '../../src/store/seal.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { createEmbeddedSource } from '../../src/tokens/embedded-source.ts'
import { createRingStore } from '../../src/tokens/ring-store.ts'
import { rulesFor } from '../../src/tokens/rotation.ts'

const [, , path = '', key = '', period = '', now = '', diesAt = ''] = process.argv

let left = Number(diesAt)

/** Dies as a process does that is killed: nothing more is run, nothing is closed. */
function dieInTime(): void {
  if (--left < 0) process.kill(process.pid, 'SIGKILL')
}

const store = await openSqliteStore(path)
const source = createEmbeddedSource({
  ringStore: createRingStore(store, createSealer([Buffer.from(key, 'base64')])),
  rules: rulesFor(Number(period)),
  now: () => Number(now),
  elapsed: () => 0,
})

for (const name of ['run', 'all', 'get'] as const) {
  const original = StatementSync.prototype[name] as (...values: unknown[]) => unknown
  Object.defineProperty(StatementSync.prototype, name, {
    value(this: StatementSync, ...values: unknown[]) {
      dieInTime()
      return original.apply(this, values)
    },
  })
}
const exec = DatabaseSync.prototype.exec
DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string) {
  dieInTime()
  return exec.call(this, sql)
}

const { keys } = await source.list()
process.stdout.write(`${JSON.stringify(keys.map(({ algorithm, state }) => `${algorithm} ${state}`).sort())}\n`)
