import type { IssuedTokenType } from './vocabulary.ts'

/** A successful answer: these members and no others. @see {@link https://www.rfc-editor.org/rfc/rfc8693.html#section-2.2.1 RFC 8693 section 2.2.1} */
export interface TokenResponse {
  readonly access_token: string
  readonly issued_token_type: IssuedTokenType
  readonly token_type: 'Bearer'
  /** Seconds. */
  readonly expires_in: number
  /** Space-separated; only where the target has scopes. */
  readonly scope?: string
}
