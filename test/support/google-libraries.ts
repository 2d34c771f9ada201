/** Signed requests in the words of Google's auth libraries: those for Go and Java sign the audience themselves, that for Python does not. */

import type { SignedRequest } from '../../providers/aws/stand-in/signed-request.ts'

/**
 * Writes a request as `golang.org/x/oauth2/google/externalaccount` does: names in canonical case and in order, JSON with escapes
 * for HTML, and `url.QueryEscape`.
 */
export function writeAsGo({ url, method, headers }: SignedRequest): string {
  const canonical = headers
    .map(({ key, value }) => ({ key: key.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase()), value }))
    .toSorted((one, other) => (one.key < other.key ? -1 : 1))
  const json = JSON.stringify({ url, method, headers: canonical }).replaceAll(
    /[<>&]/g,
    (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
  )
  return queryEscape(json, "!'()*")
}

/**
 * Writes a request as `com.google.auth.oauth2.AwsCredentials` does: members in order, the audience header once more at the end,
 * and `URLEncoder`.
 */
export function writeAsJava({ url, method, headers }: SignedRequest): string {
  const audience = headers.filter(({ key }) => key === 'x-goog-cloud-target-resource')
  const named = headers.map(({ key, value }) => ({ key: key === 'authorization' ? 'Authorization' : key, value }))
  return queryEscape(JSON.stringify({ headers: [...named, ...audience], method, url }), "!'()~")
}

/**
 * Writes a request as `google.auth.aws` does: members in order, without spaces, and `urllib.parse.quote`, which leaves slashes as
 * they are.
 */
export function writeAsPython({ url, method, headers }: SignedRequest): string {
  return queryEscape(JSON.stringify({ headers, method, url }), "!'()*").replaceAll('+', '%20').replaceAll('%2F', '/')
}

/** Go and Java write a space as `+`; all leave fewer characters as they are than JavaScript does. */
function queryEscape(text: string, more: string): string {
  return encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replaceAll(/[!'()*~]/g, (character) =>
      more.includes(character) ? `%${character.charCodeAt(0).toString(16).toUpperCase()}` : character,
    )
}
