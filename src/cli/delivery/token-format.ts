/** The three ways to write a token down. */

import type { ServiceToken } from '../../client/client.ts'

/** `raw` for whoever wants the token, `json` for whoever wants to know how long it lives, `header` for `curl -H @FILE`. */
export const TOKEN_FORMATS = ['raw', 'json', 'header'] as const

export type TokenFormat = (typeof TOKEN_FORMATS)[number]

/** Gives a token in a format, without an end of line. `now` is in seconds since the epoch. */
export function formatToken(token: ServiceToken, format: TokenFormat, now: number): string {
  switch (format) {
    case 'raw':
      return token.accessToken
    case 'json':
      return JSON.stringify(toAnswer(token, now))
    case 'header':
      return `Authorization: ${token.tokenType} ${token.accessToken}`
  }
}

/**
 * Gives the answer of a token endpoint, with the time at which the token ends: a cached answer's `expires_in` is as old as the
 * answer.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693.html#section-2.2.1 RFC 8693 section 2.2.1}
 */
export function toAnswer(token: ServiceToken, now: number): Readonly<Record<string, string | number>> {
  return {
    access_token: token.accessToken,
    issued_token_type: token.issuedTokenType,
    token_type: token.tokenType,
    expires_in: Math.max(0, token.expiresAt - now),
    expires_at: token.expiresAt,
    ...(token.scope === undefined ? {} : { scope: token.scope }),
  }
}
