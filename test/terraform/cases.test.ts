/** What `chancery check` refuses is refused at plan, wherever Terraform's language can say it: the same cases for both. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasTool } from '../support/found-tool.ts'
import { runCheck } from '../support/run-check.ts'
import { prove } from '../support/team-documents.ts'
import {
  CASE_FILES,
  codesOf,
  documentOf,
  readCases,
  readTeamCases,
  type TerraformCase,
  teamDocumentsOf,
} from '../support/terraform-cases.ts'
import { codesIn, createPlanner, type Plan, type Planner } from '../support/terraform-plan.ts'

describe.each(CASE_FILES)('of %s, chancery check finds', (file) => {
  test.each(readCases(file).map((each) => [each.name, each] as const))('%s', async (_, each) => {
    const { findings } = await runCheck(documentOf(each))
    const severity = each.severity ?? 'error'

    const codes = findings.filter((found) => found.severity === severity).map(({ code }) => code)
    expect([...new Set(codes)].sort()).toEqual(codesOf(each))
  })
})

describe('of team documents, chancery check finds', () => {
  test.each(readTeamCases().map((each) => [each.name, each] as const))('%s', (_, each) => {
    const { platform, team } = teamDocumentsOf(each)

    const { findings } = prove({ 'platform.json': platform, 'team.json': team })

    expect([...new Set(findings.map(({ code }) => code))]).toEqual(each.code === undefined ? [] : [each.code])
  })
})

/** An expression of Terraform's, in its JSON. */
const from = (expression: string): string => `\${${expression}}`

/** A team and its platform in one configuration, as remote state would bring them together. */
const PLATFORM_INPUTS = [
  'trust_domain',
  'proof_audiences',
  'trusted_issuers',
  'audiences',
  'identities',
  'bindings',
  'delegations',
]
const TEAM_INPUTS = ['delegation', 'identities', 'bindings']
const TOGETHER = {
  variable: { platform: { type: 'any' }, team: { type: 'any' } },
  module: {
    platform: {
      source: '../federation',
      ...Object.fromEntries(PLATFORM_INPUTS.map((input) => [input, from(`var.platform.${input}`)])),
    },
    team: {
      source: '../federation-team',
      delegated: from('module.platform.delegations["shop"]'),
      ...Object.fromEntries(TEAM_INPUTS.map((input) => [input, from(`var.team.${input}`)])),
    },
  },
}

function expectPlanned({ errors, warnings }: Plan, each: TerraformCase): void {
  const [told, others] = each.severity === 'warning' ? [warnings, errors] : [errors, []]
  const isOurs = (message: string): boolean =>
    /^(Module output value precondition failed|Check block assertion failed|Invalid value for variable)/.test(message)
  expect(others).toEqual([])
  expect(told.filter((message) => !isOurs(message))).toEqual([])
  expect(codesIn(told).toSorted()).toEqual(each.plan === undefined ? [] : codesOf(each))
  if (each.plan !== undefined) expect(told.join('\n')).toContain(each.plan)
}

describe.skipIf(!hasTool('terraform', 'plans of the federation modules'))('a plan', () => {
  let platforms: Planner
  let teams: Planner
  beforeAll(() => {
    platforms = createPlanner('federation')
    teams = createPlanner('together', TOGETHER)
  })
  afterAll(() => {
    platforms.close()
    teams.close()
  })

  describe.each(CASE_FILES)('of %s, finds', (file) => {
    test.concurrent.each(readCases(file).map((each) => [each.name, each] as const))('%s', async (_, each) => {
      const { version: _version, ...inputs } = documentOf(each) as Record<string, unknown>

      expectPlanned(await platforms.plan(inputs), each)
    })
  })

  describe('of team documents, finds', () => {
    test.concurrent.each(readTeamCases().map((each) => [each.name, each] as const))('%s', async (_, each) => {
      expectPlanned(await teams.plan(teamDocumentsOf(each)), each)
    })
  })
})
