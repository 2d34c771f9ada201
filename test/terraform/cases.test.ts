/** What `chancery check` refuses is refused at plan, wherever Terraform's language can say it: the same cases for both. */

import { afterAll, describe, expect, test } from 'vitest'
import { hasTool } from '../support/found-tool.ts'
import { runCheck } from '../support/run-check.ts'
import { CASE_FILES, documentOf, readCases } from '../support/terraform-cases.ts'
import { codesIn, createPlanner } from '../support/terraform-plan.ts'

describe.each(CASE_FILES)('of %s, chancery check finds', (file) => {
  test.each(readCases(file).map((each) => [each.name, each] as const))('%s', async (_, each) => {
    const { findings } = await runCheck(documentOf(each))
    const severity = each.severity ?? 'error'

    expect([...new Set(findings.filter((found) => found.severity === severity).map(({ code }) => code))]).toEqual(
      each.code === undefined ? [] : [each.code],
    )
  })
})

describe.skipIf(!hasTool('terraform', 'plans of the federation module'))('a plan', () => {
  const planner = createPlanner('federation')
  afterAll(() => planner.close())

  describe.each(CASE_FILES)('of %s, finds', (file) => {
    test.concurrent.each(readCases(file).map((each) => [each.name, each] as const))('%s', async (_, each) => {
      const { version: _version, ...inputs } = documentOf(each) as Record<string, unknown>

      const { errors, warnings } = await planner.plan(inputs)

      const [told, others] = each.severity === 'warning' ? [warnings, errors] : [errors, []]
      expect(others).toEqual([])
      expect(
        told.filter((message) => !/^(Module output value precondition|Check block assertion) failed/.test(message)),
      ).toEqual([])
      expect(codesIn(told)).toEqual(each.plan === undefined ? [] : [each.code])
      if (each.plan !== undefined) expect(told.join('\n')).toContain(each.plan)
    })
  })
})
