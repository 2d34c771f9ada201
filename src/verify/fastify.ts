/** Lets only workloads with a token of our broker reach a Fastify route. */

import type { IncomingMessage } from 'node:http'
import { type BearerOptions, createAuthenticate } from './bearer.ts'
import { authorizationOf, recallPrincipal, rememberPrincipal } from './request-principal.ts'
import type { Principal, Verifier } from './verifier.ts'

/** What is used of Fastify's request and reply. */
export interface RequestOfFastify {
  readonly raw: Pick<IncomingMessage, 'rawHeaders'>
}
export interface ReplyOfFastify {
  code(status: number): unknown
  headers(headers: Record<string, string>): unknown
  send(body?: string): unknown
}

/** A hook as Fastify takes it. */
export type FastifyHook = (request: RequestOfFastify, reply: ReplyOfFastify) => Promise<unknown>

/**
 * Gives a hook after which {@link principalOf} tells who called. Everybody else is answered as RFC 6750 says, and no handler runs.
 * As `onRequest` it judges before a body is read.
 *
 * @example
 * app.addHook('onRequest', requirePrincipal(verifier))
 * app.get('/', async (request) => principalOf(request).identity)
 */
export function requirePrincipal(verifier: Verifier, options: BearerOptions = {}): FastifyHook {
  const authenticate = createAuthenticate(verifier, options)
  return async (request, reply) => {
    const outcome = await authenticate(authorizationOf(request.raw))
    if ('principal' in outcome) {
      rememberPrincipal(request.raw, outcome.principal)
      return undefined
    }
    const { status, headers, body } = outcome.answer
    reply.code(status)
    reply.headers(headers)
    reply.send(body)
    // What an asynchronous hook returns once it has answered ends the request's way.
    return reply
  }
}

/** Gives who called. Throws where {@link requirePrincipal} has not run for this request. */
export function principalOf(request: RequestOfFastify): Principal {
  return recallPrincipal(request.raw)
}
