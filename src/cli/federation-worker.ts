/** Reads and proves documents in a process of its own, so that exchanges go on meanwhile, whatever becomes of it. */

import { verifiers } from '../../providers/verifiers.ts'
import type { Finding } from '../federation/finding.ts'
import type { PackedDocument } from '../federation/kept.ts'
import { loadDocuments } from '../federation/load-documents.ts'
import { packFederation } from '../federation/packed-federation.ts'
import { packDocuments } from '../federation/packing.ts'
import { type FederationOutline, outlineOf, tablesOf } from './federation-pieces.ts'
import { keepHeapSmall } from './small-heap.ts'

/** What the process is asked first. Whatever comes after that asks for the next piece. */
export interface LoadRequest {
  readonly path: string
  readonly insecureHosts: readonly string[]
  readonly brokerIssuer: string
  readonly lastGood: readonly PackedDocument[]
  readonly isServing: boolean
}

/** What it answers, piece by piece. The bytes are those of the tables, in the order of {@link tablesOf}; the last piece has the documents. */
export type LoadAnswer =
  | { readonly kind: 'found'; readonly findings: readonly Finding[]; readonly outline: FederationOutline | undefined }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'documents'; readonly documents: readonly PackedDocument[] }

/** Bytes of one piece: less than a millisecond's work for whoever takes it in. */
const PIECE_BYTES = 262_144

async function* answer(request: LoadRequest): AsyncGenerator<LoadAnswer> {
  const { path, insecureHosts, brokerIssuer, lastGood, isServing } = request
  const context = { providers: verifiers, insecureHosts: new Set(insecureHosts), brokerIssuer }
  const { findings, proven } = await loadDocuments(path, context, lastGood, isServing)
  const packed = proven === undefined ? undefined : packFederation(proven)
  yield { kind: 'found', findings, outline: packed === undefined ? undefined : outlineOf(packed) }
  if (proven === undefined || packed === undefined) return
  const documents = packDocuments(proven.documents, lastGood)
  for (const table of tablesOf(packed)) {
    for (let at = 0; at < table.length; at += PIECE_BYTES) {
      yield { kind: 'bytes', bytes: table.subarray(at, at + PIECE_BYTES) }
    }
  }
  yield { kind: 'documents', documents: await documents }
}

keepHeapSmall()

let pieces: AsyncGenerator<LoadAnswer> | undefined

async function answerNext(request: LoadRequest): Promise<void> {
  pieces ??= answer(request)
  const { value, done } = await pieces.next()
  if (done === true) process.disconnect()
  else process.send?.(value)
}

process.on('message', (request) => void answerNext(request as LoadRequest))
