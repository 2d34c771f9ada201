/** What must hold of a request before the application sees it. */

import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'
import type { WireError } from '../oauth/errors.ts'

/** Header fields of one request. Real clients and the proxies before them send a few dozen. */
const MAX_FIELDS = 100

/** Longest request target. Nothing here takes a long one. */
const MAX_TARGET_LENGTH = 2_048

/** A host name or address with an optional port. @see {@link https://www.rfc-editor.org/rfc/rfc9112.html#section-3.2 RFC 9112 section 3.2} */
const HOST = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|[A-Za-z0-9._-]{1,255})(?::(\d{1,5}))?$/

const MAX_PORT = 65_535

/** A path and query of visible ASCII, without a fragment, and without the backslash that some read as a slash. */
const TARGET = /^\/[\x21\x22\x24-\x5b\x5d-\x7e]*$/

const MALFORMED: WireError = { status: 400, error: 'invalid_request', description: 'request_malformed' }
const HEAD_TOO_LARGE: WireError = { status: 431, error: 'invalid_request', description: 'head_too_large' }

/**
 * Finds what makes a request's meaning depend on who reads it: no single plain Host, a target that is not a path, another version
 * of HTTP, a transfer coding other than plain chunks, too many fields. The parser has refused broken framing by then.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112.html#section-6.1 RFC 9112 section 6.1}
 */
export function findHeadFault(request: IncomingMessage): WireError | undefined {
  const { rawHeaders, url = '', httpVersion } = request
  if (rawHeaders.length > 2 * MAX_FIELDS) return HEAD_TOO_LARGE
  if (url.length > MAX_TARGET_LENGTH || !TARGET.test(url)) return MALFORMED
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return MALFORMED
  const coding = request.headers['transfer-encoding']
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || httpVersion === '1.0')) return MALFORMED
  const hosts = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'host')
  const [host, ...others] = hosts
  return host === undefined || others.length > 0 || !isHost(host) ? MALFORMED : undefined
}

function isHost(text: string): boolean {
  const [whole, address, port = '0'] = HOST.exec(text) ?? []
  return whole !== undefined && (address === undefined || isIPv6(address)) && Number(port) <= MAX_PORT
}

/** Gives the answer to a request that the parser refused, by the parser's own code. */
export function faultOfParser(code: string | undefined): WireError {
  if (code === 'HPE_HEADER_OVERFLOW') return HEAD_TOO_LARGE
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return { status: 408, error: 'invalid_request', description: 'request_too_slow' }
  return MALFORMED
}
