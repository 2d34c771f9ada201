/** What `chancery check` says of a document. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CheckOptions, check } from '../../src/cli/check.ts'
import type { Finding } from '../../src/federation/finding.ts'

/** Exit code and findings. */
export interface Checked {
  readonly code: number
  readonly findings: readonly Finding[]
}

/** Checks a document as the command does, given as an object or as text. */
export async function runCheck(document: object | string, options: Partial<CheckOptions> = {}): Promise<Checked> {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-check-'))
  const path = join(directory, 'federation.json')
  writeFileSync(path, typeof document === 'string' ? document : JSON.stringify(document))
  const written: string[] = []
  const terminal = { out: (text: string) => void written.push(text), err: () => undefined }
  const code = await check(path, { insecureHost: [], ...options, json: true }, terminal)
  rmSync(directory, { recursive: true })
  return { code, findings: JSON.parse(written.join('')) as readonly Finding[] }
}
