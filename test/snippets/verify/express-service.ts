/** In src/verify/README.md. */

import express from 'express'
import { principalOf, requirePrincipal } from '../../../src/verify/express.ts'
import type { Verifier } from '../../../src/verify/verifier.ts'

export function createApp(verifier: Verifier) {
  const app = express()
  app.use(requirePrincipal(verifier))
  app.get('/entries', (request, response) => {
    response.json({ caller: principalOf(request).identity })
  })
  app.post('/entries', requirePrincipal(verifier, { scope: 'entries:write' }), (_request, response) => {
    response.json({ written: true })
  })
  return app
}
