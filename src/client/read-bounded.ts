import type { BrokerAnswer } from './settings.ts'

/** Reads an answer as text, and stops where it grows beyond its bound: then there is none. No more of a body is fetched then. */
export async function readBounded({ body }: Pick<BrokerAnswer, 'body'>, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
