/** Lets only workloads with a token of our broker reach an Express route, or any handler that takes Node's request and response. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { type BearerOptions, createAuthenticate } from './bearer.ts'
import { authorizationOf, recallPrincipal, rememberPrincipal } from './request-principal.ts'
import type { Principal, Verifier } from './verifier.ts'

/** A handler as Express and Connect take it. */
export type NodeMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * Gives middleware after which {@link principalOf} tells who called. Everybody else is answered as RFC 6750 says, and no handler
 * runs.
 *
 * @example
 * app.use(requirePrincipal(verifier))
 * app.get('/', (request, response) => response.send(principalOf(request).identity))
 */
export function requirePrincipal(verifier: Verifier, options: BearerOptions = {}): NodeMiddleware {
  const authenticate = createAuthenticate(verifier, options)
  return (request, response, next) => {
    authenticate(authorizationOf(request))
      .then((outcome) => {
        if ('principal' in outcome) {
          rememberPrincipal(request, outcome.principal)
          next()
          return
        }
        const { status, headers, body } = outcome.answer
        response.writeHead(status, headers).end(body)
      })
      .catch(next)
  }
}

/** Gives who called. Throws where {@link requirePrincipal} has not run for this request. */
export function principalOf(request: IncomingMessage): Principal {
  return recallPrincipal(request)
}
