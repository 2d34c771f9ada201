import type { Finding } from '../federation/finding.ts'
import { onOneLine } from './printable.ts'

/** Tells a finding: where, what, its code, and an example of a proof where it has one. Each line ends. */
export function tellFinding({ severity, file, path, code, message, witness }: Finding): string {
  const told = [`${severity}: ${file}${path === '' ? '' : ` ${path}`}: ${message} [${code}]`]
  if (witness !== undefined) told.push(`  for example: ${JSON.stringify(witness)}`)
  return told.map((line) => `${onOneLine(line)}\n`).join('')
}

/** Tells a finding that keeps a command from using a document, which leaves the rest to `check`. */
export function tellRefused(refused: string, { file, message }: Finding, path: string): string {
  const where = refused === file ? '' : `${file}: `
  return `${onOneLine(`${refused} is refused: ${where}${message}; "chancery check ${path}" tells all`)}\n`
}
