/** Documents with one thing in each: what `chancery check` finds in it, and what a plan of the module does. */

import { readFileSync } from 'node:fs'

/** The files below `test/terraform/cases`, by what they are about. */
export const CASE_FILES = [
  'shape',
  'trusted-issuers',
  'identities',
  'bindings',
  'overlap',
  'delegations',
  'warnings',
  'good',
] as const

export interface TerraformCase {
  readonly name: string
  /** A merge patch on `base.json`; null takes a member out. */
  readonly change: object
  /** What is found; absent where nothing is. */
  readonly code?: string
  readonly severity?: 'warning'
  /** What else is found of that severity. */
  readonly also?: readonly string[]
  /** What a plan says, in part. */
  readonly plan?: string
  /** Why a plan cannot tell. */
  readonly only_check?: string
}

/** Gives every code that is found, in order of the alphabet. */
export function codesOf({ code, also = [] }: TerraformCase): readonly string[] {
  return [...(code === undefined ? [] : [code]), ...also].sort()
}

const FOLDER = new URL('../terraform/cases/', import.meta.url)

/** Gives the cases of one file. */
export function readCases(file: (typeof CASE_FILES)[number]): readonly TerraformCase[] {
  return JSON.parse(readFileSync(new URL(`${file}.json`, FOLDER), 'utf8')) as readonly TerraformCase[]
}

/** Gives the whole document of a case. */
export function documentOf({ change }: Pick<TerraformCase, 'change'>): object {
  return merge(JSON.parse(readFileSync(new URL('base.json', FOLDER), 'utf8')), change) as object
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc7396.html#section-2 RFC 7396 section 2} */
function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = merge(merged[name], value)
  }
  return merged
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Gives the cases of team documents: each is a patch on `team-base.json`, beside `base.json` with one delegation. */
export function readTeamCases(): readonly TerraformCase[] {
  return JSON.parse(readFileSync(new URL('team.json', FOLDER), 'utf8')) as readonly TerraformCase[]
}

/** Gives the platform document and the team document of a case. */
export function teamDocumentsOf({ change }: Pick<TerraformCase, 'change'>): { platform: object; team: object } {
  const read = (file: string): unknown => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'))
  const { platform, team } = read('team-base.json') as Readonly<Record<string, object>>
  return { platform: documentOf({ change: platform ?? {} }), team: merge(team, change) as object }
}
