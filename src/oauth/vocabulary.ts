/** The protocol's own words. */

/** @see {@link https://www.rfc-editor.org/rfc/rfc8693.html#section-2.1 RFC 8693 section 2.1} */
export const TOKEN_EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** @see {@link https://www.rfc-editor.org/rfc/rfc8693.html#section-3 RFC 8693 section 3} */
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token'
export const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt'

/** Token types that we mint. */
export type IssuedTokenType = typeof ACCESS_TOKEN_TYPE | typeof JWT_TYPE

/** Largest request body, in bytes: four times the largest proof, as percent-encoding may triple one. */
export const MAX_BODY_BYTES = 65_536

/** Scopes that Google's auth libraries ask for by default. They mean nothing here, and are ignored. */
export const GOOGLE_SCOPE_PREFIX = 'https://www.googleapis.com/'

/** A scope. @see {@link https://www.rfc-editor.org/rfc/rfc6749.html#section-3.3 RFC 6749 section 3.3} */
export const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/
