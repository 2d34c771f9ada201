/** The table of attributes in a cloud's README. */

import { readFileSync } from 'node:fs'
import type { AttributeCatalogue } from '../../providers/contract/provider.ts'

/** Gives the rows of the table: name, meaning, grade, and whether a prefix is taken. */
export function readAttributeRows(cloud: string): readonly (readonly string[])[] {
  const readme = readFileSync(new URL(`../../providers/${cloud}/README.md`, import.meta.url), 'utf8')
  const rows = new RegExp(`^\\| \`(${cloud}\\.\\w+)\` \\| (.+) \\| (\\w+) \\| (\\w+) \\|$`, 'gm')
  return [...readme.matchAll(rows)].map((row) => row.slice(1))
}

/** Gives the rows that a catalogue should have. */
export function attributeRowsOf(catalogue: AttributeCatalogue): readonly (readonly string[])[] {
  return [...catalogue].map(([name, { meaning, grade, prefix }]) => [name, meaning, grade, prefix ? 'yes' : 'no'])
}
