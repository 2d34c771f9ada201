/** Sees SQLite refuse this process a write while another one's is under way. */

import { DatabaseSync } from 'node:sqlite'
import { onTestFinished } from 'vitest'

/** Waits until it has been refused a second time: whoever wants to write has then let others go on, and has come back. */
export function refusedTwice(): Promise<void> {
  const { exec } = DatabaseSync.prototype
  onTestFinished(() => {
    DatabaseSync.prototype.exec = exec
  })
  let refusals = 0
  return new Promise((resolve) => {
    DatabaseSync.prototype.exec = function watch(sql: string) {
      try {
        exec.call(this, sql)
      } catch (error) {
        refusals += 1
        if (refusals === 2) resolve()
        throw error
      }
    }
  })
}
