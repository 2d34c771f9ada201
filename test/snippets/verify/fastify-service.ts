/** In src/verify/README.md. */

import fastify from 'fastify'
import { principalOf, requirePrincipal } from '../../../src/verify/fastify.ts'
import type { Verifier } from '../../../src/verify/verifier.ts'

export function createApp(verifier: Verifier) {
  const app = fastify()
  app.addHook('onRequest', requirePrincipal(verifier))
  app.get('/entries', async (request) => ({ caller: principalOf(request).identity }))
  app.post('/entries', { onRequest: requirePrincipal(verifier, { scope: 'entries:write' }) }, async () => ({
    written: true,
  }))
  return app
}
