/** From what is on disk, and what was good before, to what takes effect. */

import type { PackedDocument } from './kept.ts'
import { locateDocuments } from './locate.ts'
import { unpack } from './packing.ts'
import { type FederationProof, proveDocuments } from './prove-documents.ts'
import type { ValidationContext } from './validate.ts'

/**
 * Reads and proves the documents at a path. Where a team's is broken, its last good one takes its place; where the platform's is, and
 * nothing is in force yet, all the last good ones do, as they were.
 */
export async function loadDocuments(
  path: string,
  context: ValidationContext,
  lastGood: readonly PackedDocument[],
  isServing: boolean,
): Promise<FederationProof> {
  const teams = lastGood.flatMap((document) => {
    const { delegation, file } = document
    return delegation === undefined ? [] : [{ delegation, file, text: () => unpack(document) }]
  })
  const proof = proveDocuments(await locateDocuments(path), context, teams)
  if (proof.proven !== undefined || isServing || lastGood.length === 0) return proof
  const sources = lastGood.map((document) => ({ file: document.file, text: unpack(document) }))
  return { findings: proof.findings, proven: proveDocuments({ path, sources }, context).proven }
}
