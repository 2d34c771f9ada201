/** Which audience a request means. */

/**
 * Gives the short name of a target, which may be written `NAME` or `<issuer>/audiences/<percent-encoded NAME>`.
 *
 * A name that the document declares as it stands is that audience, whatever it looks like.
 */
export function nameTarget(target: string, brokerIssuer: string, isDeclared: (name: string) => boolean): string {
  const prefix = `${brokerIssuer}/audiences/`
  if (isDeclared(target) || !target.startsWith(prefix)) return target
  try {
    return decodeURIComponent(target.slice(prefix.length))
  } catch {
    return target
  }
}
