import { createGunzip } from 'node:zlib'

/** Bytes that are unpacked at a time. */
const CHUNK_BYTES = 262_144

/**
 * Unpacks a gzip file. Refuses one that breaks off, has anything after its end, zeros included, or unfolds beyond `maxBytes`: that
 * is given up while it unfolds.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc1952.html#section-2.2 RFC 1952 section 2.2}
 */
export async function inflateWhole(packed: Uint8Array, maxBytes: number): Promise<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES })
  gunzip.end(packed)
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of gunzip as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes) throw new RangeError(`unfolds to more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  if (gunzip.bytesWritten !== packed.length) throw new RangeError('has something after its end')
  return Buffer.concat(chunks, length)
}
