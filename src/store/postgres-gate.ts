/** Keeps callers from waiting for a database that does not answer. */

/** How long it is left alone after it did not answer, in milliseconds. */
const REST_MS = 500

export interface Gate {
  /** Whether whoever asks now is refused at once. */
  isShut(): boolean
  /** Lets a first question through, or throws at once. While the database is down one caller at a time finds out whether it is up again. */
  enter<T>(ask: () => Promise<T>): Promise<T>
  /** Says that a later question failed. */
  failed(error: unknown): void
}

/**
 * Creates the gate of one database. Without it every exchange of a single-use proof would wait for a time-out, and all of them
 * together take the places of exchanges that need no database.
 */
export function createGate(clock: () => number = () => performance.now()): Gate {
  let isDown = false
  let isTried = false
  let restsUntil = 0

  const isShut = (): boolean => isDown && (isTried || clock() < restsUntil)
  const failed = (error: unknown): void => {
    isDown = isOutage(error)
    if (isDown) restsUntil = clock() + REST_MS
  }
  return {
    isShut,
    failed,
    async enter(ask) {
      if (isShut()) throw new Error('the database did not answer a moment ago')
      const isTrial = isDown
      isTried = isTrial
      try {
        const answer = await ask()
        isDown = false
        return answer
      } catch (error) {
        failed(error)
        throw error
      } finally {
        if (isTrial) isTried = false
      }
    },
  }
}

/** What a server says of one statement is an answer; that it ends, is not there or is silent is none. */
function isOutage(error: unknown): boolean {
  return (error as { readonly severity?: string }).severity !== 'ERROR'
}
