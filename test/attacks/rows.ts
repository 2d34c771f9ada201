/** Prints which rows of the attack catalogue have a test of their name, and which have not. Exit code 1 where one is missing. */

import { readdirSync, readFileSync } from 'node:fs'

const folder = new URL('.', import.meta.url)

/** Pieces of work whose rows must all have tests by now. */
const DONE: readonly string[] = ['Kubernetes exchange, endpoints, audit', 'GCP, Azure', 'AWS', 'Mapping', 'Keys']

/** A test's name begins with the ids of the rows that it is. */
const TEST_NAME = /\btest(?:\.each\([^)]*\))?\(\s*['"`]((?:[A-Z0-9]{2,3}-\d{2}[ ,]+)+)/g

/** Gives the ids of all rows that some test is named for. */
export function findTestedRows(): ReadonlySet<string> {
  const files = readdirSync(folder).filter((name) => name.endsWith('.test.ts'))
  const texts = files.map((name) => readFileSync(new URL(name, folder), 'utf8'))
  const names = texts.flatMap((text) => [...text.matchAll(TEST_NAME)].map(([, ids]) => ids ?? ''))
  return new Set(names.flatMap((ids) => ids.split(/[ ,]+/).filter((id) => id !== '')))
}

/** Gives the rows of each piece of work. */
export function readRows(): Readonly<Record<string, readonly string[]>> {
  return JSON.parse(readFileSync(new URL('rows.json', folder), 'utf8')) as Record<string, readonly string[]>
}

/** Gives the rows without a test of pieces that are done. */
export function findMissingRows(): readonly string[] {
  const tested = findTestedRows()
  return Object.entries(readRows()).flatMap(([piece, ids]) =>
    DONE.includes(piece) ? ids.filter((id) => !tested.has(id)) : [],
  )
}

if (import.meta.main) {
  const tested = findTestedRows()
  for (const [piece, ids] of Object.entries(readRows())) {
    const missing = ids.filter((id) => !tested.has(id))
    process.stdout.write(`${piece}: ${ids.length - missing.length} of ${ids.length} rows have tests\n`)
    if (missing.length > 0) process.stdout.write(`  without: ${missing.join(' ')}\n`)
  }
  process.exitCode = findMissingRows().length === 0 ? 0 : 1
}
