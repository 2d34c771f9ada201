/** Lets only workloads with a token of our broker reach a Hono route. */

import type { MiddlewareHandler } from 'hono'
import { type BearerOptions, createAuthenticate } from './bearer.ts'
import type { Principal, Verifier } from './verifier.ts'

/** What the middleware adds to a context: `c.var.principal`. */
export interface PrincipalVariables {
  principal: Principal
}

/**
 * Gives middleware after which `c.var.principal` is who called. Everybody else is answered as RFC 6750 says, and no handler runs.
 *
 * @example
 * const app = new Hono().use(requirePrincipal(verifier)).get('/', (c) => c.text(c.var.principal.identity))
 */
export function requirePrincipal(
  verifier: Verifier,
  options: BearerOptions = {},
): MiddlewareHandler<{ Variables: PrincipalVariables }> {
  const authenticate = createAuthenticate(verifier, options)
  return async (c, next) => {
    // A repeated header arrives as one value with commas, which no token has.
    const authorization = c.req.raw.headers.get('authorization')
    const outcome = await authenticate(authorization === null ? [] : [authorization])
    if ('answer' in outcome) {
      const { status, headers, body } = outcome.answer
      return new Response(body === '' ? null : body, { status, headers })
    }
    c.set('principal', outcome.principal)
    return await next()
  }
}
