/** What `chancery keys` says. */

import type { NumericDate } from '../../providers/contract/proof.ts'
import type { Rotation } from '../tokens/ring-changes.ts'
import { type Moment, type NextStep, nextSteps, type RotationRules } from '../tokens/rotation.ts'
import type { KeyState, RingKey, SigningAlgorithm } from '../tokens/signing-key.ts'

/** One key, as `list` tells of it. Undefined steps are none that is known yet. */
export interface KeyAccount {
  readonly key_id: string
  readonly algorithm: SigningAlgorithm
  readonly state: KeyState
  readonly held: RingKey['held']
  readonly published_at: string
  /** When it came into its state. */
  readonly since: string
  readonly age_seconds: number
  readonly next_step: 'signs' | 'retires' | 'is dropped' | null
  /** At the earliest, if a broker is up until then. */
  readonly next_step_at: string | null
}

/** Gives an account of each key. */
export function accountOf(keys: readonly RingKey[], rules: RotationRules, moment: Moment): readonly KeyAccount[] {
  const ruled = {
    ...rules,
    promotes: keys.some(({ held }) => held === 'file') ? 'as soon as it may' : rules.promotes,
  } as const
  const steps = nextSteps(keys, ruled, moment)
  return keys.map((key) => {
    const step = stepOf(key, steps, ruled)
    return {
      key_id: key.keyId,
      algorithm: key.algorithm,
      state: key.state,
      held: key.held,
      published_at: timeOf(key.publishedAt),
      since: timeOf(key.since),
      age_seconds: Math.max(0, moment.now - key.publishedAt),
      next_step: step?.word ?? null,
      next_step_at: step === undefined ? null : timeOf(Math.max(step.at, moment.now)),
    }
  })
}

function stepOf(
  { keyId, algorithm, state }: RingKey,
  steps: readonly NextStep[],
  { publishSeconds }: RotationRules,
): { word: NonNullable<KeyAccount['next_step']>; at: NumericDate } | undefined {
  const own = steps.find((step) => step.keyId === keyId)
  if (own !== undefined) return { word: own.kind === 'drop' ? 'is dropped' : 'signs', at: own.at }
  if (state !== 'current') return undefined
  const successor = steps.find((step) => step.algorithm === algorithm && step.kind !== 'drop')
  if (successor === undefined) return undefined
  return { word: 'retires', at: successor.kind === 'publish' ? successor.at + publishSeconds : successor.at }
}

const HEAD = ['KEY', 'ALGORITHM', 'STATE', 'HELD IN', 'AGE', 'NEXT STEP'] as const

/** Gives the accounts as a table. */
export function tellKeys(accounts: readonly KeyAccount[]): string {
  if (accounts.length === 0) return 'there are no keys yet: a broker makes them when it starts\n'
  const rows = accounts.map((key) => [
    key.key_id,
    key.algorithm,
    key.state,
    key.held,
    spanOf(key.age_seconds),
    key.next_step === null ? '' : `${key.next_step} ${key.next_step_at}`,
  ])
  const widths = HEAD.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return `${[HEAD, ...rows].map(line).join('\n')}\n`
}

/** Says which keys sign now in whose place. */
export function tellRotation(
  before: readonly RingKey[],
  after: readonly RingKey[],
  { keepSeconds }: RotationRules,
  { now }: Moment,
): string {
  const lines = after
    .filter(({ keyId, state }) => state === 'current' && stateOf(before, keyId) === 'next')
    .map(({ keyId, algorithm }) => {
      const retired = before.find((key) => key.algorithm === algorithm && key.state === 'current')
      return `${algorithm}: ${keyId} signs now; ${retired?.keyId} stays public until ${timeOf(now + keepSeconds)}\n`
    })
  return lines.join('')
}

function stateOf(keys: readonly RingKey[], keyId: string): KeyState | undefined {
  return keys.find((key) => key.keyId === keyId)?.state
}

const WAITS: Readonly<Record<'publication' | 'room', (hours: number) => string>> = {
  publication: (hours) =>
    `the next key has not been public for ${hours} h, and verifiers that keep key sets may not know it`,
  room: (hours) =>
    `four keys are public: another can be published when a retired one has gone, and signs after ${hours} h of that`,
}

/** Says when a rotation is possible. */
export function tellWait(
  algorithms: readonly SigningAlgorithm[],
  waits: readonly Extract<Rotation<RingKey>, { isRotated: false }>[],
  { publishSeconds }: RotationRules,
): string {
  const [latest] = waits.toSorted((one, other) => other.earliest - one.earliest)
  if (latest === undefined) return ''
  const why = WAITS[latest.why](Math.floor(publishSeconds / 3_600))
  return `not yet, at the earliest ${timeOf(latest.earliest)}: ${algorithms.join(', ')}: ${why}\n`
}

/** Says what was done, and what it means for whoever verifies. */
export function tellRevocation(
  revoked: RingKey,
  successor: RingKey | undefined,
  rules: RotationRules,
  moment: Moment,
): string {
  const { keyId, algorithm, state } = revoked
  const gone = `${algorithm}: ${keyId} is revoked: brokers stop signing with it and publishing it within 5 s\n`
  if (state === 'next') return `${gone}it has signed nothing; another next key is published in its place\n`
  const tokens =
    'verifiers take what it signed until they look at the key set again: those of chancery/verify within a minute, others within 5 minutes where they keep to max-age, within a day where they keep it longer; restart those that cannot wait\n'
  return `${gone}${tokens}${state === 'current' && successor !== undefined ? tellSuccessor(successor, rules, moment) : ''}`
}

function tellSuccessor(
  { keyId, publishedUptime }: RingKey,
  { publishSeconds }: RotationRules,
  { now, uptime }: Moment,
): string {
  const publicFor = uptime - publishedUptime
  if (publicFor >= publishSeconds)
    return `${keyId} signs now: it has been public for ${spanOf(publicFor)}, and verifiers know it\n`
  const known = timeOf(now + publishSeconds - publicFor)
  return `${keyId} signs now, public for only ${spanOf(publicFor)}: verifiers that keep key sets may refuse its tokens until they look again, until ${known} at the latest\n`
}

function timeOf(seconds: NumericDate): string {
  return new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z')
}

/** Gives a span in the unit that says most. */
function spanOf(seconds: number): string {
  if (seconds >= 172_800) return `${Math.floor(seconds / 86_400)} d`
  if (seconds >= 7_200) return `${Math.floor(seconds / 3_600)} h`
  return seconds >= 120 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds)} s`
}
