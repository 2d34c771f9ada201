/** Signals that we get in a program's place. */

const PASSED_ON = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const

/** Signals that say to end. */
const ENDING: readonly string[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']

/** Signals that a terminal sends to everybody in the foreground: the program has them already. */
const FROM_TERMINAL: readonly string[] = ['SIGINT', 'SIGQUIT', 'SIGHUP']

export interface SignalEars {
  /** Hears what is to be passed on. */
  readonly pass: (signal: NodeJS.Signals) => void
  /** Hears that somebody wants an end, whether that is passed on or the program has heard it too. */
  readonly end: () => void
}

/**
 * Catches signals for a program, instead of ending by them, until the function that it gives is called. With a terminal, one that
 * the terminal sends is not passed on, as the program has it already: it alone decides what it means.
 */
export function catchSignals(ears: SignalEars, hasTerminal: boolean): () => void {
  const caught = PASSED_ON.map((signal) => {
    const listen = (): void => {
      if (ENDING.includes(signal)) ears.end()
      if (!hasTerminal || !FROM_TERMINAL.includes(signal)) ears.pass(signal)
    }
    process.on(signal, listen)
    return { signal, listen }
  })
  return () => {
    for (const { signal, listen } of caught) process.off(signal, listen)
  }
}
