/** In src/verify/README.md. */

import { Hono } from 'hono'
import { requirePrincipal } from '../../../src/verify/hono.ts'
import type { Verifier } from '../../../src/verify/verifier.ts'

export function createApp(verifier: Verifier) {
  return new Hono()
    .use(requirePrincipal(verifier))
    .get('/entries', (c) => c.json({ caller: c.var.principal.identity }))
    .post('/entries', requirePrincipal(verifier, { scope: 'entries:write' }), (c) => c.json({ written: true }))
}
