/** Says what is wrong with the shape of a document in the words of whoever writes it, where the schema has none of its own. */

import type { z } from 'zod'

type Issue = Parameters<z.core.$ZodErrorMap>[0]

const KINDS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

const UNITS: Readonly<Record<string, string>> = { string: ' characters', array: ' items' }

/** Gives the words for an issue; undefined where the schema's own are as good as any. */
export function sayShape(issue: Issue): string | undefined {
  if (issue.code === 'invalid_type') return sayWanted(issue.input, KINDS[issue.expected] ?? issue.expected)
  if (issue.code === 'invalid_value') return sayWanted(issue.input, oneOf(issue.values))
  if (issue.code === 'invalid_union' && Array.isArray(issue.options)) return `it must be ${oneOf(issue.options)}`
  if (issue.code === 'invalid_key') return issue.issues[0]?.message
  if (issue.code === 'too_big') return `it must be at most ${issue.maximum}${UNITS[issue.origin] ?? ''}`
  if (issue.code === 'too_small') return `it must be at least ${issue.minimum}${UNITS[issue.origin] ?? ''}`
  return undefined
}

function sayWanted(found: unknown, wanted: string): string {
  return `${found === undefined ? 'it is missing, and' : 'it'} must be ${wanted}`
}

function oneOf(values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).join(' or ')
}
