/** What `chancery check` must say of a document. */

import { expect } from 'vitest'
import type { CheckOptions } from '../../src/cli/check.ts'
import type { Finding } from '../../src/federation/finding.ts'
import { runCheck } from './run-check.ts'

/** Asserts that a document is refused for exactly these errors, each told as `path code` and in whatever words, and gives them. */
export async function expectErrors(
  document: object | string,
  errors: readonly string[],
  options: Partial<CheckOptions> = {},
): Promise<readonly Finding[]> {
  const { code, findings } = await runCheck(document, options)
  const found = findings.filter(({ severity }) => severity === 'error')
  expect([...new Set(found.map((finding) => `${finding.path} ${finding.code}`))]).toEqual(errors)
  expect(code).toBe(1)
  return found
}

/** Asserts that a document can be used, and that nothing at all is said against it. */
export async function expectAccepted(document: object, options: Partial<CheckOptions> = {}): Promise<void> {
  expect(await runCheck(document, options)).toEqual({ code: 0, findings: [] })
}
