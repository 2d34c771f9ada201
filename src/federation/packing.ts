/** Documents as they are kept: compressed, so that keeping a large one holds nobody up. */

import { promisify } from 'node:util'
import { gunzipSync, gzip } from 'node:zlib'
import type { PackedDocument } from './kept.ts'
import { MAX_DOCUMENT_BYTES } from './locate.ts'
import type { GoodDocument } from './proven.ts'

const compress = promisify(gzip)

/** Packs documents. What was packed before is not packed again. */
export async function packDocuments(
  documents: readonly GoodDocument[],
  before: readonly PackedDocument[],
): Promise<readonly PackedDocument[]> {
  const known = new Map(before.map(({ digest, packed }) => [digest, packed]))
  const packed: PackedDocument[] = []
  for (const { delegation, file, digest, text } of documents) {
    packed.push({ delegation, file, digest, packed: known.get(digest) ?? (await compress(text, { level: 1 })) })
  }
  return packed
}

/** Gives the text of a packed document. */
export function unpack({ packed }: PackedDocument): string {
  return gunzipSync(packed, { maxOutputLength: MAX_DOCUMENT_BYTES }).toString()
}
