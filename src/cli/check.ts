/** `chancery check`: says what is wrong with a document before anybody relies on it. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { proveDocument } from '../federation/federation.ts'
import { type Complaint, complain, type Finding, findingsOf, hasErrors } from '../federation/finding.ts'
import { locateDocument } from '../federation/locate.ts'
import { contextOf, type DocumentOptions } from './document-options.ts'
import { EXIT, type Terminal, UsageError } from './exit.ts'

export interface CheckOptions extends DocumentOptions {
  readonly json?: boolean
}

/** Checks the document at a path and gives the exit code: 0 where it can be used, warnings or not, and 1 where it cannot. */
export async function check(path: string, options: CheckOptions, terminal: Terminal): Promise<number> {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist`)
  const findings = await findAll(path, options)
  if (options.json === true) terminal.out(`${JSON.stringify(findings, null, 2)}\n`)
  else terminal.out(tell(path, findings))
  return hasErrors(findings) ? EXIT.refused : EXIT.done
}

async function findAll(path: string, options: CheckOptions): Promise<readonly Finding[]> {
  const context = contextOf(options)
  const located = await locateDocument(path)
  if ('findings' in located) return located.findings
  const { findings } = proveDocument(located, context)
  if (options.secretsDir === undefined) return findings
  return [...findings, ...findingsOf(located.file, findMissingFiles(located.text, options.secretsDir))]
}

/** Looks for every `…_file` that the document names; the schema has made sure that they lie below the directory. */
function findMissingFiles(text: string, directory: string): Complaint[] {
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
  const document = parseLeniently(text)
  visit(document?.trusted_issuers, ['trusted_issuers'])
  return complaints
}

/** A document that is not JSON has its finding already. */
function parseLeniently(text: string): { readonly trusted_issuers?: unknown } | undefined {
  try {
    return JSON.parse(text) as { readonly trusted_issuers?: unknown }
  } catch {
    return undefined
  }
}

function tell(path: string, findings: readonly Finding[]): string {
  const lines = findings.map(({ severity, file, path: at, code, message, witness }) => {
    const example = witness === undefined ? '' : `\n  for example: ${JSON.stringify(witness)}`
    return `${severity}: ${file}${at === '' ? '' : ` ${at}`}: ${message} [${code}]${example}\n`
  })
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const warnings = findings.length - errors
  const verdict = errors === 0 ? 'can be used' : 'is refused'
  return `${lines.join('')}${path}: ${verdict}: ${count(errors, 'error')}, ${count(warnings, 'warning')}\n`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
