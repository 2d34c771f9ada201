/** How a command ends, and whom it speaks to. */

/** Exit codes of every command. `exec` passes its child's on. */
export const EXIT = { done: 0, refused: 1, wrong: 2, later: 3 } as const

/** Where a command writes: results to `out`, everything else to `err`. */
export interface Terminal {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/** A command that cannot run as it was called. The message says what to do; the exit code is 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}
