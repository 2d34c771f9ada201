/** The JSON Schemas that are published, made from the schemas that the broker uses. */

import { writeFileSync } from 'node:fs'
import { verifiers } from '../../providers/verifiers.ts'
import { toAuditJsonSchema } from '../../src/audit/record.ts'
import { toReplayJsonSchema } from '../../src/cli/replay-report.ts'
import { toUnusedJsonSchema } from '../../src/cli/unused-report.ts'
import { toDifferenceJsonSchema } from '../../src/federation/change.ts'
import { toJsonSchema, toTeamJsonSchema } from '../../src/federation/document.ts'

const FOLDER = new URL('../../infra/schema/', import.meta.url)

/** Gives each published file with its text. */
export function renderSchemas(): ReadonlyMap<URL, string> {
  const schemas: readonly (readonly [string, object])[] = [
    ['federation.v1.schema.json', toJsonSchema(verifiers)],
    ['team.v1.schema.json', toTeamJsonSchema()],
    ['audit.v1.schema.json', toAuditJsonSchema()],
    ['diff.v1.schema.json', toDifferenceJsonSchema()],
    ['replay.v1.schema.json', toReplayJsonSchema()],
    ['unused.v1.schema.json', toUnusedJsonSchema()],
  ]
  return new Map(schemas.map(([name, schema]) => [new URL(name, FOLDER), `${JSON.stringify(schema, null, 2)}\n`]))
}

if (import.meta.main) for (const [file, text] of renderSchemas()) writeFileSync(file, text)
