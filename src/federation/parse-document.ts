/** From the text of a file to a document of the right shape, or to what is wrong with it. */

import type { z } from 'zod'
import { isJsonObject, JsonError, parseStrictJson } from '../../providers/contract/strict-json.ts'
import { createDocumentSchema, type FederationDocument, type TeamDocument, teamDocumentSchema } from './document.ts'
import { type Complaint, complain } from './finding.ts'
import { sayShape } from './shape-words.ts'
import type { ValidationContext } from './validate.ts'

/** Deepest nesting of a document: claims may nest a little. */
const MAX_DEPTH = 32

/** A document's text and where it came from. */
export interface DocumentText {
  readonly file: string
  readonly text: string
}

/** A document, undefined where it has not the right shape. */
export type ParsedDocument =
  | {
      readonly kind: 'platform'
      readonly document: FederationDocument | undefined
      /** Whether it declares a trust domain or trusted issuers, well or badly. */
      readonly saysWhatNoTeamMay: boolean
      readonly complaints: readonly Complaint[]
    }
  | {
      readonly kind: 'team'
      /** Whose it says that it is; undefined where it says that badly. */
      readonly delegation: string | undefined
      readonly document: TeamDocument | undefined
      readonly complaints: readonly Complaint[]
    }
  /** Not JSON, so that nobody can say whose it is. */
  | { readonly kind: 'unknown'; readonly complaints: readonly Complaint[] }

/** Parses a document: a team's where it names a delegation, else the platform's. Never throws for what is written in it. */
export function parseDocument(text: string, providers: ValidationContext['providers']): ParsedDocument {
  let json: unknown
  try {
    json = parseStrictJson(text, MAX_DEPTH)
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    return {
      kind: 'unknown',
      complaints: [complain([], 'json_malformed', `${placeOf(text, error)}: ${faultOf(text, error)}`)],
    }
  }
  if (isJsonObject(json) && Object.hasOwn(json, 'delegation')) {
    const delegation = typeof json.delegation === 'string' ? json.delegation : undefined
    const { data, error } = readShape(teamDocumentSchema, json)
    return { kind: 'team', delegation, document: data, complaints: (error?.issues ?? []).flatMap(toComplaints) }
  }
  const { data, error } = readShape(createDocumentSchema(providers), json)
  const saysWhatNoTeamMay =
    isJsonObject(json) && ['trust_domain', 'trusted_issuers'].some((name) => Object.hasOwn(json, name))
  return {
    kind: 'platform',
    document: data,
    saysWhatNoTeamMay,
    complaints: (error?.issues ?? []).flatMap(toComplaints),
  }
}

/** Words are looked for only where something is wrong: at every value they would cost a large document a twentieth of its time. */
function readShape<Schema extends z.ZodType>(schema: Schema, json: unknown): z.ZodSafeParseResult<z.output<Schema>> {
  const plain = schema.safeParse(json)
  return plain.success ? plain : schema.safeParse(json, { error: sayShape })
}

/** Terraform writes a document on one line, so that the line alone would tell nothing. */
function placeOf(text: string, { at }: JsonError): string {
  const lines = text.slice(0, at).split('\n')
  return `line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}`
}

/** What nobody can see in an editor is told by its name. */
function faultOf(text: string, error: JsonError): string {
  if (text.startsWith('\ufeff'))
    return 'the text begins with a byte order mark, which JSON does not have: save it without'
  return text.trim() === '' ? 'the file is empty' : error.message
}

interface Issue {
  readonly code: string
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly keys?: readonly string[]
}

/** One complaint for each unknown member, so that every one is pointed at; the schema reports them together. */
function toComplaints(issue: Issue): readonly Complaint[] {
  const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))
  if (issue.code === 'unrecognized_keys') {
    return (issue.keys ?? []).map((key) =>
      complain([...path, key], 'member_unknown', `there is no such member: ${key}`),
    )
  }
  return [complain(path, issue.code === 'invalid_key' ? 'name_malformed' : 'shape', issue.message)]
}
