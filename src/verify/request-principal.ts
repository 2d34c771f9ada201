/** Which principal a request is by, kept beside the request: no framework's types or prototypes are touched. */

import type { IncomingMessage } from 'node:http'
import type { Principal } from './principal.ts'

const principals = new WeakMap<object, Principal>()

/** What a middleware has found out. */
export function rememberPrincipal(request: object, principal: Principal): void {
  principals.set(request, principal)
}

/** Gives the principal of a request. Throws where no middleware of ours has let the request pass: the route is not protected. */
export function recallPrincipal(request: object): Principal {
  const principal = principals.get(request)
  if (principal === undefined)
    throw new Error('requirePrincipal has not run for this request: put it before this handler')
  return principal
}

/**
 * Gives the values of a request's `Authorization` header. `headers` will not do: Node keeps the first of two and drops the second,
 * which whoever stands before this service may have looked at.
 */
export function authorizationOf({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): readonly string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'authorization')
}
