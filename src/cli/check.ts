/** `chancery check`: says what is wrong with a document before anybody relies on it. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Complaint, complain, type Finding, findingsOf, hasErrors } from '../federation/finding.ts'
import { locateDocuments } from '../federation/locate.ts'
import { proveDocuments } from '../federation/prove-documents.ts'
import type { FederationHead } from '../federation/proven.ts'
import { contextOf, type DocumentOptions } from './document-options.ts'
import { EXIT, type Terminal, UsageError } from './exit.ts'
import { tellFinding } from './finding-text.ts'
import { keepHeapSmall } from './small-heap.ts'

export interface CheckOptions extends DocumentOptions {
  readonly json?: boolean
}

/** Checks the documents at a path and gives the exit code: 0 where it can be used, warnings or not, and 1 where it cannot. */
export async function check(path: string, options: CheckOptions, terminal: Terminal): Promise<number> {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist`)
  keepHeapSmall()
  const { findings, isUsable } = await findAll(path, options)
  if (options.json === true) terminal.out(`${JSON.stringify(findings, null, 2)}\n`)
  else terminal.out(tell(path, findings, isUsable))
  return hasErrors(findings) ? EXIT.refused : EXIT.done
}

interface Checked {
  readonly findings: readonly Finding[]
  /** Whether the platform document can be used, and with it every team's that has no error. */
  readonly isUsable: boolean
}

async function findAll(path: string, options: CheckOptions): Promise<Checked> {
  const { findings, proven } = proveDocuments(await locateDocuments(path), contextOf(options))
  const platform = proven?.documents.find(({ delegation }) => delegation === undefined)
  if (proven === undefined || platform === undefined) return { findings, isUsable: false }
  const { secretsDir } = options
  const missing = secretsDir === undefined ? [] : findMissingFiles(proven.head.document, secretsDir)
  return { findings: [...findings, ...findingsOf(platform.file, missing)], isUsable: missing.length === 0 }
}

/** Looks for every `…_file` that the document names; the schema has made sure that they lie below the directory. */
function findMissingFiles(document: FederationHead['document'], directory: string): Complaint[] {
  const complaints: Complaint[] = []
  const visit = (value: unknown, path: readonly string[]): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [name, inner] of Object.entries(value)) {
      if (name.endsWith('_file') && typeof inner === 'string' && !existsSync(join(directory, inner))) {
        complaints.push(complain([...path, name], 'file_missing', `${inner} is not in ${directory}`))
      }
      visit(inner, [...path, name])
    }
  }
  visit(document.trusted_issuers, ['trusted_issuers'])
  return complaints
}

function tell(path: string, findings: readonly Finding[], isUsable: boolean): string {
  const lines = findings.map(tellFinding)
  const errors = findings.filter(({ severity }) => severity === 'error')
  const broken = [...new Set(errors.map(({ file }) => file))]
  const exception = broken.length === 0 ? '' : `, but for ${broken.join(', ')}`
  const verdict = isUsable ? `can be used${exception}` : 'is refused'
  const warnings = findings.length - errors.length
  return `${lines.join('')}${path}: ${verdict}: ${count(errors.length, 'error')}, ${count(warnings, 'warning')}\n`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
