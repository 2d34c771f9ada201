/**
 * Counts the seconds in which some broker on a store was up, so that no clock that is set shortens a wait.
 *
 * The store keeps the count, and a process adds the time for which it has seen the stored ring stay as it is, in the change that
 * replaces it. What two processes add are then spans of time that do not overlap, and the count never runs ahead of real time:
 * one that slept, hung or was cut off finds another ring when it comes back, and adds nothing.
 */
export interface Uptime {
  /** Called when the stored ring was read. Gives how many seconds it has stayed as it is, as far as this process has seen. */
  seen(version: number): number
}

/** Creates the count of one process. `elapsed` is in seconds, by a clock that only goes on. */
export function createUptime(elapsed: () => number): Uptime {
  let since: { readonly version: number; readonly at: number } | undefined
  return {
    seen(version) {
      if (since?.version !== version) since = { version, at: elapsed() }
      return Math.max(0, Math.floor(elapsed() - since.at))
    },
  }
}
