/** Follows the document on disk: loads it, keeps the last good one, and never lets a broken one take effect. */

import type { Federation, ReadResult } from './federation.ts'
import type { Finding } from './finding.ts'
import type { KeptDocuments } from './kept.ts'

/** How often the document on disk is looked at, in milliseconds. */
export const POLL_MS = 2_000

/** A document that was read and proved elsewhere, with its text to keep. */
export interface LoadedDocument extends ReadResult {
  readonly file: string
  readonly text: string | undefined
}

export interface FederationSourcePorts {
  /** Reads and proves the document, off the serving thread. */
  readonly load: () => Promise<LoadedDocument>
  /** Changes whenever the document on disk may have. */
  readonly fingerprint: () => Promise<string>
  readonly kept: KeptDocuments
  /** Called with each document that takes effect, before {@link FederationSource.current} gives it. */
  readonly onAccepted: (federation: Federation, findings: readonly Finding[]) => void
  /** Called for each document that does not. */
  readonly onRefused: (findings: readonly Finding[]) => void
  /** Called after each look: whether what is on disk was refused. */
  readonly onStale: (isStale: boolean) => void
  /** Called where keeping or looking at a document failed; serving goes on. */
  readonly onTrouble: (error: unknown) => void
}

export interface FederationSource {
  current(): Federation | undefined
  /**
   * Loads the first document, or the last good one that was kept where that is broken, and follows it from then on. Gives what
   * was found where neither can be used.
   */
  start(): Promise<readonly Finding[] | undefined>
  /** Looks at once, without waiting for the next poll. */
  poll(): Promise<void>
  stop(): void
}

/** Creates the source. Loads never overlap: a poll that comes while one is under way waits for the next. */
export function createFederationSource(ports: FederationSourcePorts): FederationSource {
  let current: Federation | undefined
  let seen: string | undefined
  let polling: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  const accept = (federation: Federation, findings: readonly Finding[]): void => {
    ports.onAccepted(federation, findings)
    current = federation
  }
  const loadOnce = async (): Promise<readonly Finding[]> => {
    const loaded = await ports.load()
    ports.onStale(loaded.federation === undefined)
    if (loaded.federation === undefined) {
      ports.onRefused(loaded.findings)
      return loaded.findings
    }
    accept(loaded.federation, loaded.findings)
    if (loaded.text !== undefined) await ports.kept.keep(loaded.file, loaded.text).catch(ports.onTrouble)
    return []
  }
  const look = async (): Promise<void> => {
    const fingerprint = await ports.fingerprint()
    if (fingerprint === seen) return
    await loadOnce()
    seen = fingerprint
  }
  const poll = (): Promise<void> => {
    polling ??= look()
      .catch(ports.onTrouble)
      .finally(() => {
        polling = undefined
      })
    return polling
  }

  return {
    current: () => current,
    poll,
    async start() {
      seen = await ports.fingerprint()
      const findings = await loadOnce()
      if (current === undefined) {
        const kept = await ports.kept.restore()
        if (kept?.federation === undefined) return findings
        accept(kept.federation, kept.findings)
      }
      timer = setInterval(() => void poll(), POLL_MS)
      timer.unref()
      return undefined
    },
    stop: () => clearInterval(timer),
  }
}
