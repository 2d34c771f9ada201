/** How long a spent proof is remembered, and which proofs a store can tell about. Pure, so that every store decides alike. */

import type { NumericDate } from '../../providers/contract/proof.ts'
import type { SpendableProof } from './store.ts'

/** Least life that a proof is taken to have left, in seconds: what AWS grants a signed request, whatever this one says of itself. */
const MIN_LIFE_SECONDS = 900

/** What a proof is remembered beyond its life, in seconds. A clock that is set back by ten minutes brings none back. */
const MARGIN_SECONDS = 900

/**
 * What a store that may have been put back is doubted beyond its opening, in seconds: verifiers tolerate a proof that was made by
 * a clock so far ahead, and it may have been spent just before.
 */
const CLOCK_SKEW_SECONDS = 60

/**
 * How long a store may go without a sign of life and still count as the same one, in seconds. Longer than a restart or a host's
 * reboot takes; shorter than the interval of backups and snapshots, so that an older state that was put back has been away.
 */
const MAX_ABSENCE_SECONDS = 300

/**
 * Most proofs that are remembered, so that nobody fills the disk with them: 100 MB, and more than 500 spent in each second of
 * half an hour. None is forgotten to make room for another.
 */
export const MAX_SPENT_PROOFS = 1_000_000

/** What a store knows of its own past. */
export interface StorePast {
  /** What was made before this and spent may be missing: the store was not there yet, or an older state of it was put back. */
  readonly believedFrom: NumericDate
  /** The latest time that any forgotten proof was to be remembered until. Beyond now where the clock has been set back. */
  readonly forgottenUntil: NumericDate
}

/** Gives the time until which a proof spent now is remembered. */
export function rememberUntil({ expiresAt }: Pick<SpendableProof, 'expiresAt'>, now: NumericDate): NumericDate {
  return Math.max(expiresAt, now + MIN_LIFE_SECONDS) + MARGIN_SECONDS
}

/** Whether the store would know if this proof had been spent before. */
export function canTell(past: StorePast, { issuedAt, expiresAt }: Omit<SpendableProof, 'digest'>): boolean {
  const mayBeMissing = issuedAt < past.believedFrom
  const mayBeForgotten = expiresAt + MARGIN_SECONDS <= past.forgottenUntil
  return !mayBeMissing && !mayBeForgotten
}

/**
 * Gives the time from which a store is believed that is made now: the next second, as a proof says no finer when it was made, and
 * one of this second may have been spent in a store before.
 */
export function believeNew(now: NumericDate): NumericDate {
  return now + 1
}

/** Gives the time from which a store is believed that is opened now and may be an older state, put back. */
export function believeAnew(now: NumericDate): NumericDate {
  return now + CLOCK_SKEW_SECONDS
}

/** Whether a store that was last seen alive then has been away for so long that it may be an older state, put back. */
export function wasAway(lastAlive: NumericDate, now: NumericDate): boolean {
  return Math.abs(now - lastAlive) > MAX_ABSENCE_SECONDS
}
