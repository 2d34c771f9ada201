/** Gives a time, and how far away it is: `2026-01-15T12:15:00Z (in 14 min)`. Whatever is no time of a clock is said to be none. */
export function tellTime(time: unknown, now: number): string {
  if (typeof time !== 'number' || !Number.isFinite(time) || Math.abs(time) > 1e11) return 'not a time'
  const written = new Date(time * 1_000).toISOString().replace('.000Z', 'Z')
  const away = Math.abs(time - now)
  return `${written} (${time >= now ? `in ${tellSpan(away)}` : `${tellSpan(away)} ago`})`
}

const UNITS = [
  { name: 'd', seconds: 86_400 },
  { name: 'h', seconds: 3_600 },
  { name: 'min', seconds: 60 },
] as const

function tellSpan(seconds: number): string {
  const unit = UNITS.find((candidate) => seconds >= 2 * candidate.seconds)
  return unit === undefined ? `${Math.floor(seconds)} s` : `${Math.floor(seconds / unit.seconds)} ${unit.name}`
}
