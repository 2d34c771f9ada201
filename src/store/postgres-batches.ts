/** Lets callers that ask at the same time share one question. */

import type { PostgresPool } from './postgres-pool.ts'

/** Most that share one: as many as exchanges can be under way. */
const MAX_TOGETHER = 1_024

interface Caller<Asked, Told> {
  readonly asked: Asked
  readonly resolve: (told: Told) => void
  readonly reject: (error: unknown) => void
}

/**
 * Gives a function that asks together whatever gathers while the question before is under way: one connection, however many ask.
 * Where the database does not answer, nobody waits for more than the question that finds it out.
 */
export function askTogether<Asked, Told>(
  pool: Pick<PostgresPool, 'isShut'>,
  ask: (asked: readonly Asked[]) => Promise<readonly Told[]>,
): (asked: Asked) => Promise<Told> {
  const waiting: Caller<Asked, Told>[] = []
  let isAsking = false

  const askAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const callers = waiting.splice(0, MAX_TOGETHER)
      try {
        const told = await ask(callers.map(({ asked }) => asked))
        for (const [index, answer] of told.entries()) callers[index]?.resolve(answer)
      } catch (error) {
        for (const { reject } of callers) reject(error)
      }
    }
    isAsking = false
  }
  return async (asked) => {
    if (pool.isShut()) throw new Error('the database did not answer a moment ago')
    return await new Promise((resolve, reject) => {
      waiting.push({ asked, resolve, reject })
      if (isAsking) return
      isAsking = true
      setImmediate(() => void askAll())
    })
  }
}
