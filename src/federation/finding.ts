/** What is wrong with a federation document, told so that whoever wrote it can mend it. */

export type Severity = 'error' | 'warning'

/** One thing found. An error keeps the document from being used; a warning does not. */
export interface Finding {
  readonly severity: Severity
  readonly file: string
  /** Where in the file, as a JSON pointer (RFC 6901); empty for the whole file. */
  readonly path: string
  /** Stable, for programs. */
  readonly code: string
  readonly message: string
  /** Attributes of a proof that shows the problem. */
  readonly witness?: Readonly<Record<string, string>>
}

/** A finding before it is known in which file it is. */
export type Complaint = Omit<Finding, 'file' | 'path'> & { readonly path: readonly (string | number)[] }

/** Makes an error of a complaint's parts. */
export function complain(path: readonly (string | number)[], code: string, message: string): Complaint {
  return { severity: 'error', path, code, message }
}

/** Makes a warning of a complaint's parts. */
export function warn(path: readonly (string | number)[], code: string, message: string): Complaint {
  return { severity: 'warning', path, code, message }
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc6901.html#section-3 RFC 6901 section 3} */
export function toPointer(path: readonly (string | number)[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** Gives complaints as findings about a file. */
export function findingsOf(file: string, complaints: readonly Complaint[]): Finding[] {
  return complaints.map(({ severity, path, ...rest }) => ({ severity, file, path: toPointer(path), ...rest }))
}

/** Answers whether any of them keeps the document from being used. */
export function hasErrors(findings: readonly { readonly severity: Severity }[]): boolean {
  return findings.some((finding) => finding.severity === 'error')
}
