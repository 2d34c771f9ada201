/** Finds the document in the file or directory that `--federation` names. */

import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { DocumentText } from './federation.ts'
import { type Complaint, complain, type Finding, findingsOf } from './finding.ts'

/** Largest document, in bytes of JSON: four times what 100,000 bindings take. */
export const MAX_DOCUMENT_BYTES = 134_217_728

/** A document's text, or why there is none. `version` changes when the file does. */
export type Located = DocumentText | { readonly findings: readonly Finding[] }

const inflate = promisify(gunzip)

/**
 * Reads the document at a path: a `.json` or `.json.gz` file, or a directory that holds one. Names that begin with a dot, as those
 * that a mounted ConfigMap is made of, are passed over.
 */
export async function locateDocument(path: string): Promise<Located> {
  try {
    const found = await chooseFile(path)
    if ('complaint' in found) return { findings: findingsOf(path, [found.complaint]) }
    const bytes = await readFile(found.file)
    const text = found.file.endsWith('.gz') ? await inflate(bytes, { maxOutputLength: MAX_DOCUMENT_BYTES }) : bytes
    if (text.length > MAX_DOCUMENT_BYTES) throw new RangeError('larger than 128 MiB')
    return { file: found.file, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text) }
  } catch (error) {
    const message = `the document cannot be read: ${error instanceof Error ? error.message : 'unknown error'}`
    return { findings: findingsOf(path, [complain([], 'document_unreadable', message)]) }
  }
}

/** Gives text that changes whenever the document on disk may have: names, sizes and times. */
export async function fingerprintDocument(path: string): Promise<string> {
  try {
    const found = await chooseFile(path)
    if ('complaint' in found) return found.complaint.message
    const { size, mtimeNs, ctimeNs, ino } = await stat(found.file, { bigint: true })
    return [found.file, size, mtimeNs, ctimeNs, ino].join(' ')
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown error'
  }
}

async function chooseFile(path: string): Promise<{ file: string } | { complaint: Complaint }> {
  if (!(await stat(path)).isDirectory()) return { file: path }
  const names = (await readdir(path)).filter((name) => !name.startsWith('.') && /\.json(\.gz)?$/.test(name)).sort()
  const [only, ...others] = names
  if (only === undefined)
    return { complaint: complain([], 'document_missing', 'the directory holds no .json or .json.gz file') }
  if (others.length > 0) {
    return { complaint: complain([], 'documents_many', `the directory holds ${names.join(', ')}: leave one document`) }
  }
  return { file: join(path, only) }
}
