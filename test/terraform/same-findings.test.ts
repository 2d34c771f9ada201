/** Documents that nobody thought of: a plan and `chancery check` say the same of them, and of the same bindings. */

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { meetingBindings } from '../support/arbitrary-bindings.ts'
import { likelyDocuments } from '../support/arbitrary-documents.ts'
import { hasTool } from '../support/found-tool.ts'
import { runCheck } from '../support/run-check.ts'
import { documentOf } from '../support/terraform-cases.ts'
import { createPlanner, type Plan, type Planner } from '../support/terraform-plan.ts'

/** Each is a process of its own. */
const RUNS = 12

/** Tells what a plan said of bindings as `severity binding code`, each once. */
function tellPlan({ errors, warnings }: Plan): readonly string[] {
  const tell = (severity: string, messages: readonly string[]): readonly string[] =>
    messages.flatMap((message) =>
      [...message.matchAll(/^bindings\["(\w+)"\].*\[([a-z_]+)\]$/gm)].map(
        ([, name, code]) => `${severity} ${name} ${code}`,
      ),
    )
  return [...new Set([...tell('error', errors), ...tell('warning', warnings)])].sort()
}

describe.skipIf(!hasTool('terraform', 'random documents'))('a plan', () => {
  let planner: Planner
  beforeAll(() => {
    planner = createPlanner('federation')
  })
  afterAll(() => planner.close())

  test('finds what check finds where bindings meet, cross and contain each other', { timeout: 120_000 }, async () => {
    const property = fc.asyncProperty(meetingBindings, async (bindings) => {
      const { version, ...inputs } = documentOf({ change: { bindings: { api: null, ...bindings } } }) as Record<
        string,
        unknown
      >
      const { findings } = await runCheck({ version, ...inputs })
      const checked = findings.map(({ severity, path, code }) => `${severity} ${path.split('/')[2]} ${code}`)

      expect(tellPlan(await planner.plan(inputs))).toEqual([...new Set(checked)].sort())
    })
    await fc.assert(property, { numRuns: RUNS })
  })

  test('refuses nothing that check takes, and in no words but its own, however wrong it is', {
    timeout: 120_000,
  }, async () => {
    const property = fc.asyncProperty(likelyDocuments, async (text) => {
      const { version: _version, other: _other, ...inputs } = JSON.parse(text) as Record<string, unknown>
      const { code } = await runCheck({ version: 1, ...inputs })

      const { errors } = await planner.plan(inputs)

      if (errors.length > 0) expect(code).toBe(1)
      for (const error of errors)
        expect(error).toMatch(/^(Module output value precondition failed|Invalid value for variable)/)
    })
    await fc.assert(property, { numRuns: RUNS })
  })
})
