import type { IncomingHttpHeaders } from 'node:http'
import type { HonoRequest } from 'hono'
import { OAuthError } from '../oauth/errors.ts'
import { MAX_BODY_BYTES } from '../oauth/vocabulary.ts'

const FORM = 'application/x-www-form-urlencoded'

/**
 * Reads a form body of at most 64 KiB, without holding a byte more than that.
 *
 * Refuses any other media type, before the body is read. A length that was declared is enforced by the HTTP parser, so that only
 * a chunked body has to be counted.
 */
export async function readForm(request: HonoRequest, headers: IncomingHttpHeaders): Promise<URLSearchParams> {
  const mediaType = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (mediaType !== FORM) throw new OAuthError('media_type_unsupported')
  const declared = headers['content-length']
  if (declared !== undefined && !(Number(declared) <= MAX_BODY_BYTES)) throw new OAuthError('body_too_large')
  try {
    return new URLSearchParams(declared === undefined ? await readCounted(request.raw.body) : await request.text())
  } catch (error) {
    throw error instanceof OAuthError ? error : new OAuthError('body_unreadable')
  }
}

async function readCounted(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body ?? []) {
    length += chunk.length
    if (length > MAX_BODY_BYTES) throw new OAuthError('body_too_large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
