/** `fetch` with a token: for the service that it was minted for, and for nobody else. */

import { isConfidential } from '../oauth/confidential-url.ts'
import type { ClientPorts, TokenRequest } from './settings.ts'
import { TokenSourceError } from './token-source-error.ts'

/** Where the tokens of one fetch come from. */
export interface TokenSupply {
  get(request: TokenRequest): Promise<string>
  /** Another token in place of one that was refused, if there is one to be had. */
  replace(request: TokenRequest, refused: string): Promise<string | undefined>
}

/**
 * Fetches with `Authorization: Bearer`, in place of whatever stood there.
 *
 * A service that answers 401 with `error="invalid_token"` is asked once more with a new token, where the body can be sent again:
 * text, bytes, a form or a blob can; a stream, and the body of a `Request`, can be read once and are sent once, and the 401 is
 * given back as it came. The next fetch has the new token in any case.
 *
 * Refuses a URL of plain http beyond this machine. Where the service redirects to another origin, the token stays behind.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750.html#section-3.1 RFC 6750 section 3.1}
 */
export async function fetchWithToken(
  input: string | URL | Request,
  init: RequestInit | undefined,
  wanted: TokenRequest,
  supply: TokenSupply,
  { fetch }: Pick<ClientPorts, 'fetch'>,
): Promise<Response> {
  const url = new URL(input instanceof Request ? input.url : input)
  if (!isConfidential(url)) {
    throw new TokenSourceError('destination_insecure', `a token is not sent to ${url.origin}`)
  }
  const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined)
  const request: TokenRequest = signal === undefined ? wanted : { signal, ...wanted }
  const send = (token: string): Promise<Response> => fetch(input, withToken(input, init, token))
  const first = await supply.get(request)
  const response = await send(first)
  if (!isRefused(response, url)) return response
  if (!isRepeatable(input, init)) {
    await supply.replace(request, first).catch(() => undefined)
    return response
  }
  const second = await supply.replace(request, first)
  if (second === undefined) return response
  await response.body?.cancel()
  return await send(second)
}

function withToken(input: string | URL | Request, init: RequestInit | undefined, token: string): RequestInit {
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined))
  headers.set('authorization', `Bearer ${token}`)
  return { ...init, headers }
}

/** What another origin says, after a redirect, is not said of our token: it did not get it. */
function isRefused(response: Response, asked: URL): boolean {
  if (response.status !== 401) return false
  if (response.redirected && new URL(response.url).origin !== asked.origin) return false
  const challenge = response.headers.get('www-authenticate') ?? ''
  return /(^|,)\s*bearer\s/i.test(challenge) && /\berror\s*=\s*("invalid_token"|invalid_token\b)/i.test(challenge)
}

function isRepeatable(input: string | URL | Request, init: RequestInit | undefined): boolean {
  if (init?.body === undefined || init.body === null) return !(input instanceof Request && input.body !== null)
  const { body } = init
  return (
    typeof body === 'string' ||
    body instanceof URLSearchParams ||
    body instanceof FormData ||
    body instanceof Blob ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body)
  )
}
