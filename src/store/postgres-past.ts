/** What a PostgreSQL store knows of its own past, and how it finds out that it is another than it was. */

import type { NumericDate } from '../../providers/contract/proof.ts'
import type { Row, Session } from './postgres-pool.ts'
import { believeAnew, believeNew, type StorePast, wasAway } from './retention.ts'

/** The past, as one transaction sees it. */
export interface SeenPast extends StorePast {
  /** How often brokers have noted that the store is in use. */
  readonly beats: number
  readonly count: number
  /** Whether the server still is the one that noted this: otherwise an older state may have taken the place of a newer one. */
  readonly isSameServer: boolean
}

/**
 * Which history the server goes on with. A cluster that was made anew or cloned by logical means has another identifier; a
 * standby that was promoted, and a backup that was recovered, another timeline; a database or a table that was restored from a
 * dump, another number.
 *
 * @see {@link https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-TIMELINES PostgreSQL on timelines}
 */
const LINEAGE = `concat_ws(' ',
  (SELECT system_identifier FROM pg_control_system()),
  left(pg_walfile_name(pg_current_wal_lsn()), 8),
  (SELECT oid FROM pg_database WHERE datname = current_database()),
  'chancery.spent_proofs'::regclass::oid)`

const READ = `SELECT believed_from, forgotten_until, beats, alive_at, lineage = ${LINEAGE} AS is_same_server,
  (SELECT sum(count) FROM chancery.spent_counts) AS count FROM chancery.spending WHERE id = 1`

const NOTE = `INSERT INTO chancery.spending (id, believed_from, alive_at, lineage, beats, forgotten_until)
  VALUES (1, $1, $2, ${LINEAGE}, $3, 0)
  ON CONFLICT (id) DO UPDATE SET believed_from = excluded.believed_from, alive_at = excluded.alive_at,
  lineage = excluded.lineage, beats = excluded.beats`

/** Reads the past. A store that has lost it cannot tell about any proof. */
export async function readPast(session: Session): Promise<SeenPast> {
  const [row] = await session.query(READ)
  if (row === undefined) throw new Error('the store does not know its own past')
  return toPast(row)
}

/**
 * Notes that the store is in use, and from when on it is believed. A new store is believed from the next second; one in which an
 * older state may have been put back, from a minute on. The transaction must hold the lock of the past for itself.
 *
 * `beatsKnown` is what this process has seen before: a store that remembers less has forgotten what it acknowledged. Where
 * `isOpening`, a store may be new, and one that nobody has used for minutes is doubted.
 */
export async function noteUse(
  session: Session,
  now: NumericDate,
  { beatsKnown, isOpening }: { readonly beatsKnown: number; readonly isOpening: boolean },
): Promise<SeenPast> {
  const [row] = await session.query(READ)
  if (row === undefined && !isOpening) throw new Error('the store does not know its own past')
  const before = row === undefined ? undefined : toPast(row)
  const isAway = isOpening && row !== undefined && wasAway(Number(row.alive_at), now)
  const beats = Math.max(before?.beats ?? 0, beatsKnown) + 1
  await session.query(NOTE, [believeFrom(before, beatsKnown, isAway, now), now, beats])
  return await readPast(session)
}

/** Whether what a process has been told before may be missing. */
export function isDoubtful({ isSameServer, beats }: SeenPast, beatsKnown: number): boolean {
  return !isSameServer || beats < beatsKnown
}

function believeFrom(before: SeenPast | undefined, beatsKnown: number, isAway: boolean, now: NumericDate): NumericDate {
  if (before === undefined) return believeNew(now)
  return isAway || isDoubtful(before, beatsKnown) ? believeAnew(now) : before.believedFrom
}

function toPast(row: Row): SeenPast {
  return {
    believedFrom: Number(row.believed_from),
    forgottenUntil: Number(row.forgotten_until),
    beats: Number(row.beats),
    count: Number(row.count),
    isSameServer: row.is_same_server === true,
  }
}
