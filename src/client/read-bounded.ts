/** Reads an answer as text, and stops where it grows beyond its bound: then there is none. A fetched body is not kept beyond it. */
export async function readBounded(response: Response, maxBytes: number): Promise<string | undefined> {
  if (response.body === null) return ''
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = response.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(chunks).toString()
    size += value.byteLength
    chunks.push(value)
    if (size <= maxBytes) continue
    await reader.cancel()
    return undefined
  }
}
