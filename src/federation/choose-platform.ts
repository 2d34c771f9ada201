/** Which document is the platform's: no team's that forgets to name its delegation breaks it, and none takes its place. */

import { basename } from 'node:path'
import { complain } from './finding.ts'
import type { DocumentText, ParsedDocument } from './parse-document.ts'

type Read = ParsedDocument & DocumentText
type Platform = Extract<Read, { kind: 'platform' }>
type Other = Exclude<Read, { kind: 'platform' }>

/**
 * Tells the platform document from all others. Of several that name no delegation it is the one in the only file of its name,
 * `platform.json` or `platform.json.gz`, even if that cannot be read; else the only one that says what no team's may. All others are
 * of nobody. Where neither tells, all of them are given.
 */
export function choosePlatform(read: readonly Read[]): {
  readonly platforms: readonly Platform[]
  readonly others: readonly Other[]
} {
  const candidates = read.filter((each) => each.kind === 'platform')
  const namesakes = read.filter(({ kind, file }) => kind !== 'team' && /^platform\.json(\.gz)?$/.test(basename(file)))
  const telling = candidates.filter(({ saysWhatNoTeamMay }) => saysWhatNoTeamMay)
  const [chosen, ...rivals] = namesakes.length > 0 ? namesakes : telling
  if (chosen === undefined || rivals.length > 0) return split(read, candidates, '')
  return split(read, chosen.kind === 'platform' ? [chosen] : [], chosen.file)
}

function split(read: readonly Read[], platforms: readonly Platform[], file: string) {
  const others = read.flatMap((each): readonly Other[] => {
    if (each.kind !== 'platform') return [each]
    return platforms.includes(each) ? [] : [ofNobody(each, file)]
  })
  return { platforms, others }
}

function ofNobody({ file, text }: Platform, platform: string): Other {
  const message = `it names no delegation, as a team’s document does, and ${platform} is the platform document`
  return { kind: 'unknown', complaints: [complain([], 'delegation_missing', message)], file, text }
}
