/**
 * Gives of an error of the SDK its name and its message. What else it holds leads to the request that failed, and that to the
 * session's token.
 */
export function bareCause(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('not an error')
  const bare = new Error(error.message)
  bare.name = error.name
  return bare
}
