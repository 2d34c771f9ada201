/** Spent proofs in the PostgreSQL store. */

import { randomInt } from 'node:crypto'
import type { NumericDate } from '../../providers/contract/proof.ts'
import { askTogether } from './postgres-batches.ts'
import { isDoubtful, noteUse, readPast, type SeenPast } from './postgres-past.ts'
import type { PostgresPool, Session } from './postgres-pool.ts'
import { COUNT_SLOTS } from './postgres-schema.ts'
import { canTell, MAX_SPENT_PROOFS, rememberUntil } from './retention.ts'
import type { SpendableProof, Spending, SpentCount, SpentProofs } from './store.ts'

/** Most proofs that are forgotten in one transaction: milliseconds, in which nobody spends. */
const FORGET_AT_ONCE = 500

const FIND = 'SELECT digest FROM chancery.spent_proofs WHERE digest = ANY ($1::bytea[])'

const ADD = `INSERT INTO chancery.spent_proofs (digest, remember_until)
  SELECT * FROM unnest($1::bytea[], $2::bigint[]) ON CONFLICT DO NOTHING RETURNING digest`

const FORGET = `DELETE FROM chancery.spent_proofs WHERE digest IN (
  SELECT digest FROM chancery.spent_proofs WHERE remember_until <= $1 ORDER BY remember_until LIMIT ${FORGET_AT_ONCE})
  RETURNING remember_until`

const NOTE_FORGOTTEN = 'UPDATE chancery.spending SET forgotten_until = greatest(forgotten_until, $1) WHERE id = 1'

const ADD_TO_COUNT = 'UPDATE chancery.spent_counts SET count = count + $1 WHERE slot = $2'

interface Attempt {
  readonly proof: SpendableProof
  readonly now: NumericDate
}

/** What became of several attempts, in their order. Undefined where the store has to be looked at before it is believed. */
type Settled = readonly Spending[] | undefined

/**
 * Opens the list of spent proofs of a database that is migrated. It is believed as {@link noteUse} says, which is found out anew
 * whenever the server turns out to be another: `onDoubt` is told from when on it is believed then.
 */
export async function openSpentProofs(
  pool: PostgresPool,
  now: NumericDate,
  onDoubt: (believedFrom: NumericDate) => void,
): Promise<SpentProofs> {
  const slot = randomInt(COUNT_SLOTS)
  let { believedFrom, beats } = await pool.transaction(
    (session) => noteUse(session, now, { beatsKnown: 0, isOpening: true }),
    { lock: 'past' },
  )
  const observe = (past: SeenPast): void => {
    beats = Math.max(beats, past.beats)
    if (past.believedFrom === believedFrom) return
    believedFrom = past.believedFrom
    onDoubt(believedFrom)
  }
  /** What is spent and what is forgotten at the same time would not know of each other. */
  const tend = async (time: NumericDate): Promise<SpentCount> => {
    const beatsKnown = beats
    const tended = await pool.transaction((session) => tendOnce(session, time, beatsKnown, slot), { lock: 'past' })
    observe(tended.past)
    return { count: tended.past.count, hasMore: tended.hasMore }
  }
  const settle = async (attempts: readonly Attempt[]): Promise<Settled> => {
    const beatsKnown = beats
    const spend = (session: Session) => spendAll(session, attempts, beatsKnown, slot)
    return await pool.transaction(spend, { lock: 'past', isShared: true })
  }
  const spendTogether = askTogether(pool, async (attempts: readonly Attempt[]) => {
    const settled = await settle(attempts)
    if (settled !== undefined) return settled
    await tend(Math.max(...attempts.map((attempt) => attempt.now)))
    const again = await settle(attempts)
    if (again === undefined) throw new Error('the database changes its past')
    return again
  })
  const findTogether = askTogether(pool, async (digests: readonly Uint8Array[]) => {
    const found = await findAll(pool.read, digests)
    return digests.map((digest) => found.has(nameOf(digest)))
  })
  return {
    get believedFrom() {
      return believedFrom
    },
    isSpent: findTogether,
    spend: (proof, time) => spendTogether({ proof, now: time }),
    tend,
  }
}

async function tendOnce(session: Session, now: NumericDate, beatsKnown: number, slot: number) {
  const rows = await session.query(FORGET, [now])
  const past = await noteUse(session, now, { beatsKnown, isOpening: false })
  if (rows.length === 0) return { past, hasMore: false }
  await session.query(NOTE_FORGOTTEN, [Math.max(...rows.map((row) => Number(row.remember_until)))])
  await session.query(ADD_TO_COUNT, [-rows.length, slot])
  const count = past.count - rows.length
  return { past: { ...past, count }, hasMore: rows.length === FORGET_AT_ONCE }
}

async function spendAll(
  session: Session,
  attempts: readonly Attempt[],
  beatsKnown: number,
  slot: number,
): Promise<Settled> {
  const past = await readPast(session)
  if (isDoubtful(past, beatsKnown)) return undefined
  const chosen = choose(attempts, past)
  const added = await addAll(session, chosen)
  if (added.size > 0) await session.query(ADD_TO_COUNT, [added.size, slot])
  const others = attempts.filter((attempt) => chosen.get(nameOf(attempt.proof.digest)) === undefined)
  const found =
    others.length === 0
      ? undefined
      : await findAll(
          session.query,
          others.map(({ proof }) => proof.digest),
        )
  return attempts.map((attempt) => {
    const name = nameOf(attempt.proof.digest)
    const first = chosen.get(name)
    if (first !== undefined) return first === attempt && added.has(name) ? 'spent' : 'replayed'
    if (found?.has(name) === true) return 'replayed'
    return canTell(past, attempt.proof) ? 'full' : 'predates'
  })
}

/** Gives the attempts that an insert decides: the first one at each proof that the store can tell about, as far as there is room. */
function choose(attempts: readonly Attempt[], past: SeenPast): ReadonlyMap<string, Attempt> {
  const chosen = new Map<string, Attempt>()
  for (const attempt of attempts) {
    const name = nameOf(attempt.proof.digest)
    if (chosen.has(name) || !canTell(past, attempt.proof) || past.count + chosen.size >= MAX_SPENT_PROOFS) continue
    chosen.set(name, attempt)
  }
  return chosen
}

/** Gives what nobody had spent before. In one order, as two processes with the same proofs would else wait for each other. */
async function addAll(session: Session, chosen: ReadonlyMap<string, Attempt>): Promise<ReadonlySet<string>> {
  if (chosen.size === 0) return new Set()
  const sorted = [...chosen].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, attempt]) => attempt)
  const digests = sorted.map(({ proof }) => proof.digest)
  return toNames(await session.query(ADD, [digests, sorted.map(({ proof, now }) => rememberUntil(proof, now))]))
}

async function findAll(query: Session['query'], digests: readonly Uint8Array[]): Promise<ReadonlySet<string>> {
  return toNames(await query(FIND, [digests]))
}

function toNames(rows: readonly { readonly digest?: unknown }[]): ReadonlySet<string> {
  return new Set(rows.map(({ digest }) => (digest instanceof Uint8Array ? nameOf(digest) : '')))
}

function nameOf(digest: Uint8Array): string {
  return Buffer.from(digest).toString('hex')
}
