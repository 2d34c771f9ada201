/** In src/verify/replacing/api-key.md. */

import { Hono } from 'hono'
import { type PrincipalVariables, requirePrincipal } from '../../../src/verify/hono.ts'
import type { Verifier } from '../../../src/verify/verifier.ts'

export function createApp(verifier: Verifier, keys: ReadonlyMap<string, string>, count: (owner: string) => void) {
  const withToken = requirePrincipal(verifier)
  const app = new Hono<{ Variables: PrincipalVariables & { owner?: string } }>()
  app.use(async (c, next) => {
    const key = c.req.header('x-api-key')
    // Whoever brings a token is judged by it alone: a refused one never falls back to a key.
    if (key === undefined || c.req.header('authorization') !== undefined) return await withToken(c, next)
    const owner = keys.get(key)
    if (owner === undefined) return c.text('unknown key', 401)
    count(owner)
    c.set('owner', owner)
    return await next()
  })
  return app.get('/entries', (c) => c.json({ caller: c.var.owner ?? c.var.principal.identity }))
}
