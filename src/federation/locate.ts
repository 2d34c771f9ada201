/** Finds the documents in the file or directory that `--federation` names. */

import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { complain } from './finding.ts'
import { inflateWhole } from './inflate.ts'
import type { DocumentText } from './parse-document.ts'
import type { LocatedDocuments, UnreadDocument } from './prove-documents.ts'

/** Largest document, in bytes of JSON: four times what 100,000 bindings take. */
export const MAX_DOCUMENT_BYTES = 134_217_728

/** How often files are read again that change while they are read. Whatever changes after that is seen by the next look. */
const MAX_READINGS = 3

/**
 * Reads what lies at a path: a `.json` or `.json.gz` file, or a directory of them. Names that begin with a dot, as those that a
 * mounted ConfigMap is made of, are passed over. All files are of one moment, unless they change all the time.
 */
export async function locateDocuments(path: string): Promise<LocatedDocuments> {
  for (let reading = 1; ; reading++) {
    const before = await fingerprintDocuments(path)
    const located = await readAll(path)
    if (reading === MAX_READINGS || (await fingerprintDocuments(path)) === before) return located
  }
}

/** Gives text that changes whenever a document on disk may have: names, sizes and times. */
export async function fingerprintDocuments(path: string): Promise<string> {
  const files = await listFiles(path).catch((error: unknown) => messageOf(error))
  if (typeof files === 'string') return files
  const marks = await Promise.all(
    files.map(async (file) => {
      try {
        const { size, mtimeNs, ctimeNs, ino } = await stat(file, { bigint: true })
        return [file, size, mtimeNs, ctimeNs, ino].join(' ')
      } catch (error) {
        return messageOf(error)
      }
    }),
  )
  return marks.join('\n')
}

async function readAll(path: string): Promise<LocatedDocuments> {
  try {
    const sources: (DocumentText | UnreadDocument)[] = []
    for (const file of await listFiles(path)) sources.push(await readDocument(file))
    return { path, sources }
  } catch (error) {
    return { path, sources: [unread(path, error)] }
  }
}

async function listFiles(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path]
  const names = await readdir(path)
  return names
    .filter((name) => !name.startsWith('.') && /\.json(\.gz)?$/.test(name))
    .sort()
    .map((name) => join(path, name))
}

async function readDocument(file: string): Promise<DocumentText | UnreadDocument> {
  try {
    if ((await stat(file)).size > MAX_DOCUMENT_BYTES) throw new RangeError('larger than 128 MiB')
    const bytes = await readFile(file)
    const json = file.endsWith('.gz') ? await inflateWhole(bytes, MAX_DOCUMENT_BYTES) : bytes
    return { file, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json) }
  } catch (error) {
    return unread(file, error)
  }
}

function unread(file: string, error: unknown): UnreadDocument {
  const message = `the document cannot be read: ${messageOf(error)}`
  return { file, complaint: complain([], 'document_unreadable', message) }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error'
}
