/** Follows the document on disk: loads it, keeps the last good one, and never lets a broken one take effect. */

import type { Federation, ReadResult } from './federation.ts'
import { type Finding, hasErrors } from './finding.ts'
import type { KeptDocuments, PackedDocument } from './kept.ts'

/** How often the disk is looked at, in milliseconds. */
export const POLL_MS = 2_000

/** What came of looking at the documents on disk. */
export interface LoadedFederation extends ReadResult {
  /** What the federation is made of. */
  readonly documents: readonly PackedDocument[]
}

export interface FederationSourcePorts {
  /**
   * Reads and proves the documents, off the serving thread. A team's broken one is replaced by its last good one; a broken platform
   * document by all that is given here, unless something is in force already.
   */
  readonly load: (lastGood: readonly PackedDocument[], isServing: boolean) => Promise<LoadedFederation>
  /** Changes whenever a document on disk may have. */
  readonly fingerprint: () => Promise<string>
  readonly kept: Pick<KeptDocuments, 'keep' | 'restore'>
  /** Called with each federation that takes effect, before {@link FederationSource.current} gives it, and with what to look at in it. */
  readonly onAccepted: (federation: Federation, warnings: readonly Finding[]) => void
  /** Called where a document on disk does not take effect, whether or not others do. */
  readonly onRefused: (findings: readonly Finding[]) => void
  /** Called after each look: whether anything on disk was refused. */
  readonly onStale: (isStale: boolean) => void
  /** Called where keeping or looking at a document failed; serving goes on. */
  readonly onTrouble: (error: unknown) => void
}

export interface FederationSource {
  current(): Federation | undefined
  /**
   * Loads the documents, or the last good ones that were kept where the platform's is broken, and follows them from then on. Gives
   * what was found where neither can be used.
   */
  start(): Promise<readonly Finding[] | undefined>
  /** Looks at once, without waiting for the next poll. */
  poll(): Promise<void>
  stop(): void
}

/** Creates the source. Loads never overlap: a poll that comes while one is under way waits for the next. */
export function createFederationSource(ports: FederationSourcePorts): FederationSource {
  let current: Federation | undefined
  let lastGood: readonly PackedDocument[] = []
  let seen: string | undefined
  let polling: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  const loadOnce = async (): Promise<readonly Finding[]> => {
    const { federation, findings, documents } = await ports.load(lastGood, current !== undefined)
    const isStale = hasErrors(findings)
    ports.onStale(isStale)
    if (isStale) ports.onRefused(findings)
    if (federation === undefined) return findings
    ports.onAccepted(federation, isStale ? [] : findings)
    current = federation
    lastGood = documents
    await ports.kept.keep(documents).catch(ports.onTrouble)
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
      lastGood = await ports.kept.restore().catch((error: unknown) => {
        ports.onTrouble(error)
        return []
      })
      const findings = await loadOnce()
      if (current === undefined) return findings
      timer = setInterval(() => void poll(), POLL_MS)
      timer.unref()
      return undefined
    },
    stop: () => clearInterval(timer),
  }
}
