/** In src/verify/replacing/shared-hmac-secret.md. */

import { createHmac, timingSafeEqual } from 'node:crypto'
import express, { type Request } from 'express'
import { principalOf, requirePrincipal } from '../../../src/verify/express.ts'
import type { Verifier } from '../../../src/verify/verifier.ts'

export function createApp(verifier: Verifier, secrets: ReadonlyMap<string, string>, count: (caller: string) => void) {
  const withToken = requirePrincipal(verifier)
  const app = express()
  app.use(express.raw({ type: () => true }))
  app.use((request, response, next) => {
    const caller = request.get('x-caller')
    // Whoever brings a token is judged by it alone: a refused one never falls back to a signature.
    if (caller === undefined || request.get('authorization') !== undefined) return withToken(request, response, next)
    if (!isSigned(request, secrets.get(caller))) return void response.status(401).end()
    count(caller)
    response.locals.caller = caller
    return next()
  })
  app.get('/entries', (request, response) => {
    response.json({ caller: response.locals.caller ?? principalOf(request).identity })
  })
  return app
}

function isSigned(request: Request, secret: string | undefined): boolean {
  const time = request.get('x-time') ?? ''
  if (secret === undefined || !(Math.abs(Date.now() / 1_000 - Number(time)) < 300)) return false
  const hmac = createHmac('sha256', secret).update(`${time}.${request.method}.${request.originalUrl}.`)
  const expected = hmac.update(request.body ?? '').digest()
  const signature = Buffer.from(request.get('x-signature') ?? '', 'hex')
  return signature.length === expected.length && timingSafeEqual(signature, expected)
}
