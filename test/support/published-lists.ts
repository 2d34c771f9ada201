/** The closed lists as `src/README.md` shows them, made from the code that uses them. */

import { readFileSync, writeFileSync } from 'node:fs'
import { REASON_MEANINGS } from '../../src/audit/reason-meanings.ts'
import { REFUSAL_REASONS } from '../../src/audit/reasons.ts'
import { DESCRIPTIONS } from '../../src/oauth/errors.ts'

const README = new URL('../../src/README.md', import.meta.url)

/** Gives the README with its two tables as they should be. */
export function renderReadme(): string {
  const descriptions = Object.entries(DESCRIPTIONS).map(([name, sentence]) => `| \`${name}\` | ${sentence} |`)
  const reasons = REFUSAL_REASONS.map((reason) => `| \`${reason}\` | ${REASON_MEANINGS[reason]} |`)
  const text = readFileSync(README, 'utf8')
  return replaceTable(
    replaceTable(text, '| Name | Sentence |', descriptions),
    '| Reason | What it means, and what to do |',
    reasons,
  )
}

function replaceTable(text: string, head: string, rows: readonly string[]): string {
  const start = text.indexOf(`${head}\n| --- | --- |\n`) + `${head}\n| --- | --- |\n`.length
  const end = text.indexOf('\n\n', start)
  return `${text.slice(0, start)}${rows.join('\n')}${text.slice(end)}`
}

if (import.meta.main) writeFileSync(README, renderReadme())
